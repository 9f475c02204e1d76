// src/promql/evaluate_range.cpp - range vectors, and functions over their windows.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

/// The samples of (from, to], for windows that only move forward.
template <class Sample>
class Sliding {
  public:
    explicit Sliding(std::span<const Sample> samples) : samples_(samples) {}
    std::span<const Sample> window(TimestampMs from, TimestampMs to) {
        while (begin_ < samples_.size() && samples_[begin_].at <= from) {
            ++begin_;
        }
        end_ = std::max(begin_, end_);
        while (end_ < samples_.size() && samples_[end_].at <= to) {
            ++end_;
        }
        return samples_.subspan(begin_, end_ - begin_);
    }

  private:
    std::span<const Sample> samples_;
    std::size_t begin_{0};
    std::size_t end_{0};
};

/// Steps repeat samples and pass over others: what a sample says of the one before it is no longer true.
HistogramPtr without_hint(const HistogramPtr& histogram) {
    if (histogram->hint == model::ResetHint::gauge || histogram->hint == model::ResetHint::unknown) {
        return histogram;
    }
    auto out = std::make_shared<model::Histogram>(*histogram);
    out->hint = model::ResetHint::unknown;
    return out;
}

bool has_other_metadata(const model::Labels& labels) { return labels.has("__type__") || labels.has("__unit__"); }

bool wants_counter(std::string_view function) { return function == "rate" || function == "increase"; }

bool looks_like_counter(std::string_view name) {
    return std::ranges::any_of(std::array<std::string_view, 4>{"_total", "_sum", "_count", "_bucket"},
                               [name](std::string_view suffix) { return name.ends_with(suffix); });
}

}  // namespace

Result<Ranges> Evaluation::ranges(const Node& node, const Steps& steps) {
    const Node& inner = without_parens(node);
    const Reading before = std::exchange(reading_, reading_below(inner));
    Result<Ranges> out = ranges_below(inner, steps);
    reading_ = before;
    return out;
}

Result<Ranges> Evaluation::ranges_below(const Node& inner, const Steps& steps) {
    if (const auto* selector = std::get_if<Selector>(&inner.kind)) {
        return range(*selector, steps);
    }
    return range(std::get<Subquery>(inner.kind), steps);
}

Result<Ranges> Evaluation::range(const Selector& selector, const Steps& steps) {
    Ranges out;
    NOROSHI_TRY(out.ends, shifted(selector.shift, steps));
    NOROSHI_TRY(out.length, resolved(selector.range, false));
    for (tsdb::SelectedSeries& series : head_.select(selector.matchers, out.ends.start - out.length, out.ends.end)) {
        RangeSeries row{{*series.labels, false}, {}, {}};
        std::ranges::copy_if(series.histograms, std::back_inserter(row.histograms),
                             [](const model::HistogramSample& sample) { return !sample.value->is_stale(); });
        find_resets(row.histograms);
        if (series.cursor) {
            read_.clear();
            series.cursor->read_rest(read_, false);
            row.samples.assign(read_.begin(), read_.end());
        }
        NOROSHI_TRY_VOID(count_samples(row.samples.size() + row.histograms.size()));
        if (!row.is_empty()) {
            out.series.push_back(std::move(row));
        }
    }
    return out;
}

Result<Ranges> Evaluation::range(const Subquery& subquery, const Steps& steps) {
    Milliseconds step = options_.subquery_step;
    if (subquery.step.is_set()) {
        NOROSHI_TRY(step, resolved(subquery.step, false));
    }
    Ranges out;
    NOROSHI_TRY(out.ends, shifted(subquery.shift, steps));
    NOROSHI_TRY(out.length, resolved(subquery.range, false));
    // Steps lie on multiples of the step since the epoch; the left end is open.
    const std::int64_t from = to_unix_ms(out.ends.start - out.length);
    std::int64_t first = from / step.count() * step.count();
    first += first <= from ? step.count() : 0;
    if (first > to_unix_ms(out.ends.end)) {
        return out;
    }
    const Steps inner{from_unix_ms(first), out.ends.end, step};
    NOROSHI_TRY(StepValue value, evaluate(*subquery.inner, inner));
    const auto& table = std::get<Table>(value);
    NOROSHI_TRY_VOID(count_samples((table.size() + 1) * table.steps()));
    for (std::size_t i = 0; i < table.size(); ++i) {
        RangeSeries series{table.row(i), {}, {}};
        for (std::size_t column = 0; column < table.steps(); ++column) {
            if (const HistogramPtr histogram = table.histogram(i, column)) {
                series.histograms.push_back({time_at(inner, column), without_hint(histogram)});
            } else if (has_value(table.values(i)[column])) {
                series.samples.push_back({time_at(inner, column), table.values(i)[column]});
            }
        }
        if (!series.is_empty()) {
            out.series.push_back(std::move(series));
        }
    }
    return out;
}

