// src/base/crypto/secp256k1.cpp - keys, recoverable signatures and shared secrets by libsecp256k1.
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <memory>

#include "base/crypto/crypto.hpp"

namespace noroshi::crypto {
namespace {

constexpr std::size_t compressed_size = 33;
constexpr std::size_t uncompressed_size = 65;
constexpr std::uint8_t ethereum_recovery_offset = 27;

struct DestroyContext {
    void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};
using Context = std::unique_ptr<secp256k1_context, DestroyContext>;

/// The context for multiples of the generator by a secret. Blinded once in the life of the program: to blind it costs as
/// much as a signature. Never written afterwards, so that all threads may use it.
const secp256k1_context* blinded_context() {
    static const Context context = [] {
        Context made(secp256k1_context_create(SECP256K1_CONTEXT_NONE));
        SystemRandom random;
        Secret<32> seed;
        random.fill(seed.expose_mutable());
        const bool ok = made && secp256k1_context_randomize(made.get(), seed.expose().data()) == 1;
        NOROSHI_ASSERT(ok, "libsecp256k1 must give a context");
        return made;
    }();
    return context.get();
}

std::array<std::uint8_t, uncompressed_size> serialize(const secp256k1_pubkey& key) {
    std::array<std::uint8_t, uncompressed_size> out{};
    std::size_t size = out.size();
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, out.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
    return out;
}

secp256k1_pubkey parse_valid(const std::array<std::uint8_t, uncompressed_size>& bytes) {
    secp256k1_pubkey key;
    const bool ok = secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, bytes.data(), bytes.size()) == 1;
    NOROSHI_ASSERT(ok, "a PublicKey is always valid");
    return key;
}

PublicKey to_public_key(const secp256k1_pubkey& key) {
    const auto bytes = serialize(key);
    Result<PublicKey> made = PublicKey::from_bytes(bytes);
    NOROSHI_ASSERT(made, "a key of libsecp256k1 is always valid");
    return *made;
}

/// The default of libsecp256k1 is SHA-256 of the point; ECIES wants the x coordinate as it is.
int copy_x(unsigned char* output, const unsigned char* x32, const unsigned char* /*y32*/, void* /*data*/) {
    std::copy_n(x32, 32, output);
    return 1;
}

}  // namespace

Result<PublicKey> PublicKey::from_bytes(ByteView bytes) {
    const bool shape = (bytes.size() == compressed_size && (bytes[0] == 0x02 || bytes[0] == 0x03)) ||
                       (bytes.size() == uncompressed_size && bytes[0] == 0x04);
    secp256k1_pubkey key;
    if (!shape || secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, bytes.data(), bytes.size()) != 1) {
        return fail(Errc::parse, "expected a secp256k1 public key of 33 (02.. or 03..) or 65 (04..) bytes");
    }
    return PublicKey(serialize(key));
}

Result<PublicKey> PublicKey::from_hex(std::string_view text) {
    const Result<Bytes> bytes = noroshi::from_hex(text);
    if (!bytes) {
        return fail(Errc::parse, "expected a secp256k1 public key as 66 or 130 hex digits");
    }
    return from_bytes(*bytes);
}

std::array<std::uint8_t, 33> PublicKey::compressed() const {
    std::array<std::uint8_t, compressed_size> out{};
    std::size_t size = out.size();
    const secp256k1_pubkey key = parse_valid(bytes_);
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, out.data(), &size, &key, SECP256K1_EC_COMPRESSED);
    return out;
}

std::string PublicKey::to_string() const { return to_hex(compressed()); }

SecretKey SecretKey::generate(Random& random) {
    Secret<32> bytes;
    do {
        random.fill(bytes.expose_mutable());
    } while (secp256k1_ec_seckey_verify(secp256k1_context_static, bytes.expose().data()) != 1);
    return SecretKey(std::move(bytes));
}

Result<SecretKey> SecretKey::from_bytes(std::span<const std::uint8_t> bytes) {
    if (bytes.size() != 32 || secp256k1_ec_seckey_verify(secp256k1_context_static, bytes.data()) != 1) {
        return fail(Errc::invalid_argument, "expected a secp256k1 private key: 32 bytes, not zero, below the group order");
    }
    return SecretKey(Secret<32>(bytes.first<32>()));
}

PublicKey SecretKey::public_key() const {
    secp256k1_pubkey key;
    const bool ok = secp256k1_ec_pubkey_create(blinded_context(), &key, bytes_.expose().data()) == 1;
    NOROSHI_ASSERT(ok, "a SecretKey is always valid");
    return to_public_key(key);
}

RecoverableSignature SecretKey::sign(const Digest& digest) const {
    secp256k1_ecdsa_recoverable_signature signature;
    const bool ok = secp256k1_ecdsa_sign_recoverable(blinded_context(), &signature, digest.data(),
                                                     bytes_.expose().data(), nullptr, nullptr) == 1;
    NOROSHI_ASSERT(ok, "a SecretKey is always valid");
    RecoverableSignature out{};
    int recovery_id = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, out.data(), &recovery_id,
                                                            &signature);
    out[64] = static_cast<std::uint8_t>(recovery_id);
    return out;
}

Secret<32> SecretKey::shared_x(const PublicKey& other) const {
    const secp256k1_pubkey key = parse_valid(other.uncompressed());
    Secret<32> out;
    const bool ok = secp256k1_ecdh(secp256k1_context_static, out.expose_mutable().data(), &key, bytes_.expose().data(), copy_x,
                                   nullptr) == 1;
    NOROSHI_ASSERT(ok, "a SecretKey is always valid");
    return out;
}

bool verify(const PublicKey& key, const Digest& digest, std::span<const std::uint8_t, 64> signature) {
    secp256k1_ecdsa_signature parsed;
    const secp256k1_pubkey point = parse_valid(key.uncompressed());
    return secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &parsed, signature.data()) == 1 &&
           secp256k1_ecdsa_verify(secp256k1_context_static, &parsed, digest.data(), &point) == 1;
}

Result<PublicKey> recover(const Digest& digest, ByteView signature) {
    if (signature.size() != 65) {
        return fail(Errc::corrupt, "expected a signature of 65 bytes");
    }
    std::uint8_t recovery_id = signature[64];
    if (recovery_id >= ethereum_recovery_offset) {
        recovery_id = static_cast<std::uint8_t>(recovery_id - ethereum_recovery_offset);
    }
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey key;
    if (recovery_id > 3 ||
        secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed, signature.data(),
                                                            recovery_id) != 1 ||
        secp256k1_ecdsa_recover(secp256k1_context_static, &key, &parsed, digest.data()) != 1) {
        return fail(Errc::corrupt, "signature names no key");
    }
    return to_public_key(key);
}

}  // namespace noroshi::crypto
