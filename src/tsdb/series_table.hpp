// src/tsdb/series_table.hpp - SeriesTable: every series that is known, with its parts in memory and in blocks.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "block.hpp"
#include "chunk.hpp"
#include "cursor.hpp"
#include "postings.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

/// A series' part in a block.
struct BlockPart {
    BlockPtr block;
    SeriesPlace place;
};

struct Series {
    model::Labels labels;
    std::vector<BlockPart> blocks;                ///< in order of min_ms
    std::vector<Chunk> chunks;                    ///< in order of time
    std::int64_t last_ms{std::numeric_limits<std::int64_t>::min()};  ///< of this run's last sample
    Value last{0.0};              ///< its value
    std::uint64_t defined_in{0};  ///< segment of the log
    std::uint32_t sealed{0};      ///< so many chunks are on their way to a block and take no more
    bool live{false};             ///< counts for max_series: may be appended to

    [[nodiscard]] bool empty() const { return chunks.empty() && blocks.empty(); }
};

/// Label sets are held once, whatever holds a part of the series. Thread: one at a time.
class SeriesTable {
  public:
    /// `chunk_span`: chunks do not reach over its multiples; 0: no such bound.
    SeriesTable(std::size_t max_series, Milliseconds chunk_span) : max_series_(max_series), chunk_span_(chunk_span.count()) {}

    /// Errors: limit.
    [[nodiscard]] Result<SeriesId> open(const model::Labels& labels);
    /// The series' own memory, or null.
    [[nodiscard]] Series* find(SeriesId id);
    /// True when stored; false when the same was there. A stale marker after a histogram is stored as a histogram.
    /// Errors: conflict.
    [[nodiscard]] Result<bool> append(Series& series, std::int64_t at_ms, Value value);

    /// In no order; with samples in the interval as far as the bounds of chunks and blocks say.
    void each_matching(std::span<const model::Matcher> matchers, Interval wanted,
                       const std::function<void(SeriesId, const Series&)>& visit) const;
    /// A series and its id. The series' memory is the table's own.
    struct Match {
        SeriesId id{};
        const Series* series{nullptr};
    };
    /// All that match, in order of labels, whatever samples they have; valid until a series comes or goes. What was asked
    /// for before is remembered until then: rules and dashboards ask for the same again and again.
    [[nodiscard]] const std::vector<Match>& matching(std::span<const model::Matcher> matchers) const;
    /// As far as the bounds of chunks and blocks say.
    [[nodiscard]] static bool has_samples(const Series& series, Interval wanted);
    [[nodiscard]] static std::unique_ptr<Cursor> cursor(const Series& series, Interval wanted);

    void attach(const BlockPtr& block, std::vector<IndexEntry> entries);
    void detach(std::span<const BlockPtr> blocks);
    /// Drops chunks that end before it.
    void drop_chunks(std::int64_t before_ms);
    /// Drops series that hold nothing.
    void drop_empty();

    void each(const std::function<void(Series&)>& visit);
    [[nodiscard]] std::size_t live() const { return live_; }
    [[nodiscard]] const std::unordered_map<std::uint64_t, Series>& all() const { return series_; }

  private:
    [[nodiscard]] SeriesId known(model::Labels labels);
    void visit_matching(std::span<const model::Matcher> matchers,
                        const std::function<void(SeriesId, const Series&)>& visit) const;
    void forget_answers();
    void set_live(Series& series, bool live);

    std::size_t max_series_;
    /// Whether both times lie in one multiple of `chunk_span_`.
    [[nodiscard]] bool in_one_span(std::int64_t a_ms, std::int64_t b_ms);

    std::int64_t chunk_span_;
    Interval span_{0, 0};  ///< the one that was asked for last: [from, to)
    std::uint64_t next_id_{1};
    std::size_t live_{0};
    std::unordered_map<std::uint64_t, Series> series_;  // by id
    std::unordered_map<model::Labels, SeriesId, model::LabelsHash> ids_;
    Postings postings_;
    mutable std::unordered_map<std::string, std::vector<Match>> answers_;  // of `matching`, by the matchers' text
    mutable std::size_t answered_series_{0};                               // in all answers_
    mutable std::vector<Match> large_answer_;                              // the last that was too large to be kept
};

}  // namespace noroshi::tsdb
