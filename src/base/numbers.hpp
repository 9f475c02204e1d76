// src/base/numbers.hpp - numbers as Go writes and reads them, which is what Prometheus's formats mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi {

/// Go's ParseFloat without underscores: decimal, exponent, hex float, "+Inf", "infinity", "NaN" in any case; overflow
/// gives infinity. Whole text must be used. Errors: parse.
[[nodiscard]] Result<double> parse_float(std::string_view text);
/// Decimal integer with optional sign; whole text must be used. Errors: parse, limit.
[[nodiscard]] Result<std::int64_t> parse_int(std::string_view text);
/// Shortest digits that read back the same; exponent form below 1e-6 and from 1e21 on. "+Inf", "-Inf", "NaN". Used in
/// expositions, JSON and texts for people.
[[nodiscard]] std::string format_float(double value);
/// Go's "%v", as templates and PromQL print numbers: exponent form below 1e-4 and from 1e6 on, two exponent digits at
/// least ("1e+06", "1e-05").
[[nodiscard]] std::string format_float_go(double value);
/// Go's 'f' with as few digits as read back the same, never an exponent: label values made of numbers.
[[nodiscard]] std::string format_float_plain(double value);

}  // namespace noroshi
