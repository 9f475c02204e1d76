// src/status/payload_decode.cpp - payloads from bytes of anybody.
#include <status.pb.h>

#include <algorithm>
#include <initializer_list>

#include "payload_rules.hpp"
#include "push.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

tl::unexpected<Error> refused(const char* word) { return fail(Errc::parse, word); }

/// The message in `bytes`, whose texts `texts` lists, when it is one of two people.
template <class Wire>
Result<Wire> parse(ByteView bytes) {
    Wire in;
    if (!wire::parse(in, bytes)) {
        return refused("malformed");
    }
    if constexpr (requires { in.message_type(); }) {
        if (in.message_type() != static_cast<std::int32_t>(MessageKind::one_to_one)) {
            return refused("bad_kind");
        }
    }
    return in;
}

bool are_utf8(std::initializer_list<std::string_view> texts) { return std::ranges::all_of(texts, is_utf8); }

template <class T>
Result<Payload> checked(T payload) {
    if (const Fault fault = fault_of(payload)) {
        return refused(fault);
    }
    return Payload(std::move(payload));
}

std::optional<PropagatedState> read_state(const auto& in) {
    const wire::ContactRequestPropagatedState& told = in.contact_request_propagated_state();
    constexpr auto last = static_cast<std::uint64_t>(ContactState::dismissed);
    if (!in.has_contact_request_propagated_state() || told.local_state() > last || told.remote_state() > last ||
        told.local_clock() > max_clock || told.remote_clock() > max_clock) {
        return std::nullopt;
    }
    return PropagatedState{told.local_clock(), static_cast<ContactState>(told.local_state()), told.remote_clock(),
                           static_cast<ContactState>(told.remote_state())};
}

Result<Payload> decode_chat_message(ByteView bytes) {
    NOROSHI_TRY(const wire::ChatMessage in, parse<wire::ChatMessage>(bytes));
    if (!are_utf8({in.text(), in.response_to(), in.chat_id()})) {
        return refused("bad_utf8");
    }
    ChatMessage out{in.clock(),     in.timestamp(), in.text(),
                    in.response_to(), in.chat_id(),   static_cast<ContentType>(in.content_type()),
                    shown_name(in.display_name()), read_state(in), std::nullopt};
    if (out.content == ContentType::image) {
        const wire::ImageMessage& image = in.image();
        out.image = Image{wire::bytes(image.payload()), static_cast<ImageFormat>(image.format()), image.width(),
                          image.height()};
    }
    return checked(std::move(out));
}

Result<Payload> decode_contact_update(ByteView bytes) {
    NOROSHI_TRY(const wire::ContactUpdate in, parse<wire::ContactUpdate>(bytes));
    if (!is_utf8(in.public_key())) {
        return refused("bad_utf8");
    }
    return checked(ContactUpdate{in.clock(), shown_name(in.display_name()), in.contact_request_clock(), read_state(in),
                                 in.public_key()});
}

template <class T>
Result<Payload> decode_answer(ByteView bytes) {
    NOROSHI_TRY(const wire::ContactRequestAnswer in, parse<wire::ContactRequestAnswer>(bytes));
    return checked(T{in.id(), in.clock()});
}

Result<Payload> decode_edit(ByteView bytes) {
    NOROSHI_TRY(const wire::EditMessage in, parse<wire::EditMessage>(bytes));
    if (!are_utf8({in.text(), in.chat_id()})) {
        return refused("bad_utf8");
    }
    const auto content = in.content_type() == 0 ? ContentType::text : static_cast<ContentType>(in.content_type());
    return checked(EditMessage{in.clock(), in.text(), in.chat_id(), in.message_id(), content});
}

Result<Payload> decode_delete(ByteView bytes) {
    NOROSHI_TRY(const wire::DeleteMessage in, parse<wire::DeleteMessage>(bytes));
    if (!is_utf8(in.chat_id())) {
        return refused("bad_utf8");
    }
    return checked(DeleteMessage{in.clock(), in.chat_id(), in.message_id()});
}

Result<Payload> decode_reaction(ByteView bytes) {
    NOROSHI_TRY(const wire::EmojiReaction in, parse<wire::EmojiReaction>(bytes));
    if (!is_utf8(in.chat_id())) {
        return refused("bad_utf8");
    }
    return checked(EmojiReaction{in.clock(), in.chat_id(), in.message_id(), static_cast<Emoji>(in.type()), in.retracted()});
}

/// The larger picture that anybody can read; none is no fault.
std::optional<Image> read_picture(const wire::ChatIdentity& in) {
    for (const std::string_view name : {"large", "thumbnail"}) {
        for (const wire::IdentityImageEntry& entry : in.images()) {
            const wire::IdentityImage& image = entry.value();
            if (entry.key() == name && !image.encrypted() && !image.payload().empty() &&
                is_image_format(image.image_format())) {
                return Image{wire::bytes(image.payload()), static_cast<ImageFormat>(image.image_format()), 0, 0};
            }
        }
    }
    return std::nullopt;
}

ChatIdentity read_identity(const wire::ChatIdentity& in) {
    return {in.clock(), shown_name(in.display_name()), read_picture(in)};
}

Result<Payload> decode_identity(ByteView bytes) {
    NOROSHI_TRY(const wire::ChatIdentity in, parse<wire::ChatIdentity>(bytes));
    return checked(read_identity(in));
}

Result<Payload> decode_advertisement(ByteView bytes) {
    NOROSHI_TRY(const wire::ContactCodeAdvertisement in, parse<wire::ContactCodeAdvertisement>(bytes));
    ContactCodeAdvertisement out;
    if (in.has_chat_identity()) {
        out.identity = read_identity(in.chat_identity());
    }
    for (int i = 0; i < std::min(in.push_notification_info_size(), static_cast<int>(most_push_infos)); ++i) {
        out.push_infos.push_back(read_push_info(in.push_notification_info(i)));
    }
    return checked(std::move(out));
}

}  // namespace

Result<Payload> decode_payload(std::int32_t type, ByteView bytes) {
    if (bytes.size() > wire::max_message_bytes) {
        return refused("too_large");
    }
    switch (static_cast<MessageType>(type)) {
        case MessageType::chat_message:
            return decode_chat_message(bytes);
        case MessageType::contact_update:
            return decode_contact_update(bytes);
        case MessageType::accept_contact_request:
            return decode_answer<AcceptContactRequest>(bytes);
        case MessageType::retract_contact_request:
            return decode_answer<RetractContactRequest>(bytes);
        case MessageType::edit_message:
            return decode_edit(bytes);
        case MessageType::delete_message:
            return decode_delete(bytes);
        case MessageType::emoji_reaction:
            return decode_reaction(bytes);
        case MessageType::chat_identity:
            return decode_identity(bytes);
        case MessageType::contact_code_advertisement:
            return decode_advertisement(bytes);
        default:
            return Payload(Unhandled{type});
    }
}

}  // namespace noroshi::status
