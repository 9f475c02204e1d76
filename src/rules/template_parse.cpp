// src/rules/template_parse.cpp - tokens to trees: text/template's grammar.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.hpp"
#include "template_functions.hpp"
#include "template_number.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

/// Blocks and parentheses inside each other. Go's bound, 10,000, would not fit our stack.
constexpr int deepest = 100;

tl::unexpected<Error> fault(std::string message) { return fail(Errc::parse, std::move(message)); }

/// A token as Go names it in errors: long ones are cut.
std::string shown(const Token& token) {
    if (token.kind == TokenKind::error) {
        return token.message;
    }
    if (token.kind == TokenKind::end) {
        return "EOF";
    }
    if (token.kind == TokenKind::keyword || token.kind == TokenKind::dot || token.kind == TokenKind::nil) {
        return fmt::format("<{}>", token.text);
    }
    std::size_t cut = 0;
    for (int i = 0; i < 10 && cut < token.text.size(); ++i) {
        cut += utf8_at(token.text, cut).length;
    }
    return token.text.size() > 10 ? go_quote(token.text.substr(0, cut)) + "..." : go_quote(token.text);
}

tl::unexpected<Error> unexpected(const Token& token, std::string_view context) {
    return token.kind == TokenKind::error ? fault(token.message) : fault(fmt::format("unexpected {} in {}", shown(token), context));
}

bool is_blank(const std::vector<TemplateNode>& nodes) {
    return std::ranges::all_of(nodes, [](const TemplateNode& node) {
        return node.kind == TemplateNode::Kind::text && node.text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
    });
}

class Parser {
  public:
    explicit Parser(TemplateSet& out) : out_(out), tokens_(template_tokens(out.source)) {}

    Result<void> run() {
        std::vector<TemplateNode> main;
        while (peek_raw().kind != TokenKind::end) {
            const std::size_t before = at_;
            if (next_raw().kind == TokenKind::left_delim && is_keyword(peek(), "define")) {
                next();
                NOROSHI_TRY_VOID(definition());
                continue;
            }
            at_ = before;
            NOROSHI_TRY(Part part, text_or_action());
            if (part.closes) {
                return fault(fmt::format("unexpected {{{{{}}}}}", part.closes->text));
            }
            main.push_back(std::move(part.node));
        }
        return add(out_.name, std::move(main));
    }

  private:
    /// A node, or the {{end}} or {{else}} that ends a list.
    struct Part {
        TemplateNode node;
        std::optional<Token> closes{};
    };
    struct List {
        std::vector<TemplateNode> nodes;
        Token closes;
    };
    /// What belongs to one template: a definition inside has its own.
    struct Scope {
        std::vector<std::string> variables{"$"};
        int ranges{0};
    };

    [[nodiscard]] const Token& peek_raw() const { return tokens_[std::min(at_, tokens_.size() - 1)]; }
    const Token& next_raw() {
        const Token& out = peek_raw();
        ++at_;
        return out;
    }
    const Token& peek() {
        while (peek_raw().kind == TokenKind::space) {
            ++at_;
        }
        return peek_raw();
    }
    const Token& next() {
        peek();
        return next_raw();
    }
    static bool is_keyword(const Token& token, std::string_view word) {
        return token.kind == TokenKind::keyword && token.text == word;
    }
    static bool is_string(const Token& token) { return token.kind == TokenKind::string || token.kind == TokenKind::raw_string; }

    Result<void> expect_close(std::string_view context) {
        const Token& token = next();
        return token.kind == TokenKind::right_delim ? Result<void>{} : unexpected(token, context);
    }

    /// An empty definition gives way to one with content; two with content are a fault.
    Result<void> add(const std::string& name, std::vector<TemplateNode> nodes) {
        const auto known = out_.trees.find(name);
        if (known == out_.trees.end()) {
            out_.trees.emplace(name, std::move(nodes));
        } else if (is_blank(known->second)) {
            known->second = std::move(nodes);
        } else if (!is_blank(nodes)) {
            return fault(fmt::format("template: multiple definition of template {}", go_quote(name)));
        }
        return {};
    }

    Result<std::string> name(std::string_view context) {
        const Token& token = next();
        return is_string(token) ? go_unquote(token.text) : unexpected(token, context);
    }

    Result<void> definition() {
        NOROSHI_TRY(const std::string called, name("define clause"));
        NOROSHI_TRY_VOID(expect_close("define clause"));
        return body_of(called, "define clause");
    }

    /// A template of its own up to its {{end}}.
    Result<void> body_of(const std::string& called, std::string_view context) {
        Scope outer = std::exchange(scope_, Scope{});
        Result<List> inner = list();
        scope_ = std::move(outer);
        if (!inner) {
            return fail(std::move(inner).error());
        }
        if (inner->closes.text != "end") {
            return fault(fmt::format("unexpected {{{{{}}}}} in {}", inner->closes.text, context));
        }
        return add(called, std::move(inner->nodes));
    }

