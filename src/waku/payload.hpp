// src/waku/payload.hpp - 26/WAKU-PAYLOAD version 1: a payload signed, padded and encrypted to one key.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

/// Frame before encryption: flags(1) | length(1..3, little-endian) | payload | padding | [signature(65)], a multiple
/// of 256 bytes. Flags: bits 0-1 width of the length, 0x04 signed. Signature: recoverable secp256k1 over Keccak-256 of
/// everything before it; the recovery byte is written as 0..1, as go-waku and js-waku do (the specification says 27/28;
/// both are read). Version 1 has no forward secrecy and no replay protection: the content carries its own id and time.
/// Thread: any, but for the Random.
namespace noroshi::waku {

/// Largest plain payload that is sealed or opened.
inline constexpr std::size_t max_payload_bytes = 1024 * 1024;

/// A 32-byte AES-256 key, not all zero.
using SymmetricKey = Secret<32>;

/// A decrypted payload. Without `signer` nothing says who wrote it.
struct OpenedPayload {
    Bytes payload;
    std::optional<crypto::PublicKey> signer;
};

/// ECIES (secp256k1, SHA-256 concatenation KDF, AES-128-CTR, HMAC-SHA-256) to `to`: R(65) | IV(16) | c | d(32).
/// `signer` may be null: then unsigned. Errors: limit (payload over 1 MiB), invalid_argument (empty payload).
[[nodiscard]] Result<Bytes> seal_asymmetric(ByteView payload, const crypto::PublicKey& to,
                                            const crypto::SecretKey* signer, Random& random);
/// AES-256-GCM: ciphertext | tag(16) | nonce(12). Errors: as above, and invalid_argument (key all zero).
[[nodiscard]] Result<Bytes> seal_symmetric(ByteView payload, const SymmetricKey& key, const crypto::SecretKey* signer,
                                           Random& random);

/// Errors: corrupt, whose message is one stable word: too_short, too_large, bad_ephemeral_key, wrong_key_or_tampered,
/// no_length, truncated, bad_signature.
[[nodiscard]] Result<OpenedPayload> open_asymmetric(ByteView sealed, const crypto::SecretKey& key);
/// Errors: as above.
[[nodiscard]] Result<OpenedPayload> open_symmetric(ByteView sealed, const SymmetricKey& key);

}  // namespace noroshi::waku
