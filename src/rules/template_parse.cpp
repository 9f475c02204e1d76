// src/rules/template_parse.cpp - text with {{ actions }} to a tree.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/numbers.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

constexpr int deepest = 50;

struct Lexeme {
    enum class Kind { end, word, variable, field, dot, string, number, symbol };
    Kind kind{Kind::end};
    std::string text;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The tokens inside one action.
class ActionLexer {
  public:
    explicit ActionLexer(std::string_view text) : text_(text) {}

    Result<std::vector<Lexeme>> run() {
        std::vector<Lexeme> out;
        while (true) {
            bool space = false;
            while (at_ < text_.size() && is_space(text_[at_])) {
                ++at_;
                space = true;
            }
            if (at_ == text_.size()) {
                out.push_back({});
                return out;
            }
            NOROSHI_TRY(Lexeme next, one(space || out.empty()));
            out.push_back(std::move(next));
        }
    }

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    std::string word() {
        const std::size_t from = at_;
        while (is_word(peek())) {
            ++at_;
        }
        return std::string(text_.substr(from, at_ - from));
    }

    Result<Lexeme> one(bool after_space) {
        const char c = peek();
        if (c == '$') {
            ++at_;
            return Lexeme{Lexeme::Kind::variable, "$" + word()};
        }
        if (c == '.' && (is_word(peek(1)) && !is_digit(peek(1)))) {
            ++at_;
            // ".x" after a space is a field of the dot, directly behind something a field of that.
            return Lexeme{Lexeme::Kind::field, (after_space ? " " : "") + word()};
        }
        if (c == '.' && !is_digit(peek(1))) {
            ++at_;
            return Lexeme{Lexeme::Kind::dot, "."};
        }
        if (c == '"' || c == '`') {
            return string(c);
        }
        if (is_digit(c) || c == '.' || ((c == '-' || c == '+') && is_digit(peek(1)))) {
            const std::size_t from = at_++;
            while (is_word(peek()) || peek() == '.') {
                ++at_;
            }
            return Lexeme{Lexeme::Kind::number, std::string(text_.substr(from, at_ - from))};
        }
        if (is_word(c)) {
            return Lexeme{Lexeme::Kind::word, word()};
        }
        if (c == ':' && peek(1) == '=') {
            at_ += 2;
            return Lexeme{Lexeme::Kind::symbol, ":="};
        }
        if (std::string_view("()|=,").find(c) != std::string_view::npos) {
            ++at_;
            return Lexeme{Lexeme::Kind::symbol, std::string(1, c)};
        }
        return fail(Errc::parse, fmt::format("unexpected {} in action", model::quote(std::string_view(&c, 1))));
    }

    Result<Lexeme> string(char quote) {
        Lexeme out{Lexeme::Kind::string, ""};
        ++at_;
        while (at_ < text_.size() && text_[at_] != quote) {
            char c = text_[at_++];
            if (c == '\\' && quote == '"' && at_ < text_.size()) {
                const std::size_t known = std::string_view("ntr\\\"'").find(text_[at_]);
                if (known == std::string_view::npos) {
                    return fail(Errc::parse, "unknown escape in string of an action");
                }
                c = "\n\t\r\\\"'"[known];
                ++at_;
            }
            out.text += c;
        }
        if (at_ == text_.size()) {
            return fail(Errc::parse, "unterminated quoted string");
        }
        ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_{0};
};

/// A pipeline out of the tokens of an action.
class PipelineParser {
  public:
    /// Variables that the pipeline declares are added to `variables`; those it uses must be there.
    PipelineParser(std::vector<Lexeme> tokens, std::vector<std::string>& variables)
        : tokens_(std::move(tokens)), variables_(variables) {}

    Result<TemplatePipeline> whole() {
        NOROSHI_TRY(TemplatePipeline out, pipeline(0));
        if (peek().kind != Lexeme::Kind::end) {
            return unexpected();
        }
        return out;
    }

