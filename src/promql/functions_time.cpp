// src/promql/functions_time.cpp - time and the calendar, always UTC.
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "functions.hpp"

namespace noroshi::promql {
namespace {

Result<Value> time(CallContext& context) { return Value(to_unix_seconds(context.at)); }
Result<Value> pi(CallContext&) { return Value(std::numbers::pi); }

/// Of an expression that is no selector every element has the evaluation time; selectors never get here.
Result<Value> timestamp(CallContext& context) {
    auto vector = std::get<Vector>(std::move(context.values[0]));
    for (VectorSample& element : vector) {
        element.labels = without_metadata(element.labels);
        element.value = to_unix_seconds(context.at);
    }
    return Value(std::move(vector));
}

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
Result<Value> calendar(CallContext& context) {
    if (context.values.empty()) {
        return Value(Vector{{model::Labels{}, at_seconds<F>(to_unix_seconds(context.at))}});
    }
    auto vector = std::get<Vector>(std::move(context.values[0]));
    for (VectorSample& element : vector) {
        element.labels = without_metadata(element.labels);
        element.value = at_seconds<F>(element.value);
    }
    return Value(std::move(vector));
}

Function row(std::string_view name, FreeFunction run) {
    return {name, {ValueType::vector}, 1, ValueType::vector, run, false};
}

}  // namespace

std::vector<Function> time_functions() {
    return {{"time", {}, 0, ValueType::scalar, time, false},
            {"pi", {}, 0, ValueType::scalar, pi, false},
            {"timestamp", {ValueType::vector}, 0, ValueType::vector, timestamp, false},
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
