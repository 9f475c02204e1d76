// src/status/encryption.hpp - the encryption layer with its memory: prekeys, the devices of others, sessions.
#pragma once

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

/// To whom something is sealed. Only what goes to a contact makes its devices and sessions those of a contact, and only
/// a contact is worth the key of a negotiated topic.
enum class Recipient : std::uint8_t { contact, stranger };

/// Without `publish_bundles` everything is sent DH-only: sealed to the recipient's identity with a fresh ephemeral key,
/// readable by all its devices, without forward secrecy. With it each message carries our signed bundle, which makes every
/// peer answer with X3DH and the double ratchet from then on, for good: peers remember bundles. Receiving with the ratchet
/// works in both modes.
///
/// Nothing here waits or writes: what changed is appended to `changes`, and the caller commits it before it sends or
/// acknowledges anything. A message opens once: the caller passes over repeated envelopes before. Thread: the I/O thread.
class Encryption {
  public:
    struct Config {
        bool publish_bundles{false};
        std::string installation_id;  ///< 1..128 bytes; kept for ever once a bundle was published
    };
    /// Reads its tables. A damaged row is passed over and stays as it is; its session or device is unknown then.
    /// Errors: those of StateStore::load.
    [[nodiscard]] static Result<std::unique_ptr<Encryption>> load(Config config, crypto::SecretKey identity,
                                                                  StateStore& store, Random& random);
    ~Encryption();
    /// Rows that `load` passed over.
    [[nodiscard]] std::size_t damaged_rows() const;

    struct Sealed {
        Bytes protocol_message;
        bool negotiated{false};  ///< every device of a contact listens to the negotiated topic: it goes there
    };
    /// Encrypts `payload` to every device of `to`: its three newest, by X3DH and ratchet, when bundles of it are known and
    /// we publish ours; else DH-only. The devices of our own identity are never written to: they are not paired.
    [[nodiscard]] Sealed seal(const crypto::PublicKey& to, ByteView payload, TimestampMs now, StateWrites& changes,
                              Recipient recipient = Recipient::contact);
    /// A ProtocolMessage with `payload` in the open, for the contact-code topic, and our bundle when we publish it.
    [[nodiscard]] Bytes seal_public(ByteView payload, TimestampMs now, StateWrites& changes);

    struct Opened {
        Bytes payload;  ///< empty: it carried bundles only
        Protection protection{Protection::none};
        bool new_negotiated_topic{false};  ///< the sender may write on the negotiated topic from now on: listen to it
    };
    /// `from` is the verified signer of the envelope. Bytes that are no ProtocolMessage are given back as they are, with
    /// Protection::none. When it fails nothing is changed, and no bundle is taken. Errors: parse (too_many, bad_key,
    /// bad_installation, no_header), corrupt (foreign_bundle: of another identity; bad_bundle_signature, bad_bundle_key,
    /// bad_dh, bad_header, and those of Ratchet::decrypt), limit (too_many_skipped), not_found (other_device: no entry for
    /// us; unknown_session, unknown_prekey, used_key).
    [[nodiscard]] Result<Opened> open(const crypto::PublicKey& from, Bytes bytes, StateWrites& changes);

    /// Those with whom a negotiated topic may be in use. Who publishes bundles listens to it before the first message goes
    /// out, too: the first answer may come there.
    [[nodiscard]] std::vector<crypto::PublicKey> negotiated_with() const;
    /// `other` is no contact any more. Devices and sessions stay, because the other side keeps its own and goes on with them
    /// if it asks again; but `other` is a stranger among few, the first to make room.
    void forget(const crypto::PublicKey& other, StateWrites& changes);

    static constexpr std::size_t devices_sent_to = 3;

  private:
    struct State;
    explicit Encryption(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::status
