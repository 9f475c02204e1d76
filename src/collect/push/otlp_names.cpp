// src/collect/push/otlp_names.cpp - implements the names of OTLP metrics and labels.
#include "collect/push/otlp_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "model/labels.hpp"

namespace noroshi::collect {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

// Symbols of UCUM and what Prometheus calls them; any other unit keeps its own name.
constexpr Words units[] = {
    {"d", "days"},         {"h", "hours"},        {"min", "minutes"},    {"s", "seconds"},      {"ms", "milliseconds"},
    {"us", "microseconds"}, {"ns", "nanoseconds"}, {"By", "bytes"},       {"KiBy", "kibibytes"}, {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"}, {"TiBy", "tibibytes"}, {"KBy", "kilobytes"},  {"MBy", "megabytes"},  {"GBy", "gigabytes"},
    {"TBy", "terabytes"},  {"m", "meters"},       {"V", "volts"},        {"A", "amperes"},      {"J", "joules"},
    {"W", "watts"},        {"g", "grams"},        {"Cel", "celsius"},    {"Hz", "hertz"},       {"1", ""},
    {"%", "percent"}};
constexpr Words rates[] = {{"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"}, {"w", "week"}, {"mo", "month"}, {"y", "year"}};

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

template <std::size_t N>
std::string_view word_of(const Words (&table)[N], std::string_view symbol) {
    const auto found = std::ranges::find(table, symbol, &Words::first);
    return found == std::end(table) ? symbol : found->second;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n\v\f\r");
    return first == std::string_view::npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t\n\v\f\r") - first + 1);
}

/// As part of a name: one underscore for all that a name cannot have, none in front.
std::string as_suffix(std::string_view unit) {
    std::string out;
    for (const char c : unit) {
        if (is_letter_or_digit(c) || c == ':') {
            out += c;
        } else if (!out.empty() && out.back() != '_') {
            out += '_';
        }
    }
    return out;
}

std::string without_last_underscore(std::string text) {
    if (text.ends_with('_')) {
        text.pop_back();
    }
    return text;
}

void add_unit(std::vector<std::string>& words, std::string_view unit) {
    const std::size_t slash = unit.find('/');
    const auto is_word = [](std::string_view part) { return !part.empty() && part.find_first_of("{}") == std::string_view::npos; };
    const std::string_view main_symbol = trimmed(unit.substr(0, slash));
    const std::string_view rate_symbol = slash == std::string_view::npos ? std::string_view() : trimmed(unit.substr(slash + 1));
    std::string main = is_word(main_symbol) ? as_suffix(word_of(units, main_symbol)) : "";
    std::string rate = is_word(rate_symbol) ? as_suffix(fmt::format("per_{}", word_of(rates, rate_symbol))) : "";
    rate = rate == "per_" ? "" : without_last_underscore(std::move(rate));
    const auto is_there = [&words](const std::string& word) { return std::ranges::find(words, word) != words.end(); };
    main = is_there(main) ? "" : main;
    rate = is_there(rate) ? "" : rate;
    if (!rate.empty()) {
        main = without_last_underscore(std::move(main));
    }
    for (std::string* word : {&main, &rate}) {
        if (!word->empty()) {
            words.push_back(std::move(*word));
        }
    }
}

void put_last(std::vector<std::string>& words, const char* word) {
    std::erase(words, word);
    words.emplace_back(word);
}

}  // namespace

Result<std::string> otlp_metric_name(std::string_view name, std::string_view unit, OtlpKind kind) {
    std::vector<std::string> words(1);
    for (const char c : name) {
        if (is_letter_or_digit(c) || c == ':') {
            words.back() += c;
        } else if (!words.back().empty()) {
            words.emplace_back();
        }
    }
    if (words.back().empty()) {
        words.pop_back();
    }
    add_unit(words, unit);
    if (kind == OtlpKind::counter) {
        put_last(words, "total");
    }
    if (kind == OtlpKind::gauge && unit == "1") {
        put_last(words, "ratio");
    }
    const std::string joined = fmt::format("{}", fmt::join(words, "_"));
    if (joined.find_first_not_of('_') == std::string::npos) {
        return fail(Errc::invalid_argument, fmt::format("the metric name {} has no letter or digit", model::quote(name)));
    }
    return is_digit(joined.front()) ? "_" + joined : joined;
}

Result<std::string> otlp_label_name(std::string_view attribute) {
    std::string out;
    for (const char c : attribute) {
        if (!is_continuation(c)) {  // one underscore for a letter of several bytes
            out += is_letter_or_digit(c) ? c : '_';
        }
    }
    if (out.find_first_not_of('_') == std::string::npos) {
        return fail(Errc::invalid_argument, fmt::format("the attribute name {} has no letter or digit", model::quote(attribute)));
    }
    if (is_digit(out.front())) {
        return "key_" + out;
    }
    return out.starts_with('_') && !out.starts_with("__") ? "key" + out : out;
}

}  // namespace noroshi::collect
