// src/promql/evaluate_range.cpp - range vectors, and functions over their windows.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "evaluate.hpp"
#include "extended_range.hpp"
#include "model/histogram_layout.hpp"
#include "native_histogram.hpp"
#include "start_times.hpp"
#include "window_notes.hpp"

namespace noroshi::promql {
namespace {

/// The samples of (from, to], for windows that only move forward.
template <class Sample>
class Sliding {
  public:
    Sliding(std::span<const Sample> samples, std::span<const TimestampMs> starts) : samples_(samples), starts_(starts) {}
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
    /// Of the samples of the last window.
    [[nodiscard]] std::span<const TimestampMs> starts() const {
        return starts_.empty() ? starts_ : starts_.subspan(begin_, end_ - begin_);
    }

  private:
    std::span<const Sample> samples_;
    std::span<const TimestampMs> starts_;
    std::size_t begin_{0};
    std::size_t end_{0};
};

void put(WindowAnswer answer, Table& out, std::size_t row, std::size_t step) {
    if (answer.histogram) {
        out.set(row, step, std::move(answer.histogram));
    } else if (answer.value) {
        out.set(row, step, *answer.value);
    }
}

/// Between the samples around `t`, or the last one before it.
WindowAnswer smoothed_number(std::span<const model::Sample> samples, TimestampMs t) {
    const auto after = std::ranges::lower_bound(samples, t, {}, &model::Sample::at);
    if (after != samples.end() && after->at == t) {
        return {after->value, nullptr};
    }
    if (after == samples.begin()) {
        return {};
    }
    const model::Sample& before = *std::prev(after);
    return {after == samples.end() ? before.value : interpolate(before, *after, t, false), nullptr};
}

WindowAnswer smoothed_histogram(std::span<const model::HistogramSample> samples, TimestampMs t, const WindowNotes& notes) {
    const auto after = std::ranges::lower_bound(samples, t, {}, &model::HistogramSample::at);
    if (after != samples.end() && after->at == t) {
        return {std::nullopt, after->value};
    }
    if (after == samples.begin()) {
        return {};
    }
    const model::HistogramSample& before = *std::prev(after);
    if (after == samples.end()) {
        auto out = std::make_shared<model::Histogram>(*before.value);
        out->hint = model::ResetHint::unknown;  // it told of the sample before
        return {std::nullopt, std::move(out)};
    }
    HistogramChange change;
    if (before.value->has_custom_bounds() != after->value->has_custom_bounds()) {
        change.incompatible = true;
    } else {
        const bool is_gauge = before.value->hint == model::ResetHint::gauge && after->value->hint == model::ResetHint::gauge;
        const double part = seconds_between(before.at, t) / seconds_between(before.at, after->at);
        change = interpolate(*before.value, *after->value, part, !is_gauge);
    }
    tell(change, notes);
    return {std::nullopt, change.value ? std::make_shared<const model::Histogram>(std::move(*change.value)) : nullptr};
}

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

/// All samples of a series but stale markers.
Result<RangeSeries> Evaluation::read(tsdb::SelectedSeries& series) {
    RangeSeries out;
    out.row.labels = *series.labels;
    read_.clear();
    const bool numbers_alone = series.cursor->read_numbers(read_, false);
    out.samples.assign(read_.begin(), read_.end());
    if (!numbers_alone) {
        HistogramPtr before;
        for (model::Sample sample{}; series.cursor->next(sample);) {
            if (model::is_stale_marker(sample.value)) {
                continue;
            }
            if (const HistogramPtr& whole = series.cursor->histogram()) {
                out.histograms.push_back({sample.at, as_read(whole, before)});
                before = whole;
            } else {
                out.samples.push_back(sample);
            }
        }
    }
    NOROSHI_TRY_VOID(count_samples(out.samples.size() + out.histograms.size()));
    const auto known = options_.start_times ? options_.start_times(out.row.labels) : std::span<const StartTime>{};
    if (!known.empty()) {
        const auto start = [known](const auto& sample) { return start_of(known, sample.at); };
        std::ranges::transform(out.samples, std::back_inserter(out.starts), start);
        std::ranges::transform(out.histograms, std::back_inserter(out.histogram_starts), start);
    }
    return out;
}

/// Where the windows of a selector lie, without its series.
Result<Ranges> Evaluation::windows(const Selector& selector, const Steps& steps) const {
    Ranges out;
    NOROSHI_TRY(out.ends, shifted(selector.shift, steps));
    NOROSHI_TRY(out.length, resolved(selector.range, false));
    out.extension = selector.extension;
    out.before = selector.extension == Extension::none ? Milliseconds(0) : options_.lookback_delta;
    out.after = selector.extension == Extension::smoothed ? options_.lookback_delta : Milliseconds(0);
    return out;
}

/// Calls `one_series(series)` for each that has a sample: one series at a time is in memory.
template <class OneSeries>
Result<void> Evaluation::read_each(const Selector& selector, const Ranges& windows, OneSeries one_series) {
    const TimestampMs from = windows.ends.start - windows.length - windows.before;
    for (tsdb::SelectedSeries& selected : head_.select(selector.matchers, from, windows.ends.end + windows.after)) {
        NOROSHI_TRY(RangeSeries series, read(selected));
        if (!series.is_empty()) {
            NOROSHI_TRY_VOID(one_series(std::move(series)));
        }
    }
    return {};
}

Result<Ranges> Evaluation::range(const Selector& selector, const Steps& steps) {
    NOROSHI_TRY(Ranges out, windows(selector, steps));
    NOROSHI_TRY_VOID(read_each(selector, out, [&out](RangeSeries series) -> Result<void> {
        out.series.push_back(std::move(series));
        return {};
    }));
    return out;
}

/// `x smoothed`: the samples around each step, as far away as the lookback goes on both sides.
Result<Table> Evaluation::smoothed(const Selector& selector, const Node& node, const Steps& steps) {
    NOROSHI_TRY(const Steps at, shifted(selector.shift, steps));
    const Milliseconds reach = options_.lookback_delta;
    Table out(count_of(at));
    for (tsdb::SelectedSeries& selected : head_.select(selector.matchers, at.start - reach, at.end + reach)) {
        NOROSHI_TRY_VOID(count_samples(out.steps()));
        NOROSHI_TRY(RangeSeries series, read(selected));
        const std::string name(series.row.labels.metric_name());
        const WindowNotes notes{*this, node, name};
        const std::size_t row = out.add(std::move(series.row));
        Sliding<model::Sample> numbers(series.samples, {});
        Sliding<model::HistogramSample> histograms(series.histograms, {});
        for (std::size_t step = 0; step < out.steps(); ++step) {
            const TimestampMs t = time_at(at, step);
            const auto near = numbers.window(t - reach, t + reach);
            const auto near_histograms = histograms.window(t - reach, t + reach);
            if (!near.empty() && !near_histograms.empty()) {
                tell_mix(notes);
            } else {
                put(near.empty() ? smoothed_histogram(near_histograms, t, notes) : smoothed_number(near, t), out, row, step);
            }
        }
        out.drop_last_if_empty();
    }
    const std::size_t wanted = count_of(steps);
    return out.steps() == wanted ? std::move(out) : out.repeated(wanted);
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

Window Ranges::whole(const RangeSeries& of) const {
    const TimestampMs start = ends.start - length;
    Window out{of.samples, of.histograms, start, ends.start, seconds_between(start, ends.start), ends.start, 0, 0};
    out.extension = extension;
    out.lookback_start = start - before;
    out.starts = of.starts;
    out.histogram_starts = of.histogram_starts;
    return out;
}

/// The scalar arguments of a call at all steps; those that are left out as the function wants them.
Result<std::array<Scalars, 2>> Evaluation::parameters_of(const Call& call, const Steps& steps) {
    const std::size_t columns = count_of(steps);
    NOROSHI_TRY_VOID(count_samples(3 * columns));
    std::array<Scalars, 2> out{Scalars(columns, call.function->default_parameter), Scalars(columns, 0.0)};
    std::size_t given = 0;
    for (const NodePtr& argument : call.arguments) {
        if (argument->type != ValueType::matrix) {
            NOROSHI_TRY(StepValue value, evaluate(*argument, steps));
            out.at(given++) = std::get<Scalars>(std::move(value));
        }
    }
    return out;
}

/// Calls `one_window(window, notes)` for each window of each series that has a sample in it.
template <class OneWindow>
Result<StepValue> Evaluation::over_windows(const Call& call, const Steps& steps, OneWindow one_window) {
    NOROSHI_TRY(const auto parameters, parameters_of(call, steps));
    const auto is_matrix = [](const NodePtr& argument) { return argument->type == ValueType::matrix; };
    const Node& argument = **std::ranges::find_if(call.arguments, is_matrix);
    Table out(count_of(steps));
    bool one_name = true;
    std::optional<std::string> first_name;
    bool is_checked = call.function->check == nullptr;
    const auto one_series = [&](RangeSeries series, const Ranges& ranges) -> Result<void> {
        NOROSHI_TRY_VOID(count_samples(out.steps()));
        const std::string name(series.row.labels.metric_name());
        const WindowNotes notes{*this, argument, name};
        if (!call.function->keeps_name) {
            // Series of one name stay distinct without it.
            one_name = one_name && name == first_name.value_or(name) && !has_other_metadata(series.row.labels);
            first_name = name;
            drop_name(series.row);
        }
        const std::size_t row = out.add(std::move(series.row));
        const bool moves = count_of(ranges.ends) == out.steps();
        const double length = seconds_between(ranges.ends.start - ranges.length, ranges.ends.start);
        Sliding<model::Sample> numbers(series.samples, series.starts);
        Sliding<model::HistogramSample> histograms(series.histograms, series.histogram_starts);
        for (std::size_t step = 0; step < out.steps(); ++step) {
            const TimestampMs end = moves ? time_at(ranges.ends, step) : ranges.ends.start;
            const TimestampMs start = end - ranges.length;
            const TimestampMs from = start - ranges.before;
            Window window{numbers.window(from, end + ranges.after), histograms.window(from, end + ranges.after), start, end,
                          length, time_at(steps, step), parameters[0][step], parameters[1][step]};
            if (window.samples.empty() && window.histograms.empty()) {
                continue;
            }
            if (!is_checked && !window.samples.empty()) {
                NOROSHI_TRY_VOID(call.function->check(*this, call.arguments, parameters));
                is_checked = true;
            }
            window.extension = ranges.extension;
            window.lookback_start = from;
            window.starts = numbers.starts();
            window.histogram_starts = histograms.starts();
            put(one_window(window, notes), out, row, step);
        }
        out.drop_last_if_empty();
        return {};
    };
    NOROSHI_TRY_VOID(each_series(argument, steps, one_series));
    if (!one_name) {
        NOROSHI_TRY_VOID(unify(out));
    }
    return StepValue(std::move(out));
}

/// Of a selector one at a time, of a subquery all at once; `one_series(series, windows)`.
template <class OneSeries>
Result<void> Evaluation::each_series(const Node& argument, const Steps& steps, OneSeries one_series) {
    const Node& inner = without_parens(argument);
    if (const auto* selector = std::get_if<Selector>(&inner.kind)) {
        NOROSHI_TRY(const Ranges of_selector, windows(*selector, steps));
        const Reading before = std::exchange(reading_, reading_below(inner));
        Result<void> out = read_each(*selector, of_selector,
                                     [&](RangeSeries series) { return one_series(std::move(series), of_selector); });
        reading_ = before;
        return out;
    }
    NOROSHI_TRY(Ranges all, ranges(inner, steps));
    for (RangeSeries& series : all.series) {
        NOROSHI_TRY_VOID(one_series(std::move(series), all));
    }
    return {};
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
