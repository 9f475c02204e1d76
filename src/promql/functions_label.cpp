// src/promql/functions_label.cpp - functions over labels, order and presence.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/bytes.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

const std::string& text(const StepValue& value) { return std::get<std::string>(value); }

/// Runs of digits are compared as numbers, all else byte by byte.
bool natural_less(std::string_view a, std::string_view b) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto run = [&is_digit](std::string_view text) {
        return static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    };
    while (!a.empty() && !b.empty()) {
        if (is_digit(a[0]) && is_digit(b[0])) {
            const std::string_view x = a.substr(0, run(a));
            const std::string_view y = b.substr(0, run(b));
            const std::string_view p = x.substr(std::min(x.find_first_not_of('0'), x.size()));
            const std::string_view q = y.substr(std::min(y.find_first_not_of('0'), y.size()));
            if (p != q) {
                return p.size() != q.size() ? p.size() < q.size() : p < q;
            }
            if (x.size() != y.size()) {
                return x.size() < y.size();
            }
            a.remove_prefix(x.size());
            b.remove_prefix(y.size());
        } else if (a[0] != b[0]) {
            return a[0] < b[0];
        } else {
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
    }
    return a.size() < b.size();
}

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

Result<StepValue> label_replace(CallContext& context) {
    auto table = std::get<Table>(std::move(context.values[0]));
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
    for (std::size_t i = 0; i < table.size(); ++i) {
        Row& row = table.row(i);
        const std::string value(row.labels.get(source));
        if (regex.Match(value, 0, value.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
            row.labels = row.labels.with(destination, expand(replacement, regex, groups));
            row.drop_name = row.drop_name && destination != model::metric_name_label;
        }
    }
    return StepValue(std::move(table));
}

Result<StepValue> label_join(CallContext& context) {
    auto table = std::get<Table>(std::move(context.values[0]));
    const std::string& destination = text(context.values[1]);
    const std::string& separator = text(context.values[2]);
    if (destination.empty() || !is_utf8(destination)) {
        return fail(Errc::invalid_argument, fmt::format("invalid destination label name in label_join(): {}", destination));
    }
    for (std::size_t row = 0; row < table.size(); ++row) {
        std::string joined;
        for (std::size_t i = 3; i < context.values.size(); ++i) {
            joined += i == 3 ? "" : separator;
            joined += table.row(row).labels.get(text(context.values[i]));
        }
        table.row(row).labels = table.row(row).labels.with(destination, joined);
        table.row(row).drop_name = table.row(row).drop_name && destination != model::metric_name_label;
    }
    return StepValue(std::move(table));
}

/// Whether it gives the same at all steps: every selector has its time by `@`, and no function looks at the step's.
bool is_step_invariant(const Node& written) {
    const Node& node = without_parens(written);
    if (const auto* selector = std::get_if<Selector>(&node.kind)) {
        return selector->shift.at.has_value();
    }
    if (const auto* subquery = std::get_if<Subquery>(&node.kind)) {
        return subquery->shift.at.has_value();
    }
    if (const auto* unary = std::get_if<Unary>(&node.kind)) {
        return is_step_invariant(*unary->operand);
    }
    if (const auto* binary = std::get_if<Binary>(&node.kind)) {
        return is_step_invariant(*binary->left) && is_step_invariant(*binary->right);
    }
    if (const auto* aggregate = std::get_if<Aggregate>(&node.kind)) {
        return is_step_invariant(*aggregate->inner);
    }
    if (const auto* call = std::get_if<Call>(&node.kind)) {
        constexpr std::array<std::string_view, 14> timed{"days_in_month", "day_of_month", "day_of_week", "day_of_year", "end",  "hour", "minute",
                                                         "month",         "year",         "predict_linear", "range",  "start", "step", "time"};
        const bool is_of_computed = call->function->name == "timestamp" &&
                             !std::holds_alternative<Selector>(without_parens(*call->arguments.front()).kind);
        return !is_of_computed && std::ranges::count(timed, call->function->name) == 0 &&
               std::ranges::all_of(call->arguments, [](const NodePtr& argument) { return is_step_invariant(*argument); });
    }
    return true;
}

/// In a range query the answer is in the order of labels, whatever was sorted before; a subquery is one
/// too, and what is the same at all steps is none.
template <class Before>
Result<StepValue> sorted(CallContext& context, Before before) {
    auto table = std::get<Table>(std::move(context.values[0]));
    if (context.steps.start != context.steps.end && !is_step_invariant(context.node)) {
        context.evaluation.warn(context.node, "sort is ineffective for range queries since results are always ordered by labels");
    }
    if (table.steps() > 1) {
        return StepValue(std::move(table));
    }
    std::vector<std::size_t> order(table.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return before(table, a, b); });
    return StepValue(table.reordered(order));
}

