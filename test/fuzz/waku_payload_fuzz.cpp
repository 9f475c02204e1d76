// test/fuzz/waku_payload_fuzz.cpp - any bytes as a sealed payload, as the frame inside one, and as what is sealed.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/random.hpp"
#include "waku/payload.hpp"

namespace {

using namespace noroshi;

/// The frame reader sees only what the key's owner could have sealed: here that is the fuzzer.
Bytes seal_frame(ByteView frame, const waku::SymmetricKey& key) {
    constexpr std::array<std::uint8_t, 12> nonce{};
    Bytes out = crypto::aes256_gcm_encrypt(key.expose(), nonce, frame);
    out.insert(out.end(), nonce.begin(), nonce.end());
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(0x66);
    const waku::SymmetricKey key{std::span<const std::uint8_t, 32>(bytes)};
    bytes.fill(0x11);
    const auto secret = crypto::SecretKey::from_bytes(bytes);
    static_cast<void>(waku::open_symmetric(input, key));
    static_cast<void>(waku::open_asymmetric(input, *secret));
    const auto inside = waku::open_symmetric(seal_frame(input, key), key);
    if (inside && inside->payload.size() > size) {
        std::abort();
    }
    SeededRandom random(size);
    if (const auto sealed = waku::seal_symmetric(input, key, size % 2 == 0 ? &*secret : nullptr, random)) {
        const auto opened = waku::open_symmetric(*sealed, key);
        if (!opened || !std::ranges::equal(opened->payload, input)) {
            std::abort();
        }
    }
    return 0;
}
