// src/promql/functions_range.cpp - functions that give one value for a range of samples.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/numbers.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

using Answer = std::optional<double>;

double seconds(const model::Sample& sample) { return to_unix_seconds(sample.at); }

std::vector<double> values_of(const Window& window) {
    std::vector<double> out;
    out.reserve(window.samples.size());
    std::ranges::transform(window.samples, std::back_inserter(out), &model::Sample::value);
    return out;
}

Answer extreme(const Window& window, bool largest) {
    double out = std::numeric_limits<double>::quiet_NaN();
    for (const model::Sample& sample : window.samples) {
        if (std::isnan(out) || (largest ? sample.value > out : sample.value < out)) {
            out = sample.value;
        }
    }
    return out;
}
Answer min_over_time(const Window& w) { return extreme(w, false); }
Answer max_over_time(const Window& w) { return extreme(w, true); }
Answer stdvar_over_time(const Window& w) { return variance(values_of(w)); }
Answer stddev_over_time(const Window& w) { return std::sqrt(variance(values_of(w))); }
Answer quantile_over_time(const Window& w) {
    std::vector<double> values = values_of(w);
    return quantile(w.parameter, values);
}

struct Line {
    double slope;
    double intercept;  ///< at x = 0
};

/// Least squares, x in seconds from `origin`. Equal values give a slope of exactly zero.
std::optional<Line> regression(const Window& window, TimestampMs origin) {
    const auto& samples = window.samples;
    if (samples.size() < 2) {
        return std::nullopt;
    }
    const double first = samples.front().value;
    const bool constant = std::ranges::all_of(samples, [first](const model::Sample& s) { return s.value == first; });
    if (constant) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        return std::isinf(first) ? Line{nan, nan} : Line{0, first};
    }
    ExactSum sum_x;
    ExactSum sum_y;
    ExactSum sum_xy;
    ExactSum sum_xx;
    for (const model::Sample& sample : samples) {
        const double x = seconds_between(origin, sample.at);
        sum_x.add(x);
        sum_y.add(sample.value);
        sum_xy.add(x * sample.value);
        sum_xx.add(x * x);
    }
    const auto n = static_cast<double>(samples.size());
    const double covariance = sum_xy.value() - sum_x.value() * sum_y.value() / n;
    const double spread = sum_xx.value() - sum_x.value() * sum_x.value() / n;
    const double slope = covariance / spread;
    return Line{slope, sum_y.value() / n - slope * sum_x.value() / n};
}

Answer deriv(const Window& window) {
    const std::optional<Line> line = regression(window, window.samples.front().at);
    return line ? Answer(line->slope) : std::nullopt;
}

Answer predict_linear(const Window& window) {
    const std::optional<Line> line = regression(window, window.at);
    return line ? Answer(line->slope * window.parameter + line->intercept) : std::nullopt;
}

Answer mad_over_time(const Window& window) {
    std::vector<double> values = values_of(window);
    if (std::ranges::any_of(values, [](double v) { return std::isnan(v); })) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const double median = quantile(0.5, values);
    std::ranges::for_each(values, [median](double& v) { v = std::fabs(v - median); });
    return quantile(0.5, values);
}

/// Of equal values the last one counts.
Answer ts_of_extreme(const Window& window, bool largest) {
    model::Sample found = window.samples.front();
    for (const model::Sample& sample : window.samples) {
        if (std::isnan(found.value) || (largest ? sample.value >= found.value : sample.value <= found.value)) {
            found = sample;
        }
    }
    return seconds(found);
}
Answer ts_of_max(const Window& w) { return ts_of_extreme(w, true); }
Answer ts_of_min(const Window& w) { return ts_of_extreme(w, false); }

