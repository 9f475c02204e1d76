// src/waku/store_rpc.hpp - bytes of store queries, in the two versions that servers speak.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "message.hpp"

namespace noroshi::waku {

/// 13/WAKU2-STORE: the Nim node serves only the first, go-waku 0.10 only the second.
enum class StoreVersion : std::uint8_t { v3, v2 };
inline constexpr std::string_view store_v3_protocol = "/vac/waku/store-query/3.0.0";
inline constexpr std::string_view store_v2_protocol = "/vac/waku/store/2.0.0-beta4";
[[nodiscard]] std::string_view store_protocol(StoreVersion version);

/// Messages asked for at a time; with it, the largest answer that is read.
inline constexpr std::uint64_t store_page_size = 20;
inline constexpr std::size_t max_store_frame_bytes = 4 * 1024 * 1024;

/// Messages of one shard and some content topics, oldest first.
struct StoreQuery {
    std::string request_id;
    std::string pubsub_topic;
    std::vector<std::string> content_topics;  ///< 1 to 10
    std::int64_t start_ns{0};                 ///< inclusive, Unix time of the sender's clock
    std::int64_t end_ns{0};                   ///< exclusive
    Bytes cursor;                             ///< of the page before, or empty
};

struct StorePage {
    std::vector<WakuMessage> messages;  ///< those that decode; at most 100
    std::size_t malformed{0};           ///< the others
    Bytes cursor;                       ///< where the next page begins; empty: this was the last one
};

[[nodiscard]] Bytes encode_store_query(StoreVersion version, const StoreQuery& query);
/// Errors, each with a reason as first word: parse (malformed, no_response, wrong_request), limit (rate_limited),
/// refused (refused, with the server's code). All are retryable.
[[nodiscard]] Result<StorePage> decode_store_page(StoreVersion version, std::string_view request_id, ByteView bytes);

}  // namespace noroshi::waku
