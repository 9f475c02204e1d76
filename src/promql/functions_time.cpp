// src/promql/functions_time.cpp - time and the calendar, always UTC.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

Result<StepValue> time(CallContext& context) {
    Scalars out;
    for (std::size_t step = 0; step < count_of(context.steps); ++step) {
        out.push_back(to_unix_seconds(time_at(context.steps, step)));
    }
    return StepValue(std::move(out));
}

Result<StepValue> constant(const CallContext& context, double value) {
    return StepValue(Scalars(count_of(context.steps), value));
}
Result<StepValue> pi(CallContext& context) { return constant(context, std::numbers::pi); }
Result<StepValue> start(CallContext& context) { return constant(context, to_unix_seconds(context.evaluation.query().start)); }
Result<StepValue> end(CallContext& context) { return constant(context, to_unix_seconds(context.evaluation.query().end)); }
Result<StepValue> range(CallContext& context) {
    const Steps& query = context.evaluation.query();
    return constant(context, seconds_between(query.start, query.end));
}
/// Of an instant query there is none.
Result<StepValue> step(CallContext& context) {
    const Steps& query = context.evaluation.query();
    const bool is_instant = query.start == query.end;
    return constant(context, is_instant ? 0 : static_cast<double>(query.step.count()) / 1000.0);
}

template <bool Least>
Result<StepValue> extreme(CallContext& context) {
    auto out = std::get<Scalars>(std::move(context.values[0]));
    const auto& others = std::get<Scalars>(context.values[1]);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const bool is_nan = std::isnan(out[i]) || std::isnan(others[i]);
        out[i] = is_nan ? std::numeric_limits<double>::quiet_NaN() : Least ? std::min(out[i], others[i]) : std::max(out[i], others[i]);
    }
    return StepValue(std::move(out));
}

/// Of an expression that is no selector every element has the evaluation time; selectors never get here.
Result<StepValue> timestamp(CallContext& context) {
    auto table = std::get<Table>(std::move(context.values[0]));
    for (std::size_t i = 0; i < table.size(); ++i) {
        for (std::size_t step = 0; step < table.steps(); ++step) {
            if (has_value(table.values(i)[step])) {
                table.set(i, step, to_unix_seconds(time_at(context.steps, step)));
            }
        }
        context.evaluation.drop_name(table.row(i));
    }
    return StepValue(std::move(table));
}

/// Of what is no selector, and without a source of start times, nothing is known.
Result<StepValue> start_timestamp(CallContext& context) { return StepValue(Table(count_of(context.steps))); }

using Days = std::chrono::sys_days;
using Calendar = double (*)(Days day, std::chrono::seconds of_day);

double minute(Days, std::chrono::seconds s) { return static_cast<double>(s.count() / 60 % 60); }
double hour(Days, std::chrono::seconds s) { return static_cast<double>(s.count() / 3600); }
double day_of_month(Days d, std::chrono::seconds) {
    return static_cast<unsigned>(std::chrono::year_month_day(d).day());
}
double day_of_week(Days d, std::chrono::seconds) { return std::chrono::weekday(d).c_encoding(); }
double day_of_year(Days d, std::chrono::seconds) {
    const Days first(std::chrono::year_month_day(d).year() / std::chrono::January / 1);
    return static_cast<double>((d - first).count() + 1);
}
double days_in_month(Days d, std::chrono::seconds) {
    const std::chrono::year_month_day day(d);
    return static_cast<unsigned>((day.year() / day.month() / std::chrono::last).day());
}
double month(Days d, std::chrono::seconds) { return static_cast<unsigned>(std::chrono::year_month_day(d).month()); }
double year(Days d, std::chrono::seconds) { return static_cast<int>(std::chrono::year_month_day(d).year()); }

template <Calendar F>
double at_seconds(double seconds) {
    if (!std::isfinite(seconds) || std::fabs(seconds) > 9e11) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const std::chrono::sys_seconds at(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
    const Days day = std::chrono::floor<std::chrono::days>(at);
    return F(day, at - day);
}

template <Calendar F>
Result<StepValue> calendar(CallContext& context) {
    if (context.values.empty()) {
        Table now(count_of(context.steps));
        const std::size_t row = now.add({});
        for (std::size_t step = 0; step < now.steps(); ++step) {
            now.values(row)[step] = at_seconds<F>(to_unix_seconds(time_at(context.steps, step)));
        }
        return StepValue(std::move(now));
    }
    auto table = std::get<Table>(std::move(context.values[0]));
    table.drop_histograms();
    for (std::size_t i = 0; i < table.size(); ++i) {
        for (double& value : table.values(i)) {
            value = has_value(value) ? at_seconds<F>(value) : value;
        }
        context.evaluation.drop_name(table.row(i));
    }
    return StepValue(std::move(table));
}

Function row(std::string_view name, FreeFunction run) {
    return {name, {ValueType::vector}, 1, ValueType::vector, run, false};
}

}  // namespace

std::vector<Function> time_functions() {
    constexpr ValueType s = ValueType::scalar;
    return {{"time", {}, 0, s, time},
            {"pi", {}, 0, s, pi},
            {"start", {}, 0, s, start, false, true},
            {"end", {}, 0, s, end, false, true},
            {"range", {}, 0, s, range, false, true},
            {"step", {}, 0, s, step, false, true},
            {"min_of", {s, s}, 0, s, extreme<true>, false, true},
            {"max_of", {s, s}, 0, s, extreme<false>, false, true},
            {"timestamp", {ValueType::vector}, 0, ValueType::vector, timestamp},
            {"start_timestamp", {ValueType::vector}, 0, ValueType::vector, start_timestamp, false, true},
            row("minute", calendar<minute>),
            row("hour", calendar<hour>),
            row("day_of_month", calendar<day_of_month>),
            row("day_of_week", calendar<day_of_week>),
            row("day_of_year", calendar<day_of_year>),
            row("days_in_month", calendar<days_in_month>),
            row("month", calendar<month>),
            row("year", calendar<year>)};
}

}  // namespace noroshi::promql
