// src/rules/template_lex.cpp - the tokens of a template: texts, delimiters with their trimming, what is inside actions.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

constexpr std::string_view left_delim = "{{";
constexpr std::string_view right_delim = "}}";
constexpr std::string_view spaces = " \t\r\n";
constexpr std::array<std::string_view, 10> keywords{"block", "break", "continue", "define", "else",
                                                    "end",   "if",    "range",    "template", "with"};

bool is_space(char c) { return spaces.find(c) != std::string_view::npos; }
bool is_alphanumeric(char32_t code) { return code == '_' || is_letter(code) || is_digit_character(code); }

class Lexer {
  public:
    explicit Lexer(std::string_view source) : source_(source) {}

    std::vector<Token> run() {
        while (!done_) {
            if (inside_) {
                inside_action();
            } else {
                text();
            }
        }
        return std::move(tokens_);
    }

  private:
    [[nodiscard]] bool at_end() const { return at_ >= source_.size(); }
    [[nodiscard]] std::string_view rest(std::size_t ahead = 0) const { return source_.substr(std::min(at_ + ahead, source_.size())); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
    [[nodiscard]] Utf8Character character() const { return at_end() ? Utf8Character{0, 0, false} : utf8_at(source_, at_); }

    void emit(TokenKind kind) {
        tokens_.push_back({kind, static_cast<std::uint32_t>(start_), source_.substr(start_, at_ - start_)});
        start_ = at_;
        done_ = kind == TokenKind::end;
    }
    void fault(std::string message) {
        tokens_.push_back({TokenKind::error, static_cast<std::uint32_t>(start_), {}, std::move(message)});
        done_ = true;
    }
    void skip_to(std::size_t place) { start_ = at_ = place; }

    /// Text up to the next action; a trim marker behind the delimiter takes the spaces at its end.
    void text() {
        const std::size_t open = source_.find(left_delim, at_);
        if (open == std::string_view::npos) {
            at_ = source_.size();
            if (at_ > start_) {
                emit(TokenKind::text);
            }
            emit(TokenKind::end);
            return;
        }
        const bool trims = peek(open - at_ + 2) == '-' && open + 3 < source_.size() && is_space(source_[open + 3]);
        std::size_t last = open;
        while (trims && last > start_ && is_space(source_[last - 1])) {
            --last;
        }
        at_ = last;
        if (at_ > start_) {
            emit(TokenKind::text);
        }
        skip_to(open);
        const std::size_t marker = trims ? 2 : 0;
        if (rest(2 + marker).starts_with("/*")) {
            comment(open + 2 + marker);
            return;
        }
        at_ = open + 2;
        emit(TokenKind::left_delim);
        skip_to(at_ + marker);
        inside_ = true;
        parens_ = 0;
    }

    void comment(std::size_t from) {
        const std::size_t close = source_.find("*/", from + 2);
        if (close == std::string_view::npos) {
            fault("unclosed comment");
            return;
        }
        at_ = close + 2;
        const bool trims = at_trimming_delim();
        if (!trims && !rest().starts_with(right_delim)) {
            fault("comment ends before closing delimiter");
            return;
        }
        at_ += trims ? 4 : 2;
        leave(trims);
    }

    /// Behind a right delimiter.
    void leave(bool trims) {
        if (trims) {
            at_ = std::min(source_.find_first_not_of(spaces, at_), source_.size());
        }
        start_ = at_;
        inside_ = false;
    }

    [[nodiscard]] bool at_trimming_delim() const {
        return is_space(peek()) && !at_end() && peek(1) == '-' && rest(2).starts_with(right_delim);
    }

    void close(bool trims) {
        if (parens_ != 0) {
            fault("unclosed left paren");
            return;
        }
        skip_to(at_ + (trims ? 2 : 0));
        at_ += 2;
        emit(TokenKind::right_delim);
        leave(trims);
    }

    void inside_action() {
        const bool trims = at_trimming_delim();
        if (trims || rest().starts_with(right_delim)) {
            close(trims);
            return;
        }
        if (at_end()) {
            fault("unclosed action");
            return;
        }
        const Utf8Character next = character();
        const char c = next.length == 1 && next.valid ? peek() : '\0';
        if (is_space(c)) {
            space();
        } else if (c == '"' || c == '\'') {
            quoted(c);
        } else if (c == '`') {
            raw();
        } else if (c == '$') {
            ++at_;
            word(TokenKind::variable, TokenKind::variable);
        } else if (c == '.' && (peek(1) < '0' || peek(1) > '9')) {
            ++at_;
            word(TokenKind::field, TokenKind::dot);
        } else if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
            number();
        } else if (is_alphanumeric(next.code)) {
            identifier();
        } else {
            symbol(c, next.code);
        }
    }

