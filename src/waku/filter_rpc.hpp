// src/waku/filter_rpc.hpp - bytes of filter subscriptions and pushes (12/WAKU2-FILTER 2.0.0-beta1), both sides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "rpc.hpp"

namespace noroshi::waku {

inline constexpr std::string_view filter_subscribe_protocol = "/vac/waku/filter-subscribe/2.0.0-beta1";
inline constexpr std::string_view filter_push_protocol = "/vac/waku/filter-push/2.0.0-beta1";
/// Content topics of one request.
inline constexpr std::size_t max_filter_topics = 100;

enum class FilterAct : std::uint8_t { ping = 0, subscribe = 1, unsubscribe = 2, unsubscribe_all = 3 };

struct FilterRequest {
    std::string request_id;
    FilterAct act{FilterAct::ping};
    std::string pubsub_topic;                 ///< subscribe and unsubscribe only
    std::vector<std::string> content_topics;  ///< subscribe and unsubscribe only
};
[[nodiscard]] Bytes encode_filter_request(const FilterRequest& request);
/// Errors: parse (malformed, unknown_act). Topics are not checked: the answer to wrong ones is a code.
[[nodiscard]] Result<FilterRequest> decode_filter_request(ByteView bytes);

struct FilterAnswer {
    std::string request_id;
    std::uint32_t code{status::ok};
    std::string info;  ///< printable ASCII, at most 200 bytes
};
[[nodiscard]] Bytes encode_filter_answer(const FilterAnswer& answer);
/// Errors: parse (malformed).
[[nodiscard]] Result<FilterAnswer> decode_filter_answer(ByteView bytes);

struct FilterPush {
    Bytes message;  ///< an encoded WakuMessage, untouched
    std::string pubsub_topic;
};
[[nodiscard]] Bytes encode_filter_push(ByteView message, std::string_view pubsub_topic);
/// Errors: parse (malformed).
[[nodiscard]] Result<FilterPush> decode_filter_push(ByteView bytes);

}  // namespace noroshi::waku