bool is_before(double a, double b, bool ascending) {
    if (std::isnan(a) || std::isnan(b)) {
        return !std::isnan(a) && std::isnan(b);
    }
    return ascending ? a < b : a > b;
}

template <bool Ascending>
Result<StepValue> sort(CallContext& context) {
    std::get<Table>(context.values[0]).drop_histograms();
    return sorted(context, [](const Table& table, std::size_t a, std::size_t b) {
        return is_before(table.values(a)[0], table.values(b)[0], Ascending);
    });
}

template <bool Ascending>
Result<StepValue> sort_by_label(CallContext& context) {
    std::vector<std::string> names;
    for (std::size_t i = 1; i < context.values.size(); ++i) {
        names.push_back(text(context.values[i]));
    }
    return sorted(context, [names](const Table& table, std::size_t a, std::size_t b) {
        const model::Labels& left = table.row(a).labels;
        const model::Labels& right = table.row(b).labels;
        for (const std::string& name : names) {
            if (const std::string_view x = left.get(name), y = right.get(name); x != y) {
                return Ascending ? natural_less(x, y) : natural_less(y, x);
            }
        }
        return Ascending ? left < right : right < left;
    });
}

/// One where nothing is, at each step.
Result<StepValue> absence(CallContext& context, const std::vector<bool>& there) {
    Table out(there.size());
    const std::size_t row = out.add({absent_labels(*context.nodes[0]), false});
    for (std::size_t step = 0; step < there.size(); ++step) {
        out.values(row)[step] = there[step] ? no_value : 1;
    }
    out.drop_last_if_empty();
    return StepValue(std::move(out));
}

Result<StepValue> absent(CallContext& context) {
    const auto& table = std::get<Table>(context.values[0]);
    std::vector<bool> there(table.steps());
    for (std::size_t i = 0; i < table.size(); ++i) {
        for (std::size_t step = 0; step < table.steps(); ++step) {
            there[step] = there[step] || has_value(table.values(i)[step]);
        }
    }
    return absence(context, there);
}

/// In (from, to].
template <class Sample>
bool has_sample(const std::vector<Sample>& samples, TimestampMs from, TimestampMs to) {
    const auto first = std::ranges::upper_bound(samples, from, {}, &Sample::at);
    return first != samples.end() && first->at <= to;
}

Result<StepValue> absent_over_time(CallContext& context) {
    const Ranges& ranges = *context.ranges;
    std::vector<bool> there(count_of(context.steps));
    const bool moves = count_of(ranges.ends) == there.size();
    for (const RangeSeries& series : ranges.series) {
        for (std::size_t step = 0; step < there.size(); ++step) {
            const TimestampMs end = moves ? time_at(ranges.ends, step) : ranges.ends.start;
            there[step] = there[step] || has_sample(series.samples, end - ranges.length, end) ||
                          has_sample(series.histograms, end - ranges.length, end);
        }
    }
    return absence(context, there);
}

Result<StepValue> scalar(CallContext& context) {
    const auto& table = std::get<Table>(context.values[0]);
    Scalars out(table.steps(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t step = 0; step < table.steps(); ++step) {
        std::size_t count = 0;
        double value = 0;
        for (std::size_t i = 0; i < table.size(); ++i) {
            if (has_value(table.values(i)[step]) && !table.is_histogram(i, step)) {
                ++count;
                value = table.values(i)[step];
            }
        }
        if (count == 1) {
            out[step] = value;
        }
    }
    return StepValue(std::move(out));
}

Result<StepValue> vector(CallContext& context) {
    const auto& scalars = std::get<Scalars>(context.values[0]);
    Table out(scalars.size());
    std::ranges::copy(scalars, out.values(out.add({})).begin());
    return StepValue(std::move(out));
}

}  // namespace

std::vector<Function> label_functions() {
    constexpr ValueType v = ValueType::vector;
    constexpr ValueType s = ValueType::string;
    return {{"label_replace", {v, s, s, s, s}, 0, v, label_replace, true},
            {"label_join", {v, s, s, s}, -1, v, label_join, true},
            {"sort", {v}, 0, v, sort<true>, true},
            {"sort_desc", {v}, 0, v, sort<false>, true},
            {"sort_by_label", {v, s}, -1, v, sort_by_label<true>, true, true},
            {"sort_by_label_desc", {v, s}, -1, v, sort_by_label<false>, true, true},
            {"absent", {v}, 0, v, absent},
            {"absent_over_time", {ValueType::matrix}, 0, v, absent_over_time},
            {"scalar", {v}, 0, ValueType::scalar, scalar},
            {"vector", {ValueType::scalar}, 0, v, vector}};
}

}  // namespace noroshi::promql