    void symbol(char c, char32_t code) {
        ++at_;
        switch (c) {
            case '=':
                return emit(TokenKind::assign);
            case '|':
                return emit(TokenKind::pipe);
            case ':':
                if (peek() != '=') {
                    return fault("expected :=");
                }
                ++at_;
                return emit(TokenKind::declare);
            case '(':
                ++parens_;
                return emit(TokenKind::left_paren);
            case ')':
                if (--parens_ < 0) {
                    return fault("unexpected right paren");
                }
                return emit(TokenKind::right_paren);
            default:
                break;
        }
        if (c > ' ' && c < 0x7f) {
            return emit(TokenKind::character);
        }
        fault(fmt::format("unrecognized character in action: U+{:04X}", static_cast<std::uint32_t>(code)));
    }

    /// A run of spaces; the last may belong to a trimming delimiter.
    void space() {
        while (is_space(peek()) && !at_end() && !at_trimming_delim()) {
            ++at_;
        }
        emit(TokenKind::space);
    }

    [[nodiscard]] bool at_terminator() const {
        return at_end() || is_space(peek()) || std::string_view(".,|:)(").find(peek()) != std::string_view::npos ||
               rest().starts_with(right_delim);
    }

    void take_alphanumerics() {
        for (Utf8Character next = character(); next.length > 0 && is_alphanumeric(next.code); next = character()) {
            at_ += next.length;
        }
    }

    bool ends_well() {
        if (at_terminator()) {
            return true;
        }
        const auto code = static_cast<std::uint32_t>(character().code);
        std::string shown = fmt::format("bad character U+{:04X}", code);
        if (is_printable(code)) {
            shown += " '";
            append_utf8(shown, code);
            shown += "'";
        }
        fault(std::move(shown));
        return false;
    }

    /// Behind "." or "$": `alone` when nothing follows.
    void word(TokenKind kind, TokenKind alone) {
        if (at_terminator()) {
            emit(alone);
            return;
        }
        take_alphanumerics();
        if (ends_well()) {
            emit(kind);
        }
    }

    void identifier() {
        take_alphanumerics();
        if (!ends_well()) {
            return;
        }
        const std::string_view text = source_.substr(start_, at_ - start_);
        emit(text == "nil"                                              ? TokenKind::nil
             : text == "true" || text == "false"                        ? TokenKind::boolean
             : std::ranges::find(keywords, text) != keywords.end()      ? TokenKind::keyword
                                                                        : TokenKind::identifier);
    }

    void quoted(char quote) {
        for (++at_; !at_end() && peek() != '\n'; ++at_) {
            if (peek() == quote) {
                ++at_;
                emit(quote == '"' ? TokenKind::string : TokenKind::character_constant);
                return;
            }
            if (peek() == '\\' && peek(1) != '\n') {
                ++at_;
            }
        }
        fault(quote == '"' ? "unterminated quoted string" : "unterminated character constant");
    }

    void raw() {
        const std::size_t close = source_.find('`', at_ + 1);
        if (close == std::string_view::npos) {
            fault("unterminated raw quoted string");
            return;
        }
        at_ = close + 1;
        emit(TokenKind::raw_string);
    }

    bool accept(std::string_view set) {
        const bool found = !at_end() && set.find(peek()) != std::string_view::npos;
        at_ += found ? 1 : 0;
        return found;
    }
    void accept_run(std::string_view set) { at_ = std::min(source_.find_first_not_of(set, at_), source_.size()); }

    /// What may be a number: the parser says whether it is one.
    bool scan_number() {
        accept("+-");
        std::string_view digits = "0123456789_";
        bool decimal = true;
        bool hex = false;
        if (accept("0")) {
            hex = accept("xX");
            const bool octal = !hex && accept("oO");
            const bool binary = !hex && !octal && accept("bB");
            decimal = !hex && !octal && !binary;
            digits = hex ? "0123456789abcdefABCDEF_" : octal ? "01234567_" : binary ? "01_" : digits;
        }
        accept_run(digits);
        if (accept(".")) {
            accept_run(digits);
        }
        if ((decimal && accept("eE")) || (hex && accept("pP"))) {
            accept("+-");
            accept_run("0123456789_");
        }
        accept("i");
        const Utf8Character next = character();
        if (next.length > 0 && is_alphanumeric(next.code)) {
            at_ += next.length;
            return false;
        }
        return true;
    }

    void number() {
        const auto bad = [this] { fault("bad number syntax: " + go_quote(source_.substr(start_, at_ - start_))); };
        if (!scan_number()) {
            return bad();
        }
        if (peek() != '+' && peek() != '-') {
            return emit(TokenKind::number);
        }
        if (!scan_number() || source_[at_ - 1] != 'i') {
            return bad();
        }
        emit(TokenKind::complex);
    }

    std::string_view source_;
    std::vector<Token> tokens_;
    std::size_t start_{0};
    std::size_t at_{0};
    int parens_{0};
    bool inside_{false};
    bool done_{false};
};

}  // namespace

std::vector<Token> template_tokens(std::string_view source) { return Lexer(source).run(); }

}  // namespace noroshi::rules
