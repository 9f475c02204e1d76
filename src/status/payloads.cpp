// src/status/payloads.cpp - the signed frame around a payload, and the ids made from it.
#include "payloads.hpp"

#include <status.pb.h>

#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::uint8_t last_recovery_byte = 3;  // the app reads no other, and a second form would be a second message id

struct TypeOf {
    MessageType operator()(const ChatMessage&) const { return MessageType::chat_message; }
    MessageType operator()(const ContactUpdate&) const { return MessageType::contact_update; }
    MessageType operator()(const AcceptContactRequest&) const { return MessageType::accept_contact_request; }
    MessageType operator()(const RetractContactRequest&) const { return MessageType::retract_contact_request; }
    MessageType operator()(const EditMessage&) const { return MessageType::edit_message; }
    MessageType operator()(const DeleteMessage&) const { return MessageType::delete_message; }
    MessageType operator()(const EmojiReaction&) const { return MessageType::emoji_reaction; }
    MessageType operator()(const ChatIdentity&) const { return MessageType::chat_identity; }
    MessageType operator()(const ContactCodeAdvertisement&) const { return MessageType::contact_code_advertisement; }
    MessageType operator()(const Unhandled& other) const { return static_cast<MessageType>(other.type); }
};

}  // namespace

MessageType type_of(const Payload& payload) { return std::visit(TypeOf{}, payload); }

Bytes wrap_payload(MessageType type, ByteView payload, const crypto::SecretKey& key) {
    wire::ApplicationMetadataMessage out;
    out.set_signature(wire::text(key.sign(crypto::keccak256(payload))));
    out.set_payload(wire::text(payload));
    out.set_type(static_cast<std::int32_t>(type));
    return wire::to_bytes(out);
}

Result<SignedPayload> unwrap_payload(ByteView wrapped) {
    wire::ApplicationMetadataMessage in;
    if (!wire::parse(in, wrapped)) {
        return fail(Errc::parse, "malformed");
    }
    const auto signature = wire::fixed<65>(in.signature());
    if (!signature || signature->back() > last_recovery_byte) {
        return fail(Errc::corrupt, "bad_signature");
    }
    const Result<crypto::PublicKey> signer = crypto::recover(crypto::keccak256(as_bytes(in.payload())), *signature);
    if (!signer) {
        return fail(Errc::corrupt, "bad_signature");
    }
    return SignedPayload{*signer, in.type(), wire::bytes(in.payload()), message_id(*signer, wrapped)};
}

std::int32_t type_of_wrapped(ByteView wrapped) {
    wire::ApplicationMetadataMessage in;
    return wire::parse(in, wrapped) ? in.type() : 0;
}

std::string message_id(const crypto::PublicKey& signer, ByteView wrapped) {
    const auto point = signer.uncompressed();
    Bytes material(point.begin(), point.end());
    material.insert(material.end(), wrapped.begin(), wrapped.end());
    return "0x" + to_hex(crypto::keccak256(material));
}

}  // namespace noroshi::status
