// src/rules/template_tree.hpp - the tree of a parsed template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "template.hpp"

namespace noroshi::rules {

struct TemplatePipeline;

/// One operand: a literal, a variable or the dot with a chain of fields, a function's name, or a pipeline in parentheses.
struct TemplateOperand {
    enum class Kind { literal, variable, dot, function, pipeline };
    Kind kind{Kind::dot};
    TemplateValue literal;
    std::string name;                 ///< of a variable (with $) or a function
    std::vector<std::string> fields;  ///< .a.b behind it
    std::shared_ptr<const TemplatePipeline> pipeline;
};

/// `function argument argument` or one operand.
using TemplateCommand = std::vector<TemplateOperand>;

/// `$x := a | b c`. The value of a command is the last argument of the next.
struct TemplatePipeline {
    std::vector<std::string> variables;  ///< assigned, with $
    bool declares{false};                ///< := and not =
    std::vector<TemplateCommand> commands;
};

struct TemplateNode {
    enum class Kind { text, action, if_, range, with, break_, continue_ };
    Kind kind{Kind::text};
    std::string text;
    TemplatePipeline pipeline;
    std::vector<TemplateNode> body;
    std::vector<TemplateNode> otherwise;
};

/// Parses text and actions with trimming. Errors: parse.
[[nodiscard]] Result<std::vector<TemplateNode>> parse_template(std::string_view text);

/// Whether a function of that name exists.
[[nodiscard]] bool is_template_function(std::string_view name);
/// Calls one. Errors: invalid_argument, in Go's manner.
[[nodiscard]] Result<TemplateValue> call_template_function(const std::string& name, std::vector<TemplateValue> arguments,
                                                           const TemplateData& data);

/// Go's truth: not zero, not empty.
[[nodiscard]] bool is_true(const TemplateValue& value);
/// Go's %v.
[[nodiscard]] std::string to_text(const TemplateValue& value);
/// The number in a value, also in a text or a sample. Errors: invalid_argument.
[[nodiscard]] Result<double> to_number(const TemplateValue& value);
/// Go's Sprintf for the verbs v s d f e g q x t %.
[[nodiscard]] std::string format_printf(std::string_view format, const std::vector<TemplateValue>& arguments);
/// Go's "%v" of a float64: exponent form from 1e21 on, or below 1e-4; two exponent digits.
[[nodiscard]] std::string go_float(double value);

[[nodiscard]] std::string humanize(double value);
[[nodiscard]] std::string humanize1024(double value);
[[nodiscard]] std::string humanize_duration(double seconds);
[[nodiscard]] std::string humanize_percentage(double ratio);
[[nodiscard]] std::string humanize_timestamp(double seconds);

}  // namespace noroshi::rules
