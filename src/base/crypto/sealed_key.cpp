// src/base/crypto/sealed_key.cpp - argon2id and secretbox of libsodium around one key, and the text form.
#include "base/crypto/sealed_key.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"

namespace noroshi::crypto {
namespace {

constexpr std::string_view first_words = "noroshi sealed key ";
constexpr std::string_view version = "1";
constexpr std::uint64_t least_bytes = 8u << 10;
constexpr std::uint64_t most_bytes = 1u << 30;
constexpr std::uint32_t most_passes = 16;

static_assert(crypto_pwhash_argon2id_SALTBYTES == 16 && crypto_secretbox_KEYBYTES == 32);
static_assert(crypto_secretbox_NONCEBYTES == 24 && crypto_secretbox_MACBYTES == 16);
static_assert(crypto_pwhash_argon2id_MEMLIMIT_MIN <= least_bytes && crypto_pwhash_argon2id_OPSLIMIT_MIN <= 1);

bool within_limits(const PassphraseCost& cost) {
    return cost.passes >= 1 && cost.passes <= most_passes && cost.bytes >= least_bytes && cost.bytes <= most_bytes;
}

Result<Secret<32>> stretched(const SecretBytes& passphrase, const PassphraseCost& cost,
                             const std::array<std::uint8_t, 16>& salt) {
    if (!within_limits(cost)) {
        return fail(Errc::invalid_argument, "expected 1 to 16 passes over 8 KiB to 1 GiB");
    }
    NOROSHI_ASSERT(sodium_init() >= 0, "libsodium could not be set up");
    Secret<32> out;
    const std::string_view text = passphrase.size() == 0 ? "" : passphrase.expose_text();  // never a null pointer
    if (crypto_pwhash_argon2id(out.expose_mutable().data(), 32, text.data(), text.size(), salt.data(), cost.passes,
                               static_cast<std::size_t>(cost.bytes), crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        return fail(Errc::limit, fmt::format("argon2id needs {} MiB of memory and did not get it", cost.bytes >> 20));
    }
    return out;
}

/// The text between `prefix` and the next `end`, which is taken too; "" when it is not so.
std::string_view take(std::string_view& rest, std::string_view prefix, char end) {
    if (!rest.starts_with(prefix)) {
        return {};
    }
    const std::size_t at = rest.find(end, prefix.size());
    if (at == std::string_view::npos) {
        return {};
    }
    const std::string_view word = rest.substr(prefix.size(), at - prefix.size());
    rest.remove_prefix(at + 1);
    return word;
}

template <class T>
bool read_number(std::string_view word, T& out) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return error == std::errc() && end == word.data() + word.size() && !word.empty() && word.front() != '0';
}

template <std::size_t N>
bool read_hex(std::string_view word, std::array<std::uint8_t, N>& out) {
    const Result<Bytes> bytes = from_hex(word);
    if (!bytes || bytes->size() != N) {
        return false;
    }
    std::ranges::copy(*bytes, out.begin());
    return true;
}

}  // namespace

Result<SealedKey> seal_with_passphrase(const Secret<32>& key, const SecretBytes& passphrase, Random& random,
                                       PassphraseCost cost) {
    SealedKey sealed;
    sealed.cost = cost;
    random.fill(sealed.salt);
    random.fill(sealed.nonce);
    NOROSHI_TRY(const Secret<32> stretched_key, stretched(passphrase, cost, sealed.salt));
    crypto_secretbox_easy(sealed.box.data(), key.expose().data(), key.expose().size(), sealed.nonce.data(),
                          stretched_key.expose().data());
    return sealed;
}

Result<Secret<32>> open_with_passphrase(const SealedKey& sealed, const SecretBytes& passphrase) {
    NOROSHI_TRY(const Secret<32> stretched_key, stretched(passphrase, sealed.cost, sealed.salt));
    Secret<32> key;
    if (crypto_secretbox_open_easy(key.expose_mutable().data(), sealed.box.data(), sealed.box.size(),
                                   sealed.nonce.data(), stretched_key.expose().data()) != 0) {
        return fail(Errc::refused, "this passphrase does not open it, or the file is damaged");
    }
    return key;
}

std::string sealed_key_text(const SealedKey& sealed) {
    return fmt::format("{}{}\nargon2id passes={} bytes={} salt={}\nxsalsa20poly1305 nonce={} box={}\n", first_words,
                       version, sealed.cost.passes, sealed.cost.bytes, to_hex(sealed.salt), to_hex(sealed.nonce),
                       to_hex(sealed.box));
}

bool is_sealed_key(std::string_view text) { return text.starts_with(first_words); }

Result<SealedKey> parse_sealed_key(std::string_view text) {
    std::string_view rest = text;
    const std::string_view given = take(rest, first_words, '\n');
    if (!given.empty() && given != version) {
        return fail(Errc::unsupported, "a key file of a version that this noroshi does not know; expected version 1");
    }
    SealedKey sealed;
    const bool whole = !given.empty() && read_number(take(rest, "argon2id passes=", ' '), sealed.cost.passes) &&
                       read_number(take(rest, "bytes=", ' '), sealed.cost.bytes) &&
                       read_hex(take(rest, "salt=", '\n'), sealed.salt) &&
                       read_hex(take(rest, "xsalsa20poly1305 nonce=", ' '), sealed.nonce) &&
                       rest.starts_with("box=") && read_hex(rest.substr(4, rest.find('\n') - 4), sealed.box) &&
                       rest.find_first_not_of("\r\n", 4 + 2 * sealed.box.size()) == std::string_view::npos;
    if (!whole) {
        return fail(Errc::parse, "damaged: expected the three lines of a sealed key; restore the file from a backup");
    }
    if (!within_limits(sealed.cost)) {
        return fail(Errc::limit, "asks for more than 16 passes or 1 GiB of memory: noroshi never wrote this file");
    }
    return sealed;
}

}  // namespace noroshi::crypto
