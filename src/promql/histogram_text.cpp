// src/promql/histogram_text.cpp - reads `{{schema:0 sum:5 count:4 buckets:[1 2 1]}}`.
#include "histogram_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "base/numbers.hpp"
#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

using model::Histogram;
using model::ResetHint;

/// A key may be a number, a list or a word.
using Fields = std::map<std::string, std::string_view, std::less<>>;

tl::unexpected<Error> wrong(std::string message) {
    return fail(Errc::parse, std::move(message));
}

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

Result<Fields> fields_of(std::string_view text) {
    static constexpr std::string_view known[] = {
        "schema",    "sum",      "count",  "z_bucket",      "z_bucket_w",        "buckets",
        "n_buckets", "n_offset", "offset", "custom_values", "counter_reset_hint"};
    Fields out;
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos) {
            return wrong(fmt::format("expected key:value in a histogram, got \"{}\"", text));
        }
        std::string key(text.substr(0, colon));
        std::ranges::transform(key, key.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (std::ranges::find(known, key) == std::end(known)) {
            return wrong(fmt::format("unknown key \"{}\" in a histogram", key));
        }
        text.remove_prefix(colon + 1);
        const bool list = text.starts_with('[');
        const std::size_t end = list ? text.find(']') : std::min(text.find_first_of(" \t"), text.size());
        if (end == std::string_view::npos) {
            return wrong("expected \"]\" after the buckets of a histogram");
        }
        const std::string_view value = list ? text.substr(1, end - 1) : text.substr(0, end);
        text.remove_prefix(list ? end + 1 : end);
        if (!out.emplace(key, value).second) {
            return wrong(fmt::format("duplicate key \"{}\" in histogram", key));
        }
    }
    return out;
}

Result<double> number(const Fields& fields, std::string_view key) {
    const auto found = fields.find(key);
    return found == fields.end() ? Result<double>(0) : parse_float(found->second);
}

Result<std::int32_t> integer(const Fields& fields, std::string_view key) {
    const auto found = fields.find(key);
    if (found == fields.end()) {
        return 0;
    }
    NOROSHI_TRY(const std::int64_t value, parse_int(found->second));
    // Far outside of what any bucket needs, far inside of what sums of indices hold.
    if (value < -(std::int64_t{1} << 29) || value > (std::int64_t{1} << 29)) {
        return wrong(fmt::format("{}:{} is too large", key, value));
    }
    return static_cast<std::int32_t>(value);
}

Result<std::vector<double>> numbers(const Fields& fields, std::string_view key) {
    std::vector<double> out;
    const auto found = fields.find(key);
    std::string_view text = found == fields.end() ? std::string_view() : found->second;
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        NOROSHI_TRY(const double value, parse_float(text.substr(0, end)));
        out.push_back(value);
        text.remove_prefix(end);
    }
    return out;
}

Result<model::HistogramSide> side_of(const Fields& fields, std::string_view buckets, std::string_view offset) {
    model::HistogramSide out;
    NOROSHI_TRY(out.counts, numbers(fields, buckets));
    NOROSHI_TRY(const std::int32_t first, integer(fields, offset));
    if (!out.counts.empty()) {
        out.spans.push_back({first, static_cast<std::uint32_t>(out.counts.size())});
    }
    return out;
}

Result<ResetHint> hint_of(const Fields& fields) {
    const auto found = fields.find("counter_reset_hint");
    const std::string_view word = found == fields.end() ? "unknown" : found->second;
    static const std::map<std::string_view, ResetHint> words{{"unknown", ResetHint::unknown},
                                                             {"reset", ResetHint::reset},
                                                             {"not_reset", ResetHint::not_reset},
                                                             {"gauge", ResetHint::gauge}};
    const auto hint = words.find(word);
    return hint == words.end() ? Result<ResetHint>(wrong(fmt::format("unknown counter_reset_hint \"{}\"", word)))
                               : hint->second;
}

