// src/tsdb/tsdb.hpp - the series store: append samples, select series; the only public header of this library.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "model/sample.hpp"

namespace noroshi::tsdb {

/// A series of this store. Ids are never reused; an id whose series was dropped by retention gives not_found.
enum class SeriesId : std::uint64_t {};

struct Options {
    Milliseconds retention{std::chrono::hours(6)};  ///< samples older than this may be dropped
    std::size_t max_series{1'000'000};              ///< a new series over this is refused with Errc::limit
};

struct Stats {
    std::size_t series{0};
    std::size_t samples{0};
    std::size_t bytes{0};  ///< estimate of the memory held
};

/// Reads one series' samples in order of time. A cursor only moves forward; it is valid until the next append,
/// so an evaluation opens its cursors, reads, and lets go.
class Cursor {
  public:
    virtual ~Cursor() = default;
    /// The next sample; false at the end, and then `out` is as it was.
    virtual bool next(model::Sample& out) = 0;
};

/// One selected series.
struct SelectedSeries {
    SeriesId id{};
    const model::Labels* labels{nullptr};  ///< owned by the store, valid like the cursor
    std::unique_ptr<Cursor> cursor;        ///< samples in the half-open interval (from, to]; null: it has none there
    std::span<const model::HistogramSample> histograms{};  ///< native histograms in (from, to], valid like the cursor
};

/// In-memory series with an inverted index over label values. Thread: one at a time.
/// Same time and same value again is accepted and changes nothing; same time with another value, or an older time,
/// gives `conflict` and is not stored.
class Head {
  public:
    explicit Head(Options options);
    ~Head();
    Head(const Head&) = delete;
    Head& operator=(const Head&) = delete;

    /// The series with these labels, made when new. Errors: limit.
    [[nodiscard]] Result<SeriesId> open_series(const model::Labels& labels);
    /// Errors: conflict (out of order, or duplicate with another value), not_found.
    [[nodiscard]] Result<void> append(SeriesId series, TimestampMs at, double value);
    /// A native histogram. They are kept in memory only. Errors: conflict.
    [[nodiscard]] Result<void> append(const model::Labels& labels, model::HistogramSample sample);
    /// Series that match all `matchers`, in order of their labels, with samples in (from, to].
    /// Series without a sample there are left out.
    [[nodiscard]] std::vector<SelectedSeries> select(std::span<const model::Matcher> matchers, TimestampMs from,
                                                     TimestampMs to) const;
    /// Drops samples before `now - retention` and series left empty. Call it once a minute or so.
    void drop_expired(TimestampMs now);
    [[nodiscard]] Stats stats() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::tsdb
