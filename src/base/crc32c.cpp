// src/base/crc32c.cpp - CRC-32C by tables, eight bytes at a time.
#include "base/crc32c.hpp"

#include <array>
#include <cstddef>

namespace noroshi {
namespace {

constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
constexpr std::size_t stride = 8;

/// tables[n][byte]: what a byte contributes that is followed by n others.
constexpr std::array<std::array<std::uint32_t, 256>, stride> make_tables() {
    std::array<std::array<std::uint32_t, 256>, stride> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1) != 0 ? (value >> 1) ^ reflected_polynomial : value >> 1;
        }
        tables[0][i] = value;
    }
    for (std::size_t n = 1; n < stride; ++n) {
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t before = tables[n - 1][i];
            tables[n][i] = tables[0][before & 0xff] ^ (before >> 8);
        }
    }
    return tables;
}

constexpr auto tables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    const auto byte = [&bytes](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
    for (; bytes.size() >= stride; bytes.remove_prefix(stride)) {
        const std::uint32_t first = crc ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24);
        crc = tables[7][first & 0xff] ^ tables[6][first >> 8 & 0xff] ^ tables[5][first >> 16 & 0xff] ^ tables[4][first >> 24] ^
              tables[3][byte(4)] ^ tables[2][byte(5)] ^ tables[1][byte(6)] ^ tables[0][byte(7)];
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        crc = tables[0][(crc ^ byte(i)) & 0xff] ^ (crc >> 8);
    }
    return crc ^ 0xffffffff;
}

}  // namespace noroshi
