// test/fuzz/waku_payload_fuzz.cpp - any bytes as a sealed payload, and any bytes as what was sealed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/random.hpp"
#include "waku/payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    static const crypto::SecretKey key = *crypto::SecretKey::from_bytes(Bytes(32, 0x11));
    static const waku::SymmetricKey shared(std::span<const std::uint8_t>(Bytes(32, 0x66)).first<32>());
    static SystemRandom random;
    const ByteView bytes(data, size);
    static_cast<void>(waku::open_asymmetric(bytes, key));
    static_cast<void>(waku::open_symmetric(bytes, shared));
    const auto sealed = waku::seal_symmetric(bytes, shared, size % 2 == 0 ? &key : nullptr, random);
    if (!sealed) {
        return 0;
    }
    const auto opened = waku::open_symmetric(*sealed, shared);
    if (!opened || !std::ranges::equal(opened->payload, bytes)) {
        std::abort();
    }
    return 0;
}
