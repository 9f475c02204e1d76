// src/rules/template_printer.hpp - values of templates by the verbs of Go's fmt, written into one text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "template_value.hpp"

namespace noroshi::rules {

/// What stands between % and the verb.
struct TemplateFlags {
    bool plus{false};
    bool minus{false};
    bool sharp{false};
    bool space{false};
    bool zero{false};
    bool go_syntax{false};    ///< %#v
    bool field_names{false};  ///< %+v
    std::optional<int> width{};
    std::optional<int> precision{};
};

/// Verbs written into one text, which ends early when it becomes too long.
class TemplatePrinter {
  public:
    std::string out;
    TemplateFlags flags;
    bool follow{false};  ///< pointers are followed before they are printed

    [[nodiscard]] bool full() const { return out.size() > longest_template_text; }
    /// As an argument of Printf.
    void argument(const TemplateValue& value, char32_t verb);

  private:
    void pad(std::string_view text) { pad_as(text, flags.zero); }
    void pad_as(std::string_view text, bool zeros);
    void bad_verb(const TemplateValue& value, char32_t verb);
    void print(const TemplateValue& value, char32_t verb, int depth);
    void composite(const TemplateValue& value, char32_t verb, int depth);
    template <class Entries>
    void map(const TemplateValue& value, const Entries& entries, char32_t verb, int depth);
    void fields(const TemplateValue& value, const std::vector<std::pair<std::string_view, TemplateValue>>& all, char32_t verb, int depth);
    void element(const TemplateValue& value, char32_t verb, int depth);
    void text(const TemplateValue& value, std::string text, char32_t verb);
    void hex_bytes(std::string_view text, bool upper);
    void integer(const TemplateValue& value, char32_t verb);
    /// With leading zeros as precision, or a width of zeros, asks for them.
    void digits(std::string text, std::string_view prefix, bool negative);
    void real(const TemplateValue& value, double number, char32_t verb);
    [[nodiscard]] std::string magnitude(double number, char32_t verb) const;
    /// Go's exponent has two digits at least.
    [[nodiscard]] std::string hexadecimal(double number) const;

    bool methods_{true};  ///< whether a type's own text counts: not inside a message of a bad verb
};

}  // namespace noroshi::rules
