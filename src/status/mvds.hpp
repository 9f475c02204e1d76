// src/status/mvds.hpp - 2/MVDS as Status uses it in one-to-one chats: messages that are repeated until acknowledged.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

/// Thread: any; values and pure functions.
namespace noroshi::status {

using MvdsId = std::array<std::uint8_t, 32>;

struct MvdsMessage {
    MvdsId group{};
    std::int64_t timestamp_s{0};
    Bytes body;  ///< ApplicationMetadataMessage, as transmitted
    /// SHA-256("MESSAGE_ID" | group | LE64(timestamp) | body).
    [[nodiscard]] MvdsId id() const;
    bool operator==(const MvdsMessage&) const = default;
};
struct MvdsPayload {
    std::vector<MvdsId> acks;
    std::vector<MvdsMessage> messages;
    [[nodiscard]] bool empty() const { return acks.empty() && messages.empty(); }
    bool operator==(const MvdsPayload&) const = default;
};

/// Keccak-256 of both compressed keys, the one with the smaller X first.
[[nodiscard]] MvdsId mvds_group(const crypto::PublicKey& a, const crypto::PublicKey& b);
[[nodiscard]] Bytes encode_mvds(const MvdsPayload& payload);
/// Offers and requests are passed over: batch mode has none. At most 1,000 acks and 100 messages are taken. Whether a
/// message is of the group of its sender is for the caller to see.
/// Errors: parse (malformed, too_many, empty). Bytes that are malformed or empty are no MVDS payload but a message by
/// themselves.
[[nodiscard]] Result<MvdsPayload> decode_mvds(ByteView bytes);

/// Sends of one message after which it is given up: about ten days.
inline constexpr std::uint32_t mvds_most_sends = 15;
/// Pause after the k-th send (k from 1): 2^(k-1) * 27 s and 0..9 s of jitter, as the app does.
[[nodiscard]] Milliseconds mvds_pause(std::uint32_t sends, Random& random);

}  // namespace noroshi::status
