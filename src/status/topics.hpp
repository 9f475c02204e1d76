// src/status/topics.hpp - where Status messages travel: chat ids, their content topics and symmetric keys (10/WAKU2, 55).
#pragma once

#include <string>
#include <string_view>

#include "base/crypto/crypto.hpp"
#include "waku/waku.hpp"

/// Thread: any; pure functions.
namespace noroshi::status {

/// Shard of all one-to-one traffic.
inline constexpr std::uint16_t default_shard = 32;

/// "/waku/1/0x<first four bytes of Keccak-256(chat id)>/rfc26".
[[nodiscard]] std::string content_topic(std::string_view chat_id);

/// "contact-discovery-<X mod 5000>": shared by a 5000th of all users; private messages to `key`.
[[nodiscard]] std::string partitioned_chat_id(const crypto::PublicKey& key);
/// "contact-discovery-<hex of the uncompressed key>".
[[nodiscard]] std::string personal_chat_id(const crypto::PublicKey& key);
/// "0x<hex>-contact-code": its owner publishes bundles there.
[[nodiscard]] std::string contact_code_chat_id(const crypto::PublicKey& key);
/// Hex of the shared secret of both identities: the private topic of two who have each other's bundles.
[[nodiscard]] std::string negotiated_chat_id(const crypto::SecretKey& own, const crypto::PublicKey& other);

/// The key of a symmetric topic: PBKDF2-HMAC-SHA256 of the chat id, no salt, 65356 rounds. Takes tens of milliseconds:
/// keep what it gives. Hides nothing from whoever can guess the chat id.
[[nodiscard]] waku::SymmetricKey topic_key(std::string_view chat_id);

}  // namespace noroshi::status
