// src/promql/evaluate.hpp - the value of a tree at all steps of a query at once.
#pragma once

#include <array>

#include "functions.hpp"
#include "promql/promql.hpp"
#include "table.hpp"
#include "tree.hpp"

namespace noroshi::promql {

/// A series of a range vector, with all samples that any of its windows holds.
struct RangeSeries {
    Row row;
    std::vector<model::Sample> samples;              ///< in order of time, without stale markers
    std::vector<model::HistogramSample> histograms;  ///< likewise
    std::vector<TimestampMs> starts{};               ///< since when each of `samples` counts; empty: nobody knows
    std::vector<TimestampMs> histogram_starts{};     ///< likewise of `histograms`
    [[nodiscard]] bool is_empty() const { return samples.empty() && histograms.empty(); }
};

/// A range vector at each step: the window of a step is (end - length, end].
struct Ranges {
    std::vector<RangeSeries> series;
    Steps ends;             ///< the right ends; a single one, for all steps, with `@`
    Milliseconds length{0};
    /// `anchored` and `smoothed` look further than the window: by `before` to the left of it, by `after` to the right.
    Extension extension{Extension::none};
    Milliseconds before{0};
    Milliseconds after{0};
    /// What one step sees of a series, without parameters.
    [[nodiscard]] Window whole(const RangeSeries& of) const;
};

/// What a table shows of the samples that a selector finds; times in seconds.
enum class Shown { values, times, times_of_numbers /* and histograms as they are */, start_times };
/// What is shown of one series.
struct View {
    Shown shown;
    std::span<const StartTime> starts;
    [[nodiscard]] double of(TimestampMs at, double value) const;
};

/// One evaluation over one store: a node is evaluated once for all its steps, series by series. Counts the samples it
/// reads and makes, and refuses to go over the budget.
class Evaluation {
  public:
    /// `query`: what start(), end() and step() mean, in subqueries too. `text`: of the expression, for annotations.
    Evaluation(const tsdb::Head& head, const EngineOptions& options, const Steps& query, std::string_view text)
        : head_(head), options_(options), query_(query), text_(text) {}

    /// Of any node but a range vector.
    [[nodiscard]] Result<StepValue> evaluate(const Node& node, const Steps& steps);
    /// Of a range vector.
    [[nodiscard]] Result<Ranges> ranges(const Node& node, const Steps& steps);
    /// Of a selector without range, at each step the newest sample within the lookback; `smoothed` is not asked for.
    [[nodiscard]] Result<Table> instant(const Selector& selector, const Steps& steps, Shown shown);
    [[nodiscard]] Result<Milliseconds> resolved(const Duration& duration, bool may_be_negative) const;
    [[nodiscard]] TimestampMs time_of(const At& at) const;
    /// Errors: limit (the budget is used up), timeout.
    [[nodiscard]] Result<void> count_samples(std::size_t by);
    /// For loops over elements: `work` of them are looked at next; asks now and then whether to give up. Errors: timeout.
    [[nodiscard]] Result<void> keep_on(std::size_t work);
    /// The name of a row goes: now, or at the end.
    void drop_name(Row& row) const;
    /// Removes names that were to go at the end. Errors: invalid_argument when that makes two series one.
    [[nodiscard]] Result<void> finish(Table& table) const;
    /// After names went: rows that became one. Errors as Table::unify.
    [[nodiscard]] Result<void> unify(Table& table) const;

    /// `node`: whose place in the text is told.
    void warn(const Node& node, std::string_view text);
    /// `details` stand before the place.
    void inform(const Node& node, std::string_view text, std::string_view details = {});
    [[nodiscard]] const Steps& query() const { return query_; }
    [[nodiscard]] const EngineOptions& options() const { return options_; }
    [[nodiscard]] Annotations take_annotations() { return std::move(annotations_); }

