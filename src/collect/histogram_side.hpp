// src/collect/histogram_side.hpp - one side of a native histogram, from the fields that Prometheus's messages share.
#pragma once

#include <cstdint>

#include "model/histogram.hpp"

namespace noroshi::collect {

/// Whole counts are sent as differences (`deltas`), others as they are (`counts`). Differences wrap around rather than
/// overflow; a count below 0 is found later.
template <class Spans, class Deltas, class Counts>
model::HistogramSide side_of(const Spans& spans, const Deltas& deltas, const Counts& counts, bool whole) {
    model::HistogramSide out;
    for (const auto& span : spans) {
        out.spans.push_back({span.offset(), span.length()});
    }
    if (!whole) {
        out.counts.assign(counts.begin(), counts.end());
        return out;
    }
    std::uint64_t count = 0;
    for (const std::int64_t delta : deltas) {
        count += static_cast<std::uint64_t>(delta);
        out.counts.push_back(static_cast<double>(static_cast<std::int64_t>(count)));
    }
    return out;
}

}  // namespace noroshi::collect
