// src/promql/functions_range.cpp - functions that give one value for a range of samples.
#include <algorithm>
#include <cmath>
#include <limits>

#include "functions.hpp"

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

Function row(std::string_view name, RangeFunction run, bool keeps_name = false) {
    return {name, {ValueType::matrix}, 0, ValueType::vector, run, keeps_name};
}

}  // namespace

std::vector<Function> range_functions() {
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
            {"quantile_over_time", {ValueType::scalar, ValueType::matrix}, 0, ValueType::vector, quantile_over_time, false},
            row("changes", changes),
            row("resets", resets),
            row("deriv", deriv),
            {"predict_linear", {ValueType::matrix, ValueType::scalar}, 0, ValueType::vector, predict_linear, false}};
}

}  // namespace noroshi::promql
