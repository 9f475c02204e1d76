// src/collect/sample_writer.hpp - SampleWriter: appends the readings of one source, with its report series and staleness.
#pragma once

#include <array>
#include <span>
#include <string>
#include <unordered_map>

#include "collect/collect.hpp"
#include "scrape/line_memo.hpp"

namespace noroshi::collect {

/// What was dropped on the way into the store, and scrapes that failed; shared by all sources.
struct CollectCounters {
    explicit CollectCounters(Metrics& metrics);
    Counter& duplicate;
    Counter& out_of_order;
    Counter& out_of_bounds;
    Counter& series_limit;
};

/// How the samples of a source are labelled and dated.
struct WriterOptions {
    model::Labels labels{};  ///< of the target; `job` and `instance` among them
    bool honor_labels{false};
    bool honor_timestamps{true};
    bool track_timestamps_staleness{false};      ///< stale markers for samples with a time of their own too
    std::vector<model::RelabelRule> relabel{};   ///< of samples, after the target's labels are joined
};

/// The series that Prometheus adds to each scrape.
struct ScrapeReport {
    bool up{false};
    Milliseconds duration{0};
    std::size_t scraped{0};
    std::size_t post_relabeling{0};
    std::size_t added{0};
};

/// What the writer knows of a series of its source.
struct SeenSeries {
    tsdb::SeriesId series{};
    std::uint64_t reading{0};  ///< that it was last in
    bool tracked{false};       ///< gets a stale marker when it is missing
    std::optional<TimestampMs> ended{};
};

/// Writes one source's samples to the store and remembers which series it wrote, so that those that vanish get a stale
/// marker. Samples with a time of their own are remembered only when the
/// options say so, as in Prometheus. Thread: the I/O thread.
class SampleWriter {
  public:
    SampleWriter(tsdb::Head& head, CollectCounters& counters, WriterOptions options);

    /// The reading as it is to be written: joined with the source's labels, relabelled, without what that drops.
    /// A series that was in the reading before costs one look-up. Errors: invalid_argument (no metric name is left).
    [[nodiscard]] Result<std::vector<ScrapedSample>> prepare(std::vector<ScrapedSample> samples);
    /// How many series the source would have had within the last hour, were this reading written too.
    [[nodiscard]] std::size_t series_with(std::span<const ScrapedSample> prepared) const;
    /// Lets go of what `prepare` remembers, when what it gave is not written.
    void forget_prepared() { known_.clear(); }
    /// For a parser of this source's readings. It knows the series of lines that were written before; a reading that was not
    /// written has to be followed by `write_failure`.
    [[nodiscard]] LineMemo& memo() { return memo_; }
    /// As write, of what `prepare` gave.
    std::size_t write_prepared(std::span<const ScrapedSample> samples, TimestampMs at);
    /// Appends a whole reading taken at `at`; series of the reading before that are not in it get a stale marker.
    /// A series twice in it counts once. What the store refuses is counted and left out.
    /// Returns how many series were not in the reading before.
    std::size_t write(std::span<const ScrapedSample> samples, TimestampMs at);
    /// The reading at `at` failed: every series written before gets a stale marker.
    void write_failure(TimestampMs at);
    /// `up` and the scrape_* series.
    void write_report(const ScrapeReport& report, TimestampMs at);
    /// The source is gone: stale markers to all, report series included. Where a newer sample stands, because another
    /// source took the series over, none is written.
    void write_end(TimestampMs at);

  private:
    [[nodiscard]] model::Labels relabelled(const ScrapedSample& sample) const;
    void write_sample(const ScrapedSample& sample, TimestampMs at, std::size_t& added);
    /// False when the series was in this reading already.
    [[nodiscard]] bool mark_seen(SeenSeries& seen);
    void write_known(LineMemo::Line& line, const ScrapedSample& sample, TimestampMs at);
    void append(tsdb::SeriesId series, TimestampMs at, tsdb::Value value);
    [[nodiscard]] bool is_report(const model::Labels& labels) const;
    /// Stale markers to what the current reading did not have.
    void mark_missing(TimestampMs at);

    static constexpr std::size_t report_count = 5;

    tsdb::Head& head_;
    CollectCounters& counters_;
    WriterOptions options_;
    std::array<model::Labels, report_count> report_labels_;
    std::unordered_map<std::uint64_t, SeenSeries> seen_;  // by the hash of their labels; ended ones stay for an hour, to be counted
    std::uint64_t reading_{0};
    std::size_t read_{0};   // entries of seen_ that are of this reading
    std::size_t ended_{0};  // and that ended
    TimestampMs next_look_{};  // for ended ones that are to be forgotten
    bool reported_{false};
    struct Known {
        model::Labels labels;  // empty: dropped
        std::uint64_t round;
    };
    std::unordered_map<model::Labels, Known, model::LabelsHash> known_;  // scraped labels to what they become
    std::uint64_t round_{0};
    LineMemo memo_;
};

}  // namespace noroshi::collect
