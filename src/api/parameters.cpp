// src/api/parameters.cpp - parameters read as Prometheus reads them, with its words for what is wrong.
#include "parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/numbers.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "model/labels.hpp"
#include "promql/promql.hpp"

namespace noroshi::api {
namespace {

// As Go prints them: no parser of years takes them.
constexpr std::string_view earliest_text = "-292273086-05-16T16:47:06Z";
constexpr std::string_view latest_text = "+292277025-08-18T07:12:54.999999999Z";

/// The code point as UTF-8; nothing for what is none.
std::optional<std::string> utf8_of(std::uint32_t point) {
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return std::nullopt;
    }
    std::string out;
    append_utf8(out, point);
    return out;
}

/// The number of "HEX" as a code point.
std::optional<std::string> escaped_point(std::string_view hex) {
    if (hex.empty() || hex.size() > 6 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
        return std::nullopt;
    }
    return utf8_of(static_cast<std::uint32_t>(std::stoul(std::string(hex), nullptr, 16)));
}

}  // namespace

tl::unexpected<Error> bad_data(std::string text) {
    return fail(Errc::invalid_argument, std::move(text));
}

tl::unexpected<Error> invalid_parameter(std::string_view name, std::string_view text) {
    return bad_data(fmt::format("invalid parameter \"{}\": {}", name, text));
}

Result<TimestampMs> parse_time(std::string_view text) {
    if (text == earliest_text) {
        return earliest_time;
    }
    if (text == latest_text) {
        return latest_time;
    }
    const Result<double> seconds = parse_float(text);
    // Whole seconds and the fraction apart: a double of milliseconds would not keep both.
    double whole = 0;
    const double fraction = seconds ? std::modf(*seconds, &whole) : 0;
    if (seconds && std::fabs(whole) < to_unix_seconds(latest_time)) {
        return from_unix_ms(static_cast<std::int64_t>(whole) * 1'000 + std::llround(fraction * 1'000));
    }
    const Result<TimestampMs> date = seconds ? fail(Errc::parse, "") : parse_rfc3339(text);
    if (!date) {
        return fail(Errc::invalid_argument, fmt::format("cannot parse {} to a valid timestamp", model::quote(text.substr(0, 200))));
    }
    return *date;
}

Result<Milliseconds> parse_step(std::string_view text) {
    if (const Result<double> seconds = parse_float(text)) {
        constexpr double most = static_cast<double>(std::numeric_limits<std::int64_t>::max());
        const double nanoseconds = *seconds * 1e9;
        if (!(nanoseconds < most && nanoseconds >= -most)) {  // nor NaN
            return fail(Errc::invalid_argument, fmt::format("cannot parse {} to a valid duration. It overflows int64",
                                              model::quote(text.substr(0, 200))));
        }
        return Milliseconds(static_cast<std::int64_t>(nanoseconds) / 1'000'000);
    }
    const Result<Milliseconds> duration = parse_duration(text);
    if (!duration) {
        return fail(Errc::invalid_argument, fmt::format("cannot parse {} to a valid duration", model::quote(text.substr(0, 200))));
    }
    return *duration;
}

std::string unescaped_name(std::string_view name) {
    constexpr std::string_view mark = "U__";
    if (!name.starts_with(mark)) {
        return std::string(name);
    }
    std::string out;
    for (std::string_view rest = name.substr(mark.size()); !rest.empty();) {
        if (rest.front() != '_') {
            out += rest.front();
            rest.remove_prefix(1);
            continue;
        }
        const std::size_t end = rest.find('_', 1);
        const std::optional<std::string> point =
            end == 1 ? "_" : end == std::string_view::npos ? std::nullopt : escaped_point(rest.substr(1, end - 1));
        if (!point) {
            return std::string(name);
        }
        out += *point;
        rest.remove_prefix(end + 1);
    }
    return out;
}

Result<Parameters> Parameters::read(const net::ServerRequest& request) {
    Result<net::Form> form = net::parse_form(request.method == "POST" ? std::string_view(request.body) : "");
    const Result<net::Form> query = net::parse_form(request.query);
    if (!form || !query) {
        return bad_data("error parsing form values: " + (form ? query : form).error().message);
    }
    form->insert(form->end(), query->begin(), query->end());
    return Parameters(std::move(*form));
}

std::string_view Parameters::get(std::string_view name) const {
    const auto found = std::ranges::find(form_, name, &net::Form::value_type::first);
    return found == form_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string_view> Parameters::all(std::string_view name) const {
    std::vector<std::string_view> out;
    for (const auto& [own, value] : form_) {
        if (own == name) {
            out.emplace_back(value);
        }
    }
    return out;
}

Result<TimestampMs> Parameters::time(std::string_view name) const {
    const auto at = parse_time(get(name));
    return at ? Result<TimestampMs>(*at) : invalid_parameter(name, at.error().message);
}

Result<TimestampMs> Parameters::time(std::string_view name, TimestampMs otherwise) const {
    if (get(name).empty()) {
        return otherwise;
    }
    const auto at = parse_time(get(name));
    return at ? Result<TimestampMs>(*at)
              : invalid_parameter(name, fmt::format("invalid time value for '{}': {}", name, at.error().message));
}

Result<std::size_t> Parameters::limit() const {
    const std::string_view text = get("limit");
    if (text.empty()) {
        return 0;
    }
    const Result<std::int64_t> number = parse_int(text);
    if (!number) {
        const bool too_large = number.error().code == Errc::limit;
        return invalid_parameter("limit", fmt::format("strconv.Atoi: parsing {}: {}", model::quote(text.substr(0, 200)),
                                                      too_large ? "value out of range" : "invalid syntax"));
    }
    if (*number < 0) {
        return invalid_parameter("limit", "limit must be non-negative");
    }
    return static_cast<std::size_t>(*number);
}

Result<std::optional<Milliseconds>> Parameters::timeout() const {
    const std::string_view text = get("timeout");
    if (text.empty()) {
        return std::nullopt;
    }
    const auto timeout = parse_step(text);
    if (!timeout) {
        return invalid_parameter("timeout", timeout.error().message);
    }
    if (timeout->count() <= 0) {
        return invalid_parameter("timeout", fmt::format("timeout must be positive, got {}", format_duration(*timeout)));
    }
    return *timeout;
}

Result<std::vector<std::vector<model::Matcher>>> Parameters::match() const {
    std::vector<std::vector<model::Matcher>> out;
    for (const std::string_view text : all("match[]")) {
        Result<std::vector<model::Matcher>> matchers = promql::parse_series_selector(text);
        if (!matchers) {
            const Error& error = matchers.error();
            if (error.message.ends_with("must contain at least one non-empty matcher")) {
                return bad_data("match[] must contain at least one non-empty matcher");
            }
            return bad_data(fmt::format("{}:{}: {}", error.where.line, error.where.column, error.message));
        }
        out.push_back(std::move(*matchers));
    }
    return out;
}

}  // namespace noroshi::api