  private:
    [[nodiscard]] const Lexeme& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }
    Lexeme take() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
    [[nodiscard]] bool is_symbol(std::string_view text, std::size_t ahead = 0) const {
        return peek(ahead).kind == Lexeme::Kind::symbol && peek(ahead).text == text;
    }
    [[nodiscard]] tl::unexpected<Error> unexpected() const {
        return fail(Errc::parse, peek().kind == Lexeme::Kind::end
                                     ? std::string("missing value for command")
                                     : fmt::format("unexpected {} in operand", model::quote(peek().text)));
    }

    Result<TemplatePipeline> pipeline(int depth) {
        if (depth > deepest) {
            return fail(Errc::parse, "parentheses are nested too deep");
        }
        TemplatePipeline out;
        const bool two = peek().kind == Lexeme::Kind::variable && is_symbol(",", 1);
        const std::size_t sign = two ? 3 : 1;
        if (peek().kind == Lexeme::Kind::variable && (is_symbol(":=", sign) || is_symbol("=", sign))) {
            out.variables.push_back(take().text);
            if (two) {
                take();
                out.variables.push_back(take().text);
            }
            out.declares = take().text == ":=";
        }
        if (!out.declares) {
            for (const std::string& name : out.variables) {
                NOROSHI_TRY_VOID(known(name));
            }
        }
        while (true) {
            NOROSHI_TRY(TemplateCommand next, command(depth));
            out.commands.push_back(std::move(next));
            if (!is_symbol("|")) {
                break;
            }
            take();
        }
        if (out.declares) {
            variables_.insert(variables_.end(), out.variables.begin(), out.variables.end());
        }
        return out;
    }

    [[nodiscard]] Result<void> known(const std::string& name) const {
        return std::ranges::count(variables_, name) > 0 ? Result<void>{}
                                                         : fail(Errc::parse, fmt::format("undefined variable {}", model::quote(name)));
    }

    Result<TemplateCommand> command(int depth) {
        TemplateCommand out;
        while (peek().kind != Lexeme::Kind::end && !is_symbol("|") && !is_symbol(")")) {
            NOROSHI_TRY(TemplateOperand next, operand(depth));
            out.push_back(std::move(next));
        }
        if (out.empty()) {
            return unexpected();
        }
        const bool calls = out.front().kind == TemplateOperand::Kind::function;
        if (out.size() > 1 && !calls) {
            return fail(Errc::parse, "can't give arguments to a non-function");
        }
        return out;
    }

    Result<TemplateOperand> operand(int depth) {
        TemplateOperand out;
        Lexeme token = take();
        switch (token.kind) {
            case Lexeme::Kind::string:
                out.kind = TemplateOperand::Kind::literal;
                out.literal.kind = std::move(token.text);
                return out;
            case Lexeme::Kind::number: {
                out.kind = TemplateOperand::Kind::literal;
                if (const Result<std::int64_t> whole = parse_int(token.text)) {
                    out.literal.kind = *whole;
                    return out;
                }
                NOROSHI_TRY(const double number, parse_float(token.text));
                out.literal.kind = number;
                return out;
            }
            case Lexeme::Kind::variable: {
                NOROSHI_TRY_VOID(known(token.text));
                out.kind = TemplateOperand::Kind::variable;
                out.name = std::move(token.text);
                break;
            }
            case Lexeme::Kind::dot:
                break;
            case Lexeme::Kind::field:
                out.fields.push_back(token.text.substr(token.text.starts_with(' ') ? 1 : 0));
                break;
            case Lexeme::Kind::word:
                return word(token.text);
            case Lexeme::Kind::symbol: {
                if (token.text != "(") {
                    --at_;
                    return unexpected();
                }
                NOROSHI_TRY_VOID(parenthesised(out, depth));
                break;
            }
            case Lexeme::Kind::end:
                --at_;
                return unexpected();
        }
        while (peek().kind == Lexeme::Kind::field && !peek().text.starts_with(' ')) {
            out.fields.push_back(take().text);
        }
        return out;
    }

