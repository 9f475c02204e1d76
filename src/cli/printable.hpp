// src/cli/printable.hpp - texts of others on this terminal: escape sequences must not reach it.
#pragma once

#include <string>
#include <string_view>

namespace noroshi::cli {

/// Control characters but line ends and tabs become '?'.
[[nodiscard]] std::string printable(std::string_view text);
/// One line: control characters, also those that turn the direction of text, are written as \n, \t, \x1b, \u202e.
/// Bytes that are not UTF-8 are written as \xff.
[[nodiscard]] std::string escaped_line(std::string_view text);

}  // namespace noroshi::cli
