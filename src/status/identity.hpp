// src/status/identity.hpp - who somebody is in Status: the forms of a chat key, share URLs, the rule for display names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/crypto/crypto.hpp"
#include "base/result.hpp"

/// Thread: any; everything here is a value or a pure function.
namespace noroshi::status {

/// "zQ3sh..": multibase base58btc of the multicodec secp256k1-pub (0xE7 0x01) and the compressed key; 49 characters.
/// The form that the app shows and that owners paste.
[[nodiscard]] std::string chat_key(const crypto::PublicKey& key);
/// "0x04..": 132 characters; the contact id, and the id of the chat with this key, inside payloads.
[[nodiscard]] std::string contact_id(const crypto::PublicKey& key);

/// What a share URL says beside the key; each may be empty. Anybody can have written it.
struct SharedProfile {
    std::string display_name;  ///< at most 24 code points, fit for a line
    std::string description;   ///< lines
    std::string color;  ///< "#rrggbb"
    bool operator==(const SharedProfile&) const = default;
};
struct SharedUser {
    crypto::PublicKey key;
    std::optional<SharedProfile> profile;  ///< none, or undecodable: only the key counts
};

/// "https://status.app/u#zQ3sh..", or with the profile "https://status.app/u/<data>#zQ3sh..".
[[nodiscard]] std::string share_url(const crypto::PublicKey& key, const std::optional<SharedProfile>& profile = {});
/// Reads what an owner may paste: a share URL of either form, zQ3sh.., or 0x04.. . Errors: parse (what was expected);
/// unsupported (an ENS name).
[[nodiscard]] Result<SharedUser> parse_user(std::string_view text);

/// The rule for our own name: empty, or 5 to 24 characters A-Z a-z 0-9 _ - and blanks inside, not ending in _eth or -eth,
/// not three words of letters (apps refuse generated aliases, whose lists of words are not here). Peers drop every message
/// whose name breaks this; the names of others are taken more freely. Errors: invalid_argument (the rule broken).
[[nodiscard]] Result<void> check_display_name(std::string_view name);

}  // namespace noroshi::status
