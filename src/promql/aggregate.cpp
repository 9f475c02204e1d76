// src/promql/aggregate.cpp - aggregation operators.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/numbers.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

model::Labels group_labels(const Aggregate& aggregate, const model::Labels& labels) {
    std::vector<model::Label> kept;
    for (const model::Label& label : labels) {
        const bool listed = std::ranges::count(aggregate.labels, label.name) != 0;
        if (aggregate.without ? !listed && !is_metadata_label(label.name) : listed) {
            kept.push_back(label);
        }
    }
    return model::Labels(std::move(kept));
}

/// NaN only when all are NaN.
double extreme(const std::vector<double>& values, bool largest) {
    double out = std::numeric_limits<double>::quiet_NaN();
    for (const double value : values) {
        if (std::isnan(out) || (largest ? value > out : value < out)) {
            out = value;
        }
    }
    return out;
}

double summary(AggregateOp op, std::vector<double> values, double parameter) {
    switch (op) {
        case AggregateOp::sum: {
            ExactSum sum;
            std::ranges::for_each(values, [&sum](double v) { sum.add(v); });
            return sum.value();
        }
        case AggregateOp::avg:
            return mean(values);
        case AggregateOp::min:
            return extreme(values, false);
        case AggregateOp::max:
            return extreme(values, true);
        case AggregateOp::count:
            return static_cast<double>(values.size());
        case AggregateOp::group:
            return 1;
        case AggregateOp::stddev:
            return std::sqrt(variance(values));
        case AggregateOp::stdvar:
            return variance(values);
        case AggregateOp::quantile:
            return quantile(parameter, values);
        case AggregateOp::topk:
        case AggregateOp::bottomk:
        case AggregateOp::count_values:
            break;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

using Groups = std::map<model::Labels, std::vector<VectorSample>>;

Result<Value> select_k(const Aggregate& aggregate, Groups groups, double k) {
    if (std::isnan(k)) {
        return fail(Errc::invalid_argument, "Parameter value is NaN");
    }
    Vector out;
    if (k < 1) {
        return Value(std::move(out));
    }
    const bool largest = aggregate.op == AggregateOp::topk;
    for (auto& [labels, elements] : groups) {
        std::stable_sort(elements.begin(), elements.end(), [largest](const VectorSample& a, const VectorSample& b) {
            if (std::isnan(a.value) || std::isnan(b.value)) {
                return !std::isnan(a.value) && std::isnan(b.value);
            }
            return largest ? a.value > b.value : a.value < b.value;
        });
        const auto most = static_cast<std::size_t>(std::min(k, static_cast<double>(elements.size())));
        std::ranges::move(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(most), std::back_inserter(out));
    }
    return Value(std::move(out));
}

/// Plain digits, never an exponent.
std::string plain_digits(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return format_float(value);
    }
    return fmt::format("{:f}", value).find_first_of("eE") == std::string::npos && value == std::floor(value)
               ? fmt::format("{:.0f}", value)
               : format_float(value);
}

Result<Value> count_values(Groups groups, const std::string& label) {
    if (label.empty()) {
        return fail(Errc::invalid_argument, "invalid label name \"\" in count_values");
    }
    std::map<model::Labels, double> counts;
    for (const auto& [labels, elements] : groups) {
        for (const VectorSample& element : elements) {
            counts[labels.with(label, plain_digits(element.value))] += 1;
        }
    }
    Vector out;
    for (const auto& [labels, count] : counts) {
        out.push_back({labels, count});
    }
    return Value(std::move(out));
}

}  // namespace

Result<Value> apply_aggregate(const Aggregate& aggregate, Vector elements, const Value& parameter) {
    Groups groups;
    for (VectorSample& element : elements) {
        groups[group_labels(aggregate, element.labels)].push_back(std::move(element));
    }
    if (aggregate.op == AggregateOp::count_values) {
        return count_values(std::move(groups), std::get<std::string>(parameter));
    }
    const double number = std::get<double>(parameter);
    if (aggregate.op == AggregateOp::topk || aggregate.op == AggregateOp::bottomk) {
        return select_k(aggregate, std::move(groups), number);
    }
    Vector out;
    for (const auto& [labels, members] : groups) {
        std::vector<double> values;
        values.reserve(members.size());
        std::ranges::transform(members, std::back_inserter(values), &VectorSample::value);
        out.push_back({labels, summary(aggregate.op, std::move(values), number)});
    }
    return Value(std::move(out));
}

}  // namespace noroshi::promql
