// src/promql/tree.hpp - the typed tree of a parsed expression.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/matcher.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {

struct Node;
using NodePtr = std::unique_ptr<const Node>;
struct Function;

/// `@ 123`, `@ start()`, `@ end()`. An instant query has one time for all three.
struct At {
    enum class Kind { time, start, end };
    Kind kind{Kind::time};
    TimestampMs time{};
};

/// Where a selector or subquery looks: `offset` and `@`.
struct TimeShift {
    Milliseconds offset{0};
    std::optional<At> at;
};

struct NumberLiteral {
    double value;
};

struct StringLiteral {
    std::string value;
};

/// `name{matchers}`, with `[range]` when `range` is positive.
struct Selector {
    std::string name;                      ///< as written before the braces, or ""
    std::vector<model::Matcher> matchers;  ///< the name's own among them
    Milliseconds range{0};
    TimeShift shift;
};

/// `expr[range:step]`; step 0 means the default.
struct Subquery {
    NodePtr inner;
    Milliseconds range{0};
    Milliseconds step{0};
    TimeShift shift;
};

struct Unary {
    bool negative;
    NodePtr operand;
};

struct Paren {
    NodePtr inner;
};

enum class BinaryOp { add, sub, mul, div, mod, pow, atan2, eq, ne, lt, le, gt, ge, and_, or_, unless };

enum class Card { one_to_one, many_to_one /* group_left */, one_to_many /* group_right */, many_to_many };

/// How elements of two vectors find each other.
struct Matching {
    Card card{Card::one_to_one};
    bool on{false};  ///< labels are `on`, else `ignoring`
    std::vector<std::string> labels;
    std::vector<std::string> include;  ///< labels of group_left / group_right
};

struct Binary {
    BinaryOp op;
    NodePtr left;
    NodePtr right;
    bool return_bool{false};
    Matching matching;
};

enum class AggregateOp { sum, avg, min, max, count, group, stddev, stdvar, topk, bottomk, quantile, count_values };

struct Aggregate {
    AggregateOp op;
    NodePtr inner;
    NodePtr parameter;  ///< of topk, bottomk, quantile, count_values
    bool without{false};
    std::vector<std::string> labels;
};

struct Call {
    const Function* function;  ///< a row of the function table, which lives as long as the program
    std::vector<NodePtr> arguments;
};

struct Node {
    std::variant<NumberLiteral, StringLiteral, Selector, Subquery, Unary, Paren, Binary, Aggregate, Call> kind;
    ValueType type{ValueType::scalar};
    std::size_t offset{0};  ///< of its first byte in the text
};

[[nodiscard]] bool is_comparison(BinaryOp op);
[[nodiscard]] bool is_set_operator(BinaryOp op);
[[nodiscard]] std::string_view op_text(BinaryOp op);
[[nodiscard]] std::string_view op_text(AggregateOp op);
/// The expression inside any number of parentheses.
[[nodiscard]] const Node& without_parens(const Node& node);

}  // namespace noroshi::promql
