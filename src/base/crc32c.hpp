// src/base/crc32c.hpp - CRC-32C, which every stored row and every part of a series file carries.
#pragma once

#include <cstdint>
#include <string_view>

namespace noroshi {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4). crc32c("123456789") is 0xe3069283.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace noroshi
