// src/promql/functions.cpp - looks up a function; arithmetic that several share.
#include "functions.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

namespace noroshi::promql {
namespace {

std::vector<Function> all_functions() {
    std::vector<Function> all;
    for (std::vector<Function> part :
         {element_functions(), range_functions(), mixed_functions(), label_functions(), time_functions(), histogram_functions(), info_functions()}) {
        std::ranges::move(part, std::back_inserter(all));
    }
    return all;
}

}  // namespace

bool is_metadata_label(std::string_view name) {
    return name == model::metric_name_label || name == "__type__" || name == "__unit__";
}

model::Labels without_metadata(const model::Labels& labels) {
    return labels.filtered([](model::LabelView label) { return !is_metadata_label(label.name); });
}

const std::vector<Function>& functions() {
    static const std::vector<Function> table = all_functions();  // immutable: made once, then only read
    return table;
}

const Function* find_function(std::string_view name) {
    const std::vector<Function>& table = functions();
    const auto found = std::ranges::find(table, name, &Function::name);
    return found == table.end() ? nullptr : &*found;
}

double mean(std::span<const double> values) {
    ExactSum sum;
    bool finite = true;
    for (const double value : values) {
        sum.add(value);
        finite = finite && std::isfinite(value);
    }
    const auto count = static_cast<double>(values.size());
    if (!finite || !std::isinf(sum.value())) {
        return sum.value() / count;
    }
    // The sum overflowed although every value is finite: each value is divided before it is added.
    ExactSum parts;
    for (const double value : values) {
        parts.add(value / count);
    }
    return parts.value();
}

double variance(std::span<const double> values) {
    double count = 0;
    ExactSum average;
    ExactSum squares;
    for (const double value : values) {
        ++count;
        const double delta = value - average.value();
        average.add(delta / count);
        squares.add(delta * (value - average.value()));
    }
    return squares.value() / count;
}

double quantile(double q, std::vector<double>& values) {
    if (values.empty() || std::isnan(q)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    std::ranges::sort(values, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
    const double rank = q * static_cast<double>(values.size() - 1);
    const auto lower = static_cast<std::size_t>(std::floor(rank));
    const std::size_t upper = std::min(lower + 1, values.size() - 1);
    const double weight = rank - std::floor(rank);
    return weight == 0 ? values[lower] : values[lower] * (1 - weight) + values[upper] * weight;
}

model::Labels absent_labels(const Node& node) {
    const auto* selector = std::get_if<Selector>(&without_parens(node).kind);
    if (selector == nullptr) {
        return {};
    }
    model::Labels out;
    std::set<std::string> used;
    for (const model::Matcher& matcher : selector->matchers) {
        if (is_metadata_label(matcher.name())) {
            continue;
        }
        const bool first = used.insert(matcher.name()).second;
        const bool fixes = first && matcher.op() == model::MatchOp::equal;
        out = out.with(matcher.name(), fixes ? matcher.value() : "");
    }
    return out;
}

}  // namespace noroshi::promql