/// What is between the braces.
Result<HistogramSlot> histogram_of(std::string_view text) {
    NOROSHI_TRY(const Fields fields, fields_of(text));
    HistogramSlot out;
    out.hint_given = fields.contains("counter_reset_hint");
    NOROSHI_TRY(out.value.hint, hint_of(fields));
    NOROSHI_TRY(out.value.schema, integer(fields, "schema"));
    NOROSHI_TRY(out.value.sum, number(fields, "sum"));
    NOROSHI_TRY(out.value.count, number(fields, "count"));
    NOROSHI_TRY(out.value.zero_count, number(fields, "z_bucket"));
    NOROSHI_TRY(out.value.zero_threshold, number(fields, "z_bucket_w"));
    NOROSHI_TRY(out.value.positive, side_of(fields, "buckets", "offset"));
    NOROSHI_TRY(out.value.negative, side_of(fields, "n_buckets", "n_offset"));
    NOROSHI_TRY(std::vector<double> bounds, numbers(fields, "custom_values"));
    if (out.value.has_custom_bounds()) {
        const model::HistogramSide& side = out.value.positive;
        if (!side.spans.empty() &&
            (side.spans[0].offset < 0 ||
             static_cast<std::size_t>(side.spans[0].offset) + side.counts.size() > bounds.size() + 1)) {
            return wrong("the buckets of a histogram go past its custom_values");
        }
    } else if (out.value.schema < Histogram::min_schema || out.value.schema > Histogram::max_schema) {
        return wrong(fmt::format("schema:{} is unknown", out.value.schema));
    }
    if (!bounds.empty()) {
        out.value.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    }
    return out;
}

Result<HistogramSlot> take_histogram(std::string_view& text) {
    const std::size_t end = text.find("}}");
    if (!text.starts_with("{{") || end == std::string_view::npos) {
        return wrong("expected a histogram, {{..}}");
    }
    const std::string_view inside = text.substr(2, end - 2);
    text.remove_prefix(end + 2);
    return histogram_of(inside);
}

Result<std::size_t> take_times(std::string_view& text) {
    constexpr std::int64_t most = 100'000;
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    NOROSHI_TRY(const std::int64_t times, parse_int(text.substr(1, end - 1)));
    if (times < 0 || times > most) {
        return wrong(fmt::format("expected 0 to {} repetitions, got {}", most, times));
    }
    text.remove_prefix(end);
    return static_cast<std::size_t>(times);
}

}  // namespace

Result<std::vector<HistogramSlot>> take_histograms(std::string_view& text) {
    NOROSHI_TRY(HistogramSlot slot, take_histogram(text));
    if (text.starts_with('x')) {
        NOROSHI_TRY(const std::size_t times, take_times(text));
        return std::vector<HistogramSlot>(times + 1, slot);
    }
    if (!text.starts_with('+') && !text.starts_with('-')) {
        return std::vector<HistogramSlot>{std::move(slot)};
    }
    const bool grows = text.starts_with('+');
    text.remove_prefix(1);
    NOROSHI_TRY(const HistogramSlot step, take_histogram(text));
    if (!text.starts_with('x')) {
        return wrong("expected x and a number after the step of a histogram");
    }
    NOROSHI_TRY(const std::size_t times, take_times(text));
    // The text of the step decides for all whether a hint was given.
    slot.hint_given = step.hint_given;
    std::vector<HistogramSlot> out{slot};
    for (std::size_t i = 0; i < times; ++i) {
        if (slot.value.schema > step.value.schema) {
            return wrong(fmt::format("error combining histograms: cannot merge from schema {} to {}", step.value.schema,
                                     slot.value.schema));
        }
        if ((grows ? add(slot.value, step.value) : subtract(slot.value, step.value)).incompatible) {
            return wrong("exponential and custom bounds cannot be combined");
        }
        out.push_back(slot);
    }
    return out;
}

}  // namespace noroshi::promql
