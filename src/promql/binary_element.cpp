// src/promql/binary_element.cpp - arithmetic and comparisons of two elements, numbers or native histograms.
#include "binary_element.hpp"

#include <fmt/format.h>

#include <cmath>

#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

double arithmetic(BinaryOp op, double a, double b) {
    switch (op) {
        case BinaryOp::add:
            return a + b;
        case BinaryOp::sub:
            return a - b;
        case BinaryOp::mul:
            return a * b;
        case BinaryOp::div:
            return a / b;
        case BinaryOp::mod:
            return std::fmod(a, b);
        case BinaryOp::pow:
            return std::pow(a, b);
        case BinaryOp::atan2:
            return std::atan2(a, b);
        default:
            return 0;
    }
}

bool compare(BinaryOp op, double a, double b) {
    switch (op) {
        case BinaryOp::eq:
            return a == b;
        case BinaryOp::ne:
            return a != b;
        case BinaryOp::lt:
            return a < b;
        case BinaryOp::le:
            return a <= b;
        case BinaryOp::gt:
            return a > b;
        case BinaryOp::ge:
            return a >= b;
        default:
            return false;
    }
}

}  // namespace

std::optional<double> combine(const Binary& binary, double left, double right, double kept) {
    if (!is_comparison(binary.op)) {
        return arithmetic(binary.op, left, right);
    }
    const bool holds = compare(binary.op, left, right);
    if (binary.return_bool) {
        return holds ? 1.0 : 0.0;
    }
    return holds ? std::optional(kept) : std::nullopt;
}

void set(Table& table, std::size_t row, std::size_t step, std::optional<Cell> cell) {
    if (!cell) {
        table.clear(row, step);
    } else if (cell->histogram) {
        table.set(row, step, std::move(cell->histogram));
    } else {
        table.set(row, step, cell->value);
    }
}

std::optional<Cell> HistogramOperator::operator()(const Cell& left, const Cell& right) {
    if (left.histogram && right.histogram) {
        return of_two(*left.histogram, *right.histogram, left.histogram);
    }
    const bool scales = binary_.op == BinaryOp::mul || (left.histogram && binary_.op == BinaryOp::div);
    const bool trims = left.histogram && is_trim(binary_.op);
    if (!scales && !trims) {
        return incompatible(left, right);
    }
    auto out = std::make_shared<model::Histogram>(left.histogram ? *left.histogram : *right.histogram);
    const double number = left.histogram ? right.value : left.value;
    if (trims) {
        trim(*out, binary_.op == BinaryOp::trim_upper ? Keep::below : Keep::above, number);
    } else {
        binary_.op == BinaryOp::mul ? multiply(*out, number) : divide(*out, number);
        model::compact(*out);
    }
    return Cell{0, std::move(out)};
}

std::optional<Cell> HistogramOperator::of_two(const model::Histogram& left, const model::Histogram& right,
                                              const HistogramPtr& kept) {
    if (binary_.op == BinaryOp::eq || binary_.op == BinaryOp::ne) {
        const bool holds = (left == right) == (binary_.op == BinaryOp::eq);
        if (binary_.return_bool) {
            return Cell{holds ? 1.0 : 0.0, nullptr};
        }
        return holds ? std::optional(Cell{0, kept}) : std::nullopt;
    }
    if (binary_.op != BinaryOp::add && binary_.op != BinaryOp::sub) {
        return incompatible({0, kept}, {0, kept});
    }
    const bool adds = binary_.op == BinaryOp::add;
    auto out = std::make_shared<model::Histogram>(left);
    const HistogramNotes notes = adds ? promql::add(*out, right) : subtract(*out, right);
    const std::string_view what = adds ? "addition" : "subtraction";
    if (notes.incompatible) {
        evaluation_.warn(node_, fmt::format("incompatible bucket layout encountered for binary operator {}", op_text(binary_.op)));
        return std::nullopt;
    }
    if (notes.reset_collision) {
        evaluation_.warn(node_, fmt::format("conflicting counter resets during histogram {}", what));
        return std::nullopt;  // Prometheus leaves such a pair out
    }
    if (notes.bounds_reconciled) {
        evaluation_.inform(node_, fmt::format("mismatched custom buckets were reconciled during {}", what));
    }
    if (!adds) {
        out->hint = model::ResetHint::gauge;
    }
    model::compact(*out);
    return Cell{0, std::move(out)};
}

std::optional<Cell> HistogramOperator::incompatible(const Cell& left, const Cell& right) {
    const auto kind = [](const Cell& cell) { return cell.histogram ? "histogram" : "float"; };
    evaluation_.inform(node_, fmt::format("incompatible sample types encountered for binary operator {}: {} {} {}",
                                          model::quote(op_text(binary_.op)), kind(left), op_text(binary_.op), kind(right)));
    return std::nullopt;
}

}  // namespace noroshi::promql
