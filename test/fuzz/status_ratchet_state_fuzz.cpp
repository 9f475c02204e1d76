// test/fuzz/status_ratchet_state_fuzz.cpp - any bytes as a kept session; what is taken must work.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "ratchet.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::status;
    const ByteView input(data, size);
    Result<Ratchet> ratchet = Ratchet::parse(input);
    if (!ratchet) {
        return 0;
    }
    if (!std::ranges::equal(ratchet->serialize(), input)) {
        std::abort();
    }
    SeededRandom random(size);
    RatchetMessage message = ratchet->encrypt(as_bytes("out"));
    const Bytes before = ratchet->serialize();
    bool opened = false;  // its own message: only when the bytes made both chains one
    for (const std::uint32_t n : {message.header.n, 0U, 1U, 1'000U, 0xffffffffU}) {
        message.header.n = n;
        opened = ratchet->decrypt(message, random).has_value() || opened;
        message.header.pn = n;
        opened = ratchet->decrypt(message, random).has_value() || opened;
    }
    if ((!opened && ratchet->serialize() != before) || !Ratchet::parse(before)) {
        std::abort();
    }
    return 0;
}
