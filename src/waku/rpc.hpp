// src/waku/rpc.hpp - bytes of the request and response protocols: framing, metadata, lightpush.
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
inline constexpr std::string_view lightpush_protocol = "/vac/waku/lightpush/2.0.0-beta1";
/// Cap of every frame that is read: metadata and the answers to a push are small.
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
    /// What was read so far is less than a frame, but more than nothing.
    [[nodiscard]] bool in_the_middle() const { return !done_ && prefix_bytes_ > 0; }

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

/// 19/WAKU2-LIGHTPUSH 2.0.0-beta1. Field 1 request_id; 2 request {1 pubsub_topic, 2 message}; 3 response {1 is_success,
/// 2 info}. `message` is an encoded WakuMessage.
[[nodiscard]] Bytes encode_push(std::string_view request_id, std::string_view pubsub_topic, ByteView message);
struct PushAnswer {
    std::string request_id;
    bool success{false};
    std::string info;  ///< a stranger's prose: printable ASCII, at most 200 bytes
    /// The server's limit was hit. go-waku answers with the request id "N/A" and "exceeds the rate limit", the Nim node
    /// with "TOO_MANY_REQUESTS".
    [[nodiscard]] bool rate_limited() const;
};
/// Errors: parse (malformed, no_response).
[[nodiscard]] Result<PushAnswer> decode_push_answer(ByteView bytes);

/// The printable ASCII of a stranger's text, '?' for the rest, at most `max` bytes: fit for logs and errors.
[[nodiscard]] std::string printable(std::string_view text, std::size_t max);

}  // namespace noroshi::waku
