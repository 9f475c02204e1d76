// src/waku/store_rpc.hpp - bytes of store queries and pages: asked in both versions that servers speak, served in the third.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "message.hpp"
#include "rpc.hpp"

namespace noroshi::waku {

/// 13/WAKU2-STORE: the Nim node serves only the first, go-waku 0.10 only the second.
enum class StoreVersion : std::uint8_t { v3, v2 };
inline constexpr std::string_view store_v3_protocol = "/vac/waku/store-query/3.0.0";
inline constexpr std::string_view store_v2_protocol = "/vac/waku/store/2.0.0-beta4";
[[nodiscard]] std::string_view store_protocol(StoreVersion version);

/// Messages asked for at a time; with it, the largest answer that is read.
inline constexpr std::uint64_t store_page_size = 20;
inline constexpr std::size_t max_store_frame_bytes = 4 * 1024 * 1024;
inline constexpr std::uint64_t max_store_page_size = 100;
inline constexpr std::size_t max_store_topics = 10;
inline constexpr std::size_t max_store_hashes = 100;

/// Messages by topics and time, or by hash (version 3).
struct StoreQuery {
    std::string request_id;
    std::string pubsub_topic;
    std::vector<std::string> content_topics;  ///< 1 to 10; none together with no pubsub topic
    std::optional<std::int64_t> start_ns;     ///< inclusive, Unix time of the sender's clock
    std::optional<std::int64_t> end_ns;       ///< exclusive
    std::vector<crypto::Digest> hashes;       ///< excludes all of the above
    Bytes cursor;                             ///< of the page before, or empty
    bool include_data{true};                  ///< false: hashes alone
    bool forward{true};                       ///< pages from old to new; each page is ascending in any case
    std::uint64_t page_size{store_page_size};
};

struct StorePage {
    std::vector<WakuMessage> messages;   ///< those that decode; at most 100
    std::vector<crypto::Digest> hashes;  ///< version 3, in the server's words
    std::size_t malformed{0};            ///< messages that do not decode
    Bytes cursor;                        ///< where the next page begins; empty: this was the last one
};

[[nodiscard]] Bytes encode_store_query(StoreVersion version, const StoreQuery& query);
/// Errors, each with a reason as first word: parse (malformed, no_response, wrong_request), limit (rate_limited),
/// refused (refused, with the server's code). All are retryable.
[[nodiscard]] Result<StorePage> decode_store_page(StoreVersion version, std::string_view request_id, ByteView bytes);

/// Reads a query of version 3. Errors: parse (malformed, bad_hash); invalid_argument, with the prose of an answer 400
/// (mixed criteria, too many topics or hashes).
[[nodiscard]] Result<StoreQuery> decode_store_query(ByteView bytes);

struct StoreEntry {
    crypto::Digest hash{};
    Bytes message;  ///< encoded, untouched; empty when data was not asked for
    std::string pubsub_topic;
};
struct StoreAnswer {
    std::string request_id;
    std::uint32_t code{status::ok};
    std::string info{"OK"};  ///< the Nim node's decoder wants one
    std::vector<StoreEntry> entries;
    Bytes cursor;            ///< hash of the last entry when there are more pages
};
[[nodiscard]] Bytes encode_store_answer(const StoreAnswer& answer);

}  // namespace noroshi::waku
