// src/base/rfc3339.cpp - the date, the time of day, the fraction and the offset of an RFC 3339 text.
#include "base/rfc3339.hpp"

#include <fmt/format.h>

#include <optional>

namespace noroshi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes exactly `digits` decimal digits off `text`; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t digits) {
    int out = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (i >= text.size() || !is_digit(text[i])) {
            return -1;
        }
        out = out * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return out;
}

bool take_char(std::string_view& text, char c) {
    const bool there = text.starts_with(c);
    text.remove_prefix(there ? 1 : 0);
    return there;
}

/// Milliseconds of a fraction ".5"; digits after the third are cut. Nothing is nothing; -1 for a dot alone.
int take_fraction(std::string_view& text) {
    if (!take_char(text, '.')) {
        return 0;
    }
    int out = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
        out = digits < 3 ? out * 10 + (text[digits] - '0') : out;
    }
    text.remove_prefix(digits);
    for (std::size_t i = digits; i < 3; ++i) {
        out *= 10;
    }
    return digits == 0 ? -1 : out;
}

/// "Z", "+01:00" or "-01:00" at the end, in minutes.
std::optional<int> take_zone(std::string_view text) {
    if (text == "Z") {
        return 0;
    }
    const bool negative = text.starts_with('-');
    if (!negative && !text.starts_with('+')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const int hours = take_digits(text, 2);
    const bool colon = take_char(text, ':');
    const int minutes = take_digits(text, 2);
    if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59 || !text.empty()) {
        return std::nullopt;
    }
    return (negative ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

Result<TimestampMs> parse_rfc3339(std::string_view text) {
    const auto fault = [text] {
        return fail(Errc::parse, fmt::format("expected a time such as 2026-01-31T12:00:00Z, got \"{}\"", text.substr(0, 64)));
    };
    std::string_view rest = text;
    const int year = take_digits(rest, 4);
    const bool first_dash = take_char(rest, '-');
    const int month = take_digits(rest, 2);
    const bool second_dash = take_char(rest, '-');
    const int day = take_digits(rest, 2);
    const bool t = take_char(rest, 'T');
    const int hour = take_digits(rest, 2);
    const bool first_colon = take_char(rest, ':');
    const int minute = take_digits(rest, 2);
    const bool second_colon = take_char(rest, ':');
    const int second = take_digits(rest, 2);
    const int fraction = take_fraction(rest);
    const std::optional<int> zone = take_zone(rest);
    const bool form = year >= 0 && first_dash && month >= 1 && second_dash && day >= 1 && t && hour >= 0 && hour < 24 &&
                      first_colon && minute >= 0 && minute < 60 && second_colon && second >= 0 && second < 60 &&
                      fraction >= 0 && zone;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!form || !date.ok()) {
        return fault();
    }
    return TimestampMs(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute - *zone) +
           std::chrono::seconds(second) + Milliseconds(fraction);
}

}  // namespace noroshi
