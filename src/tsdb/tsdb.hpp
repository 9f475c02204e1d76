// src/tsdb/tsdb.hpp - the series store: append samples, select series; the only public header of this library.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
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
    // What follows is for a store on disk.
    std::filesystem::path folder{};          ///< files of the store, no others beside them; made when missing
    std::uint64_t max_bytes{10ull << 30};    ///< of all files; over it the oldest go, looked at each `drop_expired`
    Milliseconds flush_every{std::chrono::seconds(3)};  ///< at most so old is a sample that a power loss takes
    /// For tests: told after each change of a file, on the thread that made it.
    std::function<void(std::string_view step)> after_step{};
};

/// What is in memory.
struct Stats {
    std::size_t series{0};  ///< that were appended to lately
    std::size_t samples{0};
    std::size_t bytes{0};  ///< estimate of the memory held by chunks
};

/// What is on disk, as of the last `drop_expired` or `flush`; all zero without a folder.
struct DiskStats {
    std::uint64_t bytes{0};
    std::size_t blocks{0};
    std::uint64_t replayed_samples{0};    ///< by this start, from the log
    std::uint64_t damaged_parts{0};       ///< set aside since this start
    std::uint64_t unlogged_samples{0};    ///< the log could not be written: a restart loses them
    std::uint64_t log_written_bytes{0};
    std::optional<TimestampMs> oldest;    ///< in memory or on disk
};

/// What a series has at one time: a number, or a native histogram.
struct Value {
    Value(double n) : number(n) {}                                             // NOLINT: a value is one of the two
    Value(model::HistogramPtr h) : histogram(std::move(h)) {}                  // NOLINT
    Value(std::shared_ptr<model::Histogram> h) : histogram(std::move(h)) {}  // NOLINT
    double number{0};
    model::HistogramPtr histogram;  ///< null: it is the number
    /// By bits: a NaN equals itself here, and the stale marker is no other NaN.
    bool operator==(const Value& other) const;
};

/// Reads one series' samples in order of time. A cursor only moves forward; it is valid until the next append,
/// so an evaluation opens its cursors, reads, and lets go.
class Cursor {
  public:
    virtual ~Cursor() = default;
    /// The next sample; false at the end, and then `out` is as it was, and so is `histogram()`. Where there is a histogram
    /// the number is NaN, or the stale marker when the histogram is one.
    virtual bool next(model::Sample& out) = 0;
    /// Appends the numbers that come next, but stale markers when these are not wanted, until a histogram may come.
    /// True: those were all. False: next() goes on.
    virtual bool read_numbers(std::vector<model::Sample>& out, bool with_stale_markers);
    /// Of the sample that came last; null: that was a number.
    [[nodiscard]] const model::HistogramPtr& histogram() const { return histogram_; }

  protected:
    model::HistogramPtr histogram_;
};

/// One selected series.
struct SelectedSeries {
    SeriesId id{};
    const model::Labels* labels{nullptr};  ///< owned by the store, valid like the cursor
    std::unique_ptr<Cursor> cursor;        ///< samples in the half-open interval (from, to]; never null
};

/// Series with an inverted index over label values: the newest in memory, on disk all of them when made by `open`
/// (README.md has the files). A series may have numbers at some times and histograms at others. Thread: one at a time; it has two of its own for the disk.
/// Same time and same value again is accepted and changes nothing; same time with another value, or an older time,
/// gives `conflict` and is not stored.
class Head {
  public:
    /// In memory only.
    explicit Head(Options options);
    /// In `options.folder`, with what earlier runs left there. Damaged files are set aside, as "<name>.damaged", and logged.
    /// Nothing else may use the folder. `now` tells samples of the future, which are left out. Errors: io, refused.
    [[nodiscard]] static Result<std::unique_ptr<Head>> open(Options options, TimestampMs now, Log log);
    /// Writes what waits.
    ~Head();
    Head(const Head&) = delete;
    Head& operator=(const Head&) = delete;

    /// The series with these labels, made when new. Errors: limit.
    [[nodiscard]] Result<SeriesId> open_series(const model::Labels& labels);
    /// A stale marker that follows a histogram is read as a histogram. Errors: conflict (out of order, or duplicate with
    /// another value), not_found, invalid_argument (a histogram of no valid layout).
    [[nodiscard]] Result<void> append(SeriesId series, TimestampMs at, Value value);
    /// Series that match all `matchers`, in order of their labels, with samples in (from, to].
    /// Series without a sample there are left out.
    [[nodiscard]] std::vector<SelectedSeries> select(std::span<const model::Matcher> matchers, TimestampMs from,
                                                     TimestampMs to) const;
    /// Names of labels, sorted, of the series that `select` would give; all series when there are no matchers.
    [[nodiscard]] std::vector<std::string> label_names(std::span<const model::Matcher> matchers, TimestampMs from,
                                                       TimestampMs to) const;
    /// Values of the label `name`, sorted, in these series.
    [[nodiscard]] std::vector<std::string> label_values(std::string_view name, std::span<const model::Matcher> matchers,
                                                        TimestampMs from, TimestampMs to) const;

    /// Drops samples before `now - retention` and series left empty; starts what is due on disk and takes over what was
    /// done there. Call it once a minute or so.
    void drop_expired(TimestampMs now);
    /// Waits until what was appended, and what `drop_expired` started, is on disk. Errors: io. Nothing to do in memory.
    [[nodiscard]] Result<void> flush();
    /// Looks at every chunk.
    [[nodiscard]] Stats stats() const;
    /// `stats().series` alone.
    [[nodiscard]] std::size_t live_series() const;
    [[nodiscard]] DiskStats disk_stats() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::tsdb
