// src/status/messenger_rows.hpp - the messenger's rows on disk: what each holds, its bytes and back.
#pragma once

#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "messenger.hpp"
#include "mvds.hpp"

/// Encoding: proto/messenger_state.proto. Decoders are strict: bytes that are not exactly such a row are `corrupt`, and
/// the row is set aside by whoever reads it. Thread: any; values and pure functions.
namespace noroshi::status {

/// What this installation is.
struct OwnRow {
    std::string installation_id;     ///< a random UUID, kept for ever
    bool bundles_published{false};   ///< once true, others may answer by ratchet, on negotiated topics, for ever
    TimestampMs advertised_at{};     ///< contact code
    std::uint64_t oldest_clock{0};   ///< messages with a lower signed clock are refused: their ids are forgotten
    bool operator==(const OwnRow&) const = default;
};

/// An envelope that was made.
struct EnvelopeRef {
    std::string content_topic;
    std::int64_t timestamp_ns{0};
    crypto::Digest hash{};
    bool operator==(const EnvelopeRef&) const = default;
};

/// A message sent under a key of the caller: one part a text of the chat.
struct SentRow {
    struct Part {
        std::string message_id;
        bool acknowledged{false};
        bool operator==(const Part&) const = default;
    };
    crypto::PublicKey to;
    std::string key;
    TimestampMs created_at{};
    std::vector<Part> parts;
    EnvelopeRef last{};  ///< of the last call that sent it
    bool operator==(const SentRow&) const = default;
};

/// What is repeated until it is acknowledged.
struct OutRow {
    crypto::PublicKey to;
    MvdsMessage message;
    std::string key;              ///< of its SentRow, or ""
    std::uint32_t sends{0};
    TimestampMs next_at{};
    bool contact_request{false};  ///< a newer one takes its place
    bool operator==(const OutRow&) const = default;
};

[[nodiscard]] Bytes encode_own(const OwnRow& row);
[[nodiscard]] Result<OwnRow> decode_own(ByteView bytes);
[[nodiscard]] Bytes encode_sent(const SentRow& row);
[[nodiscard]] Result<SentRow> decode_sent(ByteView bytes);
[[nodiscard]] Bytes encode_out(const OutRow& row);
[[nodiscard]] Result<OutRow> decode_out(ByteView bytes);
/// The signed clock of a message that was taken; its key is the message id.
[[nodiscard]] Bytes encode_seen(std::uint64_t clock);
[[nodiscard]] Result<std::uint64_t> decode_seen(ByteView bytes);
[[nodiscard]] Bytes encode_event(const EventContent& content);
[[nodiscard]] Result<EventContent> decode_event(ByteView bytes);

}  // namespace noroshi::status
