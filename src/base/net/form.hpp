// src/base/net/form.hpp - parameters of a query or of a form's body (application/x-www-form-urlencoded).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace noroshi::net {

/// Names and values in their order; a name may come more than once.
using Form = std::vector<std::pair<std::string, std::string>>;

/// %XX read back; with `plus` a '+' is a space, as in forms. Errors: parse (a broken escape, named).
[[nodiscard]] Result<std::string> percent_decoded(std::string_view text, bool plus);
/// "a=1&b=x%20y" as names and values. Errors: parse.
[[nodiscard]] Result<Form> parse_form(std::string_view text);
/// The opposite, for a request.
[[nodiscard]] std::string form_text(const Form& form);

}  // namespace noroshi::net
