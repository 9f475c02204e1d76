// src/status/identity.cpp - chat keys, share URLs, display names.
#include "status/identity.hpp"

#include <fmt/format.h>
#include <status.pb.h>

#include <algorithm>
#include <array>

#include "base/net/brotli.hpp"
#include "text.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::array<std::uint8_t, 2> multicodec_secp256k1{0xe7, 0x01};
constexpr std::string_view chat_key_start = "zQ3sh";
constexpr std::size_t chat_key_length = 49;
constexpr std::size_t contact_id_length = 132;
constexpr std::string_view user_url = "https://status.app/u";
constexpr std::size_t max_profile_bytes = 4096;  // as much as the app reads
constexpr std::size_t max_profile_text = 8192;
constexpr std::string_view expected =
    R"(expected a chat key "zQ3sh..", a public key "0x04.." or a share URL "https://status.app/u#zQ3sh..")";

bool is_ens_name(std::string_view text) { return text.ends_with(".eth"); }

tl::unexpected<Error> no_ens() {
    return fail(Errc::unsupported, R"(ENS names are not looked up: give the chat key "zQ3sh.." of the profile instead)");
}

Result<crypto::PublicKey> parse_chat_key(std::string_view text) {
    if (text.size() != chat_key_length) {
        return fail(Errc::parse, fmt::format("expected a chat key of {} characters, this one has {}", chat_key_length,
                                             text.size()));
    }
    NOROSHI_TRY(const Bytes bytes, from_base58(text.substr(1)));
    const ByteView key(bytes);
    if (key.size() != multicodec_secp256k1.size() + 33 || !std::ranges::equal(key.first(2), multicodec_secp256k1)) {
        return fail(Errc::parse, R"(expected a chat key of a secp256k1 key, "zQ3sh..")");
    }
    Result<crypto::PublicKey> point = crypto::PublicKey::from_bytes(key.subspan(2));
    if (!point) {
        return fail(Errc::parse, "chat key is mistyped: no such point on the curve");
    }
    return point;
}

Result<crypto::PublicKey> parse_contact_id(std::string_view text) {
    if (text.size() != contact_id_length) {
        return fail(Errc::parse, fmt::format(R"(expected a public key "0x04.." of {} characters, this one has {})",
                                             contact_id_length, text.size()));
    }
    return crypto::PublicKey::from_hex(text);
}

bool is_color(std::string_view text) {
    return text.size() == 7 && text.front() == '#' &&
           text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

/// A text of several lines, or "" when it could disturb a terminal.
std::string plain_text(std::string_view bytes) {
    const bool clean = std::ranges::none_of(bytes, [](unsigned char c) { return (c < ' ' && c != '\n') || c == 0x7f; });
    return clean && is_utf8(bytes) ? std::string(bytes) : "";
}

std::string encode_profile(const SharedProfile& profile) {
    wire::UrlUser user;
    user.set_display_name(profile.display_name);
    user.set_description(profile.description);
    user.set_color(profile.color);
    wire::UrlData data;
    data.set_content(user.SerializeAsString());
    std::string out = to_base64url(net::brotli_compress(wire::to_bytes(data)));
    out.resize((out.size() + 3) / 4 * 4, '=');
    return out;
}

std::optional<SharedProfile> decode_profile(std::string_view text) {
    if (text.empty() || text.size() > max_profile_text) {
        return std::nullopt;
    }
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) {
        text.remove_suffix(1);
    }
    const Result<Bytes> packed = from_base64url(text);
    const Result<Bytes> bytes = packed ? net::brotli_decompress(*packed, max_profile_bytes) : packed;
    wire::UrlData data;
    wire::UrlUser user;
    if (!bytes || !wire::parse(data, *bytes) || !wire::parse(user, as_bytes(data.content()))) {
        return std::nullopt;
    }
    return SharedProfile{shown_name(user.display_name()), plain_text(user.description()),
                         is_color(user.color()) ? user.color() : ""};
}

/// `rest` is what follows "https://status.app/u": the data, if any, and the key behind the last '#'.
Result<SharedUser> parse_user_url(std::string_view rest) {
    const std::size_t mark = rest.rfind('#');
    if (mark == std::string_view::npos || (rest.front() != '/' && rest.front() != '#')) {
        return fail(Errc::parse, std::string(expected));
    }
    const std::string_view key = rest.substr(mark + 1);
    if (is_ens_name(key)) {
        return no_ens();
    }
    if (!key.starts_with(chat_key_start)) {
        return fail(Errc::parse, R"(expected a share URL that ends in "#zQ3sh..")");
    }
    NOROSHI_TRY(const crypto::PublicKey user, parse_chat_key(key));
    return SharedUser{user, rest.front() == '/' ? decode_profile(rest.substr(1, mark - 1)) : std::nullopt};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool may_stand_in_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ' '; }

/// A name of three words may be one of those that apps generate from keys.
bool may_be_alias(std::string_view name) {
    int words = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != ' ' && !is_letter(name[i])) {
            return false;
        }
        words += name[i] != ' ' && (i == 0 || name[i - 1] == ' ') ? 1 : 0;
    }
    return words == 3;
}

}  // namespace

std::string chat_key(const crypto::PublicKey& key) {
    Bytes bytes(multicodec_secp256k1.begin(), multicodec_secp256k1.end());
    const auto point = key.compressed();
    bytes.insert(bytes.end(), point.begin(), point.end());
    return "z" + to_base58(bytes);
}

std::string contact_id(const crypto::PublicKey& key) { return "0x" + to_hex(key.uncompressed()); }

std::string share_url(const crypto::PublicKey& key, const std::optional<SharedProfile>& profile) {
    return fmt::format("{}{}#{}", user_url, profile ? "/" + encode_profile(*profile) : "", chat_key(key));
}

Result<SharedUser> parse_user(std::string_view text) {
    if (text.starts_with(user_url) && text.size() > user_url.size()) {
        return parse_user_url(text.substr(user_url.size()));
    }
    if (is_ens_name(text)) {
        return no_ens();
    }
    if (text.starts_with(chat_key_start)) {
        NOROSHI_TRY(const crypto::PublicKey key, parse_chat_key(text));
        return SharedUser{key, std::nullopt};
    }
    if (text.starts_with("0x04")) {
        NOROSHI_TRY(const crypto::PublicKey key, parse_contact_id(text));
        return SharedUser{key, std::nullopt};
    }
    return fail(Errc::parse, std::string(expected));
}

Result<void> check_display_name(std::string_view name) {
    const auto broken = [](const char* rule) { return fail(Errc::invalid_argument, std::string("display name ") + rule); };
    if (name.empty()) {
        return {};
    }
    if (name.front() == ' ' || name.back() == ' ') {
        return broken("must not begin or end with a blank");
    }
    if (name.size() < 5 || name.size() > max_name_length) {
        return broken("must have 5 to 24 characters");
    }
    if (!std::ranges::all_of(name, may_stand_in_name)) {
        return broken("may hold letters A-Z a-z, digits, blanks, _ and - only");
    }
    if (name.ends_with("_eth") || name.ends_with("-eth")) {
        return broken("must not end in .eth, _eth or -eth");
    }
    if (may_be_alias(name)) {
        return broken("must not be three words of letters, which apps keep for generated names: use _ or a digit");
    }
    return {};
}

}  // namespace noroshi::status
