// src/rules/template_format.cpp - numbers for people: the humanize family.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "template_functions.hpp"

namespace noroshi::rules {
namespace {

/// Go's "%.4g".
std::string four_digits(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return format_float(value);
    }
    return fmt::format("{:.4g}", value);
}

std::string scaled(double value, double step, const std::array<std::string_view, 8>& large) {
    std::string_view prefix;
    for (const std::string_view next : large) {
        if (std::fabs(value) < step) {
            break;
        }
        prefix = next;
        value /= step;
    }
    return four_digits(value) + std::string(prefix);
}

std::string small(double value) {
    constexpr std::array<std::string_view, 8> prefixes{"m", "u", "n", "p", "f", "a", "z", "y"};
    std::string_view prefix;
    for (const std::string_view next : prefixes) {
        if (std::fabs(value) >= 1) {
            break;
        }
        prefix = next;
        value *= 1000;
    }
    return four_digits(value) + std::string(prefix);
}

}  // namespace

std::string humanize(double value) {
    if (value == 0 || std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    return std::fabs(value) >= 1 ? scaled(value, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"}) : small(value);
}

std::string humanize1024(double value) {
    if (std::fabs(value) <= 1 || std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    return scaled(value, 1024, {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"});
}

std::string humanize_duration(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    if (value == 0) {
        return "0s";
    }
    if (std::fabs(value) < 1) {
        return small(value) + "s";
    }
    if (std::fabs(value) < 60) {
        return four_digits(value) + "s";
    }
    const char* sign = value < 0 ? "-" : "";
    const auto whole = static_cast<std::int64_t>(std::min(std::fabs(value), 9e18));
    const std::int64_t days = whole / 86400;
    const std::int64_t hours = whole / 3600 % 24;
    const std::int64_t minutes = whole / 60 % 60;
    const std::int64_t seconds = whole % 60;
    if (days != 0) {
        return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
    }
    if (hours != 0) {
        return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
    }
    return fmt::format("{}{}m {}s", sign, minutes, seconds);
}

std::string humanize_percentage(double ratio) { return four_digits(ratio * 100) + "%"; }

Result<TemplateTime> time_of(double seconds) {
    if (std::isnan(seconds) || std::isinf(seconds)) {
        return fail(Errc::invalid_argument, "value is NaN or Inf");
    }
    const double nanoseconds = seconds * 1e9;
    if (std::fabs(nanoseconds) >= 0x1p63) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} cannot be represented as a nanoseconds timestamp since it overflows int64", format_float_go(seconds)));
    }
    constexpr std::int64_t millisecond = 1'000'000;
    return TemplateTime{static_cast<std::int64_t>(nanoseconds) / millisecond * millisecond};
}

}  // namespace noroshi::rules
