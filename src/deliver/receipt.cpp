// src/deliver/receipt.cpp - bytes of delivery receipts.
#include "deliver/receipt.hpp"

#include <notification.pb.h>

#include <algorithm>

namespace noroshi::deliver {
namespace {

constexpr std::size_t id_digits = 32;

bool is_id(std::string_view text) {
    return text.size() == id_digits &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Bytes encode_receipt(const DeliveryReceipt& receipt) {
    v1::DeliveryReceipt wire;
    for (const std::string& id : receipt.ids) {
        wire.add_ids(id);
    }
    wire.set_at_ms(to_unix_ms(receipt.at));
    Bytes out(wire.ByteSizeLong());
    wire.SerializeWithCachedSizesToArray(out.data());
    return out;
}

Result<DeliveryReceipt> decode_receipt(ByteView bytes) {
    constexpr std::size_t most_bytes = 64 * 1024;
    v1::DeliveryReceipt wire;
    if (bytes.size() > most_bytes || !wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(Errc::parse, "malformed");
    }
    if (wire.ids_size() > static_cast<int>(most_receipt_ids)) {
        return fail(Errc::parse, "too_many_ids");
    }
    if (!std::ranges::all_of(wire.ids(), is_id)) {
        return fail(Errc::parse, "bad_id");
    }
    return DeliveryReceipt{{wire.ids().begin(), wire.ids().end()}, from_unix_ms(wire.at_ms())};
}

Result<waku::WakuMessage> seal_receipt(const DeliveryReceipt& receipt, const crypto::PublicKey& to,
                                       const crypto::SecretKey& key, Random& random) {
    waku::WakuMessage out;
    NOROSHI_TRY(out.payload, waku::seal_asymmetric(encode_receipt(receipt), to, &key, random));
    out.content_topic = receipt_content_topic;
    out.version = waku::payload_version_1;
    out.timestamp_ns = to_unix_ms(receipt.at) * 1'000'000;
    return out;
}

Result<ReceivedReceipt> open_receipt(const waku::ReceivedMessage& received, const crypto::SecretKey& key) {
    if (received.message.version != waku::payload_version_1) {
        return fail(Errc::refused, "not_encrypted");
    }
    NOROSHI_TRY(const waku::OpenedPayload opened, waku::open_asymmetric(received.message.payload, key));
    if (!opened.signer) {
        return fail(Errc::refused, "not_signed");
    }
    NOROSHI_TRY(DeliveryReceipt receipt, decode_receipt(opened.payload));
    return ReceivedReceipt{std::move(receipt), *opened.signer};
}

}  // namespace noroshi::deliver
