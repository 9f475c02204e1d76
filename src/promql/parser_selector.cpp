// src/promql/parser_selector.cpp - selectors, ranges, subqueries, offset and @.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "parser.hpp"

namespace noroshi::promql {
namespace {

double in_seconds(Milliseconds duration) { return static_cast<double>(duration.count()) / 1000.0; }

std::optional<model::MatchOp> match_op(const Token& token) {
    if (token.is("=")) {
        return model::MatchOp::equal;
    }
    if (token.is("!=")) {
        return model::MatchOp::not_equal;
    }
    if (token.is("=~")) {
        return model::MatchOp::regex;
    }
    if (token.is("!~")) {
        return model::MatchOp::not_regex;
    }
    return std::nullopt;
}

/// The tree is built bottom up and each node is owned by one pointer here: a modifier may still change it.
Node& mutable_node(const NodePtr& node) { return const_cast<Node&>(*node); }

}  // namespace

Result<NodePtr> Parser::selector(std::string name, std::size_t offset) {
    Selector out;
    out.name = std::move(name);
    if (!out.name.empty()) {
        NOROSHI_TRY(model::Matcher by_name, model::Matcher::create(model::MatchOp::equal,
                                                                   std::string(model::metric_name_label), out.name));
        out.matchers.push_back(std::move(by_name));
    }
    if (take_if("{")) {
        // In braces names may be many, each of which must match; before them one stands alone.
        const std::string before = out.name;
        while (!peek().is("}")) {
            const std::size_t at = peek().offset;
            NOROSHI_TRY(model::Matcher next, matcher(out));
            if (!before.empty() && next.name() == model::metric_name_label && next.op() == model::MatchOp::equal) {
                return fault(at, fmt::format("metric name must not be set twice: {} or {}", model::quote(before), model::quote(next.value())));
            }
            out.matchers.push_back(std::move(next));
            if (!take_if(",")) {
                break;
            }
        }
        NOROSHI_TRY_VOID(expect("}", "label matching"));
    }
    NOROSHI_TRY_VOID(check_selector(out, offset));
    return std::make_unique<const Node>(Node{std::move(out), ValueType::vector, offset});
}

Result<model::Matcher> Parser::matcher(Selector& selector) {
    if (peek().kind != TokenKind::identifier && peek().kind != TokenKind::string) {
        return unexpected("label matching");
    }
    Token name = take();
    const bool quoted_name = name.kind == TokenKind::string && (peek().is(",") || peek().is("}"));
    if (quoted_name) {
        if (selector.name.empty()) {
            selector.name = name.text;
        }
        return model::Matcher::create(model::MatchOp::equal, std::string(model::metric_name_label), std::move(name.text));
    }
    const std::optional<model::MatchOp> op = match_op(peek());
    if (!op || (name.kind == TokenKind::identifier && name.text.find(':') != std::string::npos)) {
        return unexpected("label matching");
    }
    take();
    if (peek().kind != TokenKind::string) {
        return unexpected("label matching, expected string");
    }
    Token value = take();
    Result<model::Matcher> created = model::Matcher::create(*op, std::move(name.text), std::move(value.text));
    if (!created) {
        return fault(value.offset, created.error().message);
    }
    return created;
}

Result<void> Parser::check_selector(const Selector& selector, std::size_t offset) {
    const bool all_empty =
        std::ranges::all_of(selector.matchers, [](const model::Matcher& m) { return m.matches_empty(); });
    if (all_empty && !may_match_all_) {
        return fault(offset, "vector selector must contain at least one non-empty matcher");
    }
    return {};
}

Result<NodePtr> Parser::postfix(NodePtr node) {
    while (true) {
        if (peek().is("[")) {
            NOROSHI_TRY(node, range(std::move(node)));
        } else if (peek_word("offset")) {
            NOROSHI_TRY(node, offset_modifier(std::move(node)));
        } else if (peek().is("@")) {
            NOROSHI_TRY(node, at_modifier(std::move(node)));
        } else if (peek_word("anchored") || peek_word("smoothed")) {
            NOROSHI_TRY_VOID(extension_modifier(mutable_node(node)));
        } else {
            return node;
        }
    }
}

Result<void> Parser::extension_modifier(Node& node) {
    const Token word = take();
    const bool anchored = ascii_lower(word.text) == "anchored";
    const std::string_view name = anchored ? "anchored" : "smoothed";
    if (std::holds_alternative<Subquery>(node.kind)) {
        return fault(word.offset, fmt::format("{} modifier is not supported for subqueries", name));
    }
    auto* selector = std::get_if<Selector>(&node.kind);
    if (selector == nullptr) {
        return fault(word.offset, fmt::format("{} modifier must be preceded by an instant vector selector or range vector selector", name));
    }
    const Extension wanted = anchored ? Extension::anchored : Extension::smoothed;
    if (selector->extension != Extension::none && selector->extension != wanted) {
        return fault(word.offset, "anchored and smoothed modifiers cannot be used together");
    }
    selector->extension = wanted;
    return {};
}

Result<NodePtr> Parser::range(NodePtr node) {
    const std::size_t offset = take().offset;
    NOROSHI_TRY(Duration length, duration(DurationPlace::brackets));
    if (take_if(":")) {
        Duration step;
        if (!peek().is("]")) {
            NOROSHI_TRY(step, duration(DurationPlace::brackets));
        }
        NOROSHI_TRY_VOID(expect("]", "subquery"));
        if (node->type != ValueType::vector) {
            return fault(node->offset, fmt::format("subquery is only allowed on instant vector, got {} instead",
                                                   value_type_name(node->type)));
        }
        const std::size_t start = node->offset;
        return std::make_unique<const Node>(Node{Subquery{std::move(node), std::move(length), std::move(step), {}}, ValueType::matrix, start});
    }
    NOROSHI_TRY_VOID(expect("]", "subquery or range selector"));
    Node& target = mutable_node(node);
    auto* selector = std::get_if<Selector>(&target.kind);
    if (selector == nullptr || selector->range.is_set()) {
        return fault(offset, "ranges only allowed for vector selectors");
    }
    if (selector->shift.offset.is_set()) {
        return fault(offset, "no offset modifiers allowed before range");
    }
    if (selector->shift.at) {
        return fault(offset, "no @ modifiers allowed before range");
    }
    selector->range = std::move(length);
    target.type = ValueType::matrix;
    return node;
}

Result<TimeShift*> Parser::shift_of(Node& node, std::string_view modifier) {
    if (auto* selector = std::get_if<Selector>(&node.kind)) {
        return &selector->shift;
    }
    if (auto* subquery = std::get_if<Subquery>(&node.kind)) {
        return &subquery->shift;
    }
    return fault(node.offset, fmt::format("{} modifier must be preceded by an instant vector selector or range vector "
                                          "selector or a subquery",
                                          modifier));
}

Result<NodePtr> Parser::offset_modifier(NodePtr node) {
    const std::size_t offset = take().offset;
    NOROSHI_TRY(Duration by, duration(DurationPlace::offset));
    NOROSHI_TRY(TimeShift * shift, shift_of(mutable_node(node), "offset"));
    if (shift->offset.is_set()) {
        return fault(offset, "offset may not be set multiple times");
    }
    shift->offset = std::move(by);
    return node;
}

Result<NodePtr> Parser::at_modifier(NodePtr node) {
    const std::size_t offset = take().offset;
    At at;
    if (peek_word("start") || peek_word("end")) {
        at.kind = ascii_lower(take().text) == "start" ? At::Kind::start : At::Kind::end;
        NOROSHI_TRY_VOID(expect("(", "@"));
        NOROSHI_TRY_VOID(expect(")", "@"));
    } else {
        const bool negative = peek().is("-");
        if (negative || peek().is("+")) {
            take();
        }
        const Token token = take();
        Result<double> seconds = fail(Errc::parse, "");
        if (token.kind == TokenKind::number) {
            seconds = parse_float(token.text);
        } else if (token.kind == TokenKind::duration) {
            seconds = parse_duration(token.text).map(in_seconds);
        }
        if (!seconds || !std::isfinite(*seconds) || std::fabs(*seconds) > 9e15) {
            return fault(token.offset, fmt::format("timestamp out of bounds for @ modifier: {}", token.text));
        }
        const double ms = std::round(*seconds * 1000);
        at.time = from_unix_ms(static_cast<std::int64_t>(negative ? -ms : ms));
    }
    NOROSHI_TRY(TimeShift * shift, shift_of(mutable_node(node), "@"));
    if (shift->at) {
        return fault(offset, "@ <timestamp> may not be set multiple times");
    }
    shift->at = at;
    return node;
}

}  // namespace noroshi::promql
