// src/tsdb/histogram_shelf.hpp - HistogramShelf: native histograms in memory.
#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

/// Series of native histograms beside those of numbers; a series may have both. Thread: one at a time.
class HistogramShelf {
  public:
    /// Errors: conflict (not newer than the newest).
    [[nodiscard]] Result<void> append(const model::Labels& labels, model::HistogramSample sample);
    /// Adds what matches in (from, to] to `series`, which is in order of labels and stays so.
    void add_to(std::vector<SelectedSeries>& series, std::span<const model::Matcher> matchers, TimestampMs from,
                TimestampMs to) const;
    /// Drops samples before `keep_from`, and series left empty.
    void drop_before(TimestampMs keep_from);

  private:
    std::map<model::Labels, std::vector<model::HistogramSample>> series_;
};

}  // namespace noroshi::tsdb
