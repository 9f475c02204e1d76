// src/base/crypto/shake.hpp - SHAKE-256, which Status's push servers name users by.
#pragma once

#include <span>

#include "base/bytes.hpp"

namespace noroshi::crypto {

/// SHAKE-256 (FIPS 202) by OpenSSL: fills `out`. Thread: any.
void shake256(ByteView data, std::span<std::uint8_t> out);

}  // namespace noroshi::crypto
