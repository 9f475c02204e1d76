// src/base/utf8.cpp - characters of UTF-8 text: read, written, counted, in the other case.
#include "base/utf8.hpp"

#include <locale.h>
#include <wctype.h>

namespace noroshi {
namespace {

/// Of the C library's own locale: the process's may be any.
locale_t tables() {
    static const locale_t out = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return out;
}

template <wint_t (*Change)(wint_t, locale_t)>
std::string with_case(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Character next = utf8_at(text, at);
        append_utf8(out, Change(next.code, tables()));
        at += next.length;
    }
    return out;
}

}  // namespace

Utf8Character utf8_at(std::string_view text, std::size_t at) {
    const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    if (first < 0x80) {
        return {first, 1, true};
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || at + length > text.size()) {
        return {};
    }
    // The second byte's range shuts out overlong forms, surrogates and what is above U+10FFFF.
    const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte(at + 1) < low || byte(at + 1) > high) {
        return {};
    }
    char32_t code = first & (0xffU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
        if ((byte(at + k) & 0xc0) != 0x80) {
            return {};
        }
        code = code << 6 | (byte(at + k) & 0x3fU);
    }
    return {code, length, true};
}

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            ++at;
            continue;
        }
        const Utf8Character next = utf8_at(text, at);
        if (!next.valid) {
            return false;
        }
        at += next.length;
    }
    return true;
}

void append_utf8(std::string& out, char32_t code) {
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        code = replacement_character;
    }
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    const std::size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out += static_cast<char>(((0xff00U >> (more + 1)) & 0xffU) | code >> (6 * more));
    for (std::size_t i = more; i-- > 0;) {
        out += static_cast<char>(0x80U | (code >> (6 * i) & 0x3fU));
    }
}

std::size_t utf8_length(std::string_view text) {
    std::size_t out = 0;
    for (std::size_t at = 0; at < text.size(); ++out) {
        at += utf8_at(text, at).length;
    }
    return out;
}

std::string to_upper_utf8(std::string_view text) { return with_case<::towupper_l>(text); }
std::string to_lower_utf8(std::string_view text) { return with_case<::towlower_l>(text); }
char32_t to_upper_character(char32_t code) { return ::towupper_l(code, tables()); }

bool is_letter(char32_t code) { return ::iswalpha_l(code, tables()) != 0; }
bool is_digit_character(char32_t code) { return code >= '0' && code <= '9'; }
bool is_printable(char32_t code) {
    // Marks of direction and format, private use: the C library's tables call them printable.
    const bool hidden = code == 0xa0 || code == 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
                        (code >= 0x2060 && code <= 0x206f) || (code >= 0xe000 && code <= 0xf8ff) || code == 0xfeff ||
                        (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000;
    return code == ' ' || (!hidden && ::iswprint_l(code, tables()) != 0 && ::iswspace_l(code, tables()) == 0);
}

}  // namespace noroshi
