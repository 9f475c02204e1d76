// src/waku/message.hpp - WakuMessage (14/WAKU2-MESSAGE), its deterministic hash, and the two kinds of topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"

/// Thread: any; everything here is a value or a pure function.
namespace noroshi::waku {

/// Largest encoded message this folder decodes: the preset of the Status cluster.
inline constexpr std::size_t max_message_bytes = 1024 * 1024;
/// Largest encoded message it publishes: below go-waku's 150,000 with room for the gossip frame.
inline constexpr std::size_t max_published_bytes = 140'000;
/// Longest `meta` (14/WAKU2-MESSAGE).
inline constexpr std::size_t max_meta_bytes = 64;

/// `version` of a message whose payload is sealed as payload.hpp does it.
inline constexpr std::uint32_t payload_version_1 = 1;

/// One Waku message. Empty `payload` and `content_topic` exist as values but are refused by encode and decode,
/// because every deployed node refuses them.
struct WakuMessage {
    Bytes payload;
    std::string content_topic;                 ///< UTF-8, "/application/version/name/encoding"
    std::optional<std::uint32_t> version;      ///< 0 opaque, 1 26/WAKU-PAYLOAD
    std::optional<std::int64_t> timestamp_ns;  ///< Unix nanoseconds of the sender's clock
    std::optional<Bytes> meta;                 ///< at most 64 bytes
    std::optional<Bytes> rate_limit_proof;     ///< serialized RateLimitProof
    std::optional<bool> ephemeral;             ///< true: stores must not archive it
    bool operator==(const WakuMessage&) const = default;
};

/// Protobuf bytes in ascending field order, absent optionals left out.
/// Errors: invalid_argument (missing_payload, missing_content_topic, content_topic_not_utf8), limit (meta_too_long,
/// too_large: over `max_message_bytes`). The message of the error is that one word.
[[nodiscard]] Result<Bytes> encode_message(const WakuMessage& message);
/// Reads one message from outside. Unknown fields are passed over.
/// Errors: parse, whose message is one stable word fit for a metric label: too_large, malformed, missing_payload,
/// missing_content_topic, content_topic_not_utf8, content_topic_too_long, meta_too_long.
[[nodiscard]] Result<WakuMessage> decode_message(ByteView bytes);
/// The hash that names a message everywhere in Waku: SHA-256 over pubsub topic, payload, content topic, meta and the
/// timestamp as 8 bytes big-endian. An absent timestamp counts as zero, as go-waku and the Nim node do it; js-waku
/// leaves it out there, so always set one.
[[nodiscard]] crypto::Digest message_hash(std::string_view pubsub_topic, const WakuMessage& message);

/// A parsed content topic (23/WAKU2-TOPICS); no part is empty or holds a '/'.
struct ContentTopic {
    std::optional<std::uint32_t> generation;
    std::string application;
    std::string version;
    std::string name;
    std::string encoding;
    bool operator==(const ContentTopic&) const = default;
};

/// Reads the short (4 parts) or long (5 parts, generation first) form. Errors: parse, with what was expected.
[[nodiscard]] Result<ContentTopic> parse_content_topic(std::string_view text);
/// The shard that autosharding gives `topic` in a network of `shard_count` shards (1..1024).
/// Errors: unsupported (generation other than 0), invalid_argument (shard_count).
[[nodiscard]] Result<std::uint16_t> autoshard(const ContentTopic& topic, std::uint16_t shard_count);

/// A shard of a cluster: "/waku/2/rs/<cluster>/<shard>", shard 0..1023.
struct PubsubTopic {
    std::uint16_t cluster{0};
    std::uint16_t shard{0};
    [[nodiscard]] std::string to_string() const;
    bool operator==(const PubsubTopic&) const = default;
};

/// Errors: parse. Digits only and without leading zeros, so that equal topics are equal texts.
[[nodiscard]] Result<PubsubTopic> parse_pubsub_topic(std::string_view text);

}  // namespace noroshi::waku