    Result<void> parenthesised(TemplateOperand& out, int depth) {
        NOROSHI_TRY(TemplatePipeline inner, pipeline(depth + 1));
        if (!is_symbol(")")) {
            return fail(Errc::parse, "unclosed left paren");
        }
        take();
        out.kind = TemplateOperand::Kind::pipeline;
        out.pipeline = std::make_shared<const TemplatePipeline>(std::move(inner));
        return {};
    }

    static Result<TemplateOperand> word(const std::string& text) {
        TemplateOperand out;
        out.kind = TemplateOperand::Kind::literal;
        if (text == "true" || text == "false") {
            out.literal.kind = text == "true";
            return out;
        }
        if (text == "nil") {
            return out;
        }
        if (!is_template_function(text)) {
            return fail(Errc::parse, fmt::format("function {} not defined", model::quote(text)));
        }
        out.kind = TemplateOperand::Kind::function;
        out.name = text;
        return out;
    }

    std::vector<Lexeme> tokens_;
    std::vector<std::string>& variables_;
    std::size_t at_{0};
};

struct Piece {
    bool action{false};
    std::string text;
};

/// Text and actions in turn, with the trimming of "{{- " and " -}}" done and comments dropped.
Result<std::vector<Piece>> split(std::string_view text) {
    std::vector<Piece> out;
    bool trim_next = false;
    while (true) {
        const std::size_t open = text.find("{{");
        std::string plain(text.substr(0, open));
        if (trim_next) {
            plain.erase(0, std::min(plain.find_first_not_of(" \t\r\n"), plain.size()));
        }
        if (open == std::string_view::npos) {
            out.push_back({false, std::move(plain)});
            return out;
        }
        text.remove_prefix(open + 2);
        if (text.starts_with("- ") || text.starts_with("-\n") || text.starts_with("-\t")) {
            const std::size_t last = plain.find_last_not_of(" \t\r\n");
            plain.resize(last == std::string::npos ? 0 : last + 1);
            text.remove_prefix(1);
        }
        out.push_back({false, std::move(plain)});
        // The closing braces do not count inside a string.
        std::size_t close = 0;
        char quote = '\0';
        while (close < text.size() && (quote != '\0' || !text.substr(close).starts_with("}}"))) {
            const char c = text[close];
            if (quote == '\0' && (c == '"' || c == '`')) {
                quote = c;
            } else if (c == quote) {
                quote = '\0';
            } else if (c == '\\' && quote == '"') {
                ++close;
            }
            ++close;
        }
        if (close >= text.size()) {
            return fail(Errc::parse, "unclosed action");
        }
        std::string_view action = text.substr(0, close);
        trim_next = action.size() >= 2 && action.ends_with('-') && is_space(action[action.size() - 2]);
        if (trim_next) {
            action.remove_suffix(1);
        }
        const std::size_t first = std::min(action.find_first_not_of(" \t\r\n"), action.size());
        if (!action.substr(first).starts_with("/*")) {
            out.push_back({true, std::string(action)});
        }
        text.remove_prefix(close + 2);
    }
}

class TreeParser {
  public:
    explicit TreeParser(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

    Result<std::vector<TemplateNode>> whole() {
        std::string end;
        NOROSHI_TRY(std::vector<TemplateNode> out, list(end, 0));
        if (!end.empty()) {
            return fail(Errc::parse, fmt::format("unexpected {{{{{}}}}}", end));
        }
        return out;
    }

  private:
    static std::pair<std::string, std::string> first_word(const std::string& action) {
        const std::size_t from = std::min(action.find_first_not_of(" \t\r\n"), action.size());
        std::size_t to = from;
        while (to < action.size() && is_word(action[to])) {
            ++to;
        }
        return {action.substr(from, to - from), action.substr(to)};
    }

    /// Nodes up to {{end}} or {{else ...}}, whose action is left in `end`.
    Result<std::vector<TemplateNode>> list(std::string& end, int depth) {
        if (depth > deepest) {
            return fail(Errc::parse, "blocks are nested too deep");
        }
        std::vector<TemplateNode> out;
        while (at_ < pieces_.size()) {
            Piece piece = std::move(pieces_[at_++]);
            if (!piece.action) {
                if (!piece.text.empty()) {
                    out.push_back({TemplateNode::Kind::text, std::move(piece.text), {}, {}, {}});
                }
                continue;
            }
            const auto word = first_word(piece.text);
            if (word.first == "end" || word.first == "else") {
                end = word.first + word.second;
                return out;
            }
            NOROSHI_TRY(TemplateNode node, action(word.first, word.second, piece.text, depth));
            out.push_back(std::move(node));
        }
        end.clear();
        return out;
    }

    Result<TemplatePipeline> pipeline(const std::string& text) {
        NOROSHI_TRY(std::vector<Lexeme> tokens, ActionLexer(text).run());
        return PipelineParser(std::move(tokens), variables_).whole();
    }

    Result<TemplateNode> action(const std::string& word, const std::string& rest, const std::string& whole, int depth) {
        TemplateNode node;
        if (word == "if" || word == "range" || word == "with") {
            node.kind = word == "if"      ? TemplateNode::Kind::if_
                        : word == "range" ? TemplateNode::Kind::range
                                          : TemplateNode::Kind::with;
            NOROSHI_TRY_VOID(block(node, rest, depth));
            return node;
        }
        if (word == "break" || word == "continue") {
            node.kind = word == "break" ? TemplateNode::Kind::break_ : TemplateNode::Kind::continue_;
            return node;
        }
        if (word == "define" || word == "template" || word == "block") {
            return fail(Errc::unsupported, fmt::format("{{{{{}}}}} is not supported by this version", word));
        }
        node.kind = TemplateNode::Kind::action;
        NOROSHI_TRY(node.pipeline, pipeline(whole));
        return node;
    }

    Result<void> block(TemplateNode& node, const std::string& rest, int depth) {
        const std::size_t outside = variables_.size();
        const Result<void> parsed = block_body(node, rest, depth);
        variables_.resize(outside);
        return parsed;
    }

    Result<void> block_body(TemplateNode& node, const std::string& rest, int depth) {
        NOROSHI_TRY(node.pipeline, pipeline(rest));
        std::string end;
        NOROSHI_TRY(node.body, list(end, depth + 1));
        if (end.empty()) {
            return fail(Errc::parse, "unexpected EOF: a block has no {{end}}");
        }
        const auto word = first_word(end);
        if (word.first == "end") {
            return {};
        }
        const auto inner = first_word(word.second);
        if (inner.first == "if" || inner.first == "with") {
            // {{else if x}} is an {{if x}} inside the other branch that shares its {{end}}.
            TemplateNode nested;
            nested.kind = inner.first == "if" ? TemplateNode::Kind::if_ : TemplateNode::Kind::with;
            NOROSHI_TRY_VOID(block(nested, inner.second, depth + 1));
            node.otherwise.push_back(std::move(nested));
            return {};
        }
        NOROSHI_TRY(node.otherwise, list(end, depth + 1));
        return first_word(end).first == "end" ? Result<void>{} : fail(Errc::parse, "expected {{end}} after {{else}}");
    }

    std::vector<Piece> pieces_;
    std::size_t at_{0};
    /// In scope, innermost last.
    std::vector<std::string> variables_{"$", "$labels", "$value", "$externalLabels", "$externalURL"};
};

}  // namespace

Result<std::vector<TemplateNode>> parse_template(std::string_view text) {
    NOROSHI_TRY(std::vector<Piece> pieces, split(text));
    return TreeParser(std::move(pieces)).whole();
}

}  // namespace noroshi::rules
