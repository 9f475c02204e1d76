// src/promql/functions_label.cpp - functions over labels, order and presence.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.hpp"
#include "functions.hpp"

namespace noroshi::promql {
namespace {

const std::string& text(const Value& value) { return std::get<std::string>(value); }

/// Go's Expand: $1, ${1}, $name, ${name}, $$; the longest word counts, an unknown group is empty.
std::string expand(std::string_view replacement, const re2::RE2& regex, const std::vector<re2::StringPiece>& groups) {
    const auto is_word = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    std::string out;
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        if (replacement[i] != '$' || i + 1 == replacement.size()) {
            out += replacement[i];
            continue;
        }
        if (replacement[i + 1] == '$') {
            out += '$';
            ++i;
            continue;
        }
        const bool braces = replacement[i + 1] == '{';
        const std::size_t from = i + (braces ? 2 : 1);
        std::size_t to = from;
        while (to < replacement.size() && is_word(replacement[to])) {
            ++to;
        }
        const bool closed = !braces || (to < replacement.size() && replacement[to] == '}');
        if (to == from || !closed) {
            out += '$';
            continue;
        }
        const std::string name(replacement.substr(from, to - from));
        std::size_t group = groups.size();
        if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
            group = name.size() < 4 ? static_cast<std::size_t>(std::stoul(name)) : groups.size();
        } else if (const auto found = regex.NamedCapturingGroups().find(name);
                   found != regex.NamedCapturingGroups().end()) {
            group = static_cast<std::size_t>(found->second);
        }
        if (group < groups.size()) {
            out += std::string(groups[group].data(), groups[group].size());
        }
        i = to - (braces ? 0 : 1);
    }
    return out;
}

Result<Value> label_replace(CallContext& context) {
    auto vector = std::get<Vector>(std::move(context.values[0]));
    const std::string& destination = text(context.values[1]);
    const std::string& replacement = text(context.values[2]);
    const std::string& source = text(context.values[3]);
    re2::RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    const re2::RE2 regex("^(?:" + text(context.values[4]) + ")$", options);
    if (!regex.ok()) {
        return fail(Errc::invalid_argument,
                    fmt::format("invalid regular expression in label_replace(): {}", text(context.values[4])));
    }
    if (destination.empty() || !is_utf8(destination)) {
        return fail(Errc::invalid_argument,
                    fmt::format("invalid destination label name in label_replace(): {}", destination));
    }
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
    for (VectorSample& element : vector) {
        const std::string value(element.labels.get(source));
        if (regex.Match(value, 0, value.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
            element.labels = element.labels.with(destination, expand(replacement, regex, groups));
        }
    }
    return Value(std::move(vector));
}

Result<Value> label_join(CallContext& context) {
    auto vector = std::get<Vector>(std::move(context.values[0]));
    const std::string& destination = text(context.values[1]);
    const std::string& separator = text(context.values[2]);
    if (destination.empty() || !is_utf8(destination)) {
        return fail(Errc::invalid_argument, fmt::format("invalid destination label name in label_join(): {}", destination));
    }
    for (VectorSample& element : vector) {
        std::string joined;
        for (std::size_t i = 3; i < context.values.size(); ++i) {
            joined += i == 3 ? "" : separator;
            joined += element.labels.get(text(context.values[i]));
        }
        element.labels = element.labels.with(destination, joined);
    }
    return Value(std::move(vector));
}

Result<Value> sorted(CallContext& context, bool ascending) {
    auto vector = std::get<Vector>(std::move(context.values[0]));
    std::stable_sort(vector.begin(), vector.end(), [ascending](const VectorSample& a, const VectorSample& b) {
        if (std::isnan(a.value) || std::isnan(b.value)) {
            return !std::isnan(a.value) && std::isnan(b.value);
        }
        return ascending ? a.value < b.value : a.value > b.value;
    });
    return Value(std::move(vector));
}
Result<Value> sort(CallContext& context) { return sorted(context, true); }
Result<Value> sort_desc(CallContext& context) { return sorted(context, false); }

Result<Value> absent(CallContext& context) {
    if (!std::get<Vector>(context.values[0]).empty()) {
        return Value(Vector{});
    }
    return Value(Vector{{absent_labels(*context.nodes[0]), 1}});
}

Result<Value> absent_over_time(CallContext& context) {
    if (!std::get<Matrix>(context.values[0]).empty()) {
        return Value(Vector{});
    }
    return Value(Vector{{absent_labels(*context.nodes[0]), 1}});
}

Result<Value> scalar(CallContext& context) {
    const auto& vector = std::get<Vector>(context.values[0]);
    return Value(vector.size() == 1 ? vector.front().value : std::numeric_limits<double>::quiet_NaN());
}

Result<Value> vector(CallContext& context) { return Value(Vector{{model::Labels{}, std::get<double>(context.values[0])}}); }

}  // namespace

std::vector<Function> label_functions() {
    constexpr ValueType v = ValueType::vector;
    constexpr ValueType s = ValueType::string;
    return {{"label_replace", {v, s, s, s, s}, 0, v, label_replace, true},
            {"label_join", {v, s, s, s}, -1, v, label_join, true},
            {"sort", {v}, 0, v, sort, true},
            {"sort_desc", {v}, 0, v, sort_desc, true},
            {"absent", {v}, 0, v, absent, false},
            {"absent_over_time", {ValueType::matrix}, 0, v, absent_over_time, false},
            {"scalar", {v}, 0, ValueType::scalar, scalar, false},
            {"vector", {ValueType::scalar}, 0, v, vector, false}};
}

}  // namespace noroshi::promql
