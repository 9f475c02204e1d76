// src/promql/engine.cpp - the public face of evaluation.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "evaluate.hpp"
#include "extended_range.hpp"
#include "parser.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {
namespace {

Matrix matrix_of(const Table& table, const Steps& steps) {
    Matrix out;
    out.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        MatrixSeries series{table.row(i).labels, {}, {}};
        series.samples.reserve(table.has_histograms() ? 0 : table.steps());
        for (std::size_t step = 0; step < table.steps(); ++step) {
            if (HistogramPtr histogram = table.histogram(i, step)) {
                series.histograms.push_back({time_at(steps, step), std::move(histogram)});
            } else if (has_value(table.values(i)[step])) {
                series.samples.push_back({time_at(steps, step), table.values(i)[step]});
            }
        }
        if (!series.samples.empty() || !series.histograms.empty()) {
            out.push_back(std::move(series));
        }
    }
    return out;
}

Vector vector_of(Table table) {
    Vector out;
    out.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (has_value(table.values(i)[0])) {
            out.push_back({std::move(table.row(i).labels), table.values(i)[0], table.histogram(i, 0)});
        }
    }
    return out;
}

/// A range vector as it is: the samples of its one window.
Result<Matrix> window_of(Evaluation& evaluation, const Node& node, const Steps& steps) {
    NOROSHI_TRY(Ranges ranges, evaluation.ranges(node, steps));
    Matrix out;
    for (RangeSeries& series : ranges.series) {
        if (series.row.drop_name) {
            series.row.labels = without_metadata(series.row.labels);
        }
        if (ranges.extension != Extension::none) {
            if (!series.histograms.empty()) {
                return fail(Errc::invalid_argument, fmt::format("{} modifier is not supported with histograms",
                                                                extension_text(ranges.extension)));
            }
            series.samples = extended_samples(ranges.whole(series));
        }
        if (!series.is_empty()) {
            out.push_back({std::move(series.row.labels), std::move(series.samples), std::move(series.histograms)});
        }
    }
    return out;
}

/// What the deepest tree of the longest ranges and offsets adds to a time so near is still a number.
Result<void> check_time(TimestampMs at) {
    constexpr TimestampMs furthest{Milliseconds(4'000'000'000'000'000'000)};
    if (at > furthest || at < -furthest.time_since_epoch() + TimestampMs{}) {
        return fail(Errc::invalid_argument, fmt::format("the time {} is out of bounds, expected at most {} ms from 1970",
                                                        to_unix_ms(at), to_unix_ms(furthest)));
    }
    return {};
}

}  // namespace

Result<Answer> Engine::instant(const Expression& expression, TimestampMs at) const {
    NOROSHI_TRY_VOID(check_time(at));
    const Steps steps{at, at, Milliseconds(1)};
    const Node& root = expression.parsed_->root();
    Evaluation evaluation(head_, options_, steps, expression.parsed_->text);
    Answer out;
    if (root.type == ValueType::matrix) {
        NOROSHI_TRY(out.value, window_of(evaluation, root, steps));
    } else {
        NOROSHI_TRY(StepValue value, evaluation.evaluate(root, steps));
        if (auto* table = std::get_if<Table>(&value)) {
            NOROSHI_TRY_VOID(evaluation.finish(*table));
            out.value = vector_of(std::move(*table));
        } else if (auto* scalars = std::get_if<Scalars>(&value)) {
            out.value = scalars->front();
        } else {
            out.value = std::get<std::string>(std::move(value));
        }
    }
    out.annotations = evaluation.take_annotations();
    return out;
}

Result<Answer> Engine::range(const Expression& expression, const Steps& steps) const {
    NOROSHI_TRY_VOID(check_time(steps.start));
    NOROSHI_TRY_VOID(check_time(steps.end));
    const Node& root = expression.parsed_->root();
    if (root.type == ValueType::string || root.type == ValueType::matrix) {
        return fail(Errc::invalid_argument, fmt::format("invalid expression type {} for range query, must be Scalar or "
                                                        "instant Vector",
                                                        model::quote(value_type_name(root.type))));
    }
    Evaluation evaluation(head_, options_, steps, expression.parsed_->text);
    NOROSHI_TRY(StepValue value, evaluation.evaluate(root, steps));
    Matrix out;
    if (auto* table = std::get_if<Table>(&value)) {
        NOROSHI_TRY_VOID(evaluation.finish(*table));
        out = matrix_of(*table, steps);
        if (!std::ranges::is_sorted(out, {}, &MatrixSeries::labels)) {
            std::ranges::sort(out, {}, &MatrixSeries::labels);
        }
    } else {
        const auto& scalars = std::get<Scalars>(value);
        MatrixSeries series;
        for (std::size_t step = 0; step < scalars.size(); ++step) {
            series.samples.push_back({time_at(steps, step), scalars[step]});
        }
        out.push_back(std::move(series));
    }
    return Answer{std::move(out), evaluation.take_annotations()};
}

}  // namespace noroshi::promql