    Result<List> list() {
        if (++depth_ > deepest) {
            return fail(Errc::limit, fmt::format("blocks are nested more than {} deep", deepest));
        }
        List out;
        while (peek().kind != TokenKind::end) {
            NOROSHI_TRY(Part part, text_or_action());
            if (part.closes) {
                out.closes = *part.closes;
                --depth_;
                return out;
            }
            out.nodes.push_back(std::move(part.node));
        }
        return fault("unexpected EOF");
    }

    Result<Part> text_or_action() {
        const Token& token = next();
        if (token.kind == TokenKind::text) {
            Part out;
            out.node.position = token.position;
            out.node.text = token.text;
            return out;
        }
        return token.kind == TokenKind::left_delim ? action() : Result<Part>(unexpected(token, "input"));
    }

    Result<Part> action() {
        using Kind = TemplateNode::Kind;
        const Token& token = peek();
        Part out;
        out.node.position = token.position;
        if (token.kind != TokenKind::keyword || token.text == "define") {
            out.node.kind = Kind::action;
            NOROSHI_TRY(out.node.pipeline, pipeline("command", TokenKind::right_delim));
            return out;
        }
        const std::string_view word = next().text;
        if (word == "if" || word == "with" || word == "range") {
            out.node.kind = word == "if" ? Kind::if_ : word == "with" ? Kind::with : Kind::range;
            NOROSHI_TRY_VOID(control(out.node, word));
        } else if (word == "break" || word == "continue") {
            out.node.kind = word == "break" ? Kind::break_ : Kind::continue_;
            const std::string shown_word = fmt::format("{{{{{}}}}}", word);
            NOROSHI_TRY_VOID(expect_close(shown_word));
            if (scope_.ranges == 0) {
                return fault(shown_word + " outside {{range}}");
            }
        } else if (word == "template" || word == "block") {
            out.node.kind = Kind::template_;
            NOROSHI_TRY_VOID(invocation(out.node, word == "block"));
        } else {
            // {{else if}} is {{else}} with the "if" left where it is.
            const bool goes_on = word == "else" && (is_keyword(peek(), "if") || is_keyword(peek(), "with"));
            if (!goes_on) {
                NOROSHI_TRY_VOID(expect_close(word));
            }
            out.closes = token;
        }
        return out;
    }

    Result<void> invocation(TemplateNode& node, bool defines) {
        const std::string_view context = defines ? "block clause" : "template clause";
        node.position = peek().position;
        NOROSHI_TRY(node.text, name(context));
        node.has_pipeline = defines || peek().kind != TokenKind::right_delim;
        if (!node.has_pipeline) {
            next();
            return {};
        }
        NOROSHI_TRY(node.pipeline, pipeline(context, TokenKind::right_delim));
        return defines ? body_of(node.text, context) : Result<void>{};
    }

    Result<void> control(TemplateNode& node, std::string_view word) {
        const std::size_t outside = scope_.variables.size();
        NOROSHI_TRY(node.pipeline, pipeline(word, TokenKind::right_delim));
        node.position = node.pipeline.position;
        scope_.ranges += word == "range" ? 1 : 0;
        NOROSHI_TRY(List inner, list());
        scope_.ranges -= word == "range" ? 1 : 0;
        node.body = std::move(inner.nodes);
        if (inner.closes.text == "else") {
            NOROSHI_TRY_VOID(otherwise(node, word));
        }
        scope_.variables.resize(outside);
        return {};
    }

    Result<void> otherwise(TemplateNode& node, std::string_view word) {
        node.has_otherwise = true;
        if (word != "range" && is_keyword(peek(), word)) {
            next();
            if (++depth_ > deepest) {
                return fail(Errc::limit, fmt::format("more than {} branches", deepest));
            }
            TemplateNode& nested = node.otherwise.emplace_back();
            nested.kind = node.kind;
            const Result<void> read = control(nested, word);
            --depth_;
            return read;
        }
        NOROSHI_TRY(List inner, list());
        node.otherwise = std::move(inner.nodes);
        return inner.closes.text == "end" ? Result<void>{} : fault("expected end; found {{else}}");
    }

    /// `$x :=`, `$x =` and, of a range, `$i, $x :=`.
    Result<void> declarations(TemplatePipeline& out, std::string_view context) {
        while (peek().kind == TokenKind::variable) {
            const std::size_t before = at_;
            const Token& variable = next();
            const Token& sign = peek();
            const bool comma = sign.kind == TokenKind::character && sign.text == ",";
            if (sign.kind != TokenKind::assign && sign.kind != TokenKind::declare && !comma) {
                at_ = before;
                return {};
            }
            next();
            out.variables.emplace_back(variable.text);
            scope_.variables.emplace_back(variable.text);
            if (!comma) {
                out.assigns = sign.kind == TokenKind::assign;
                return {};
            }
            if (context != "range" || out.variables.size() > 1) {
                return fault(fmt::format("too many declarations in {}", context));
            }
            const TokenKind behind = peek().kind;
            if (behind != TokenKind::variable && behind != TokenKind::right_delim && behind != TokenKind::right_paren) {
                return fault("range can only initialize variables");
            }
        }
        return {};
    }

