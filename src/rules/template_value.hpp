// src/rules/template_value.hpp - values inside a template, with the types that Go would give them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "template.hpp"

namespace noroshi::rules {

/// No text of a template, on the way or at the end, is longer (bytes).
inline constexpr std::size_t longest_template_text = 64u << 10;

struct TemplateValue;

struct TemplateWhole {
    enum class Type : std::uint8_t { int_, int64, int32, uint8, month, weekday };
    std::int64_t number{0};
    Type type{Type::int_};
};

struct TemplateText {
    std::string text;
    bool html{false};  ///< what safeHtml gives: a type of its own, which functions of texts refuse
};

/// One element of `query`.
struct TemplateSample {
    model::Labels labels;
    double value{0};
    std::shared_ptr<const model::Histogram> histogram{};
};
using TemplateSamples = std::vector<std::shared_ptr<const TemplateSample>>;

/// What `args` gives.
struct TemplateArgs {
    std::map<std::string, TemplateValue> values;
    std::size_t depth{1};  ///< of maps inside maps
};

/// UTC. toTime gives a pointer, methods give plain ones: functions tell them apart.
struct TemplateTime {
    std::int64_t nanoseconds{0};
    bool pointer{false};
    bool operator==(const TemplateTime&) const = default;
};
struct TemplateDuration {
    std::int64_t nanoseconds{0};
    bool pointer{false};
    bool operator==(const TemplateDuration&) const = default;
};

/// A value: nothing, or one of Go's types that occur. What is shared is immutable.
struct TemplateValue {
    using Kind = std::variant<std::monostate, bool, TemplateWhole, double, TemplateText, std::shared_ptr<const model::Labels>,
                              std::shared_ptr<const TemplateArgs>, std::shared_ptr<const TemplateSample>,
                              std::shared_ptr<const TemplateSamples>, TemplateTime, TemplateDuration,
                              std::shared_ptr<const model::Histogram>, const TemplateData*>;
    Kind kind;

    [[nodiscard]] bool empty() const { return std::holds_alternative<std::monostate>(kind); }
    template <class T>
    [[nodiscard]] const T* get() const {
        return std::get_if<T>(&kind);
    }
    template <class T>
    [[nodiscard]] std::shared_ptr<const T> shared() const {
        const auto* held = std::get_if<std::shared_ptr<const T>>(&kind);
        return held != nullptr ? *held : nullptr;
    }
};

[[nodiscard]] TemplateValue text_value(std::string text);
[[nodiscard]] TemplateValue whole_value(std::int64_t number, TemplateWhole::Type type = TemplateWhole::Type::int_);
/// The number of a sample, or its histogram.
[[nodiscard]] TemplateValue sample_value(double value, const std::shared_ptr<const model::Histogram>& histogram);

/// As Go names the type: "map[string]string". "<nil>" for nothing.
[[nodiscard]] std::string type_name(const TemplateValue& value);
/// The type that a pointer points to; the type itself when it is none.
[[nodiscard]] std::string pointed_type_name(const TemplateValue& value);
/// Go's truth: not zero, not empty; a struct or pointer always.
[[nodiscard]] bool is_true(const TemplateValue& value);
/// What a comparison goes by; `other` is what can only be compared with nil or itself.
enum class TemplateKind : std::uint8_t { other, boolean, whole, unsigned_whole, real, text };
[[nodiscard]] TemplateKind kind_of(const TemplateValue& value);
/// The integer in a value of kind whole or unsigned_whole.
[[nodiscard]] std::int64_t integer_of(const TemplateValue& value);

/// A field of a struct or an entry of a map. A missing entry is the zero of its type. Errors: invalid_argument with an
/// empty message: there is no such field.
[[nodiscard]] Result<TemplateValue> field_of(const TemplateValue& value, std::string_view name);

/// As {{ value }} prints it.
[[nodiscard]] std::string to_text(const TemplateValue& value);
/// Go's Sprint, Sprintln, Sprintf. Longer than `longest_template_text` they end early: the caller refuses them.
[[nodiscard]] std::string print_values(const std::vector<TemplateValue>& values);
[[nodiscard]] std::string print_line(const std::vector<TemplateValue>& values);
[[nodiscard]] std::string format_printf(std::string_view format, const std::vector<TemplateValue>& arguments);
/// Go's Sprint with pointers followed, for html, js and urlquery.
[[nodiscard]] std::string print_followed(const std::vector<TemplateValue>& values);

/// Go's Quote.
[[nodiscard]] std::string go_quote(std::string_view text);
/// Go's Unquote of a literal in double quotes or backquotes. Errors: parse ("invalid syntax").
[[nodiscard]] Result<std::string> go_unquote(std::string_view literal);
/// The character of a literal like 'a' or '\n'. Errors: parse.
[[nodiscard]] Result<char32_t> go_unquote_character(std::string_view literal);

[[nodiscard]] std::string time_text(std::int64_t nanoseconds);
[[nodiscard]] std::string format_time(std::int64_t nanoseconds, std::string_view layout);
[[nodiscard]] std::string duration_text(std::int64_t nanoseconds);
[[nodiscard]] std::string_view month_name(std::int64_t month);
[[nodiscard]] std::string_view weekday_name(std::int64_t weekday);

}  // namespace noroshi::rules
