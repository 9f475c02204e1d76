// src/base/ascii.hpp - letters of ASCII in lower case; whatever else a text holds stays.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace noroshi {

[[nodiscard]] constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return ascii_lower(c); });
    return out;
}

}  // namespace noroshi
