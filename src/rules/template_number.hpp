// src/rules/template_number.hpp - number and character constants of templates, as Go reads them.
#pragma once

#include "template_tree.hpp"

namespace noroshi::rules {

/// Sets `literal`, `whole`, `is_whole` and `overflows`. Errors: parse, unsupported (complex numbers).
[[nodiscard]] Result<void> read_template_number(const Token& token, TemplateOperand& out);

}  // namespace noroshi::rules
