// src/base/time.cpp - the machine's clocks, and durations as Prometheus writes them.
#include "base/time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <limits>

namespace noroshi {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t ms;
};

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
// Largest first: the order in which a duration must name them.
constexpr std::array<Unit, 7> units{{{"y", 365 * day_ms},
                                     {"w", 7 * day_ms},
                                     {"d", day_ms},
                                     {"h", 3600 * 1000},
                                     {"m", 60 * 1000},
                                     {"s", 1000},
                                     {"ms", 1}}};
// Prometheus counts nanoseconds in 64 bits.
constexpr std::int64_t longest_ms = std::numeric_limits<std::int64_t>::max() / 1'000'000;

tl::unexpected<Error> not_a_duration(std::string_view text) {
    return fail(Errc::parse, fmt::format("expected a duration such as 30s, 5m or 1h30m, got \"{}\"", text));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string format_rfc3339(TimestampMs t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    const auto ms = (t - seconds).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds.time_since_epoch().count()), ms);
}

TimestampMs SystemClock::now() const {
    return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

SteadyMs SystemClock::steady() const {
    return std::chrono::floor<Milliseconds>(std::chrono::steady_clock::now());
}

Result<Milliseconds> parse_duration(std::string_view text) {
    if (text == "0") {
        return Milliseconds(0);
    }
    if (text.empty()) {
        return not_a_duration(text);
    }
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::int64_t number = 0;
        const std::size_t digits = at;
        while (at < text.size() && is_digit(text[at])) {
            number = number * 10 + (text[at] - '0');
            if (number > longest_ms) {
                return fail(Errc::limit, fmt::format("duration \"{}\" is out of range", text));
            }
            ++at;
        }
        const std::size_t name = at;
        while (at < text.size() && !is_digit(text[at])) {
            ++at;
        }
        const std::string_view unit_name = text.substr(name, at - name);
        std::size_t unit = next_unit;
        while (unit < units.size() && units[unit].name != unit_name) {
            ++unit;
        }
        if (digits == name || unit == units.size()) {
            return not_a_duration(text);
        }
        if (number > (longest_ms - total) / units[unit].ms) {
            return fail(Errc::limit, fmt::format("duration \"{}\" is out of range", text));
        }
        total += number * units[unit].ms;
        next_unit = unit + 1;
    }
    return Milliseconds(total);
}

std::string format_duration(Milliseconds duration) {
    std::int64_t rest = duration.count();
    if (rest == 0) {
        return "0s";
    }
    std::string out;
    if (rest < 0) {
        out = "-";
        rest = -rest;
    }
    for (const Unit& unit : units) {
        // Years and weeks only when they divide the whole, as Prometheus prints them: 8d, not 1w1d.
        const bool only_exact = unit.name == "y" || unit.name == "w";
        if (rest < unit.ms || (only_exact && rest % unit.ms != 0)) {
            continue;
        }
        out += fmt::format("{}{}", rest / unit.ms, unit.name);
        rest %= unit.ms;
    }
    return out;
}

}  // namespace noroshi
