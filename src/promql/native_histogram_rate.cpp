// src/promql/native_histogram_rate.cpp - what native histograms gained over a window of time.
#include <algorithm>

#include "native_histogram.hpp"
#include "start_times.hpp"

namespace noroshi::promql {
namespace {

using model::ResetHint;

bool is_gauge(const Histogram& histogram) {
    return histogram.hint == ResetHint::gauge;
}

/// An empty histogram that anything of this layout can follow.
Histogram nothing_like(const Histogram& histogram) {
    Histogram out;
    out.schema = histogram.schema;
    out.custom_values = histogram.custom_values;
    return out;
}

HistogramChange incompatible(HistogramChange notes) {
    notes.value.reset();
    notes.incompatible = true;
    return notes;
}

}  // namespace

HistogramChange change(std::span<const HistogramSample> window, bool is_counter, std::span<const TimestampMs> starts) {
    HistogramChange out;
    if (window.size() < 2) {
        return out;
    }
    const Histogram& last = *window.back().value;
    const Histogram* first = window.front().value.get();
    out.not_a_counter = is_counter && (is_gauge(*first) || is_gauge(last));
    const auto began_anew = [&](std::size_t i) { return restarted(counted(window, starts, i - 1), counted(window, starts, i)); };
    // What was before a reset right after the first sample is of no account, and neither is its layout.
    std::optional<Histogram> empty;
    if (is_counter && (began_anew(1) || model::is_reset(*window[1].value, *first))) {
        empty = nothing_like(*window[1].value);
        first = &*empty;
    }
    if (last.has_custom_bounds() != first->has_custom_bounds()) {
        return incompatible(std::move(out));
    }
    int schema = std::min(last.schema, first->schema);
    for (std::size_t i = 1; is_counter && i + 1 < window.size(); ++i) {
        const Histogram& between = *window[i].value;
        if (between.has_custom_bounds() != last.has_custom_bounds()) {
            return incompatible({});
        }
        out.not_a_counter = out.not_a_counter || is_gauge(between);
        schema = std::min(schema, between.schema);
    }
    Histogram gained = last;
    if (!gained.has_custom_bounds()) {
        model::reduce_resolution(gained, schema);
    }
    out.reconciled_by_subtraction = subtract(gained, *first).bounds_reconciled;
    out.not_a_gauge = !is_counter && (!is_gauge(*first) || !is_gauge(last));
    const Histogram* before = first;
    for (std::size_t i = 1; is_counter && i < window.size(); ++i) {
        const Histogram& now = *window[i].value;
        if (began_anew(i) || model::is_reset(now, *before)) {
            out.reconciled_by_addition = add(gained, *before).bounds_reconciled || out.reconciled_by_addition;
        }
        before = &now;
    }
    gained.hint = ResetHint::gauge;
    model::compact(gained);
    out.value = std::move(gained);
    return out;
}

HistogramChange last_change(const Histogram& before, const Histogram& after, bool is_counter, bool has_restarted) {
    HistogramChange out;
    out.not_a_counter = is_counter && (is_gauge(before) || is_gauge(after));
    out.not_a_gauge = !is_counter && (!is_gauge(before) || !is_gauge(after));
    Histogram gained = after;
    if (!is_counter || (!has_restarted && !model::is_reset(after, before))) {
        const HistogramNotes notes = subtract(gained, before);
        if (notes.incompatible) {
            return incompatible(std::move(out));
        }
        out.reconciled_by_subtraction = notes.bounds_reconciled;
    }
    gained.hint = ResetHint::gauge;
    model::compact(gained);
    out.value = std::move(gained);
    return out;
}

}  // namespace noroshi::promql
