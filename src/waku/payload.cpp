// src/waku/payload.cpp - the frame of 26/WAKU-PAYLOAD version 1 and its two kinds of encryption.
#include "waku/payload.hpp"

#include <algorithm>
#include <array>

namespace noroshi::waku {
namespace {

constexpr std::size_t signature_size = 65;
constexpr std::size_t block = 256;
constexpr std::uint8_t length_mask = 0x03;
constexpr std::uint8_t signed_flag = 0x04;

constexpr std::size_t ephemeral_size = 65;
constexpr std::size_t iv_size = 16;
constexpr std::size_t mac_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
/// Flags, length, payload, padding, signature; no honest frame is longer.
constexpr std::size_t max_frame_bytes = max_payload_bytes + 2 * block;

/// Plain bytes that are overwritten when they go out of scope.
class WipedBytes {
  public:
    explicit WipedBytes(Bytes bytes) : bytes_(std::move(bytes)) {}
    WipedBytes(const WipedBytes&) = delete;
    WipedBytes& operator=(const WipedBytes&) = delete;
    WipedBytes(WipedBytes&& other) noexcept = default;
    WipedBytes& operator=(WipedBytes&&) = delete;
    ~WipedBytes() { wipe(bytes_); }
    [[nodiscard]] ByteView view() const { return bytes_; }

