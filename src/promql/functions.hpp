// src/promql/functions.hpp - the table of functions: name, argument types, what it does.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "exact_sum.hpp"
#include "promql/promql.hpp"
#include "table.hpp"
#include "tree.hpp"

namespace noroshi::promql {

/// What a function over a range sees of one series.
struct Window {
    std::span<const model::Sample> samples;  ///< in order of time, without stale markers
    std::span<const model::HistogramSample> histograms;  ///< likewise; a mixed function has one of either, others none
    TimestampMs start;                       ///< left end of the range, exclusive
    TimestampMs end;                         ///< right end, inclusive
    double range;                            ///< seconds
    TimestampMs at;                          ///< evaluation time
    double parameter;                        ///< the first scalar argument, or 0
    double second;                           ///< the second, or 0
    /// With `anchored` and `smoothed` the samples reach from `lookback_start`, exclusive, over the borders of the range.
    Extension extension{Extension::none};
    TimestampMs lookback_start{};
    std::span<const TimestampMs> starts{};            ///< since when each of `samples` counts; empty: nobody knows
    std::span<const TimestampMs> histogram_starts{};  ///< likewise of `histograms`
};

/// Subtracted before it is made a double: seconds since 1970 have no digits left below a tenth of a microsecond.
[[nodiscard]] inline double seconds_between(TimestampMs from, TimestampMs to) {
    return static_cast<double>((to - from).count()) / 1000.0;
}

class Evaluation;
struct Ranges;

/// What any other function sees: its arguments at all steps.
struct CallContext {
    Evaluation& evaluation;
    const Node& node;  ///< the call
    const Steps& steps;
    std::span<const NodePtr> nodes;  ///< the arguments as written
    std::vector<StepValue> values;   ///< the arguments evaluated; may be moved from
    std::shared_ptr<Ranges> ranges;  ///< the argument that is a range vector
};

using ElementFunction = double (*)(double value, double first, double second);
/// At least one sample is there.
using RangeFunction = std::optional<double> (*)(const Window& window);
/// A number, a histogram, or nothing.
struct WindowAnswer {
    std::optional<double> value{};
    HistogramPtr histogram{};
};
/// Where a function over windows tells of what it saw.
struct WindowNotes {
    Evaluation& evaluation;
    const Node& argument;
    std::string_view name;  ///< of the metric
};
using MixedFunction = WindowAnswer (*)(const Window& window, const WindowNotes& notes);
using FreeFunction = Result<StepValue> (*)(CallContext& context);
/// Looks at the scalar arguments of a range function, at all steps, once there is a window with numbers: `nodes` has all arguments, `scalars` the scalar ones.
using ParameterCheck = Result<void> (*)(Evaluation& evaluation, std::span<const NodePtr> nodes,
                                        std::span<const Scalars> scalars);

/// One row. An element function maps each number of its vector; a range function gives one value a series, or none, and
/// looks at numbers alone; a mixed one looks at histograms too.
struct Function {
    std::string_view name;
    std::vector<ValueType> arguments;
    int optional_arguments{0};  ///< how many at the end may be left out; -1: the last may be repeated, or left out
    ValueType returns{ValueType::vector};
    std::variant<ElementFunction, RangeFunction, MixedFunction, FreeFunction> run;
    bool keeps_name{false};
    bool is_experimental{false};
    double default_parameter{0};  ///< the first scalar argument when it is left out
    ParameterCheck check{nullptr};
    bool takes_anchored{false};  ///< of a function over a range: its selector may be `anchored`
    bool takes_smoothed{false};
    bool takes_selector{false};  ///< the second argument is a selector of which the matchers alone are used
};

/// The row, or nullptr.
[[nodiscard]] const Function* find_function(std::string_view name);
/// All rows, by theme.
[[nodiscard]] const std::vector<Function>& functions();

// Rows by theme; `functions.cpp` joins them.
[[nodiscard]] std::vector<Function> element_functions();
[[nodiscard]] std::vector<Function> range_functions();
[[nodiscard]] std::vector<Function> mixed_functions();
[[nodiscard]] std::vector<Function> label_functions();
[[nodiscard]] std::vector<Function> time_functions();
[[nodiscard]] std::vector<Function> histogram_functions();
[[nodiscard]] std::vector<Function> info_functions();

/// Mean of values; switches to an incremental mean where the sum would overflow.
[[nodiscard]] double mean(std::span<const double> values);
/// Population variance (Welford).
[[nodiscard]] double variance(std::span<const double> values);
/// Linear interpolation at rank q * (n - 1); NaN sorts first. q outside [0, 1] gives an infinity. Sorts `values`.
[[nodiscard]] double quantile(double q, std::vector<double>& values);

/// Labels that an empty `absent(selector)` gives: those of equality matchers, each name used once.
[[nodiscard]] model::Labels absent_labels(const Node& node);
/// `__name__`, `__type__`, `__unit__`: they say what a series measures, and go when an operation changes that.
[[nodiscard]] bool is_metadata_label(std::string_view name);
[[nodiscard]] model::Labels without_metadata(const model::Labels& labels);
}  // namespace noroshi::promql
