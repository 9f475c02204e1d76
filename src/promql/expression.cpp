// src/promql/expression.cpp - the public face of a parsed expression, and the names of operators and types.
#include <array>

#include "parser.hpp"
#include "printer.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {

std::string_view value_type_name(ValueType type) {
    switch (type) {
        case ValueType::scalar:
            return "scalar";
        case ValueType::string:
            return "string";
        case ValueType::vector:
            return "instant vector";
        case ValueType::matrix:
            return "range vector";
    }
    return "none";
}

bool is_comparison(BinaryOp op) { return op >= BinaryOp::eq && op <= BinaryOp::ge; }
bool is_trim(BinaryOp op) { return op == BinaryOp::trim_upper || op == BinaryOp::trim_lower; }
bool is_set_operator(BinaryOp op) { return op >= BinaryOp::and_; }
bool selects(AggregateOp op) {
    return op == AggregateOp::topk || op == AggregateOp::bottomk || op == AggregateOp::limitk || op == AggregateOp::limit_ratio;
}

std::string_view op_text(BinaryOp op) {
    constexpr std::array<std::string_view, 18> texts{"+",  "-",  "*", "/",  "%", "^",  "atan2", "</", ">/",
                                                     "==", "!=", "<", "<=", ">", ">=", "and",   "or", "unless"};
    return texts[static_cast<std::size_t>(op)];
}

std::string_view op_text(AggregateOp op) {
    constexpr std::array<std::string_view, 14> texts{"sum",     "avg",      "min",          "max",    "count",
                                                     "group",   "stddev",   "stdvar",       "topk",   "bottomk",
                                                     "quantile", "count_values", "limitk", "limit_ratio"};
    return texts[static_cast<std::size_t>(op)];
}

std::string_view extension_text(Extension extension) {
    constexpr std::array<std::string_view, 3> texts{"", "anchored", "smoothed"};
    return texts[static_cast<std::size_t>(extension)];
}

const Node& without_parens(const Node& node) {
    const Node* inner = &node;
    while (const auto* paren = std::get_if<Paren>(&inner->kind)) {
        inner = paren->inner.get();
    }
    return *inner;
}

Result<Expression> Expression::parse(std::string_view text, const ParseOptions& options) {
    NOROSHI_TRY(NodePtr root, parse_tree(text, options));
    return Expression(std::make_shared<const Parsed>(Parsed{std::string(text), std::move(root)}));
}

ValueType Expression::type() const { return parsed_->root().type; }
std::string Expression::to_string() const { return print(parsed_->root()); }
std::vector<std::string> Expression::metric_names() const { return selected_names(parsed_->root()); }

}  // namespace noroshi::promql
