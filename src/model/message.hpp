// src/model/message.hpp - Message, Envelope and Receipt: what notify hands to deliver, and what comes back.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"

namespace noroshi::model {

/// What a message speaks of.
enum class MessageStatus : std::uint8_t { firing, resolved, event };
[[nodiscard]] std::string_view message_status_name(MessageStatus status);
[[nodiscard]] Result<MessageStatus> parse_message_status(std::string_view text);

/// What a person reads. `id` is unique and stays the same over every retry: receivers deduplicate by it.
struct Message {
    std::string id;        ///< 32 hex digits
    std::string receiver;  ///< name in the configuration
    MessageStatus status{MessageStatus::event};
    std::string title;     ///< one line, UTF-8, at most 200 bytes
    std::string body;      ///< plain text, UTF-8, at most 6 KiB
    Labels labels;         ///< common to all alerts of the message
    TimestampMs created_at{};
    std::string replaces;  ///< id of the message that this one corrects or resolves, or ""
    bool operator==(const Message&) const = default;
};

/// How far a message got; each word is used for exactly this and nothing higher.
enum class ReceiptKind : std::uint8_t { handed_over, stored, delivered, answered };
[[nodiscard]] std::string_view receipt_kind_name(ReceiptKind kind);

/// Proof that a message got as far as `kind`.
struct Receipt {
    std::string message_id;
    ReceiptKind kind{ReceiptKind::handed_over};
    TimestampMs at{};
    std::string by;             ///< peer or server that vouches, for people
    std::string envelope_hash{};          ///< deterministic Waku message hash as hex, or ""
    std::int64_t envelope_ns{0};          ///< the envelope's own timestamp
    std::vector<std::string> taken_by{};  ///< every peer that took it
    std::string pubsub_topic{};           ///< where the envelope went
    std::string content_topic{};
    bool operator==(const Receipt&) const = default;
};

/// A text that an owner wrote to us, as it goes on to whoever acts on it.
struct InboundLine {
    crypto::PublicKey signer;     ///< verified; envelope and payload agree
    std::string chat_id;          ///< as signed: whom the author says the text is for
    bool for_us{false};           ///< the signed chat id names our own key; a command needs that
    std::uint64_t clock{0};       ///< as signed, Lamport, ms
    std::string text;             ///< UTF-8
    std::string reply_to;         ///< id of the message it replies to, or ""
    Bytes signed_bytes;           ///< the application frame as transmitted, for an audit
    std::string message_id;       ///< "0x" + 64 hex digits
    TimestampMs sent_at{};        ///< of the envelope; its sender's clock
    TimestampMs received_at{};
};

}  // namespace noroshi::model
