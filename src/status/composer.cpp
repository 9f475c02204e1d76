// src/status/composer.cpp - payloads for one contact.
#include "composer.hpp"

#include <algorithm>

#include "identity.hpp"

namespace noroshi::status {
namespace {

constexpr std::string_view blanks = " \t\r\n";

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

/// Bytes of the first `most` code points.
std::size_t prefix_bytes(std::string_view text, std::size_t most) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (starts_code_point(text[i]) && seen++ == most) {
            return i;
        }
    }
    return text.size();
}

}  // namespace

std::vector<std::string> cut_text(std::string_view text, std::size_t most) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t bound = prefix_bytes(text, most);
        std::size_t end = bound;
        if (bound < text.size()) {
            // A blank right behind the bound is a good place too. One in the first half would make a very short part.
            for (const char c : {'\n', ' '}) {
                const std::size_t at = text.rfind(c, bound);
                if (at != std::string_view::npos && at > bound / 2) {
                    end = at;
                    break;
                }
            }
        }
        const std::string_view part = text.substr(0, end);
        if (part.find_first_not_of(blanks) != std::string_view::npos) {
            out.emplace_back(part);
        }
        text.remove_prefix(end);
        if (!text.empty() && (text.front() == '\n' || text.front() == ' ')) {
            text.remove_prefix(1);  // the place of the cut stands for it
        }
    }
    return out;
}

Composer::Composer(const crypto::SecretKey& identity, std::string display_name, std::optional<Image> picture)
    : identity_(identity.clone()),
      own_(identity.public_key()),
      display_name_(std::move(display_name)),
      picture_(std::move(picture)) {
    const ByteView data = picture_ ? ByteView(picture_->data) : ByteView();
    const std::array<std::uint8_t, 1> end_of_name{0};
    identity_digest_ = to_hex(crypto::sha256({as_bytes(display_name_), end_of_name, data}));
}

Result<Bytes> Composer::sign(const Payload& payload) const {
    NOROSHI_TRY(const Bytes encoded, encode_payload(payload));
    return wrap_payload(type_of(payload), encoded, identity_);
}

Result<OutRow> Composer::row(const crypto::PublicKey& to, const Payload& payload, TimestampMs now) const {
    NOROSHI_TRY(Bytes body, sign(payload));
    MvdsMessage message{mvds_group(own_, to), to_unix_ms(now) / 1'000, std::move(body)};
    return OutRow{to, std::move(message), "", 0, now, false};
}

ChatMessage Composer::chat_message(Contact& to, std::string text, TimestampMs now) const {
    ChatMessage out;
    out.clock = to.next_clock(now);
    out.timestamp = static_cast<std::uint64_t>(to_unix_ms(now));
    out.text = std::move(text);
    out.chat_id = contact_id(to.key);
    out.display_name = display_name_;
    return out;
}

ChatMessage Composer::text(Contact& to, std::string text, TimestampMs now) const {
    ChatMessage out = chat_message(to, std::move(text), now);
    out.contact_state = to.propagated();
    return out;
}

ChatMessage Composer::image(Contact& to, Image image, TimestampMs now) const {
    ChatMessage out = text(to, "", now);
    out.content = ContentType::image;
    out.image = std::move(image);
    return out;
}

ChatMessage Composer::contact_request(Contact& to, std::string text, TimestampMs now) const {
    ChatMessage out = chat_message(to, std::move(text), now);
    out.content = ContentType::contact_request;
    to.ask(out.clock);
    out.contact_state = to.propagated();
    return out;
}

ContactUpdate Composer::contact_update(Contact& to, TimestampMs now) const {
    ContactUpdate out;
    out.clock = to.next_clock(now);
    out.display_name = display_name_;
    // It asks to be a contact where the clock is not zero.
    out.contact_request_clock = to.local == ContactState::sent ? to.local_clock : 0;
    out.contact_state = to.propagated();
    out.public_key = contact_id(to.key);
    return out;
}

ChatIdentity Composer::identity(TimestampMs now) const {
    return ChatIdentity{static_cast<std::uint64_t>(to_unix_ms(now)), display_name_, picture_};
}

ContactCodeAdvertisement Composer::advertisement(TimestampMs now) const {
    return ContactCodeAdvertisement{ChatIdentity{static_cast<std::uint64_t>(to_unix_ms(now)), display_name_, std::nullopt}};
}

}  // namespace noroshi::status
