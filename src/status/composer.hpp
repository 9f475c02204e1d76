// src/status/composer.hpp - what we say: payloads filled in for one contact, signed, as rows to send.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contacts.hpp"
#include "messenger_rows.hpp"

namespace noroshi::status {

/// Longest text of one message, in code points: room below the app's 4,096.
inline constexpr std::size_t most_text_of_part = 3'500;

/// Cuts `text` into parts of at most `most` code points, at the end of a line or at a blank where there is one. Parts of
/// white space alone are left out: the app refuses them.
[[nodiscard]] std::vector<std::string> cut_text(std::string_view text, std::size_t most = most_text_of_part);

/// Each function that takes a contact takes the next clock of the chat from it: the caller writes the contact with the row.
/// Thread: one.
class Composer {
  public:
    Composer(const crypto::SecretKey& identity, std::string display_name, std::optional<Image> picture);

    /// Signed, not yet in MVDS. Errors: as encode_payload.
    [[nodiscard]] Result<Bytes> sign(const Payload& payload) const;
    /// Signed, as an unsent row that is due at once. Errors: as encode_payload.
    [[nodiscard]] Result<OutRow> row(const crypto::PublicKey& to, const Payload& payload, TimestampMs now) const;
    [[nodiscard]] std::string id_of(const OutRow& row) const { return message_id(own_, row.message.body); }

    [[nodiscard]] ChatMessage text(Contact& to, std::string text, TimestampMs now) const;
    [[nodiscard]] ChatMessage image(Contact& to, Image image, TimestampMs now) const;
    [[nodiscard]] ChatMessage contact_request(Contact& to, std::string text, TimestampMs now) const;
    [[nodiscard]] ContactUpdate contact_update(Contact& to, TimestampMs now) const;
    [[nodiscard]] ChatIdentity identity(TimestampMs now) const;
    /// Names no picture: the topic is read by strangers, and a picture would be several envelopes.
    [[nodiscard]] ContactCodeAdvertisement advertisement(TimestampMs now) const;
    /// Changes with name and picture.
    [[nodiscard]] const std::string& identity_digest() const { return identity_digest_; }

  private:
    [[nodiscard]] ChatMessage chat_message(Contact& to, std::string text, TimestampMs now) const;

    crypto::SecretKey identity_;
    crypto::PublicKey own_;
    std::string display_name_;
    std::optional<Image> picture_;
    std::string identity_digest_;
};

}  // namespace noroshi::status
