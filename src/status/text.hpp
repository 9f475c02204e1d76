// src/status/text.hpp - what the rules of Status ask of a text: its length, its blanks, names fit to be shown.
#pragma once

#include <string>
#include <string_view>

/// Thread: any; pure functions. Texts are valid UTF-8 unless said otherwise.
namespace noroshi::status {

/// Longest display name, in code points.
inline constexpr std::size_t max_name_length = 24;

[[nodiscard]] std::size_t count_code_points(std::string_view text);
/// Without white space (Unicode's) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);
/// The name a stranger gives itself, trimmed; "" when it is no UTF-8, too long, or holds what would disturb a line
/// (controls, changes of direction). Newer apps allow letters of all scripts, so only this is asked.
[[nodiscard]] std::string shown_name(std::string_view bytes);

}  // namespace noroshi::status
