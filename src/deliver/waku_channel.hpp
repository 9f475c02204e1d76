// src/deliver/waku_channel.hpp - the channel that sends an encrypted noroshi notification over a Waku node, and its reader.
#pragma once

#include <memory>
#include <string>

#include "base/crypto/crypto.hpp"
#include "deliver/deliver.hpp"
#include "waku/waku.hpp"

namespace noroshi::deliver {

/// Content topic of noroshi's own notifications (23/WAKU2-TOPICS form).
inline constexpr std::string_view notification_content_topic = "/noroshi/1/alerts/proto";

/// Where and to whom.
struct WakuChannelConfig {
    crypto::PublicKey to;
    std::string pubsub_topic;  ///< "/waku/2/rs/16/32"
    std::string content_topic{notification_content_topic};
};

/// Encrypts (26/WAKU-PAYLOAD version 1, signed, padded) and publishes. Each attempt has a fresh timestamp, so that an
/// equal message is never dropped as already seen; the receiver deduplicates by the message id inside.
/// `node`, `clock` and `random` must outlive the channel.
[[nodiscard]] std::shared_ptr<Channel> make_waku_channel(WakuChannelConfig config, crypto::SecretKey key,
                                                         waku::Node& node, const Clock& clock, Random& random);

/// A notification as its reader sees it.
struct ReceivedNotification {
    model::Message message;
    crypto::PublicKey from;      ///< verified signer
    TimestampMs sent_at{};
    std::string envelope_hash;   ///< hex
};

/// Plain bytes of a notification (protobuf, src/deliver/proto/notification.proto). Errors: limit (over 64 KiB).
[[nodiscard]] Result<Bytes> encode_notification(const model::Message& message, TimestampMs sent_at);
struct DecodedNotification {
    model::Message message;
    TimestampMs sent_at{};
};
/// Errors: parse (with a named reason), limit.
[[nodiscard]] Result<DecodedNotification> decode_notification(ByteView bytes);

/// Decrypts and decodes one received WakuMessage. Errors: refused (not for this key, not signed, other content topic),
/// parse.
[[nodiscard]] Result<ReceivedNotification> open_notification(const waku::ReceivedMessage& received,
                                                             const crypto::SecretKey& key);

}  // namespace noroshi::deliver