  private:
    Bytes bytes_;
};

bool all_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::size_t length_width(std::size_t size) { return size < 0x100 ? 1 : size < 0x10000 ? 2 : 3; }

/// Random padding that is not all zero: go-waku and js-waku take care of that, so a lone zero byte would stand out.
void append_padding(Bytes& frame, std::size_t size, Random& random) {
    const std::size_t start = frame.size();
    frame.resize(start + size);
    const std::span<std::uint8_t> padding = std::span(frame).subspan(start);
    do {
        random.fill(padding);
    } while (all_zero(padding));
}

Result<WipedBytes> make_frame(ByteView payload, const crypto::SecretKey* signer, Random& random) {
    if (payload.empty()) {
        return fail(Errc::invalid_argument, "empty payload: receivers refuse it");
    }
    if (payload.size() > max_payload_bytes) {
        return fail(Errc::limit, "payload over 1 MiB");
    }
    const std::size_t width = length_width(payload.size());
    const std::size_t unpadded = 1 + width + payload.size() + (signer != nullptr ? signature_size : 0);
    const std::size_t padding = block - unpadded % block;  // a whole block when it fits already
    Bytes frame;
    frame.reserve(unpadded + padding);  // no reallocation: it would leave plain bytes behind
    frame.push_back(static_cast<std::uint8_t>(width | (signer != nullptr ? signed_flag : 0)));
    for (std::size_t i = 0; i < width; ++i) {
        frame.push_back(static_cast<std::uint8_t>(payload.size() >> (8 * i)));
    }
    frame.insert(frame.end(), payload.begin(), payload.end());
    append_padding(frame, padding, random);
    if (signer != nullptr) {
        const crypto::RecoverableSignature signature = signer->sign(crypto::keccak256(frame));
        frame.insert(frame.end(), signature.begin(), signature.end());
    }
    return WipedBytes(std::move(frame));
}

Result<OpenedPayload> read_frame(ByteView frame) {
    if (frame.empty()) {
        return fail(Errc::corrupt, "truncated");
    }
    const std::size_t width = frame[0] & length_mask;
    const bool is_signed = (frame[0] & signed_flag) != 0;
    if (width == 0) {
        return fail(Errc::corrupt, "no_length");
    }
    const std::size_t overhead = 1 + width + (is_signed ? signature_size : 0);
    if (frame.size() < overhead) {
        return fail(Errc::corrupt, "truncated");
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < width; ++i) {
        size |= static_cast<std::size_t>(frame[1 + i]) << (8 * i);
    }
    if (size > frame.size() - overhead) {
        return fail(Errc::corrupt, "truncated");
    }
    OpenedPayload opened;
    if (is_signed) {
        const ByteView covered = frame.first(frame.size() - signature_size);
        const Result<crypto::PublicKey> signer =
            crypto::recover(crypto::keccak256(covered), frame.last(signature_size));
        if (!signer) {
            return fail(Errc::corrupt, "bad_signature");
        }
        opened.signer = *signer;
    }
    const ByteView payload = frame.subspan(1 + width, size);
    opened.payload.assign(payload.begin(), payload.end());
    return opened;
}

/// What both sides of ECIES derive from the shared point.
struct EciesKeys {
    Secret<16> encryption;
    Secret<32> mac;
};

/// NIST SP 800-56 concatenation KDF, of which one round is enough; the MAC key is hashed once more, as go-ethereum does.
EciesKeys derive_keys(const Secret<32>& shared) {
    constexpr std::array<std::uint8_t, 4> first_round{0, 0, 0, 1};
    crypto::Digest both = crypto::sha256({first_round, shared.expose()});
    crypto::Digest mac = crypto::sha256(ByteView(both).subspan(16));
    EciesKeys keys{Secret<16>(std::span<const std::uint8_t>(both).first<16>()),
                   Secret<32>(std::span<const std::uint8_t, 32>(mac))};
    wipe(both);
    wipe(mac);
    return keys;
}

}  // namespace

Result<Bytes> seal_asymmetric(ByteView payload, const crypto::PublicKey& to, const crypto::SecretKey* signer,
                              Random& random) {
    NOROSHI_TRY(const WipedBytes frame, make_frame(payload, signer, random));
    const crypto::SecretKey ephemeral = crypto::SecretKey::generate(random);
    std::array<std::uint8_t, iv_size> iv{};
    random.fill(iv);
    const EciesKeys keys = derive_keys(ephemeral.shared_x(to));
    const Bytes cipher = crypto::aes128_ctr(keys.encryption.expose(), iv, frame.view());
    const auto ephemeral_public = ephemeral.public_key().uncompressed();
    Bytes out;
    out.reserve(ephemeral_size + iv_size + cipher.size() + mac_size);
    out.insert(out.end(), ephemeral_public.begin(), ephemeral_public.end());
    out.insert(out.end(), iv.begin(), iv.end());
    out.insert(out.end(), cipher.begin(), cipher.end());
    const crypto::Digest mac = crypto::hmac_sha256(keys.mac.expose(), ByteView(out).subspan(ephemeral_size));
    out.insert(out.end(), mac.begin(), mac.end());
    return out;
}

Result<OpenedPayload> open_asymmetric(ByteView sealed, const crypto::SecretKey& key) {
    if (sealed.size() <= ephemeral_size + iv_size + mac_size) {
        return fail(Errc::corrupt, "too_short");
    }
    if (sealed.size() > ephemeral_size + iv_size + max_frame_bytes + mac_size) {
        return fail(Errc::corrupt, "too_large");
    }
    const Result<crypto::PublicKey> ephemeral = crypto::PublicKey::from_bytes(sealed.first(ephemeral_size));
    if (!ephemeral) {
        return fail(Errc::corrupt, "bad_ephemeral_key");
    }
    const ByteView authenticated = sealed.subspan(ephemeral_size, sealed.size() - ephemeral_size - mac_size);
    const EciesKeys keys = derive_keys(key.shared_x(*ephemeral));
    const crypto::Digest mac = crypto::hmac_sha256(keys.mac.expose(), authenticated);
    if (!crypto::equal_constant_time(mac, sealed.last(mac_size))) {
        return fail(Errc::corrupt, "wrong_key_or_tampered");
    }
    const WipedBytes frame(crypto::aes128_ctr(keys.encryption.expose(), authenticated.first<iv_size>(),
                                              authenticated.subspan(iv_size)));
    return read_frame(frame.view());
}

Result<Bytes> seal_symmetric(ByteView payload, const SymmetricKey& key, const crypto::SecretKey* signer,
                             Random& random) {
    if (all_zero(key.expose())) {
        return fail(Errc::invalid_argument, "symmetric key is all zero");
    }
    NOROSHI_TRY(const WipedBytes frame, make_frame(payload, signer, random));
    std::array<std::uint8_t, nonce_size> nonce{};
    random.fill(nonce);
    Bytes out = crypto::aes256_gcm_encrypt(key.expose(), nonce, frame.view());
    out.insert(out.end(), nonce.begin(), nonce.end());
    return out;
}

Result<OpenedPayload> open_symmetric(ByteView sealed, const SymmetricKey& key) {
    if (sealed.size() <= tag_size + nonce_size) {
        return fail(Errc::corrupt, "too_short");
    }
    if (sealed.size() > max_frame_bytes + tag_size + nonce_size) {
        return fail(Errc::corrupt, "too_large");
    }
    Result<Bytes> plain = crypto::aes256_gcm_decrypt(key.expose(), sealed.last<nonce_size>(),
                                                     sealed.first(sealed.size() - nonce_size));
    if (!plain) {
        return fail(Errc::corrupt, "wrong_key_or_tampered");
    }
    const WipedBytes frame(std::move(*plain));
    return read_frame(frame.view());
}

}  // namespace noroshi::waku