  private:
    Result<StepValue> value_of(const Selector& selector, const Node& node, const Steps& steps);
    Result<StepValue> value_of(const Unary& unary, const Steps& steps);
    Result<StepValue> value_of(const Binary& binary, const Node& node, const Steps& steps);
    Result<StepValue> value_of(const Aggregate& aggregate, const Node& node, const Steps& steps);
    Result<StepValue> value_of(const Call& call, const Node& node, const Steps& steps);
    std::size_t fill(tsdb::Cursor& cursor, const Steps& at, Table& out, std::size_t row, const View& view);
    std::size_t fill_mixed(tsdb::Cursor& cursor, const Steps& at, Table& out, std::size_t row, const View& view) const;
    Result<StepValue> times(const Selector& selector, const Steps& steps, Shown shown);
    Result<StepValue> over_elements(const Call& call, ElementFunction function, const Steps& steps);
    // evaluate_range.cpp
    Result<Ranges> ranges_below(const Node& inner, const Steps& steps);
    Result<RangeSeries> read(tsdb::SelectedSeries& series);
    [[nodiscard]] Result<Ranges> windows(const Selector& selector, const Steps& steps) const;
    template <class OneSeries>
    Result<void> read_each(const Selector& selector, const Ranges& windows, OneSeries one_series);
    template <class OneSeries>
    Result<void> each_series(const Node& argument, const Steps& steps, OneSeries one_series);
    Result<Ranges> range(const Selector& selector, const Steps& steps);
    Result<Table> smoothed(const Selector& selector, const Node& node, const Steps& steps);
    Result<Ranges> range(const Subquery& subquery, const Steps& steps);
    Result<std::array<Scalars, 2>> parameters_of(const Call& call, const Steps& steps);
    template <class OneWindow>
    Result<StepValue> over_windows(const Call& call, const Steps& steps, OneWindow one_window);
    Result<StepValue> over_ranges(const Call& call, RangeFunction function, const Steps& steps);
    Result<StepValue> over_mixed(const Call& call, MixedFunction function, const Steps& steps);
    [[nodiscard]] Result<Steps> shifted(const TimeShift& shift, const Steps& steps) const;
    [[nodiscard]] std::string place_of(const Node& node) const;

    /// What the nodes above a selector read of its histograms.
    struct Reading {
        bool counts_alone{false};  ///< histogram_count, histogram_sum, histogram_avg
        bool buckets{false};       ///< whatever stands between: a quantile, a subquery, ..
    };
    class ReadingScope;
    [[nodiscard]] Reading reading_below(const Node& node) const;
    /// A histogram (not a stale one) as its readers want it; `before` is the whole one before it, or null.
    [[nodiscard]] HistogramPtr as_read(const HistogramPtr& whole, const HistogramPtr& before) const;

    const tsdb::Head& head_;
    const EngineOptions& options_;
    Reading reading_;
    Steps query_;
    std::string_view text_;
    std::size_t samples_{0};
    std::size_t work_{0};       ///< since it was asked whether to give up
    std::size_t next_look_{0};  ///< at so many samples that is asked, too
    std::vector<model::Sample> read_;  ///< of one series; kept for its memory
    Annotations annotations_;
};

/// Tells of each quantile that is outside [0, 1] or NaN; `node` is where they are written.
void warn_of_quantiles(Evaluation& evaluation, const Node& node, const Scalars& quantiles);

/// `node` is a Binary; both sides evaluated at the same steps. Errors: invalid_argument (many-to-many and duplicate matches, in Prometheus's
/// words).
[[nodiscard]] Result<StepValue> apply_binary(Evaluation& evaluation, const Node& node, StepValue left,
                                             StepValue right);
/// `parameter` is a scalar or string value, as the operator wants it.
/// `node` is an Aggregate.
[[nodiscard]] Result<StepValue> apply_aggregate(Evaluation& evaluation, const Node& node, Table elements,
                                                const StepValue& parameter);

}  // namespace noroshi::promql