/// Holt's linear method: a level and a trend, each smoothed by its factor.
Answer double_exponential_smoothing(const Window& window) {
    const auto& samples = window.samples;
    if (samples.size() < 2) {
        return std::nullopt;
    }
    const double level_factor = window.parameter;
    const double trend_factor = window.second;
    double before = 0;
    double level = samples[0].value;
    double trend = samples[1].value - samples[0].value;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        if (i > 1) {
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        }
        before = level;
        level = level_factor * samples[i].value + (1 - level_factor) * (level + trend);
    }
    return level;
}

Result<void> check_smoothing(Evaluation&, std::span<const NodePtr>, std::span<const Scalars> factors) {
    constexpr std::array<std::string_view, 2> names{"smoothing", "trend"};
    constexpr std::array<std::string_view, 2> short_names{"sf", "tf"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (const double factor : factors[i]) {
            if (factor <= 0 || factor >= 1) {
                return fail(Errc::invalid_argument, fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {:f}", names.at(i),
                                                                short_names.at(i), factor));
            }
        }
    }
    return {};
}

Result<void> check_quantile(Evaluation& evaluation, std::span<const NodePtr> nodes, std::span<const Scalars> scalars) {
    warn_of_quantiles(evaluation, *nodes[0], scalars[0]);
    return {};
}

enum class Rule { left, right, trapezoid };

std::optional<Rule> rule_of(double strategy) {
    if (strategy == 0 || strategy == 1 || strategy == 2) {
        return static_cast<Rule>(static_cast<int>(strategy));
    }
    return std::nullopt;
}

Result<void> check_rule(Evaluation& evaluation, std::span<const NodePtr> nodes, std::span<const Scalars> scalars) {
    for (const double strategy : scalars[0]) {
        if (!rule_of(strategy)) {
            evaluation.warn(*nodes[1], fmt::format("strategy should be 0, 1, or 2 (default), using 2, got {}", format_float(strategy)));
        }
    }
    return {};
}

/// The area below the samples, in value-seconds. NaN counts as zero.
Answer integral(const Window& window) {
    const Rule rule = rule_of(window.parameter).value_or(Rule::trapezoid);
    const auto number = [](double v) { return std::isnan(v) ? 0 : v; };
    ExactSum sum;
    for (std::size_t i = 1; i < window.samples.size(); ++i) {
        const double before = number(window.samples[i - 1].value);
        const double now = number(window.samples[i].value);
        const double width = seconds_between(window.samples[i - 1].at, window.samples[i].at);
        // Halves are added one by one: the sum keeps what their own sum would lose.
        sum.add(rule == Rule::left ? before * width : rule == Rule::right ? 0 : before / 2 * width);
        sum.add(rule == Rule::right ? now * width : rule == Rule::left ? 0 : now / 2 * width);
    }
    return sum.value();
}

Function row(std::string_view name, RangeFunction run, bool keeps_name = false, bool is_experimental = false) {
    return {name, {ValueType::matrix}, 0, ValueType::vector, run, keeps_name, is_experimental};
}

}  // namespace

std::vector<Function> range_functions() {
    constexpr ValueType m = ValueType::matrix;
    constexpr ValueType s = ValueType::scalar;
    constexpr ValueType v = ValueType::vector;
    return {row("min_over_time", min_over_time),
            row("max_over_time", max_over_time),
            row("stddev_over_time", stddev_over_time),
            row("stdvar_over_time", stdvar_over_time),
            row("deriv", deriv),
            row("mad_over_time", mad_over_time, false, true),
            row("ts_of_max_over_time", ts_of_max, false, true),
            row("ts_of_min_over_time", ts_of_min, false, true),
            {"quantile_over_time", {s, m}, 0, v, quantile_over_time, false, false, 0, check_quantile},
            {"predict_linear", {m, s}, 0, v, predict_linear},
            {"integral", {m, s}, 1, v, integral, false, true, 2, check_rule},
            {"double_exponential_smoothing", {m, s, s}, 0, v, double_exponential_smoothing, false, true, 0, check_smoothing}};
}

}  // namespace noroshi::promql
