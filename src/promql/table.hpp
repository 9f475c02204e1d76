// src/promql/table.hpp - the values of an expression at all steps of an evaluation.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "promql/promql.hpp"

namespace noroshi::promql {

/// What stands where a series has no value. Only stores know the stale marker as a value, so no result is taken for it.
inline const double no_value = model::stale_marker();
[[nodiscard]] inline bool has_value(double value) { return !model::is_stale_marker(value); }

using HistogramPtr = std::shared_ptr<const model::Histogram>;

struct Row {
    model::Labels labels;
    bool drop_name{false};  ///< the name goes when the whole expression is evaluated
};

/// An instant vector at each step: rows are series, columns are steps. Rows keep the order in which they were added.
class Table {
  public:
    explicit Table(std::size_t steps) : steps_(steps) {}

    [[nodiscard]] std::size_t steps() const { return steps_; }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] Row& row(std::size_t i) { return rows_[i]; }
    [[nodiscard]] const Row& row(std::size_t i) const { return rows_[i]; }
    [[nodiscard]] std::span<double> values(std::size_t i) { return {values_.data() + i * steps_, steps_}; }
    [[nodiscard]] std::span<const double> values(std::size_t i) const { return {values_.data() + i * steps_, steps_}; }
    /// Null: a number stands there, or nothing.
    [[nodiscard]] HistogramPtr histogram(std::size_t i, std::size_t step) const {
        return histograms_.empty() ? nullptr : histograms_[i * steps_ + step];
    }
    [[nodiscard]] bool is_histogram(std::size_t i, std::size_t step) const {
        return !histograms_.empty() && histograms_[i * steps_ + step] != nullptr;
    }
    /// Whether there may be a histogram anywhere: then no shortcut over numbers is right.
    [[nodiscard]] bool has_histograms() const { return !histograms_.empty(); }
    /// Whether one is left: `has_histograms` stays true when the last goes.
    [[nodiscard]] bool any_histogram() const;
    void set(std::size_t i, std::size_t step, HistogramPtr histogram);
    void clear(std::size_t i, std::size_t step);
    /// A number in the place of whatever stood there.
    void set(std::size_t i, std::size_t step, double value);
    /// Copies what stands at `from` of another table, a number, a histogram or nothing.
    void copy(std::size_t i, std::size_t step, const Table& other, std::size_t from_row, std::size_t from_step);
    /// A whole row of another table with as many steps.
    void copy_row(std::size_t i, const Table& other, std::size_t from_row);
    /// Elements that are histograms go.
    void drop_histograms();
    void reserve(std::size_t rows);
    /// A row without a value; its index.
    std::size_t add(Row row);
    /// Takes the last row away again when no step of it has a value.
    void drop_last_if_empty();
    [[nodiscard]] bool is_empty(std::size_t i) const;
    /// Rows without a value at any step go.
    void drop_empty_rows();
    /// Rows of equal labels become one. Errors: invalid_argument when two of them have a value at the same step.
    [[nodiscard]] Result<void> unify();
    /// The first step's values, at each of `steps`.
    [[nodiscard]] Table repeated(std::size_t steps) const;
    /// Rows in the order of `order`, a list of distinct indices.
    [[nodiscard]] Table reordered(std::span<const std::size_t> order) const;

  private:
    std::size_t steps_;
    std::vector<Row> rows_;
    std::vector<double> values_;  ///< row by row; a histogram has 0 here
    std::vector<HistogramPtr> histograms_;  ///< row by row, or empty when there is none
};

/// A scalar at each step.
using Scalars = std::vector<double>;
/// What a node that is no range vector evaluates to.
using StepValue = std::variant<Scalars, std::string, Table>;

[[nodiscard]] inline std::size_t count_of(const Steps& steps) {
    return static_cast<std::size_t>((steps.end - steps.start) / steps.step) + 1;
}
[[nodiscard]] inline TimestampMs time_at(const Steps& steps, std::size_t i) {
    return steps.start + steps.step * static_cast<std::int64_t>(i);
}

}  // namespace noroshi::promql