    Result<TemplatePipeline> pipeline(std::string_view context, TokenKind end) {
        TemplatePipeline out;
        out.position = peek().position;
        NOROSHI_TRY_VOID(declarations(out, context));
        while (peek().kind != end) {
            if (!begins_operand(peek().kind)) {
                return unexpected(next(), context);
            }
            NOROSHI_TRY(TemplateCommand read, command());
            out.commands.push_back(std::move(read));
        }
        next();
        if (out.commands.empty()) {
            return fault(fmt::format("missing value for {}", context));
        }
        for (std::size_t i = 1; i < out.commands.size(); ++i) {
            using enum TemplateOperand::Kind;
            const TemplateOperand::Kind first = out.commands[i].operands.front().kind;
            if (first == constant || first == dot || first == nil || first == number || first == text) {
                return fault(fmt::format("non executable command in pipeline stage {}", i + 1));
            }
        }
        return out;
    }

    static bool begins_operand(TokenKind kind) {
        using enum TokenKind;
        return kind == boolean || kind == character_constant || kind == complex || kind == dot || kind == field || kind == identifier ||
               kind == number || kind == nil || kind == raw_string || kind == string || kind == variable || kind == left_paren;
    }

    /// Takes the bar behind it, and leaves what else ends it.
    Result<TemplateCommand> command() {
        TemplateCommand out;
        out.position = peek().position;
        while (true) {
            if (begins_operand(peek().kind)) {
                NOROSHI_TRY(TemplateOperand read, operand());
                out.operands.push_back(std::move(read));
            }
            const Token& token = next_raw();
            if (token.kind == TokenKind::space) {
                continue;
            }
            if (token.kind == TokenKind::right_delim || token.kind == TokenKind::right_paren) {
                --at_;
            } else if (token.kind != TokenKind::pipe) {
                return unexpected(token, "operand");
            }
            break;
        }
        return out.operands.empty() ? Result<TemplateCommand>(fault("empty command")) : out;
    }

    /// A term with the fields directly behind it.
    Result<TemplateOperand> operand() {
        using enum TemplateOperand::Kind;
        NOROSHI_TRY(TemplateOperand out, term());
        if (peek_raw().kind != TokenKind::field) {
            return out;
        }
        if (out.kind == constant || out.kind == text || out.kind == number || out.kind == nil || out.kind == dot) {
            return fault(fmt::format("unexpected . after term {}", go_quote(source_of(out))));
        }
        if (out.kind != field && out.kind != variable) {
            TemplateOperand chained;
            chained.kind = chain;
            chained.inner = std::make_shared<const TemplateOperand>(std::move(out));
            out = std::move(chained);
        }
        out.position = peek_raw().position;
        while (peek_raw().kind == TokenKind::field) {
            out.fields.emplace_back(next_raw().text.substr(1));
        }
        return out;
    }

    Result<TemplateOperand> term() {
        using Kind = TemplateOperand::Kind;
        const Token& token = next();
        TemplateOperand out;
        out.position = token.position;
        out.source = token.text;
        switch (token.kind) {
            case TokenKind::identifier:
                out.kind = Kind::function;
                return find_template_function(token.text) != nullptr
                           ? Result<TemplateOperand>(out)
                           : fault(fmt::format("function {} not defined", go_quote(token.text)));
            case TokenKind::variable:
                out.kind = Kind::variable;
                return std::ranges::count(scope_.variables, token.text) > 0
                           ? Result<TemplateOperand>(out)
                           : fault(fmt::format("undefined variable {}", go_quote(token.text)));
            case TokenKind::field:
                out.kind = Kind::field;
                out.fields.emplace_back(token.text.substr(1));
                return out;
            case TokenKind::boolean:
                out.kind = Kind::constant;
                out.literal.kind = token.text == "true";
                return out;
            case TokenKind::nil:
                out.kind = Kind::nil;
                return out;
            case TokenKind::string:
            case TokenKind::raw_string: {
                out.kind = Kind::text;
                NOROSHI_TRY(std::string text, go_unquote(token.text));
                out.literal = text_value(std::move(text));
                return out;
            }
            case TokenKind::character_constant:
            case TokenKind::complex:
            case TokenKind::number: {
                out.kind = Kind::number;
                NOROSHI_TRY_VOID(read_template_number(token, out));
                return out;
            }
            case TokenKind::left_paren: {
                if (++depth_ > deepest) {
                    return fail(Errc::limit, fmt::format("parentheses are nested more than {} deep", deepest));
                }
                NOROSHI_TRY(TemplatePipeline inner, pipeline("parenthesized pipeline", TokenKind::right_paren));
                --depth_;
                out.kind = Kind::pipeline;
                out.pipeline = std::make_shared<const TemplatePipeline>(std::move(inner));
                return out;
            }
            default:  // the dot: nothing else begins an operand
                out.kind = Kind::dot;
                return out;
        }
    }

    TemplateSet& out_;
    std::vector<Token> tokens_;
    std::size_t at_{0};
    int depth_{0};
    Scope scope_;
};

}  // namespace

Result<TemplateSet> parse_template(std::string source, std::string name) {
    TemplateSet out{std::move(source), std::move(name), {}};
    NOROSHI_TRY_VOID(Parser(out).run());
    return out;
}

}  // namespace noroshi::rules
