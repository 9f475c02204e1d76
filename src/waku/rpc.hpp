// src/waku/rpc.hpp - what the request protocols share: frames, protobuf bytes, status codes; and metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

/// Each request and each response is one frame: unsigned varint length, then that many bytes of protobuf.
namespace noroshi::waku {

inline constexpr std::string_view metadata_protocol = "/vac/waku/metadata/1.0.0";
/// Cap of the frames that are small by their nature: all but pushed messages and pages of a store.
inline constexpr std::size_t max_small_frame_bytes = 64 * 1024;
/// Most bytes that a length prefix of an accepted frame can have.
inline constexpr std::size_t max_prefix_bytes = 10;

/// `body` with its length in front.
[[nodiscard]] Bytes frame(ByteView body);

/// Collects one frame from pieces of a stream. Holds at most `cap` bytes and the prefix.
class FrameReader {
  public:
    explicit FrameReader(std::size_t cap) : cap_(cap) {}
    /// Takes the next piece. Gives the body when it is complete, nothing while it is not. Bytes after the first frame
    /// are refused. Errors: parse, whose message is one word: frame_too_large, bad_length, trailing_bytes.
    [[nodiscard]] Result<std::optional<Bytes>> feed(ByteView piece);
    /// For streams of many frames: takes from the front of `piece` what belongs to this frame and leaves the rest.
    [[nodiscard]] Result<std::optional<Bytes>> next(ByteView& piece);
    /// Bytes of the body that have come so far.
    [[nodiscard]] std::size_t held() const { return body_.size(); }

  private:
    [[nodiscard]] Result<void> take_prefix(ByteView& piece);

    std::size_t cap_;
    std::size_t prefix_bytes_{0};
    std::uint64_t length_{0};
    bool prefix_done_{false};
    bool done_{false};
    Bytes body_;
};

/// 66/WAKU2-METADATA. Field 1 cluster_id; 2 shards, unpacked (the specification, js-waku); 3 shards, packed (go-waku,
/// the Nim node). Both shard fields are written; read are 3, else 2 in either form. Shards over 1023 are passed over.
struct Metadata {
    std::optional<std::uint32_t> cluster;
    std::vector<std::uint16_t> shards;
    bool operator==(const Metadata&) const = default;
};
[[nodiscard]] Bytes encode_metadata(const Metadata& metadata);
/// Errors: parse (malformed, too_many_shards: over 2048 entries).
[[nodiscard]] Result<Metadata> decode_metadata(ByteView bytes);

/// Status codes that filter, lightpush 3, store 3 and peer exchange share; numbers as on the wire.
namespace status {
inline constexpr std::uint32_t ok = 200;
inline constexpr std::uint32_t bad_request = 400;
inline constexpr std::uint32_t not_found = 404;
inline constexpr std::uint32_t too_large = 413;
inline constexpr std::uint32_t invalid_message = 420;  ///< in no specification; the Nim node's validators
inline constexpr std::uint32_t wrong_shard = 421;
inline constexpr std::uint32_t rate_limited = 429;
inline constexpr std::uint32_t internal = 500;
inline constexpr std::uint32_t unavailable = 503;      ///< "no peers to relay to" in the lightpush specification
inline constexpr std::uint32_t no_proof = 504;
inline constexpr std::uint32_t no_peers = 505;         ///< the Nim node's lightpush
}  // namespace status
/// What stands for the request id in an answer "rate limited", which is given before the request is read.
inline constexpr std::string_view unread_request_id = "N/A";

/// The printable ASCII of a stranger's text, '?' for the rest, at most `max` bytes: fit for logs and errors.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max);

inline constexpr std::size_t max_description_bytes = 200;
inline constexpr std::size_t max_request_id_bytes = 128;

}  // namespace noroshi::waku
