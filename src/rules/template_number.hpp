// src/rules/template_number.hpp - number and character constants of templates, as Go reads them.
#pragma once

#include <optional>

#include "template_tree.hpp"

namespace noroshi::rules {

/// An integer with its sign; 0x, 0o, 0b and old octals; underscores between digits. Nothing: it is none, or does not fit.
[[nodiscard]] std::optional<std::int64_t> go_integer(std::string_view text);

/// Sets `literal`, `whole`, `is_whole` and `overflows`. Errors: parse, unsupported (complex numbers).
[[nodiscard]] Result<void> read_template_number(const Token& token, TemplateOperand& out);

}  // namespace noroshi::rules
