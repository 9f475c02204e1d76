// src/promql/start_times.hpp - what start times tell of counters: where one began anew between two samples.
#pragma once

#include <algorithm>
#include <span>

#include "promql/promql.hpp"

namespace noroshi::promql {

/// When a sample was taken, and since when it counts; the zero time: not known.
struct Counted {
    TimestampMs at;
    TimestampMs start{};
};

/// A start at the sample itself, or later, says nothing.
[[nodiscard]] inline bool knows_start(const Counted& sample) {
    return sample.start != TimestampMs{} && sample.start < sample.at;
}

/// Whether the counter began anew after `before`. A start at the very time of `before` is that of a delta, if `before`
/// had a start of its own; else it is where a source that knows no start began to look.
[[nodiscard]] inline bool restarted(const Counted& before, const Counted& now) {
    if (!knows_start(now) || now.start == before.start) {
        return false;
    }
    return now.start == before.at ? knows_start(before) : now.start > before.at;
}

[[nodiscard]] inline bool restarted_after(TimestampMs t, const Counted& now) { return knows_start(now) && now.start > t; }

/// Two that count the same time twice.
[[nodiscard]] inline bool overlap(const Counted& before, const Counted& now) {
    return now.start != TimestampMs{} && now.start < before.at && now.start != before.start;
}

/// The time and the start of one of `samples`; `starts` is as long or empty.
template <class Sample>
[[nodiscard]] Counted counted(std::span<const Sample> samples, std::span<const TimestampMs> starts, std::size_t i) {
    return {samples[i].at, starts.empty() ? TimestampMs{} : starts[i]};
}

/// The zero time when nothing is known of a sample.
[[nodiscard]] inline TimestampMs start_of(std::span<const StartTime> known, TimestampMs sample) {
    const auto found = std::ranges::lower_bound(known, sample, {}, &StartTime::at);
    return found != known.end() && found->at == sample ? found->start : TimestampMs{};
}

}  // namespace noroshi::promql
