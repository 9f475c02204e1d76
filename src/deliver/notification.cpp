// src/deliver/notification.cpp - the notification inside the payload: bytes and back, and the way from a WakuMessage.
#include <algorithm>

#include "deliver/waku_channel.hpp"
#include "notification.pb.h"

namespace noroshi::deliver {
namespace {

constexpr std::size_t most_bytes = 64u << 10;
constexpr std::size_t most_title_bytes = 200;
constexpr std::size_t most_body_bytes = 8u << 10;
constexpr std::size_t most_labels = 64;
constexpr std::size_t most_label_bytes = 1'024;
constexpr std::size_t id_digits = 32;

v1::Notification::Status wire_status(model::MessageStatus status) {
    switch (status) {
        case model::MessageStatus::firing:
            return v1::Notification::FIRING;
        case model::MessageStatus::resolved:
            return v1::Notification::RESOLVED;
        case model::MessageStatus::event:
            return v1::Notification::EVENT;
    }
    return v1::Notification::EVENT;
}

bool is_id(const std::string& text) {
    return text.size() == id_digits && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

/// Text for people: well-formed, bounded, without control characters but line ends.
bool is_text(const std::string& text, std::size_t most, bool lines) {
    return text.size() <= most && is_utf8(text) && std::ranges::all_of(text, [lines](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return (byte >= 0x20 && byte != 0x7f) || (lines && c == '\n');
           });
}

Result<model::Labels> read_labels(const v1::Notification& wire) {
    if (static_cast<std::size_t>(wire.labels_size()) > most_labels) {
        return fail(Errc::limit, "too_many_labels");
    }
    std::vector<model::Label> labels;
    for (const v1::Notification::Label& label : wire.labels()) {
        if (label.name().empty() || !is_text(label.name(), most_label_bytes, false) ||
            !is_text(label.value(), most_label_bytes, true)) {
            return fail(Errc::parse, "bad_label");
        }
        labels.push_back({label.name(), label.value()});
    }
    return model::Labels(std::move(labels));
}

}  // namespace

Result<Bytes> encode_notification(const model::Message& message, TimestampMs sent_at) {
    v1::Notification wire;
    wire.set_id(message.id);
    wire.set_sent_at_ms(to_unix_ms(sent_at));
    wire.set_created_at_ms(to_unix_ms(message.created_at));
    wire.set_status(wire_status(message.status));
    wire.set_title(message.title);
    wire.set_body(message.body);
    for (const model::Label& label : message.labels) {
        // What the reader would refuse is left out: one odd label must not cost the message.
        const bool fits = static_cast<std::size_t>(wire.labels_size()) < most_labels &&
                          is_text(label.name, most_label_bytes, false) && is_text(label.value, most_label_bytes, true);
        if (fits) {
            v1::Notification::Label* out = wire.add_labels();
            out->set_name(label.name);
            out->set_value(label.value);
        }
    }
    wire.set_replaces(message.replaces);
    Bytes bytes(wire.ByteSizeLong());
    if (bytes.size() > most_bytes || !wire.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(Errc::limit, fmt::format("notification is larger than {} bytes", most_bytes));
    }
    return bytes;
}

Result<DecodedNotification> decode_notification(ByteView bytes) {
    if (bytes.size() > most_bytes) {
        return fail(Errc::limit, "too_large");
    }
    v1::Notification wire;
    if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(Errc::parse, "malformed");
    }
    if (!is_id(wire.id()) || (!wire.replaces().empty() && !is_id(wire.replaces()))) {
        return fail(Errc::parse, "bad_id");
    }
    if (!is_text(wire.title(), most_title_bytes, false) || !is_text(wire.body(), most_body_bytes, true)) {
        return fail(Errc::parse, "bad_text");
    }
    DecodedNotification out;
    NOROSHI_TRY(out.message.labels, read_labels(wire));
    out.message.id = wire.id();
    out.message.replaces = wire.replaces();
    out.message.title = wire.title();
    out.message.body = wire.body();
    out.message.created_at = from_unix_ms(wire.created_at_ms());
    out.message.status = wire.status() == v1::Notification::FIRING     ? model::MessageStatus::firing
                         : wire.status() == v1::Notification::RESOLVED ? model::MessageStatus::resolved
                                                                       : model::MessageStatus::event;
    out.sent_at = from_unix_ms(wire.sent_at_ms());
    return out;
}

Result<ReceivedNotification> open_notification(const waku::ReceivedMessage& received, const crypto::SecretKey& key) {
    if (received.message.version != waku::payload_version_1) {
        return fail(Errc::refused, "not_encrypted");
    }
    NOROSHI_TRY(const waku::OpenedPayload opened, waku::open_asymmetric(received.message.payload, key));
    if (!opened.signer) {
        return fail(Errc::refused, "not_signed");
    }
    NOROSHI_TRY(DecodedNotification decoded, decode_notification(opened.payload));
    return ReceivedNotification{std::move(decoded.message), *opened.signer, decoded.sent_at, to_hex(received.hash)};
}

}  // namespace noroshi::deliver
