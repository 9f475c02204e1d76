// src/status/payload_rules.cpp - clocks, ids, texts and pictures of payloads.
#include "payload_rules.hpp"

#include <algorithm>

#include "text.hpp"

namespace noroshi::status {
namespace {

constexpr std::size_t message_id_digits = 64;
constexpr std::size_t most_request_id_digits = 256;

bool is_clock(std::uint64_t clock) { return clock > 0 && clock <= max_clock; }

bool is_hex_id(std::string_view id, std::size_t fewest, std::size_t most) {
    if (!id.starts_with("0x")) {
        return false;
    }
    id.remove_prefix(2);
    return id.size() >= fewest && id.size() <= most &&
           id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_message_id(std::string_view id) { return is_hex_id(id, message_id_digits, message_id_digits); }
bool is_request_id(std::string_view id) { return is_hex_id(id, 2, most_request_id_digits); }
bool is_chat_id(std::string_view id) { return !id.empty() && id.size() <= max_chat_id_bytes; }

bool is_text(std::string_view text) { return !trim(text).empty() && count_code_points(text) <= max_text_length; }

bool is_image(const std::optional<Image>& image) {
    return image && !image->data.empty() && is_image_format(static_cast<std::int32_t>(image->format));
}

/// What edits, deletions and reactions have in common.
template <class T>
Fault fault_of_reference(const T& message) {
    return !is_clock(message.clock)               ? "bad_clock"
           : !is_message_id(message.message_id) ? "bad_message_id"
           : !is_chat_id(message.chat_id)       ? "bad_chat_id"
                                                  : nullptr;
}

}  // namespace

Fault fault_of(const ChatMessage& message) {
    const bool is_picture = message.content == ContentType::image;
    if (!is_clock(message.clock) || !is_clock(message.timestamp)) {
        return "bad_clock";
    }
    if (!is_text(message.text) && !(is_picture && message.text.empty())) {
        return "bad_text";
    }
    if (!message.response_to.empty() && !is_message_id(message.response_to)) {
        return "bad_message_id";
    }
    if (!is_chat_id(message.chat_id)) {
        return "bad_chat_id";
    }
    if (!is_content_type(static_cast<std::int32_t>(message.content))) {
        return "bad_content";
    }
    return is_picture == is_image(message.image) && (is_picture || !message.image) ? nullptr : "bad_image";
}

Fault fault_of(const ContactUpdate& update) {
    const bool clocks = is_clock(update.clock) && update.contact_request_clock <= max_clock;
    return !clocks ? "bad_clock" : update.public_key.size() > max_chat_id_bytes ? "bad_chat_id" : nullptr;
}

Fault fault_of(const AcceptContactRequest& answer) {
    return !is_clock(answer.clock) ? "bad_clock" : !is_request_id(answer.id) ? "bad_message_id" : nullptr;
}

Fault fault_of(const RetractContactRequest& answer) {
    const bool named = answer.id.empty() || is_request_id(answer.id);
    return !is_clock(answer.clock) ? "bad_clock" : !named ? "bad_message_id" : nullptr;
}

Fault fault_of(const EditMessage& message) {
    if (const Fault fault = fault_of_reference(message)) {
        return fault;
    }
    const bool known = is_content_type(static_cast<std::int32_t>(message.content));
    return !is_text(message.text) ? "bad_text" : !known ? "bad_content" : nullptr;
}

Fault fault_of(const DeleteMessage& message) { return fault_of_reference(message); }

Fault fault_of(const EmojiReaction& reaction) {
    const Fault fault = fault_of_reference(reaction);
    return fault != nullptr ? fault : is_emoji(static_cast<std::int32_t>(reaction.emoji)) ? nullptr : "bad_content";
}

Fault fault_of(const ChatIdentity& identity) {
    const bool pictured = !identity.picture || is_image(identity.picture);
    return !is_clock(identity.clock) ? "bad_clock" : !pictured ? "bad_image" : nullptr;
}

Fault fault_of(const ContactCodeAdvertisement& advertisement) {
    return advertisement.identity ? fault_of(*advertisement.identity) : nullptr;
}

bool is_content_type(std::int32_t number) {
    switch (static_cast<ContentType>(number)) {
        case ContentType::text:
        case ContentType::sticker:
        case ContentType::emoji:
        case ContentType::image:
        case ContentType::audio:
        case ContentType::contact_request:
            return true;
    }
    return false;
}

bool is_image_format(std::int32_t number) {
    return number >= static_cast<std::int32_t>(ImageFormat::png) && number <= static_cast<std::int32_t>(ImageFormat::gif);
}

bool is_emoji(std::int32_t number) {
    return number >= static_cast<std::int32_t>(Emoji::love) && number <= static_cast<std::int32_t>(Emoji::angry);
}

}  // namespace noroshi::status
