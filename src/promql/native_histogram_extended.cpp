// src/promql/native_histogram_extended.cpp - native histograms at the borders of ranges with `anchored` or `smoothed`.
#include <algorithm>

#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

using model::ResetHint;

double part_between(const HistogramSample& before, const HistogramSample& after, TimestampMs at) {
    return static_cast<double>((at - before.at).count()) / static_cast<double>((after.at - before.at).count());
}

/// What the operands of an addition or subtraction had to say; false: there is no result.
bool keep_notes(const HistogramNotes& notes, bool HistogramChange::* reconciled, HistogramChange& out) {
    out.incompatible = out.incompatible || notes.incompatible;
    out.*reconciled = out.*reconciled || notes.bounds_reconciled;
    return !notes.incompatible;
}

/// A range cut out of a window.
struct Cut {
    std::span<const HistogramSample> samples;  ///< from the one at or before the start to the last that counts
    bool left_interpolated{false};             ///< then there are two samples or more
    bool right_interpolated{false};            ///< then there are two samples or more
};

std::optional<Cut> cut(std::span<const HistogramSample> window, const ExtendedRange& range) {
    const auto within = window.first(window.size() - 1);
    const auto after_start = std::ranges::upper_bound(within, range.start, {}, &HistogramSample::at) - within.begin();
    const auto first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after_start - 1, 0));
    std::size_t last = window.size() - 1;
    if (range.smoothed) {
        last = static_cast<std::size_t>(std::ranges::lower_bound(within, range.end, {}, &HistogramSample::at) -
                                        within.begin());
    }
    if (window[last].at <= range.start || (range.smoothed && window[first].at > range.end)) {
        return std::nullopt;
    }
    return Cut{window.subspan(first, last - first + 1), range.smoothed && window[first].at < range.start,
               range.smoothed && last > first && window[last].at > range.end};
}

/// What was counted before each reset between `left` and `right`, added up; nothing when there was none.
std::optional<Histogram> before_resets(const Cut& cut, const Histogram& left, const Histogram& right,
                                       HistogramChange& out) {
    const auto& samples = cut.samples;
    std::size_t next = 1;
    const Histogram* before = &left;
    // A reset that the interpolation of the left border spans is accounted for there.
    if (cut.left_interpolated && model::is_reset(*samples[1].value, *samples[0].value)) {
        before = samples[1].value.get();
        next = 2;
    }
    std::optional<Histogram> lost;
    const auto look = [&](const Histogram& now) {
        if (model::is_reset(now, *before)) {
            if (!lost) {
                lost = *before;
            } else if (!keep_notes(add(*lost, *before), &HistogramChange::reconciled_by_addition, out)) {
                return false;
            }
        }
        before = &now;
        return true;
    };
    for (; next + 1 < samples.size(); ++next) {
        if (!look(*samples[next].value)) {
            return std::nullopt;
        }
    }
    if (next <= samples.size() - 1) {
        look(right);
    }
    return lost;
}

}  // namespace

HistogramChange interpolate(const Histogram& before, const Histogram& after, double part, bool is_counter) {
    HistogramChange out;
    Histogram value = after;
    if (is_counter && model::is_reset(after, before)) {
        multiply(value, part);
    } else {
        if (!keep_notes(subtract(value, before), &HistogramChange::reconciled_by_subtraction, out)) {
            return out;
        }
        multiply(value, part);
        if (!keep_notes(add(value, before), &HistogramChange::reconciled_by_addition, out)) {
            return out;
        }
    }
    out.value = std::move(value);
    return out;
}

HistogramChange extended_change(std::span<const HistogramSample> window, const ExtendedRange& range, bool is_counter) {
    HistogramChange out;
    const std::optional<Cut> found = window.empty() ? std::nullopt : cut(window, range);
    if (!found) {
        return out;
    }
    const auto& samples = found->samples;
    for (const HistogramSample& sample : samples) {
        if (sample.value->has_custom_bounds() != samples.front().value->has_custom_bounds()) {
            out.incompatible = true;
            return out;
        }
        out.not_a_counter = out.not_a_counter || (is_counter && sample.value->hint == ResetHint::gauge);
    }
    const auto between = [&](std::size_t before, TimestampMs at) {
        const double part = part_between(samples[before], samples[before + 1], at);
        HistogramChange value = interpolate(*samples[before].value, *samples[before + 1].value, part, is_counter);
        out.reconciled_by_addition = out.reconciled_by_addition || value.reconciled_by_addition;
        out.reconciled_by_subtraction = out.reconciled_by_subtraction || value.reconciled_by_subtraction;
        return std::move(*value.value);
    };
    const Histogram left = found->left_interpolated ? between(0, range.start) : *samples.front().value;
    const Histogram right = found->right_interpolated ? between(samples.size() - 2, range.end) : *samples.back().value;
    out.not_a_gauge = !is_counter && (left.hint != ResetHint::gauge || right.hint != ResetHint::gauge);
    Histogram gained = right;
    if (!keep_notes(subtract(gained, left), &HistogramChange::reconciled_by_subtraction, out)) {
        return out;
    }
    if (is_counter) {
        const std::optional<Histogram> lost = before_resets(*found, left, right, out);
        if (out.incompatible ||
            (lost && !keep_notes(add(gained, *lost), &HistogramChange::reconciled_by_addition, out))) {
            return out;
        }
    }
    gained.hint = ResetHint::gauge;
    model::compact(gained);
    out.value = std::move(gained);
    return out;
}

}  // namespace noroshi::promql
