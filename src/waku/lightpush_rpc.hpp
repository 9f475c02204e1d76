// src/waku/lightpush_rpc.hpp - bytes of lightpush requests and answers, both versions, both sides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "rpc.hpp"

namespace noroshi::waku {

/// 19/WAKU2-LIGHTPUSH: go-waku 0.10 has only the second; js-waku asks for the first.
enum class LightpushVersion : std::uint8_t { v3, v2 };
inline constexpr std::string_view lightpush_v3_protocol = "/vac/waku/lightpush/3.0.0";
inline constexpr std::string_view lightpush_v2_protocol = "/vac/waku/lightpush/2.0.0-beta1";
[[nodiscard]] std::string_view lightpush_protocol(LightpushVersion version);

/// A whole request: the largest message and what is around it.
inline constexpr std::size_t max_push_frame_bytes = 1024 * 1024 + 64 * 1024;

struct PushRequest {
    std::string request_id;
    std::string pubsub_topic;  ///< empty: the server is to find the shard itself (version 3)
    Bytes message;             ///< an encoded WakuMessage, untouched
};
[[nodiscard]] Bytes encode_push(LightpushVersion version, const PushRequest& request);
/// Errors: parse (malformed, no_request).
[[nodiscard]] Result<PushRequest> decode_push(LightpushVersion version, ByteView bytes);

/// The answer in the words of version 3; version 2 has only success and prose, from which the code is guessed.
struct PushAnswer {
    std::string request_id;
    std::uint32_t code{status::ok};
    std::string info;                           ///< a stranger's prose: printable ASCII, at most 200 bytes
    std::optional<std::uint32_t> relay_peers;   ///< version 3: how many it was relayed to
};
[[nodiscard]] Bytes encode_push_answer(LightpushVersion version, const PushAnswer& answer);
/// Errors: parse (malformed, no_response).
[[nodiscard]] Result<PushAnswer> decode_push_answer(LightpushVersion version, ByteView bytes);

/// Nothing when the push has reached somebody, or had before. Else an error whose first word is one of: no_peers,
/// rate_limited, rln_required, wrong_shard, refused (retryable), too_large, invalid (not).
[[nodiscard]] Result<void> judge_push(LightpushVersion version, const PushAnswer& answer);

}  // namespace noroshi::waku
