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

/// What rate, increase and delta share: the difference over the samples, extended to the borders of the range.
/// A border nearer than 1.1 average gaps is taken as reached, a farther one gets half a gap. A counter is not extended
/// below zero.
Answer extrapolated(const Window& window, bool is_counter, bool per_second) {
    const auto& samples = window.samples;
    if (samples.size() < 2) {
        return std::nullopt;
    }
    double difference = samples.back().value - samples.front().value;
    if (is_counter) {
        for (std::size_t i = 1; i < samples.size(); ++i) {
            if (samples[i].value < samples[i - 1].value) {
                difference += samples[i - 1].value;
            }
        }
    }
    const double sampled = seconds(samples.back()) - seconds(samples.front());
    const double gap = sampled / static_cast<double>(samples.size() - 1);
    const double threshold = gap * 1.1;
    double to_start = seconds(samples.front()) - window.start;
    double to_end = window.end - seconds(samples.back());
    if (to_start >= threshold) {
        to_start = gap / 2;
    }
    if (is_counter && difference > 0 && samples.front().value >= 0) {
        to_start = std::min(to_start, sampled * (samples.front().value / difference));
    }
    if (to_end >= threshold) {
        to_end = gap / 2;
    }
    const double extended = difference * ((sampled + to_start + to_end) / sampled);
    return per_second ? extended / window.range : extended;
}

Answer rate(const Window& w) { return extrapolated(w, true, true); }
Answer increase(const Window& w) { return extrapolated(w, true, false); }
Answer delta(const Window& w) { return extrapolated(w, false, false); }

Answer instant_change(const Window& window, bool is_rate) {
    if (window.samples.size() < 2) {
        return std::nullopt;
    }
    const model::Sample& last = window.samples.back();
    const model::Sample& before = window.samples[window.samples.size() - 2];
    const double gap = seconds(last) - seconds(before);
    if (gap == 0) {
        return std::nullopt;
    }
    const bool reset = is_rate && last.value < before.value;
    const double change = reset ? last.value : last.value - before.value;
    return is_rate ? change / gap : change;
}

Answer irate(const Window& w) { return instant_change(w, true); }
Answer idelta(const Window& w) { return instant_change(w, false); }

Answer avg_over_time(const Window& w) { return mean(values_of(w)); }
Answer sum_over_time(const Window& w) {
    ExactSum sum;
    for (const model::Sample& sample : w.samples) {
        sum.add(sample.value);
    }
    return sum.value();
}
Answer count_over_time(const Window& w) { return static_cast<double>(w.samples.size()); }
Answer last_over_time(const Window& w) { return w.samples.back().value; }
Answer first_over_time(const Window& w) { return w.samples.front().value; }
Answer present_over_time(const Window&) { return 1; }

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

Answer changes(const Window& window) {
    double count = 0;
    for (std::size_t i = 1; i < window.samples.size(); ++i) {
        const double now = window.samples[i].value;
        const double before = window.samples[i - 1].value;
        count += now != before && !(std::isnan(now) && std::isnan(before)) ? 1 : 0;
    }
    return count;
}

Answer resets(const Window& window) {
    double count = 0;
    for (std::size_t i = 1; i < window.samples.size(); ++i) {
        count += window.samples[i].value < window.samples[i - 1].value ? 1 : 0;
    }
    return count;
}

struct Line {
    double slope;
    double intercept;  ///< at x = 0
};

/// Least squares, x in seconds from `origin`. Equal values give a slope of exactly zero.
std::optional<Line> regression(const Window& window, double origin) {
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
        const double x = seconds(sample) - origin;
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
    const std::optional<Line> line = regression(window, seconds(window.samples.front()));
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

Answer ts_of_first(const Window& w) { return seconds(w.samples.front()); }
Answer ts_of_last(const Window& w) { return seconds(w.samples.back()); }

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
    for (const double q : scalars[0]) {
        if (std::isnan(q) || q < 0 || q > 1) {
            evaluation.warn(*nodes[0], fmt::format("quantile value should be between 0 and 1, got {}", format_float(q)));
        }
    }
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
        const double width = seconds(window.samples[i]) - seconds(window.samples[i - 1]);
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
    return {row("rate", rate),
            row("increase", increase),
            row("delta", delta),
            row("irate", irate),
            row("idelta", idelta),
            row("avg_over_time", avg_over_time),
            row("sum_over_time", sum_over_time),
            row("min_over_time", min_over_time),
            row("max_over_time", max_over_time),
            row("count_over_time", count_over_time),
            row("last_over_time", last_over_time, true),
            row("first_over_time", first_over_time, true),
            row("present_over_time", present_over_time),
            row("stddev_over_time", stddev_over_time),
            row("stdvar_over_time", stdvar_over_time),
            row("changes", changes),
            row("resets", resets),
            row("deriv", deriv),
            row("mad_over_time", mad_over_time, false, true),
            row("ts_of_first_over_time", ts_of_first, false, true),
            row("ts_of_last_over_time", ts_of_last, false, true),
            row("ts_of_max_over_time", ts_of_max, false, true),
            row("ts_of_min_over_time", ts_of_min, false, true),
            {"quantile_over_time", {s, m}, 0, v, quantile_over_time, false, false, 0, check_quantile},
            {"predict_linear", {m, s}, 0, v, predict_linear},
            {"integral", {m, s}, 1, v, integral, false, true, 2, check_rule},
            {"double_exponential_smoothing", {m, s, s}, 0, v, double_exponential_smoothing, false, true, 0, check_smoothing}};
}

}  // namespace noroshi::promql
