// src/promql/parser.cpp - operators, calls, aggregations and literals, with their type checks.
#include "parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/numbers.hpp"
#include "functions.hpp"

namespace noroshi::promql {
namespace {

constexpr std::size_t longest_text = 64u << 10;
constexpr int deepest = 200;
constexpr int power_precedence = 6;

struct OpRow {
    std::string_view text;
    BinaryOp op;
    int precedence;
};
// From loosest to tightest; only ^ is right associative.
constexpr std::array<OpRow, 18> operators{{{"or", BinaryOp::or_, 1},
                                           {"and", BinaryOp::and_, 2},
                                           {"unless", BinaryOp::unless, 2},
                                           {"==", BinaryOp::eq, 3},
                                           {"!=", BinaryOp::ne, 3},
                                           {"</", BinaryOp::trim_upper, 3},
                                           {">/", BinaryOp::trim_lower, 3},
                                           {"<=", BinaryOp::le, 3},
                                           {"<", BinaryOp::lt, 3},
                                           {">=", BinaryOp::ge, 3},
                                           {">", BinaryOp::gt, 3},
                                           {"+", BinaryOp::add, 4},
                                           {"-", BinaryOp::sub, 4},
                                           {"*", BinaryOp::mul, 5},
                                           {"/", BinaryOp::div, 5},
                                           {"%", BinaryOp::mod, 5},
                                           {"atan2", BinaryOp::atan2, 5},
                                           {"^", BinaryOp::pow, power_precedence}}};

constexpr std::array<AggregateOp, 14> aggregates{
    AggregateOp::sum,    AggregateOp::avg,    AggregateOp::min,  AggregateOp::max,     AggregateOp::count,    AggregateOp::group,
    AggregateOp::stddev, AggregateOp::stdvar, AggregateOp::topk, AggregateOp::bottomk, AggregateOp::quantile, AggregateOp::count_values,
    AggregateOp::limitk, AggregateOp::limit_ratio};

const OpRow* find_operator(const Token& token) {
    if (token.kind != TokenKind::punctuation && token.kind != TokenKind::identifier) {
        return nullptr;
    }
    const std::string text = ascii_lower(token.text);
    const auto found = std::ranges::find(operators, text, &OpRow::text);
    return found == operators.end() ? nullptr : &*found;
}

std::optional<AggregateOp> find_aggregate(const std::string& name) {
    for (const AggregateOp op : aggregates) {
        if (op_text(op) == ascii_lower(name)) {
            return op;
        }
    }
    return std::nullopt;
}

bool takes_parameter(AggregateOp op) {
    return selects(op) || op == AggregateOp::quantile || op == AggregateOp::count_values;
}

template <class T>
NodePtr make_node(T kind, ValueType type, std::size_t offset) {
    return std::make_unique<const Node>(Node{std::move(kind), type, offset});
}

std::string article(ValueType type) { return std::string(value_type_name(type)); }

/// Go's integer and float literals, underscores between digits dropped, a leading 0 meaning octal.
Result<double> literal(std::string text) {
    std::erase(text, '_');
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const bool octal = !hex && text.size() > 1 && text[0] == '0' &&
                       text.find_first_not_of("01234567") == std::string::npos;
    if (hex || octal) {
        std::uint64_t value = 0;
        const char* first = text.data() + (hex ? 2 : 1);
        const char* last = text.data() + text.size();
        const auto parsed = std::from_chars(first, last, value, hex ? 16 : 8);
        if (parsed.ec != std::errc{} || parsed.ptr != last) {
            return fail(Errc::parse, "bad number");
        }
        return static_cast<double>(value);
    }
    return parse_float(text);
}

}  // namespace

Result<NodePtr> parse_tree(std::string_view text, const ParseOptions& options) {
    if (text.size() > longest_text) {
        return fail(Errc::limit, fmt::format("expression is longer than {} bytes", longest_text));
    }
    NOROSHI_TRY(std::vector<Token> tokens, tokenize(text, options.unquoted_names));
    return Parser(text, std::move(tokens), options).whole();
}

const Token& Parser::peek(std::size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

Token Parser::take() {
    Token token = peek();
    at_ = std::min(at_ + 1, tokens_.size() - 1);
    return token;
}

bool Parser::take_if(std::string_view punctuation) {
    const bool there = peek().is(punctuation);
    at_ += there ? 1 : 0;
    return there;
}

bool Parser::peek_word(std::string_view word) const {
    return peek().kind == TokenKind::identifier && ascii_lower(peek().text) == word;
}

Result<void> Parser::expect(std::string_view punctuation, std::string_view where) {
    if (!take_if(punctuation)) {
        Error error = unexpected(where).value();
        error.message += ", expected " + model::quote(punctuation);
        return fail(std::move(error));
    }
    return {};
}

tl::unexpected<Error> Parser::unexpected(std::string_view where) const {
    const Token& token = peek();
    const std::string what = token.kind == TokenKind::end ? "end of input" : model::quote(token.text);
    return fault(token.offset, fmt::format("unexpected {} in {}", what, where));
}

tl::unexpected<Error> Parser::fault(std::size_t offset, std::string message) const {
    return parse_fault(text_, offset, std::move(message));
}

Result<NodePtr> Parser::whole() {
    if (peek().kind == TokenKind::end) {
        return fault(0, "no expression found in input");
    }
    NOROSHI_TRY(NodePtr node, expression(0));
    if (peek().kind != TokenKind::end) {
        return unexpected("expression");
    }
    return node;
}

Result<void> Parser::Nested::check() const {
    if (parser_.depth_ > deepest) {
        return parser_.fault(parser_.peek().offset, fmt::format("expression is nested deeper than {} levels", deepest));
    }
    return {};
}

Result<NodePtr> Parser::expression(int lowest) {
    const Nested nested(*this);
    NOROSHI_TRY_VOID(nested.check());
    NOROSHI_TRY(NodePtr left, unary());
    int length = 0;
    while (const OpRow* row = find_operator(peek())) {
        if (row->precedence < lowest) {
            break;
        }
        // A chain of operators is a deep tree too: evaluation and destruction walk it.
        if (++length > 10 * deepest) {
            return fault(peek().offset, "expression has too many operators");
        }
        const std::size_t offset = take().offset;
        NOROSHI_TRY(left, binary(row->op, std::move(left), offset, row->precedence));
    }
    return left;
}

Result<NodePtr> Parser::binary(BinaryOp op, NodePtr left, std::size_t offset, int precedence) {
    Binary node{op, std::move(left), nullptr, false, {}};
    NOROSHI_TRY_VOID(modifiers(node));
    const int right_lowest = precedence == power_precedence ? precedence : precedence + 1;
    NOROSHI_TRY(node.right, expression(right_lowest));
    NOROSHI_TRY_VOID(check_binary(node, offset));
    if (is_set_operator(op)) {
        node.matching.card = Card::many_to_many;
    }
    const bool scalars = node.left->type == ValueType::scalar && node.right->type == ValueType::scalar;
    const std::size_t start = node.left->offset;
    return make_node(std::move(node), scalars ? ValueType::scalar : ValueType::vector, start);
}

Result<void> Parser::check_binary(const Binary& binary, std::size_t offset) {
    const auto plain = [](const Node& node) {
        return node.type == ValueType::scalar || node.type == ValueType::vector;
    };
    for (const Node* side : {binary.left.get(), binary.right.get()}) {
        if (!plain(*side)) {
            return fault(side->offset, "binary expression must contain only scalar and instant vector types");
        }
    }
    const bool left_scalar = binary.left->type == ValueType::scalar;
    const bool right_scalar = binary.right->type == ValueType::scalar;
    if (is_set_operator(binary.op) && (left_scalar || right_scalar)) {
        return fault(offset, fmt::format("set operator {} not allowed in binary scalar expression",
                                         model::quote(op_text(binary.op))));
    }
    if (is_set_operator(binary.op) && (binary.matching.fill_left || binary.matching.fill_right)) {
        return fault(offset, "filling in missing series not allowed for set operators");
    }
    if (is_set_operator(binary.op) && binary.matching.card != Card::one_to_one) {
        return fault(offset, fmt::format("no grouping allowed for {} operation", model::quote(op_text(binary.op))));
    }
    if (binary.return_bool && !is_comparison(binary.op)) {
        return fault(offset, "bool modifier can only be used on comparison operators");
    }
    if (left_scalar && right_scalar && is_comparison(binary.op) && !binary.return_bool) {
        return fault(offset, "comparisons between scalars must use BOOL modifier");
    }
    const bool has_matching = binary.matching.on || !binary.matching.labels.empty() || binary.matching.fill_left ||
                              binary.matching.fill_right;
    if ((left_scalar || right_scalar) && has_matching) {
        return fault(offset, "vector matching only allowed between instant vectors");
    }
    return {};
}

Result<NodePtr> Parser::unary() {
    if (!peek().is("+") && !peek().is("-")) {
        return primary();
    }
    const Token sign = take();
    // Looser than ^, so that -2^2 is -(2^2).
    NOROSHI_TRY(NodePtr operand, expression(power_precedence));
    if (operand->type != ValueType::scalar && operand->type != ValueType::vector) {
        return fault(sign.offset, fmt::format("unary expression only allowed on expressions of type scalar or instant "
                                              "vector, got {}",
                                              model::quote(value_type_name(operand->type))));
    }
    const bool negative = sign.text == "-";
    if (const auto* literal = std::get_if<NumberLiteral>(&operand->kind)) {
        return make_node(NumberLiteral{negative ? -literal->value : literal->value}, ValueType::scalar, sign.offset);
    }
    const ValueType type = operand->type;
    return make_node(Unary{negative, std::move(operand)}, type, sign.offset);
}

Result<NodePtr> Parser::primary() {
    switch (peek().kind) {
        case TokenKind::number:
        case TokenKind::duration:
            return number();
        case TokenKind::string: {
            Token token = take();
            return make_node(StringLiteral{std::move(token.text)}, ValueType::string, token.offset);
        }
        case TokenKind::identifier:
            return named();
        case TokenKind::punctuation:
            if (peek().is("(")) {
                return parenthesised();
            }
            if (peek().is("{")) {
                const std::size_t offset = peek().offset;
                NOROSHI_TRY(NodePtr node, selector("", offset));
                return postfix(std::move(node));
            }
            return unexpected("expression");
        case TokenKind::end:
            return unexpected("expression");
    }
    return unexpected("expression");
}

Result<NodePtr> Parser::number() {
    const Token token = take();
    if (token.kind == TokenKind::duration) {
        const Result<Milliseconds> duration = parse_duration(token.text);
        if (!duration) {
            return fault(token.offset, duration.error().message);
        }
        return make_node(NumberLiteral{static_cast<double>(duration->count()) / 1000.0}, ValueType::scalar, token.offset);
    }
    const Result<double> value = literal(token.text);
    if (!value) {
        return fault(token.offset, fmt::format("error parsing number: {}", model::quote(token.text)));
    }
    return make_node(NumberLiteral{*value}, ValueType::scalar, token.offset);
}

Result<NodePtr> Parser::parenthesised() {
    const std::size_t offset = take().offset;
    NOROSHI_TRY(NodePtr inner, expression(0));
    NOROSHI_TRY_VOID(expect(")", "parenthesised expression"));
    const ValueType type = inner->type;
    return postfix(make_node(Paren{std::move(inner)}, type, offset));
}

Result<NodePtr> Parser::named() {
    const Token name = take();
    const std::string word = ascii_lower(name.text);
    const bool opens = peek().is("(");
    if (const std::optional<AggregateOp> op = find_aggregate(name.text);
        op && (opens || peek_word("by") || peek_word("without"))) {
        return aggregate(name, *op);
    }
    if (opens) {
        return call(name);
    }
    if (word == "inf" || word == "nan") {
        return make_node(NumberLiteral{*parse_float(word)}, ValueType::scalar, name.offset);
    }
    for (const std::string_view reserved : {"bool", "on", "ignoring", "group_left", "group_right"}) {
        if (word == reserved) {
            return fault(name.offset, fmt::format("unexpected {} in expression", model::quote(name.text)));
        }
    }
    NOROSHI_TRY(NodePtr node, selector(name.text, name.offset));
    return postfix(std::move(node));
}

Result<NodePtr> Parser::call(const Token& name) {
    const Function* function = find_function(name.text);
    if (function == nullptr) {
        return fault(name.offset, fmt::format("unknown function with name {}", model::quote(name.text)));
    }
    if (function->is_experimental && !options_.experimental) {
        return fault(name.offset, fmt::format("function {} is not enabled", model::quote(name.text)));
    }
    take();
    Call node{function, {}};
    while (!peek().is(")")) {
        may_match_all_ = function->takes_selector && node.arguments.size() == 1;
        NOROSHI_TRY(NodePtr argument, expression(0));
        may_match_all_ = false;
        node.arguments.push_back(std::move(argument));
        if (!take_if(",")) {
            break;
        }
        if (peek().is(")")) {
            return fault(peek().offset, "trailing commas not allowed in function call args");
        }
    }
    NOROSHI_TRY_VOID(expect(")", "function call"));
    NOROSHI_TRY_VOID(check_call(*function, node.arguments, name.offset));
    return postfix(make_node(std::move(node), function->returns, name.offset));
}

Result<void> Parser::check_call(const Function& function, const std::vector<NodePtr>& arguments, std::size_t offset) {
    const std::size_t most = function.arguments.size();
    const bool endless = function.optional_arguments < 0;
    const std::size_t least = most - static_cast<std::size_t>(endless ? 1 : function.optional_arguments);
    const std::string name = model::quote(function.name);
    if (arguments.size() < least) {
        const char* bound = least == most ? "" : "at least ";
        return fault(offset,
                     fmt::format("expected {}{} argument(s) in call to {}, got {}", bound, least, name, arguments.size()));
    }
    if (!endless && arguments.size() > most) {
        const char* bound = least == most ? "" : "at most ";
        return fault(offset,
                     fmt::format("expected {}{} argument(s) in call to {}, got {}", bound, most, name, arguments.size()));
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const ValueType wanted = function.arguments[std::min(i, most - 1)];
        if (arguments[i]->type != wanted) {
            return fault(arguments[i]->offset, fmt::format("expected type {} in call to function {}, got {}",
                                                           article(wanted), name, article(arguments[i]->type)));
        }
        NOROSHI_TRY_VOID(check_extension(function, *arguments[i]));
    }
    if (function.takes_selector && arguments.size() > 1) {
        const Node& selector = *arguments[1];
        if (!std::holds_alternative<Selector>(selector.kind)) {
            return fault(selector.offset, "expected label selectors only");
        }
        if (text_[selector.offset] != '{') {
            return fault(selector.offset, "expected label selectors only, got vector selector instead");
        }
    }
    return {};
}

/// The samples outside of a range that `anchored` and `smoothed` bring mean something to a few functions only.
Result<void> Parser::check_extension(const Function& function, const Node& argument) {
    const auto* selector = std::get_if<Selector>(&without_parens(argument).kind);
    if (selector == nullptr || selector->extension == Extension::none || argument.type != ValueType::matrix) {
        return {};
    }
    const auto takes = selector->extension == Extension::anchored ? &Function::takes_anchored : &Function::takes_smoothed;
    if (function.*takes) {
        return {};
    }
    std::vector<std::string_view> names;
    for (const Function& other : functions()) {
        if (other.*takes) {
            names.push_back(other.name);
        }
    }
    std::ranges::sort(names);
    return fault(argument.offset, fmt::format("{} modifier can only be used with: {} - not with {}",
                                              extension_text(selector->extension), fmt::join(names, ", "), function.name));
}

Result<std::vector<std::string>> Parser::label_list() {
    NOROSHI_TRY_VOID(expect("(", "grouping opts"));
    std::vector<std::string> labels;
    while (!peek().is(")")) {
        if (peek().kind != TokenKind::identifier && peek().kind != TokenKind::string) {
            return unexpected("grouping opts");
        }
        Token label = take();
        if (label.kind == TokenKind::identifier && label.text.find(':') != std::string::npos) {
            return fault(label.offset, fmt::format("unexpected {} in grouping opts", model::quote(label.text)));
        }
        labels.push_back(std::move(label.text));
        if (!take_if(",")) {
            break;
        }
    }
    NOROSHI_TRY_VOID(expect(")", "grouping opts"));
    return labels;
}

Result<void> Parser::grouping(Aggregate& out, bool& given) {
    if (!given && (peek_word("by") || peek_word("without"))) {
        out.without = ascii_lower(take().text) == "without";
        NOROSHI_TRY(out.labels, label_list());
        given = true;
    }
    return {};
}

Result<NodePtr> Parser::aggregate(const Token& name, AggregateOp op) {
    if ((op == AggregateOp::limitk || op == AggregateOp::limit_ratio) && !options_.experimental) {
        return fault(name.offset, fmt::format("{}() is experimental and must be enabled with "
                                              "--enable-feature=promql-experimental-functions",
                                              op_text(op)));
    }
    Aggregate node{op, nullptr, nullptr, false, {}};
    bool grouped = false;
    NOROSHI_TRY_VOID(grouping(node, grouped));
    NOROSHI_TRY_VOID(expect("(", "aggregation"));
    if (takes_parameter(op)) {
        NOROSHI_TRY(node.parameter, expression(0));
        NOROSHI_TRY_VOID(expect(",", "aggregation"));
    }
    NOROSHI_TRY(node.inner, expression(0));
    if (peek().is(",")) {
        return fault(name.offset, fmt::format("wrong number of arguments for aggregate expression provided, expected {}",
                                              takes_parameter(op) ? 2 : 1));
    }
    NOROSHI_TRY_VOID(expect(")", "aggregation"));
    NOROSHI_TRY_VOID(grouping(node, grouped));
    NOROSHI_TRY_VOID(check_aggregate(node, name.offset));
    return postfix(make_node(std::move(node), ValueType::vector, name.offset));
}

Result<void> Parser::check_aggregate(const Aggregate& aggregate, std::size_t offset) {
    if (aggregate.inner->type != ValueType::vector) {
        return fault(offset, fmt::format("expected type instant vector in aggregation expression, got {}",
                                         article(aggregate.inner->type)));
    }
    if (!aggregate.parameter) {
        return {};
    }
    const ValueType wanted = aggregate.op == AggregateOp::count_values ? ValueType::string : ValueType::scalar;
    if (aggregate.parameter->type != wanted) {
        return fault(aggregate.parameter->offset, fmt::format("expected type {} in aggregation parameter, got {}",
                                                              article(wanted), article(aggregate.parameter->type)));
    }
    return {};
}

}  // namespace noroshi::promql
