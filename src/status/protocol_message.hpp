// src/status/protocol_message.hpp - ProtocolMessage and Bundle: the frame of the encryption layer and its codec.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "ratchet.hpp"

/// Thread: any; values and pure functions.
namespace noroshi::status {

/// Key of the one entry of a message that every device of its recipient can read.
inline constexpr const char* any_device = "none";
inline constexpr std::uint32_t bundle_protocol_version = 1;

struct SignedPreKey {
    CompressedKey key{};
    std::uint32_t version{0};
    std::uint32_t protocol_version{0};
    bool operator==(const SignedPreKey&) const = default;
};
/// What others need to begin a session with the devices of `identity`.
struct Bundle {
    CompressedKey identity{};
    std::map<std::string, SignedPreKey> prekeys;  ///< by installation id
    std::int64_t timestamp_ns{0};
    Bytes signature;
    bool operator==(const Bundle&) const = default;
};
/// Signs what it holds: installation id | key | decimal version, in order of the ids, then the decimal timestamp.
void sign_bundle(Bundle& bundle, const crypto::SecretKey& identity);
/// The identity that signed it, which is the one it names. Errors: corrupt (bad_bundle_signature).
[[nodiscard]] Result<crypto::PublicKey> verify_bundle(const Bundle& bundle);

/// One entry. What can be read has the header of DH, or that of the ratchet, to begin a session with X3DH's beside it.
struct EncryptedMessage {
    struct X3dh {
        CompressedKey ephemeral{};
        CompressedKey prekey{};
        bool operator==(const X3dh&) const = default;
    };
    struct Dr {
        RatchetHeader header;
        Bytes bundle_id;  ///< the signed prekey of the session
        bool operator==(const Dr&) const = default;
    };
    std::optional<CompressedKey> dh;
    std::optional<X3dh> x3dh;
    std::optional<Dr> ratchet;
    Bytes payload;
    bool operator==(const EncryptedMessage&) const = default;
};

struct ProtocolMessage {
    std::string installation_id;
    std::vector<Bundle> bundles;
    std::map<std::string, EncryptedMessage> encrypted;  ///< by installation id, or `any_device`
    Bytes public_message;
    bool operator==(const ProtocolMessage&) const = default;
};

[[nodiscard]] Bytes encode_protocol_message(const ProtocolMessage& message);
/// At most 16 bundles of 16 devices and 64 entries are taken. Keys are not yet known to be points of the curve. Errors:
/// parse: malformed, empty (neither entry nor public message nor bundle), too_many, bad_key (not 33 bytes),
/// bad_installation (an id above 128 bytes). After the first two the bytes are no ProtocolMessage but a message by
/// themselves.
[[nodiscard]] Result<ProtocolMessage> decode_protocol_message(ByteView bytes);

}  // namespace noroshi::status
