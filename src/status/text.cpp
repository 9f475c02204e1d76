// src/status/text.cpp - code points, white space, names.
#include "text.hpp"

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace noroshi::status {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80; }

/// Takes the first code point off a valid, not empty text.
char32_t take_code_point(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t out = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        out = out << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    text.remove_prefix(length);
    return out;
}

bool is_white(char32_t c) {
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool disturbs_a_line(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::size_t count_code_points(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

std::string_view trim(std::string_view text) {
    std::size_t begin = text.size();
    std::size_t end = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t at = text.size() - rest.size();
        if (!is_white(take_code_point(rest))) {
            begin = std::min(begin, at);
            end = text.size() - rest.size();
        }
    }
    return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

std::string shown_name(std::string_view bytes) {
    if (bytes.size() > 4096 || !is_utf8(bytes)) {
        return "";
    }
    const std::string_view name = trim(bytes);
    if (count_code_points(name) > max_name_length) {
        return "";
    }
    for (std::string_view rest = name; !rest.empty();) {
        if (disturbs_a_line(take_code_point(rest))) {
            return "";
        }
    }
    return std::string(name);
}

}  // namespace noroshi::status
