// src/status/encryption.hpp - the encryption layer with its memory: prekeys, the devices of others, sessions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "protocol_message.hpp"
#include "state.hpp"

namespace noroshi::status {

/// How a received payload was protected.
enum class Protection : std::uint8_t { none /* public_message, or no encryption layer at all */, dh, ratchet };

/// Without `publish_bundles` everything is sent, and answered, DH-only: sealed to the recipient's identity with a fresh
/// ephemeral key for all its devices, no forward secrecy. With it each message carries our signed bundle, which makes
/// every peer answer with X3DH and the double ratchet from then on, for good: peers remember bundles. Receiving with the
/// ratchet works in both modes.
///
/// Nothing here waits or writes: what changed is appended to `changes`, and the caller commits it before it sends or
/// acknowledges anything. Tables: prekeys, devices, sessions. Thread: the I/O thread.
class Encryption {
  public:
    struct Config {
        bool publish_bundles{false};
        std::string installation_id;  ///< kept for ever once a bundle was published
    };
    /// Reads its tables. Errors: corrupt, io.
    [[nodiscard]] static Result<std::unique_ptr<Encryption>> load(Config config, crypto::SecretKey identity,
                                                                  StateStore& store, Random& random);
    ~Encryption();

    struct Sealed {
        Bytes protocol_message;
        bool negotiated{false};  ///< every device it is for listens to the negotiated topic: it goes there
    };
    /// Encrypts `payload` to every device of `to`: its three newest, by X3DH and ratchet, when bundles of it are known and
    /// we publish ours; else DH-only.
    [[nodiscard]] Sealed seal(const crypto::PublicKey& to, ByteView payload, TimestampMs now, StateWrites& changes);
    /// A ProtocolMessage with our bundle and `payload` in the open, for the contact-code topic.
    [[nodiscard]] Bytes seal_public(ByteView payload, TimestampMs now, StateWrites& changes);

    struct Opened {
        Bytes payload;  ///< empty: it carried bundles only
        Protection protection{Protection::none};
        bool new_negotiated_topic{false};  ///< the sender may write on the negotiated topic from now on: listen to it
    };
    /// `from` is the verified signer of the envelope. Bytes that are no ProtocolMessage are given back as they are, with
    /// Protection::none. Errors: those of decoding, of a bad bundle (nothing of the message is taken), of the ratchet; not_found (other_device: no entry for us;
    /// unknown_session; unknown_prekey).
    [[nodiscard]] Result<Opened> open(const crypto::PublicKey& from, Bytes bytes, TimestampMs now, StateWrites& changes);

    /// Those with whom a negotiated topic is in use.
    [[nodiscard]] std::vector<crypto::PublicKey> negotiated_with() const;
    /// Forgets the devices and sessions of `other`.
    void forget(const crypto::PublicKey& other, StateWrites& changes);
    /// Bounds: sessions of one identity, devices of one identity, prekeys kept, identities known.
    static constexpr std::size_t most_sessions_each = 16;
    static constexpr std::size_t most_devices_each = 8;
    static constexpr std::size_t devices_sent_to = 3;
    static constexpr Milliseconds prekey_age{24 * 3'600'000};

  private:
    struct State;
    explicit Encryption(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::status
