// src/promql/functions_mixed.cpp - functions over ranges that look at numbers and native histograms.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "evaluate.hpp"
#include "extended_range.hpp"
#include "native_histogram.hpp"
#include "start_times.hpp"
#include "window_notes.hpp"

namespace noroshi::promql {
namespace {

double seconds(TimestampMs at) { return to_unix_seconds(at); }

WindowAnswer as_histogram(Histogram histogram) { return {std::nullopt, std::make_shared<const Histogram>(std::move(histogram))}; }
WindowAnswer as_number(double value) { return {value, nullptr}; }

bool is_mixed(const Window& window) { return !window.samples.empty() && !window.histograms.empty(); }

WindowAnswer refuse_mix(const WindowNotes& notes) {
    tell_mix(notes);
    return {};
}

/// The samples at the ends of a window, numbers or histograms.
struct Ends {
    TimestampMs first;
    TimestampMs last;
    std::size_t count;
    TimestampMs counted_from;  ///< the first, or, inside the window, when a counter began at zero before it
    [[nodiscard]] bool has_beginning() const { return counted_from < first; }
};

template <class Sample>
Ends ends_of(std::span<const Sample> samples, std::span<const TimestampMs> starts, const Window& window, bool is_counter) {
    const Counted first = counted(samples, starts, 0);
    const bool began = is_counter && restarted_after(window.start, first);
    return {first.at, samples.back().at, samples.size(), began ? first.start : first.at};
}

template <class Sample>
bool has_overlap(std::span<const Sample> samples, std::span<const TimestampMs> starts) {
    for (std::size_t i = 1; i < starts.size(); ++i) {
        if (overlap(counted(samples, starts, i - 1), counted(samples, starts, i))) {
            return true;
        }
    }
    return false;
}

/// By how much a difference over the samples grows when it is extended to the borders of the range.
/// A border nearer than 1.1 average gaps is taken as reached, a farther one gets half a gap. A counter is not extended
/// below zero: `start_value` of it were counted before the first sample, `gained` since; nor before its beginning.
double extension(const Window& window, const Ends& ends, bool is_counter, double start_value, double gained) {
    const double sampled = seconds_between(ends.counted_from, ends.last);
    if (sampled == 0) {
        return 1;
    }
    const double gap = ends.count < 2 ? 0 : seconds_between(ends.first, ends.last) / static_cast<double>(ends.count - 1);
    const double threshold = gap * 1.1;
    double to_start = seconds_between(window.start, ends.first);
    double to_end = seconds_between(ends.last, window.end);
    if (to_start >= threshold) {
        to_start = gap / 2;
    }
    if (is_counter && gained > 0 && start_value >= 0) {
        to_start = std::min(to_start, sampled * (start_value / gained));
    }
    if (ends.has_beginning()) {
        to_start = 0;
    }
    if (to_end >= threshold) {
        to_end = gap / 2;
    }
    return (sampled + to_start + to_end) / sampled;
}

/// What was gained by the samples of a window, and before the first of them where their counter began inside.
HistogramChange change_in(const Window& window, const Ends& ends, bool is_counter) {
    const auto& samples = window.histograms;
    HistogramChange out;
    if (samples.size() < 2) {
        out.value = *samples.front().value;
        return out;
    }
    out = promql::change(samples, is_counter, window.histogram_starts);
    if (out.value && ends.has_beginning()) {
        const HistogramNotes notes = add(*out.value, *samples.front().value);
        out.reconciled_by_addition = out.reconciled_by_addition || notes.bounds_reconciled;
        if (notes.incompatible) {
            out.incompatible = true;
            out.value.reset();
        }
    }
    return out;
}

WindowAnswer extrapolated_histogram(const Window& window, const WindowNotes& notes, bool is_counter, bool per_second) {
    const auto& samples = window.histograms;
    const Ends ends = ends_of(samples, window.histogram_starts, window, is_counter);
    if (samples.size() < 2 && !ends.has_beginning()) {
        return {};
    }
    HistogramChange change = change_in(window, ends, is_counter);
    tell(change, notes);
    if (!change.value) {
        return {};
    }
    if (is_counter && has_overlap(samples, window.histogram_starts)) {
        tell_overlap(notes);
    }
    double factor = extension(window, ends, is_counter, samples.front().value->count, change.value->count);
    if (per_second) {
        factor /= window.range;
    }
    multiply(*change.value, factor);
    return as_histogram(std::move(*change.value));
}

/// Of a range with `anchored` or `smoothed`: from border to border.
WindowAnswer extended(const Window& window, const WindowNotes& notes, bool is_counter, bool per_second) {
    const double divisor = per_second ? window.range : 1;
    if (window.histograms.empty()) {
        const std::optional<double> gained = extended_change(window, is_counter);
        return gained ? as_number(*gained / divisor) : WindowAnswer{};
    }
    const ExtendedRange range{window.start, window.end, window.extension == Extension::smoothed};
    HistogramChange change = extended_change(window.histograms, range, is_counter);
    tell(change, notes);
    if (!change.value) {
        return {};
    }
    if (per_second) {
        divide(*change.value, divisor);
    }
    return as_histogram(std::move(*change.value));
}

template <bool IsCounter, bool PerSecond>
WindowAnswer extrapolated(const Window& window, const WindowNotes& notes) {
    if (is_mixed(window)) {
        return refuse_mix(notes);
    }
    if (window.extension != Extension::none) {
        return extended(window, notes, IsCounter, PerSecond);
    }
    if (!window.histograms.empty()) {
        return extrapolated_histogram(window, notes, IsCounter, PerSecond);
    }
    const auto& samples = window.samples;
    const Ends ends = ends_of(samples, window.starts, window, IsCounter);
    if (samples.size() < 2 && !ends.has_beginning()) {
        return {};
    }
    double difference = samples.back().value - samples.front().value;
    if (IsCounter) {
        for (std::size_t i = 1; i < samples.size(); ++i) {
            if (samples[i].value < samples[i - 1].value ||
                restarted(counted(samples, window.starts, i - 1), counted(samples, window.starts, i))) {
                difference += samples[i - 1].value;
            }
        }
        difference += ends.has_beginning() ? samples.front().value : 0;
        if (has_overlap(samples, window.starts)) {
            tell_overlap(notes);
        }
    }
    double factor = extension(window, ends, IsCounter, samples.front().value, difference);
    if (PerSecond) {
        factor /= window.range;
    }
    return as_number(difference * factor);
}

/// One sample of a window, whatever it is.
struct Either : Counted {
    double value;
    const Histogram* histogram;
};

/// All samples in order of time.
std::vector<Either> merged(const Window& window) {
    std::vector<Either> out;
    out.reserve(window.samples.size() + window.histograms.size());
    for (std::size_t i = 0; i < window.samples.size(); ++i) {
        out.push_back({counted(window.samples, window.starts, i), window.samples[i].value, nullptr});
    }
    for (std::size_t i = 0; i < window.histograms.size(); ++i) {
        out.push_back({counted(window.histograms, window.histogram_starts, i), 0, window.histograms[i].value.get()});
    }
    std::ranges::stable_sort(out, {}, &Either::at);
    return out;
}

template <bool IsRate>
WindowAnswer instant_change(const Window& window, const WindowNotes& notes) {
    const auto newest_two = [](const auto& samples) { return samples.subspan(samples.size() - std::min<std::size_t>(2, samples.size())); };
    Window newest = window;
    newest.samples = newest_two(window.samples);
    newest.histograms = newest_two(window.histograms);
    newest.starts = newest_two(window.starts);
    newest.histogram_starts = newest_two(window.histogram_starts);
    const std::vector<Either> all = merged(newest);
    if (all.size() < 2) {
        return {};
    }
    const Either& before = all[all.size() - 2];
    const Either& last = all.back();
    const double gap = seconds_between(before.at, last.at);
    if (gap == 0) {
        return {};
    }
    if ((before.histogram == nullptr) != (last.histogram == nullptr)) {
        return refuse_mix(notes);
    }
    const bool has_restarted = IsRate && restarted(before, last);
    if (last.histogram != nullptr) {
        HistogramChange change = last_change(*before.histogram, *last.histogram, IsRate, has_restarted);
        tell(change, notes);
        if (!change.value) {
            return {};
        }
        if (IsRate) {
            divide(*change.value, gap);
        }
        return as_histogram(std::move(*change.value));
    }
    const bool reset = has_restarted || (IsRate && last.value < before.value);
    const double change = reset ? last.value : last.value - before.value;
    return as_number(IsRate ? change / gap : change);
}

template <class Total>
WindowAnswer total_of(const Window& window, const WindowNotes& notes) {
    Total total(*window.histograms.front().value);
    for (const model::HistogramSample& sample : window.histograms.subspan(1)) {
        total.add(*sample.value);
    }
    tell(total.notes(), notes);
    if (total.notes().incompatible) {
        return {};
    }
    Histogram out = std::move(total).take();
    model::compact(out);
    return as_histogram(std::move(out));
}

WindowAnswer avg_over_time(const Window& window, const WindowNotes& notes) {
    if (is_mixed(window)) {
        return refuse_mix(notes);
    }
    if (!window.histograms.empty()) {
        return total_of<HistogramMean>(window, notes);
    }
    std::vector<double> values;
    values.reserve(window.samples.size());
    std::ranges::transform(window.samples, std::back_inserter(values), &model::Sample::value);
    return as_number(mean(values));
}

WindowAnswer sum_over_time(const Window& window, const WindowNotes& notes) {
    if (is_mixed(window)) {
        return refuse_mix(notes);
    }
    if (!window.histograms.empty()) {
        return total_of<HistogramSum>(window, notes);
    }
    ExactSum sum;
    for (const model::Sample& sample : window.samples) {
        sum.add(sample.value);
    }
    return as_number(sum.value());
}

WindowAnswer count_over_time(const Window& w, const WindowNotes&) {
    return as_number(static_cast<double>(w.samples.size() + w.histograms.size()));
}
WindowAnswer present_over_time(const Window&, const WindowNotes&) { return as_number(1); }

WindowAnswer last_over_time(const Window& w, const WindowNotes&) {
    if (w.samples.empty() || (!w.histograms.empty() && w.histograms.back().at > w.samples.back().at)) {
        return {std::nullopt, w.histograms.back().value};
    }
    return as_number(w.samples.back().value);
}

WindowAnswer first_over_time(const Window& w, const WindowNotes&) {
    if (w.samples.empty() || (!w.histograms.empty() && w.histograms.front().at < w.samples.front().at)) {
        return {std::nullopt, w.histograms.front().value};
    }
    return as_number(w.samples.front().value);
}

WindowAnswer ts_of_first(const Window& w, const WindowNotes&) {
    const TimestampMs number = w.samples.empty() ? TimestampMs::max() : w.samples.front().at;
    const TimestampMs histogram = w.histograms.empty() ? TimestampMs::max() : w.histograms.front().at;
    return as_number(seconds(std::min(number, histogram)));
}
WindowAnswer ts_of_last(const Window& w, const WindowNotes&) {
    const TimestampMs number = w.samples.empty() ? TimestampMs::min() : w.samples.back().at;
    const TimestampMs histogram = w.histograms.empty() ? TimestampMs::min() : w.histograms.back().at;
    return as_number(seconds(std::max(number, histogram)));
}

/// Counts the pairs of neighbours for which `differs` holds; a number and a histogram always differ.
template <class Differs>
WindowAnswer count_pairs(const Window& given, Differs differs) {
    const std::optional<Window> anchored = from_anchor(given);
    if (!anchored) {
        return {};
    }
    const Window& window = *anchored;
    double count = 0;
    if (window.histograms.empty()) {
        for (std::size_t i = 1; i < window.samples.size(); ++i) {
            const auto either = [&](std::size_t k) {
                return Either{counted(window.samples, window.starts, k), window.samples[k].value, nullptr};
            };
            count += differs(either(i - 1), either(i)) ? 1 : 0;
        }
        return as_number(count);
    }
    const std::vector<Either> all = merged(window);
    for (std::size_t i = 1; i < all.size(); ++i) {
        const bool other_kind = (all[i - 1].histogram == nullptr) != (all[i].histogram == nullptr);
        count += other_kind || differs(all[i - 1], all[i]) ? 1 : 0;
    }
    return as_number(count);
}

WindowAnswer changes(const Window& window, const WindowNotes&) {
    return count_pairs(window, [](const Either& before, const Either& now) {
        if (now.histogram != nullptr) {
            return !(*now.histogram == *before.histogram);
        }
        return now.value != before.value && !(std::isnan(now.value) && std::isnan(before.value));
    });
}

WindowAnswer resets(const Window& window, const WindowNotes&) {
    return count_pairs(window, [](const Either& before, const Either& now) {
        if (restarted(before, now)) {
            return true;
        }
        return now.histogram != nullptr ? model::is_reset(*now.histogram, *before.histogram) : now.value < before.value;
    });
}

Function row(std::string_view name, MixedFunction run, bool keeps_name = false, bool is_experimental = false) {
    return {name, {ValueType::matrix}, 0, ValueType::vector, run, keeps_name, is_experimental};
}

/// One that knows what to do with the samples around a range.
Function extended_row(std::string_view name, MixedFunction run, bool takes_smoothed) {
    Function out = row(name, run);
    out.takes_anchored = true;
    out.takes_smoothed = takes_smoothed;
    return out;
}

}  // namespace

std::vector<Function> mixed_functions() {
    return {extended_row("rate", extrapolated<true, true>, true),
            extended_row("increase", extrapolated<true, false>, true),
            extended_row("delta", extrapolated<false, false>, true),
            row("irate", instant_change<true>),
            row("idelta", instant_change<false>),
            row("avg_over_time", avg_over_time),
            row("sum_over_time", sum_over_time),
            row("count_over_time", count_over_time),
            row("present_over_time", present_over_time),
            row("last_over_time", last_over_time, true),
            row("first_over_time", first_over_time, true),
            row("ts_of_first_over_time", ts_of_first, false, true),
            row("ts_of_last_over_time", ts_of_last, false, true),
            extended_row("changes", changes, false),
            extended_row("resets", resets, false)};
}

}  // namespace noroshi::promql
