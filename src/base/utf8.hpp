// src/base/utf8.hpp - characters of UTF-8 text: read, written, counted, in the other case.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace noroshi {

inline constexpr char32_t replacement_character = 0xfffd;

struct Utf8Character {
    char32_t code{replacement_character};
    std::size_t length{1};  ///< bytes
    bool valid{false};      ///< false: the byte begins no character; it reads as U+FFFD of one byte
};

/// Whether all of it is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);
/// The character that begins at `at`, which must be inside `text`.
[[nodiscard]] Utf8Character utf8_at(std::string_view text, std::size_t at);
/// U+FFFD for a surrogate or what is above U+10FFFF.
void append_utf8(std::string& out, char32_t code);
/// Characters, each byte that is none counted as one.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// One character for one, whatever the locale of the process; bytes that are no characters become U+FFFD.
[[nodiscard]] std::string to_upper_utf8(std::string_view text);
[[nodiscard]] std::string to_lower_utf8(std::string_view text);
[[nodiscard]] char32_t to_upper_character(char32_t code);

/// By the C library's tables.
[[nodiscard]] bool is_letter(char32_t code);
[[nodiscard]] bool is_digit_character(char32_t code);
/// Seen when printed; of spaces only the ASCII one.
[[nodiscard]] bool is_printable(char32_t code);

}  // namespace noroshi