/// Calls `one_window(window, notes)` for each window of each series that has a sample in it.
template <class OneWindow>
Result<StepValue> Evaluation::over_windows(const Call& call, const Steps& steps, OneWindow one_window) {
    const std::size_t columns = count_of(steps);
    NOROSHI_TRY_VOID(count_samples(3 * columns));
    std::array<Scalars, 2> parameters{Scalars(columns, call.function->default_parameter), Scalars(columns, 0.0)};
    std::size_t given = 0;
    Ranges ranges;
    const Node* argument_node = nullptr;
    for (const NodePtr& argument : call.arguments) {
        if (argument->type == ValueType::matrix) {
            NOROSHI_TRY(ranges, this->ranges(*argument, steps));
            argument_node = argument.get();
        } else {
            NOROSHI_TRY(StepValue value, evaluate(*argument, steps));
            parameters.at(given++) = std::get<Scalars>(std::move(value));
        }
    }
    if (call.function->check != nullptr && !ranges.series.empty()) {
        NOROSHI_TRY_VOID(call.function->check(*this, call.arguments, parameters));
    }
    const double length = static_cast<double>(ranges.length.count()) / 1000.0;
    const bool moves = count_of(ranges.ends) == columns;
    Table out(columns);
    out.reserve(ranges.series.size());
    bool one_name = true;
    const std::string first_name(ranges.series.empty() ? "" : ranges.series.front().row.labels.metric_name());
    for (RangeSeries& series : ranges.series) {
        NOROSHI_TRY_VOID(count_samples(columns));
        const std::string name(series.row.labels.metric_name());
        const WindowNotes notes{*this, *argument_node, name};
        Row row = std::move(series.row);
        if (!call.function->keeps_name) {
            // Series of one name stay distinct without it.
            one_name = one_name && name == first_name && !has_other_metadata(row.labels);
            drop_name(row);
        }
        const std::size_t index = out.add(std::move(row));
        Sliding<model::Sample> numbers(series.samples);
        Sliding<model::HistogramSample> histograms(series.histograms);
        for (std::size_t step = 0; step < columns; ++step) {
            const TimestampMs end = moves ? time_at(ranges.ends, step) : ranges.ends.start;
            const Window window{numbers.window(end - ranges.length, end), histograms.window(end - ranges.length, end),
                                end - ranges.length, end, length, time_at(steps, step), parameters[0][step], parameters[1][step]};
            if (window.samples.empty() && window.histograms.empty()) {
                continue;
            }
            WindowAnswer answer = one_window(window, notes);
            if (answer.histogram) {
                out.set(index, step, std::move(answer.histogram));
            } else if (answer.value) {
                out.set(index, step, *answer.value);
            }
        }
        out.drop_last_if_empty();
    }
    if (!one_name) {
        NOROSHI_TRY_VOID(unify(out));
    }
    return StepValue(std::move(out));
}

Result<StepValue> Evaluation::over_ranges(const Call& call, RangeFunction function, const Steps& steps) {
    return over_windows(call, steps, [function](const Window& window, const WindowNotes& notes) -> WindowAnswer {
        if (window.samples.empty()) {
            return {};
        }
        if (!window.histograms.empty()) {
            notes.evaluation.inform(notes.argument,
                                    fmt::format("ignored histograms in a range containing both floats and histograms "
                                                "for metric name {}",
                                                model::quote(notes.name)));
        }
        return {function(window), nullptr};
    });
}

Result<StepValue> Evaluation::over_mixed(const Call& call, MixedFunction function, const Steps& steps) {
    return over_windows(call, steps, [&](const Window& window, const WindowNotes& notes) -> WindowAnswer {
        WindowAnswer answer = function(window, notes);
        if (answer.value && wants_counter(call.function->name) && !notes.name.empty() && !looks_like_counter(notes.name)) {
            inform(notes.argument, fmt::format("metric might not be a counter, name does not end in "
                                               "_total/_sum/_count/_bucket: {}",
                                               model::quote(notes.name)));
        }
        return answer;
    });
}

}  // namespace noroshi::promql
