// src/status/ratchet_kdf.cpp - X3DH's secret, HKDF and HMAC steps of the ratchet, and the cipher of its messages.
#include "ratchet_kdf.hpp"

#include <algorithm>
#include <array>

namespace noroshi::status {
namespace {

constexpr std::string_view root_info = "rsZUpEuXUqqwXBvSy3EcievAh4cMj6QL";
constexpr std::string_view message_info = "pcwSByyx2CRdryCffXJwy7xgVZWtW5Sh";
constexpr std::array<std::uint8_t, 1> next_chain{0x0f};
constexpr std::array<std::uint8_t, 1> next_message{0x10};
constexpr std::size_t iv_size = 16;
constexpr std::size_t mac_size = 32;

Secret<32> take(crypto::Digest digest) {
    Secret<32> out{std::span<const std::uint8_t, 32>(digest)};
    wipe(digest);
    return out;
}

Secret<32> x3dh(const Secret<32>& first, const Secret<32>& second, const Secret<32>& third) {
    Secret<96> all;
    const std::span<std::uint8_t, 96> joined = all.expose_mutable();
    std::ranges::copy(first.expose(), joined.begin());
    std::ranges::copy(second.expose(), joined.begin() + 32);
    std::ranges::copy(third.expose(), joined.begin() + 64);
    return take(crypto::keccak256(joined));
}

struct MessageKeys {
    Secret<32> encryption;
    Secret<32> mac;
    Secret<iv_size> iv;
};
MessageKeys message_keys(const Secret<32>& message_key) {
    constexpr std::array<std::uint8_t, 32> no_salt{};
    Secret<80> all;
    crypto::hkdf_sha256(message_key.expose(), no_salt, as_bytes(message_info), all.expose_mutable());
    const auto bytes = all.expose();
    return {Secret<32>(bytes.first<32>()), Secret<32>(bytes.subspan<32, 32>()), Secret<iv_size>(bytes.last<iv_size>())};
}

void append_little_endian(Bytes& out, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

crypto::Digest mac_of(const Secret<32>& key, const RatchetHeader& header, ByteView ciphertext) {
    Bytes covered;
    covered.reserve(8 + header.key.size() + ciphertext.size());
    append_little_endian(covered, header.n);
    append_little_endian(covered, header.pn);
    covered.insert(covered.end(), header.key.begin(), header.key.end());
    covered.insert(covered.end(), ciphertext.begin(), ciphertext.end());
    return crypto::hmac_sha256(key.expose(), covered);
}

}  // namespace

Secret<32> x3dh_initiator(const crypto::SecretKey& identity, const crypto::SecretKey& ephemeral,
                          const crypto::PublicKey& other, const crypto::PublicKey& prekey) {
    return x3dh(identity.shared_x(prekey), ephemeral.shared_x(other), ephemeral.shared_x(prekey));
}

Secret<32> x3dh_responder(const crypto::SecretKey& identity, const crypto::SecretKey& prekey,
                          const crypto::PublicKey& other, const crypto::PublicKey& ephemeral) {
    return x3dh(prekey.shared_x(other), identity.shared_x(ephemeral), prekey.shared_x(ephemeral));
}

RootStep root_step(const Secret<32>& root, const Secret<32>& shared) {
    Secret<96> all;  // the last 32 bytes would be the header key of a variant that encrypts headers
    crypto::hkdf_sha256(shared.expose(), root.expose(), as_bytes(root_info), all.expose_mutable());
    const auto bytes = all.expose();
    return {Secret<32>(bytes.first<32>()), Secret<32>(bytes.subspan<32, 32>())};
}

ChainStep chain_step(const Secret<32>& chain) {
    return {take(crypto::hmac_sha256(chain.expose(), next_chain)),
            take(crypto::hmac_sha256(chain.expose(), next_message))};
}

Bytes seal_with(const Secret<32>& message_key, const RatchetHeader& header, ByteView plain) {
    const MessageKeys keys = message_keys(message_key);
    const auto iv = keys.iv.expose();
    const Bytes cipher = crypto::aes256_ctr(keys.encryption.expose(), iv, plain);
    Bytes out;
    out.reserve(iv_size + cipher.size() + mac_size);
    out.insert(out.end(), iv.begin(), iv.end());
    out.insert(out.end(), cipher.begin(), cipher.end());
    const crypto::Digest mac = mac_of(keys.mac, header, out);
    out.insert(out.end(), mac.begin(), mac.end());
    return out;
}

Result<Bytes> open_with(const Secret<32>& message_key, const RatchetHeader& header, ByteView payload) {
    if (payload.size() < iv_size + mac_size) {
        return fail(Errc::corrupt, "too_short");
    }
    const MessageKeys keys = message_keys(message_key);
    const ByteView covered = payload.first(payload.size() - mac_size);
    if (!crypto::equal_constant_time(mac_of(keys.mac, header, covered), payload.last<mac_size>())) {
        return fail(Errc::corrupt, "bad_mac");
    }
    return crypto::aes256_ctr(keys.encryption.expose(), covered.first<iv_size>(), covered.subspan(iv_size));
}

}  // namespace noroshi::status
