// src/promql/lexer.cpp - tokens: names, numbers, durations, strings with Go's escapes, punctuation.
#include "lexer.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace noroshi::promql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_unit(char c) { return std::string_view("smhdwy").find(c) != std::string_view::npos; }

void append_utf8(std::string& out, char32_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | (c >> 6));
        out += static_cast<char>(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | (c >> 12));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | (c >> 18));
        out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
        out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
    }
}

class Lexer {
  public:
    Lexer(std::string_view text, bool wide_names) : text_(text), wide_names_(wide_names) {}

    Result<std::vector<Token>> run() {
        std::vector<Token> tokens;
        while (true) {
            skip_blanks();
            if (at_ == text_.size()) {
                tokens.push_back({TokenKind::end, "", at_});
                return tokens;
            }
            NOROSHI_TRY(Token token, next());
            tokens.push_back(std::move(token));
        }
    }

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    void skip_blanks() {
        while (at_ < text_.size()) {
            if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
                ++at_;
            } else if (text_[at_] == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else {
                return;
            }
        }
    }

    Result<Token> next() {
        const char c = peek();
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            return number();
        }
        if (const std::size_t length = wide_names_ ? wide_name() : name(); length > 0) {
            at_ += length;
            return take(TokenKind::identifier, at_ - length);
        }
        if (c == '"' || c == '\'' || c == '`') {
            return string();
        }
        return punctuation();
    }

    Token take(TokenKind kind, std::size_t from) {
        return {kind, std::string(text_.substr(from, at_ - from)), from};
    }

    /// The length of the name that begins here, or 0.
    [[nodiscard]] std::size_t name() const {
        const auto belongs = [this](char c) { return is_letter(c) || (c == ':' && brackets_ == 0); };
        std::size_t length = 0;
        while (belongs(peek(length)) || (length > 0 && is_digit(peek(length)))) {
            ++length;
        }
        return length;
    }
    [[nodiscard]] std::size_t wide_name() const {
        static const re2::RE2 outside(R"([\p{L}_:][\p{L}_:0-9.]*)");
        static const re2::RE2 inside_brackets(R"([\p{L}_][\p{L}_0-9.]*)");
        re2::StringPiece rest(text_.data() + at_, text_.size() - at_);
        return re2::RE2::Consume(&rest, brackets_ == 0 ? outside : inside_brackets) ? text_.size() - at_ - rest.size() : 0;
    }

    Result<Token> number() {
        const std::size_t from = at_;
        if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
            at_ += 2;
            while (is_hex(peek()) || peek() == '_') {
                ++at_;
            }
            return take(TokenKind::number, from);
        }
        while (is_digit(peek()) || peek() == '_') {
            ++at_;
        }
        if (is_unit(peek())) {
            return duration(from);
        }
        if (peek() == '.') {
            ++at_;
            while (is_digit(peek()) || peek() == '_') {
                ++at_;
            }
        }
        if (peek() == 'e' || peek() == 'E') {
            const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if (is_digit(peek(1 + sign))) {
                at_ += 1 + sign;
                while (is_digit(peek())) {
                    ++at_;
                }
            }
        }
        if (is_letter(peek())) {
            return parse_fault(text_, from, "bad number or duration syntax: \"" +
                                                std::string(text_.substr(from, at_ + 1 - from)) + "\"");
        }
        return take(TokenKind::number, from);
    }

    Result<Token> duration(std::size_t from) {
        while (is_digit(peek()) || is_unit(peek())) {
            ++at_;
        }
        if (is_letter(peek()) || peek() == '.') {
            return parse_fault(text_, from, "bad number or duration syntax: \"" +
                                                std::string(text_.substr(from, at_ + 1 - from)) + "\"");
        }
        return take(TokenKind::duration, from);
    }

    Result<Token> string() {
        const std::size_t from = at_;
        const char quote = text_[at_++];
        Token token{TokenKind::string, "", from};
        while (true) {
            if (at_ == text_.size() || (quote != '`' && text_[at_] == '\n')) {
                return parse_fault(text_, from, "unterminated quoted string");
            }
            const char c = text_[at_++];
            if (c == quote) {
                return token;
            }
            if (c != '\\' || quote == '`') {
                token.text += c;
                continue;
            }
            NOROSHI_TRY_VOID(escape(token.text, quote));
        }
    }

    Result<void> escape(std::string& out, char quote) {
        constexpr std::string_view simple = "abfnrtv\\";
        constexpr std::string_view meaning = "\a\b\f\n\r\t\v\\";
        const std::size_t from = at_ - 1;
        const char c = peek();
        ++at_;
        const std::size_t known = simple.find(c);
        if (c != '\0' && known != std::string_view::npos) {
            out += meaning[known];
            return {};
        }
        if (c == quote) {
            out += c;
            return {};
        }
        std::size_t digits = 0;
        int base = 16;
        if (c >= '0' && c <= '7') {
            --at_;
            digits = 3;
            base = 8;
        } else if (c == 'x' || c == 'u' || c == 'U') {
            digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        } else {
            return parse_fault(text_, from, "unknown escape sequence");
        }
        return code(out, digits, base, c == 'u' || c == 'U', from);
    }

    Result<void> code(std::string& out, std::size_t digits, int base, bool unicode, std::size_t from) {
        char32_t value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const char c = peek();
            const bool fits = base == 8 ? c >= '0' && c <= '7' : is_hex(c);
            if (!fits) {
                return parse_fault(text_, from, "illegal character in escape sequence");
            }
            const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
            value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
            ++at_;
        }
        const bool surrogate = value >= 0xd800 && value < 0xe000;
        if (unicode ? (value > 0x10ffff || surrogate) : value > 255) {
            return parse_fault(text_, from, "escape sequence is an invalid code point");
        }
        if (unicode) {
            append_utf8(out, value);
        } else {
            out += static_cast<char>(value);
        }
        return {};
    }

    Result<Token> punctuation() {
        for (const std::string_view two : {"==", "!=", "<=", ">=", "=~", "!~", "</", ">/"}) {
            if (text_.substr(at_).starts_with(two)) {
                at_ += 2;
                return take(TokenKind::punctuation, at_ - 2);
            }
        }
        const char c = peek();
        const bool behind_name = at_ > 0 && (is_letter(text_[at_ - 1]) || is_digit(text_[at_ - 1]));
        if ((c == '.' && behind_name) || static_cast<unsigned char>(c) >= 0x80) {
            return parse_fault(text_, at_, R"(a name with other characters is written in quotes: {"a.b"})");
        }
        if (std::string_view("+-*/%^<>=(){}[],:@").find(c) == std::string_view::npos) {
            return parse_fault(text_, at_, fmt::format("unexpected character: {}", quoted(c)));
        }
        brackets_ += c == '[' ? 1 : c == ']' && brackets_ > 0 ? -1 : 0;
        ++at_;
        return take(TokenKind::punctuation, at_ - 1);
    }

    static std::string quoted(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f ? fmt::format("'{}'", c) : fmt::format("'\\x{:02x}'", byte);
    }

    std::string_view text_;
    bool wide_names_;
    std::size_t at_{0};
    int brackets_{0};
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text, bool wide_names) { return Lexer(text, wide_names).run(); }

tl::unexpected<Error> parse_fault(std::string_view text, std::size_t offset, std::string message) {
    const std::string_view before = text.substr(0, offset);
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    Error error{Errc::parse, "parse error: " + std::move(message), {}, false};
    error.where = {"", lines + 1, static_cast<std::uint32_t>(offset - line_start) + 1};
    return fail(std::move(error));
}

}  // namespace noroshi::promql
