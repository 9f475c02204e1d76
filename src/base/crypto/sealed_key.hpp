// src/base/crypto/sealed_key.hpp - a 32-byte key under a passphrase, and its form as a small text file.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

/// Argon2id (RFC 9106) makes a key from the passphrase, XSalsa20-Poly1305 seals with it; both from libsodium. The costs
/// and the salt need no proof of their own: with others the box does not open. Thread: any.
namespace noroshi::crypto {

/// What one try of a passphrase costs.
struct PassphraseCost {
    std::uint32_t passes{3};              ///< 1 to 16
    std::uint64_t bytes{256u << 20};      ///< of memory while it runs, 8 KiB to 1 GiB
    bool operator==(const PassphraseCost&) const = default;
};

struct SealedKey {
    PassphraseCost cost;
    std::array<std::uint8_t, 16> salt{};
    std::array<std::uint8_t, 24> nonce{};
    std::array<std::uint8_t, 48> box{};  ///< tag(16) | ciphertext
    bool operator==(const SealedKey&) const = default;
};

/// Takes as long and as much memory as `cost` says: not for the I/O thread of a running daemon.
/// Errors: invalid_argument (cost out of its range), limit (no memory).
[[nodiscard]] Result<SealedKey> seal_with_passphrase(const Secret<32>& key, const SecretBytes& passphrase, Random& random,
                                                     PassphraseCost cost = {});
/// The same time and memory. Errors: refused (another passphrase, or a damaged box: nobody can tell which), limit (no
/// memory), invalid_argument.
[[nodiscard]] Result<Secret<32>> open_with_passphrase(const SealedKey& sealed, const SecretBytes& passphrase);

/// Three lines: "noroshi sealed key 1", "argon2id passes=.. bytes=.. salt=<hex>", "xsalsa20poly1305 nonce=<hex> box=<hex>".
[[nodiscard]] std::string sealed_key_text(const SealedKey& sealed);
/// Whether `text` begins as such a file does, of whatever version.
[[nodiscard]] bool is_sealed_key(std::string_view text);
/// Reads it; the file must not ask for more than the limits of PassphraseCost. Errors: parse (malformed),
/// unsupported (another version), limit (cost).
[[nodiscard]] Result<SealedKey> parse_sealed_key(std::string_view text);

}  // namespace noroshi::crypto
