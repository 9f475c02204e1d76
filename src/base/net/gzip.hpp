// src/base/net/gzip.hpp - gzip decompression with a limit on what comes out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi::net {

/// Inflates a whole gzip (or zlib) body, all its members. Errors: limit (more than `max_bytes` come out), parse (not gzip, cut short).
[[nodiscard]] Result<std::string> gunzip(std::string_view packed, std::size_t max_bytes);

}  // namespace noroshi::net
