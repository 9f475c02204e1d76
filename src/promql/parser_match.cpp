// src/promql/parser_match.cpp - what may stand between a binary operator and its right side: bool, on, group_left, fill.
#include <fmt/format.h>

#include <algorithm>

#include "parser.hpp"

namespace noroshi::promql {

Result<void> Parser::modifiers(Binary& binary) {
    if (peek_word("bool")) {
        take();
        binary.return_bool = true;
    }
    if (peek_word("on") || peek_word("ignoring")) {
        NOROSHI_TRY_VOID(grouping_of_match(binary));
    }
    return fill_modifiers(binary);
}

/// `fill(v)`, or `fill_left(v)` and `fill_right(v)` in either order.
Result<void> Parser::fill_modifiers(Binary& binary) {
    const std::size_t offset = peek().offset;
    const auto is_next = [this](std::string_view word) { return peek_word(word) && peek(1).is("("); };
    if (is_next("fill")) {
        NOROSHI_TRY(const double value, fill_value());
        binary.matching.fill_left = binary.matching.fill_right = value;
    }
    while ((is_next("fill_left") && !binary.matching.fill_left) || (is_next("fill_right") && !binary.matching.fill_right)) {
        std::optional<double>& side = is_next("fill_left") ? binary.matching.fill_left : binary.matching.fill_right;
        NOROSHI_TRY(side, fill_value());
    }
    if (!options_.fill_modifiers && (binary.matching.fill_left || binary.matching.fill_right)) {
        return fault(offset, "binop fill modifiers are experimental and not enabled");
    }
    return {};
}

Result<double> Parser::fill_value() {
    take();
    NOROSHI_TRY_VOID(expect("(", "fill modifier"));
    const bool is_negative = peek().is("-");
    if (is_negative || peek().is("+")) {
        take();
    }
    if (peek().kind != TokenKind::number && peek().kind != TokenKind::duration && !peek_word("inf") && !peek_word("nan")) {
        return unexpected("fill modifier");
    }
    NOROSHI_TRY(const NodePtr node, peek().kind == TokenKind::identifier ? named() : number());
    NOROSHI_TRY_VOID(expect(")", "fill modifier"));
    const double value = std::get<NumberLiteral>(node->kind).value;
    return is_negative ? -value : value;
}

Result<void> Parser::grouping_of_match(Binary& binary) {
    binary.matching.on = ascii_lower(take().text) == "on";
    NOROSHI_TRY(binary.matching.labels, label_list());
    if (peek_word("group_left") || peek_word("group_right")) {
        const std::size_t offset = peek().offset;
        binary.matching.card = ascii_lower(take().text) == "group_left" ? Card::many_to_one : Card::one_to_many;
        if (peek().is("(")) {
            NOROSHI_TRY(binary.matching.include, label_list());
        }
        for (const std::string& label : binary.matching.include) {
            if (binary.matching.on && std::ranges::count(binary.matching.labels, label) != 0) {
                return fault(offset, fmt::format("label {} must not occur in ON and GROUP clause at once",
                                                 model::quote(label)));
            }
        }
    }
    return {};
}

}  // namespace noroshi::promql
