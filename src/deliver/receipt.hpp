// src/deliver/receipt.hpp - "I have it": what the receiver's device sends back to the sender, end-to-end encrypted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "waku/waku.hpp"

namespace noroshi::deliver {

/// Content topic of receipts. An observer sees that somebody answers on it, not whom or to what.
inline constexpr std::string_view receipt_content_topic = "/noroshi/1/receipts/proto";
inline constexpr std::size_t most_receipt_ids = 100;

struct DeliveryReceipt {
    std::vector<std::string> ids;  ///< of messages, 32 hex digits each
    TimestampMs at{};
};
[[nodiscard]] Bytes encode_receipt(const DeliveryReceipt& receipt);
/// Errors: parse (malformed, bad_id, too_many_ids).
[[nodiscard]] Result<DeliveryReceipt> decode_receipt(ByteView bytes);

/// Signed with `key`, sealed to `to`, stamped with `receipt.at`. Errors: those of sealing.
[[nodiscard]] Result<waku::WakuMessage> seal_receipt(const DeliveryReceipt& receipt, const crypto::PublicKey& to,
                                                     const crypto::SecretKey& key, Random& random);

struct ReceivedReceipt {
    DeliveryReceipt receipt;
    crypto::PublicKey from;  ///< verified signer
};
/// Errors: refused (not for this key, not signed), parse.
[[nodiscard]] Result<ReceivedReceipt> open_receipt(const waku::ReceivedMessage& received, const crypto::SecretKey& key);

}  // namespace noroshi::deliver
