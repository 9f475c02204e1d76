// src/rules/template_functions.hpp - what templates call: Go's builtins, Prometheus's functions, methods of times.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "template_value.hpp"

namespace noroshi::rules {

/// The type of a parameter, by which Go takes or refuses an argument.
enum class TemplateType : std::uint8_t { any, value, text, samples, sample, integer, time, duration };
[[nodiscard]] std::string_view type_name(TemplateType type);

using TemplateArguments = std::vector<TemplateValue>;

/// A function or method; a method's receiver is its first argument and no parameter.
struct TemplateFunction {
    std::string_view name;
    std::vector<TemplateType> parameters;
    std::optional<TemplateType> rest;  ///< of any number of arguments behind the parameters
    std::size_t steps;                 ///< what a call costs
    /// Errors: invalid_argument in Go's words.
    Result<TemplateValue> (*run)(TemplateArguments& arguments, const TemplateData& data);
};

/// Null: there is none.
[[nodiscard]] const TemplateFunction* find_template_function(std::string_view name);
[[nodiscard]] const TemplateFunction* find_template_method(const TemplateValue& receiver, std::string_view name);

/// Go's own functions, in order of nothing. `and`, `or` and `call` are rows for their parameters: the evaluator runs them.
[[nodiscard]] std::vector<TemplateFunction> template_builtins();

/// Errors: invalid_argument, in Go's manner: what is no number.
[[nodiscard]] Result<double> to_number(const TemplateValue& value);
[[nodiscard]] std::string query_escaped(std::string_view text);

[[nodiscard]] std::string humanize(double value);
[[nodiscard]] std::string humanize1024(double value);
[[nodiscard]] std::string humanize_duration(double seconds);
[[nodiscard]] std::string humanize_percentage(double ratio);
/// The time of `seconds` since 1970, to the millisecond. Errors: invalid_argument (NaN, infinite, beyond 292 years).
[[nodiscard]] Result<TemplateTime> time_of(double seconds);

}  // namespace noroshi::rules
