// src/base/crypto/crypto.hpp - the cryptographic primitives noroshi needs, each a thin front of a library.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

/// Thread: any. All functions are pure but for the Random they are given. Libraries: OpenSSL (SHA-2, HMAC, HKDF, AES),
/// Crypto++ (Keccak-256), libsecp256k1; none of their headers is seen outside this folder.
namespace noroshi::crypto {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(ByteView data);
/// SHA-256 over several parts without joining them.
[[nodiscard]] Digest sha256(std::initializer_list<ByteView> parts);
/// For spreading only (Prometheus's hashmod): MD5 protects nothing.
[[nodiscard]] std::array<std::uint8_t, 16> md5(ByteView data);
/// The original Keccak padding (as Ethereum), not SHA3-256.
[[nodiscard]] Digest keccak256(ByteView data);
[[nodiscard]] Digest hmac_sha256(ByteView key, ByteView data);
/// PBKDF2 (RFC 8018) with HMAC-SHA-256, one block long; rounds > 0. Time grows with the rounds.
[[nodiscard]] Secret<32> pbkdf2_hmac_sha256(ByteView password, ByteView salt, std::uint32_t rounds);
/// HKDF of RFC 5869, extract and expand: fills `out`, at most 255 * 32 bytes.
void hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::span<std::uint8_t> out);
/// Equal length and content, in time that does not depend on the content.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);

/// AES in counter mode, `iv` as the 128-bit big-endian start counter; encrypts and decrypts.
[[nodiscard]] Bytes aes128_ctr(std::span<const std::uint8_t, 16> key, std::span<const std::uint8_t, 16> iv, ByteView data);
[[nodiscard]] Bytes aes256_ctr(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> iv, ByteView data);
/// AES-256-GCM without additional data: ciphertext | tag(16).
[[nodiscard]] Bytes aes256_gcm_encrypt(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 12> nonce,
                                       ByteView plain);
/// Errors: corrupt (tag does not fit, or too short).
[[nodiscard]] Result<Bytes> aes256_gcm_decrypt(std::span<const std::uint8_t, 32> key,
                                               std::span<const std::uint8_t, 12> nonce, ByteView sealed);

/// A point on secp256k1, always valid.
class PublicKey {
  public:
    /// Reads 33 (compressed) or 65 (uncompressed, first byte 04) bytes. Errors: parse.
    [[nodiscard]] static Result<PublicKey> from_bytes(ByteView bytes);
    /// Reads hex of either form, with or without "0x". Errors: parse.
    [[nodiscard]] static Result<PublicKey> from_hex(std::string_view text);
    [[nodiscard]] std::array<std::uint8_t, 65> uncompressed() const { return bytes_; }
    [[nodiscard]] std::array<std::uint8_t, 33> compressed() const;
    /// Compressed form as hex, 66 characters: the way noroshi writes identities.
    [[nodiscard]] std::string to_string() const;
    bool operator==(const PublicKey&) const = default;

  private:
    explicit PublicKey(std::array<std::uint8_t, 65> bytes) : bytes_(bytes) {}
    std::array<std::uint8_t, 65> bytes_;
};

/// r(32) | s(32) | recovery id (0..3).
using RecoverableSignature = std::array<std::uint8_t, 65>;

/// A secp256k1 private key, always valid.
class SecretKey {
  public:
    [[nodiscard]] static SecretKey generate(Random& random);
    /// 32 bytes big-endian. Errors: invalid_argument (zero or not below the group order).
    [[nodiscard]] static Result<SecretKey> from_bytes(std::span<const std::uint8_t> bytes);
    [[nodiscard]] PublicKey public_key() const;
    /// RFC 6979, low s.
    [[nodiscard]] RecoverableSignature sign(const Digest& digest) const;
    /// The x coordinate of this * other: the raw shared secret.
    [[nodiscard]] Secret<32> shared_x(const PublicKey& other) const;
    [[nodiscard]] SecretKey clone() const { return SecretKey(bytes_.clone()); }
    [[nodiscard]] std::span<const std::uint8_t, 32> expose() const { return bytes_.expose(); }

  private:
    explicit SecretKey(Secret<32> bytes) : bytes_(std::move(bytes)) {}
    Secret<32> bytes_;
};

/// Whether `key` made the 64 bytes r | s over `digest`; never for a high s.
[[nodiscard]] bool verify(const PublicKey& key, const Digest& digest, std::span<const std::uint8_t, 64> signature);
/// The key that made `signature` over `digest`; recovery byte 0..3 or 27..30. Errors: corrupt.
[[nodiscard]] Result<PublicKey> recover(const Digest& digest, ByteView signature);

}  // namespace noroshi::crypto
