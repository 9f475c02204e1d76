// src/status/payload_encode.cpp - payloads to bytes, only such as the app takes.
#include <status.pb.h>

#include "payload_rules.hpp"
#include "push.hpp"
#include "status/identity.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::int32_t one_to_one = static_cast<std::int32_t>(MessageKind::one_to_one);
constexpr std::int32_t raw_picture = 1;

tl::unexpected<Error> refused(const char* word) { return fail(Errc::invalid_argument, word); }

template <class T>
Result<void> check_rules(const T& payload) {
    if (const Fault fault = fault_of(payload)) {
        return refused(fault);
    }
    return {};
}

Result<void> check_name(const std::string& name) {
    if (!check_display_name(name)) {
        return refused("bad_display_name");
    }
    return {};
}

Result<void> check_size(const std::optional<Image>& image, std::size_t most) {
    if (image && image->data.size() > most) {
        return fail(Errc::limit, "image_too_large");
    }
    return {};
}

void fill(const std::optional<PropagatedState>& state, auto& out) {
    if (!state) {
        return;
    }
    wire::ContactRequestPropagatedState& told = *out.mutable_contact_request_propagated_state();
    told.set_local_clock(state->local_clock);
    told.set_local_state(static_cast<std::uint64_t>(state->local));
    told.set_remote_clock(state->remote_clock);
    told.set_remote_state(static_cast<std::uint64_t>(state->remote));
}

void fill(const ChatIdentity& identity, wire::ChatIdentity& out) {
    out.set_clock(identity.clock);
    out.set_display_name(identity.display_name);
    if (!identity.picture) {
        return;
    }
    for (const char* name : {"large", "thumbnail"}) {
        wire::IdentityImageEntry& entry = *out.add_images();
        entry.set_key(name);
        entry.mutable_value()->set_payload(wire::text(identity.picture->data));
        entry.mutable_value()->set_source_type(raw_picture);
        entry.mutable_value()->set_image_format(static_cast<std::int32_t>(identity.picture->format));
    }
}

Result<void> check_identity(const ChatIdentity& identity) {
    NOROSHI_TRY_VOID(check_rules(identity));
    NOROSHI_TRY_VOID(check_name(identity.display_name));
    return check_size(identity.picture, max_image_bytes / 2);
}

template <class T>
Result<Bytes> encode_answer(const T& answer) {
    NOROSHI_TRY_VOID(check_rules(answer));
    wire::ContactRequestAnswer out;
    out.set_id(answer.id);
    out.set_clock(answer.clock);
    return wire::to_bytes(out);
}

struct Encode {
    Result<Bytes> operator()(const ChatMessage& message) const {
        NOROSHI_TRY_VOID(check_rules(message));
        NOROSHI_TRY_VOID(check_name(message.display_name));
        NOROSHI_TRY_VOID(check_size(message.image, max_image_bytes));
        if (message.content == ContentType::sticker || message.content == ContentType::audio) {
            return refused("not_sendable");
        }
        wire::ChatMessage out;
        out.set_clock(message.clock);
        out.set_timestamp(message.timestamp);
        out.set_text(message.text);
        out.set_response_to(message.response_to);
        out.set_chat_id(message.chat_id);
        out.set_message_type(one_to_one);
        out.set_content_type(static_cast<std::int32_t>(message.content));
        if (message.image) {
            wire::ImageMessage& image = *out.mutable_image();
            image.set_payload(wire::text(message.image->data));
            image.set_format(static_cast<std::int32_t>(message.image->format));
            image.set_width(message.image->width);
            image.set_height(message.image->height);
        }
        out.set_display_name(message.display_name);
        fill(message.contact_state, out);
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const ContactUpdate& update) const {
        NOROSHI_TRY_VOID(check_rules(update));
        NOROSHI_TRY_VOID(check_name(update.display_name));
        wire::ContactUpdate out;
        out.set_clock(update.clock);
        out.set_display_name(update.display_name);
        out.set_contact_request_clock(update.contact_request_clock);
        fill(update.contact_state, out);
        out.set_public_key(update.public_key);
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const AcceptContactRequest& answer) const { return encode_answer(answer); }
    Result<Bytes> operator()(const RetractContactRequest& answer) const { return encode_answer(answer); }
    Result<Bytes> operator()(const EditMessage& message) const {
        NOROSHI_TRY_VOID(check_rules(message));
        wire::EditMessage out;
        out.set_clock(message.clock);
        out.set_text(message.text);
        out.set_chat_id(message.chat_id);
        out.set_message_id(message.message_id);
        out.set_message_type(one_to_one);
        out.set_content_type(static_cast<std::int32_t>(message.content));
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const DeleteMessage& message) const {
        NOROSHI_TRY_VOID(check_rules(message));
        wire::DeleteMessage out;
        out.set_clock(message.clock);
        out.set_chat_id(message.chat_id);
        out.set_message_id(message.message_id);
        out.set_message_type(one_to_one);
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const EmojiReaction& reaction) const {
        NOROSHI_TRY_VOID(check_rules(reaction));
        wire::EmojiReaction out;
        out.set_clock(reaction.clock);
        out.set_chat_id(reaction.chat_id);
        out.set_message_id(reaction.message_id);
        out.set_message_type(one_to_one);
        out.set_type(static_cast<std::int32_t>(reaction.emoji));
        out.set_retracted(reaction.retracted);
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const ChatIdentity& identity) const {
        NOROSHI_TRY_VOID(check_identity(identity));
        wire::ChatIdentity out;
        fill(identity, out);
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const ContactCodeAdvertisement& advertisement) const {
        wire::ContactCodeAdvertisement out;
        if (advertisement.identity) {
            NOROSHI_TRY_VOID(check_identity(*advertisement.identity));
            fill(*advertisement.identity, *out.mutable_chat_identity());
        }
        for (const PushInfo& info : advertisement.push_infos) {
            write_push_info(info, *out.add_push_notification_info());
        }
        return wire::to_bytes(out);
    }
    Result<Bytes> operator()(const Unhandled&) const { return refused("not_sendable"); }
};

}  // namespace

Result<Bytes> encode_payload(const Payload& payload) { return std::visit(Encode{}, payload); }

}  // namespace noroshi::status
