// src/base/secret.cpp - wiping memory.
#include "base/secret.hpp"

#include <sodium.h>

namespace noroshi {

void wipe(std::span<std::uint8_t> bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace noroshi
