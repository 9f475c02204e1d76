// src/base/rfc3339.hpp - times as RFC 3339 writes them, read.
#pragma once

#include <string_view>

#include "base/time.hpp"

namespace noroshi {

/// RFC 3339 with any fraction and offset ("2026-01-31T13:00:00.5+01:00"), years 0 to 9999; cut to milliseconds. Errors: parse.
[[nodiscard]] Result<TimestampMs> parse_rfc3339(std::string_view text);

}  // namespace noroshi
