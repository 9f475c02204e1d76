// src/model/regex.hpp - regular expressions as Prometheus reads them; private to this folder.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace re2 {
class RE2;
}

namespace noroshi::model {

/// RE2, anchored at both ends, '.' matches newline, groups also in the form (?<name>..). Errors: parse (with RE2's reason).
[[nodiscard]] Result<std::shared_ptr<const re2::RE2>> anchored_regex(std::string_view pattern);

}  // namespace noroshi::model
