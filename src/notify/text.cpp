// src/notify/text.cpp - cleaning and cutting of UTF-8 text.
#include "text.hpp"

#include "base/utf8.hpp"

namespace noroshi::notify {
namespace {

constexpr std::string_view ellipsis = "…";

/// U+200E, U+200F, U+202A..U+202E, U+2066..U+2069, U+061C and the byte order mark; C1 controls are U+0080..U+009F.
bool is_hidden(std::string_view c) {
    if (c.size() == 2) {
        const bool c1 = c[0] == '\xc2' && static_cast<unsigned char>(c[1]) < 0xa0;
        return c1 || c == "\xd8\x9c";
    }
    if (c.size() != 3 || c[0] != '\xe2') {
        return c == "\xef\xbb\xbf";
    }
    const auto last = static_cast<unsigned char>(c[2]);
    return (c[1] == '\x80' && (last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae))) ||
           (c[1] == '\x81' && last >= 0xa6 && last <= 0xa9);
}

}  // namespace

std::string cleaned(std::string_view text, bool lines) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const Utf8Character next = utf8_at(text, i);
        const std::string_view character = text.substr(i, next.length);
        i += next.length;
        if (!next.valid) {
            out += '?';
            continue;
        }
        if (first == '\n' && lines) {
            out += '\n';
        } else if (first < 0x20 || first == 0x7f) {
            out += ' ';
        } else if (!is_hidden(character)) {
            out += character;
        }
    }
    return out;
}

std::string shortened(std::string text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) {
        return text;
    }
    std::size_t end = max_bytes - ellipsis.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    return text.substr(0, end) + std::string(ellipsis);
}

}  // namespace noroshi::notify
