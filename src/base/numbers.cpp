// src/base/numbers.cpp - numbers in Go's forms over the standard library's conversions.
#include "base/ascii.hpp"
#include "base/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace noroshi {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return ascii_lower(x) == y; });
}

tl::unexpected<Error> not_a_number(std::string_view text) {
    return fail(Errc::parse, fmt::format("expected a number, got \"{}\"", text.substr(0, 64)));
}

/// from_chars leaves the value untouched when out of range; whether that means 0 or infinity is the exponent's sign.
double out_of_range(std::string_view digits, bool hex) {
    const std::size_t mark = digits.find_first_of(hex ? "pP" : "eE");
    if (mark != std::string_view::npos) {
        return mark + 1 < digits.size() && digits[mark + 1] == '-' ? 0.0 : std::numeric_limits<double>::infinity();
    }
    return digits.starts_with("0.") || digits.starts_with(".") ? 0.0 : std::numeric_limits<double>::infinity();
}

/// "d.ddde+XX" as printed by to_chars, with at least two exponent digits (which to_chars gives already).
std::string shortest(double value, std::chars_format format) {
    std::array<char, 512> buffer;  // NOLINT(*-member-init): written before it is read
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return std::string(buffer.data(), end.ptr);
}

/// Plain digits of a number that is too large for a double to hold each of them: the shortest ones, then zeros. (to_chars
/// would print the exact value.)
std::string padded(double value) {
    std::string text = shortest(value, std::chars_format::scientific);
    const std::size_t mark = text.find('e');
    const auto exponent = static_cast<std::size_t>(std::stoul(text.substr(mark + 2)));
    text.resize(mark);
    const std::size_t sign = text.starts_with('-') ? 1 : 0;
    if (text.size() > sign + 1) {
        text.erase(sign + 1, 1);  // the point
    }
    text.resize(std::max(text.size(), sign + 1 + exponent), '0');
    return text;
}

/// Plain digits between the two bounds, exponent form outside.
std::string format_between(double value, double smallest, double first_large) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    const double magnitude = std::fabs(value);
    constexpr double all_digits_below = 1e16;
    constexpr double whole_below = 1e15;
    if (magnitude < std::min(whole_below, first_large) && magnitude >= 1 && std::trunc(value) == value) {
        return std::to_string(static_cast<std::int64_t>(value));  // the same digits, ten times as fast
    }
    const bool plain = magnitude == 0 || (magnitude >= smallest && magnitude < first_large);
    if (plain && magnitude >= all_digits_below) {
        return padded(value);
    }
    return shortest(value, plain ? std::chars_format::fixed : std::chars_format::scientific);
}

}  // namespace

Result<double> parse_float(std::string_view text) {
    std::string_view rest = text;
    bool negative = false;
    if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) {
        negative = rest.front() == '-';
        rest.remove_prefix(1);
    }
    if (equal_ignoring_case(rest, "inf") || equal_ignoring_case(rest, "infinity")) {
        return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    if (equal_ignoring_case(rest, "nan")) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const bool hex = rest.starts_with("0x") || rest.starts_with("0X");
    if (hex) {
        rest.remove_prefix(2);
        if (rest.find_first_of("pP") == std::string_view::npos) {
            return not_a_number(text);  // Go requires the exponent of a hex float
        }
    }
    // from_chars would take a second sign here, and after 0x also "nan(p)".
    constexpr std::string_view decimal_start = "0123456789.";
    constexpr std::string_view hex_start = "0123456789abcdefABCDEF.";
    if (rest.empty() || (hex ? hex_start : decimal_start).find(rest.front()) == std::string_view::npos) {
        return not_a_number(text);
    }
    double value = 0;
    const auto format = hex ? std::chars_format::hex : std::chars_format::general;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value, format);
    if (parsed.ptr != rest.data() + rest.size() || parsed.ec == std::errc::invalid_argument) {
        return not_a_number(text);
    }
    if (parsed.ec == std::errc::result_out_of_range) {
        value = out_of_range(rest, hex);
    }
    return negative ? -value : value;
}

Result<std::int64_t> parse_int(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with('+')) {
        rest.remove_prefix(1);
        if (rest.starts_with('-')) {
            return not_a_number(text);
        }
    }
    std::int64_t value = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (parsed.ec == std::errc::result_out_of_range) {
        return fail(Errc::limit, fmt::format("number \"{}\" does not fit 64 bits", text.substr(0, 64)));
    }
    if (parsed.ec != std::errc{} || parsed.ptr != rest.data() + rest.size() || rest.empty()) {
        return fail(Errc::parse, fmt::format("expected a whole number, got \"{}\"", text.substr(0, 64)));
    }
    return value;
}

std::string format_float(double value) { return format_between(value, 1e-6, 1e21); }

std::string format_float_go(double value) { return format_between(value, 1e-4, 1e6); }

std::string format_float_plain(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return format_float(value);
    }
    std::array<char, 2'048> text{};
    std::string out(text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr);
    if (std::fabs(value) >= 1e15) {
        // Of whole numbers it gives every digit: those that the shortest form has not are zeros.
        const char* end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific).ptr;
        const auto digits = std::count_if(static_cast<const char*>(text.data()), std::find<const char*>(text.data(), end, 'e'),
                                          [](char c) { return c >= '0' && c <= '9'; });
        const auto kept = std::min(digits + (value < 0 ? 1 : 0), static_cast<std::ptrdiff_t>(out.size()));
        std::fill(out.begin() + kept, out.end(), '0');
    }
    return out;
}

}  // namespace noroshi
