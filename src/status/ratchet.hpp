// src/status/ratchet.hpp - X3DH and the double ratchet as Status runs them on secp256k1: one session with one device.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

/// Functions and constants: status: 3.3, 3.4 (53/STATUS-1TO1 with status-im/doubleratchet's Ethereum variant).
/// Thread: one.
namespace noroshi::status {

using CompressedKey = std::array<std::uint8_t, 33>;

/// Keccak-256(DH1 | DH2 | DH3) of the side that begins: own identity, own ephemeral, the other's identity and prekey.
[[nodiscard]] Secret<32> x3dh_initiator(const crypto::SecretKey& identity, const crypto::SecretKey& ephemeral,
                                        const crypto::PublicKey& other, const crypto::PublicKey& prekey);
/// The same secret from the other side.
[[nodiscard]] Secret<32> x3dh_responder(const crypto::SecretKey& identity, const crypto::SecretKey& prekey,
                                        const crypto::PublicKey& other, const crypto::PublicKey& ephemeral);

struct RatchetHeader {
    CompressedKey key{};
    std::uint32_t n{0};
    std::uint32_t pn{0};
    bool operator==(const RatchetHeader&) const = default;
};
struct RatchetMessage {
    RatchetHeader header;
    Bytes payload;  ///< iv(16) | AES-256-CTR | HMAC-SHA-256(32)
};

/// Bounds as the app has them.
struct RatchetLimits {
    std::uint32_t most_skipped{1'000};  ///< at once, in one chain
    std::uint32_t most_kept{2'000};     ///< message keys of skipped messages; the oldest are forgotten first
    std::uint32_t longest_kept{3'000};  ///< messages received or skipped since, after which a kept key is forgotten
};

/// One session. Its message keys are forgotten once used: a message opens once. Movable, not copyable.
class Ratchet {
  public:
    /// The side that begins, to the other's prekey. `first` is its first ratchet key.
    [[nodiscard]] static Ratchet initiate(const Secret<32>& shared, const crypto::PublicKey& prekey,
                                          crypto::SecretKey first);
    /// The side whose prekey was used. It decrypts before it encrypts.
    [[nodiscard]] static Ratchet respond(const Secret<32>& shared, crypto::SecretKey prekey);
    [[nodiscard]] RatchetMessage encrypt(ByteView plain);
    /// Changes nothing when it fails. Errors: corrupt (bad_mac: also a repeated message of an earlier chain; bad_key,
    /// too_short), limit (too_many_skipped), not_found (used_key: a repeated message, or one too old).
    [[nodiscard]] Result<Bytes> decrypt(const RatchetMessage& message, Random& random, const RatchetLimits& limits = {});
    /// Everything, for the store; secret. The same state gives the same bytes.
    [[nodiscard]] Bytes serialize() const;
    /// Takes what `serialize` gives and nothing else. Errors: corrupt.
    [[nodiscard]] static Result<Ratchet> parse(ByteView bytes);
    /// Message keys of skipped messages that are kept now.
    [[nodiscard]] std::size_t kept_keys() const;

    Ratchet(Ratchet&&) noexcept;
    Ratchet& operator=(Ratchet&&) noexcept;
    ~Ratchet();

  private:
    struct State;
    explicit Ratchet(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::status
