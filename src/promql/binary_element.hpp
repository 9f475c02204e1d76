// src/promql/binary_element.hpp - what a binary operator makes of two elements.
#pragma once

#include <optional>

#include "evaluate.hpp"

namespace noroshi::promql {

/// The value an element gets, or nothing when a comparison filters it out; a filter keeps `kept`.
[[nodiscard]] std::optional<double> combine(const Binary& binary, double left, double right, double kept);

/// Trims keep the name, too: they change what is counted, not what it counts.
[[nodiscard]] inline bool changes_meaning(BinaryOp op) { return !is_comparison(op) && !is_trim(op); }

/// What stands at a place: a number or a histogram.
struct Cell {
    double value{0};
    HistogramPtr histogram{};
};
[[nodiscard]] inline Cell cell_of(const Table& table, std::size_t row, std::size_t step) {
    return {table.values(row)[step], table.histogram(row, step)};
}
/// Nothing: the place becomes empty.
void set(Table& table, std::size_t row, std::size_t step, std::optional<Cell> cell);

/// Operators with a histogram on either side. Tells what is not defined at `node`.
class HistogramOperator {
  public:
    HistogramOperator(Evaluation& evaluation, const Node& node, const Binary& binary)
        : evaluation_(evaluation), node_(node), binary_(binary) {}

    /// Nothing: filtered out, or not defined for what it got, and told.
    [[nodiscard]] std::optional<Cell> operator()(const Cell& left, const Cell& right);

  private:
    std::optional<Cell> of_two(const model::Histogram& left, const model::Histogram& right, const HistogramPtr& kept);
    std::optional<Cell> incompatible(const Cell& left, const Cell& right);

    Evaluation& evaluation_;
    const Node& node_;
    const Binary& binary_;
};

}  // namespace noroshi::promql
