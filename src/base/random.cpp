// src/base/random.cpp - the system's generator through libsodium; a repeatable one for tests.
#include "base/random.hpp"

#include <sodium.h>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace noroshi {

std::uint64_t Random::below(std::uint64_t bound) {
    NOROSHI_ASSERT(bound > 0, "bound of a random number must be positive");
    // Values under the threshold would make small results more likely.
    const std::uint64_t threshold = (0 - bound) % bound;
    while (true) {
        std::array<std::uint8_t, 8> bytes{};
        fill(bytes);
        std::uint64_t value = 0;
        for (const std::uint8_t byte : bytes) {
            value = value << 8 | byte;
        }
        if (value >= threshold) {
            return value % bound;
        }
    }
}

std::string Random::id() {
    std::array<std::uint8_t, 16> bytes{};
    fill(bytes);
    return to_hex(bytes);
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    NOROSHI_ASSERT(sodium_init() >= 0, "the system gives no randomness");
    randombytes_buf(out.data(), out.size());
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
    for (std::uint8_t& byte : out) {
        // splitmix64
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        byte = static_cast<std::uint8_t>(z ^ (z >> 31));
    }
}

}  // namespace noroshi
