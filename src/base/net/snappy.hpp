// src/base/net/snappy.hpp - snappy's block format with a limit on what comes out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi::net {

/// Unpacks one block. Errors: limit (it says that more than `max_bytes` come out), parse (no snappy block, cut short).
[[nodiscard]] Result<std::string> unsnap(std::string_view packed, std::size_t max_bytes);
/// Packs one block.
[[nodiscard]] std::string snap(std::string_view plain);

}  // namespace noroshi::net
