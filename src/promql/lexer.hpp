// src/promql/lexer.hpp - text to tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace noroshi::promql {

enum class TokenKind { end, identifier, number, duration, string, punctuation };

/// `text` is the token as written, but for a string, where it is the unescaped value.
struct Token {
    TokenKind kind{TokenKind::end};
    std::string text;
    std::size_t offset{0};
    [[nodiscard]] bool is(std::string_view punctuation) const {
        return kind == TokenKind::punctuation && text == punctuation;
    }
};

/// Whole text to tokens; the last is `end`. Comments and spaces are dropped. Inside square brackets ':' is a token of
/// its own, outside it belongs to names. `wide_names`: names may have letters of all scripts, and dots behind their
/// first character. Errors: parse.
[[nodiscard]] Result<std::vector<Token>> tokenize(std::string_view text, bool wide_names = false);

/// A parse error at a byte of the text, with line and column.
[[nodiscard]] tl::unexpected<Error> parse_fault(std::string_view text, std::size_t offset, std::string message);

}  // namespace noroshi::promql
