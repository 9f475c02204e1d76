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

struct Calculation;
using CalculationPtr = std::shared_ptr<const Calculation>;  // shared: immutable

/// A duration that is calculated, in seconds.
struct Calculation {
    enum class Op { number, step, range, min_of, max_of, add, sub, mul, div, mod, pow };
    Op op;
    double seconds{0};  ///< of a number
    CalculationPtr left;
    CalculationPtr right;
    std::size_t offset{0};
};

/// Known when the text is read, unless it names step() or range(): those are the query's.
struct Duration {
    Milliseconds fixed{0};
    CalculationPtr calculation;
    [[nodiscard]] bool is_set() const { return fixed.count() != 0 || calculation != nullptr; }
};

/// In seconds, with step() and range() of the query. Errors: invalid_argument (division by zero).
[[nodiscard]] Result<double> calculate(const Calculation& calculation, double step, double range);
/// Errors: invalid_argument, in Prometheus's words.
[[nodiscard]] Result<Milliseconds> duration_of(double seconds, bool may_be_negative);

/// Where a selector or subquery looks: `offset` and `@`.
struct TimeShift {
    Duration offset;
    std::optional<At> at;
};

struct NumberLiteral {
    double value;
};

struct StringLiteral {
    std::string value;
};

/// `anchored`, `smoothed`: what a selector takes for the values at the borders of its range, or at its time.
enum class Extension { none, anchored, smoothed };

/// `name{matchers}`, with `[range]` when there is one.
struct Selector {
    std::string name;                      ///< as written before the braces, or ""
    std::vector<model::Matcher> matchers;  ///< the name's own among them
    Duration range;
    TimeShift shift;
    Extension extension{Extension::none};
};

/// `expr[range:step]`; no step means the default.
struct Subquery {
    NodePtr inner;
    Duration range;
    Duration step;
    TimeShift shift;
};

struct Unary {
    bool negative;
    NodePtr operand;
};

struct Paren {
    NodePtr inner;
};

enum class BinaryOp { add, sub, mul, div, mod, pow, atan2, trim_upper, trim_lower, eq, ne, lt, le, gt, ge, and_, or_, unless };

enum class Card { one_to_one, many_to_one /* group_left */, one_to_many /* group_right */, many_to_many };

/// How elements of two vectors find each other.
struct Matching {
    Card card{Card::one_to_one};
    bool on{false};  ///< labels are `on`, else `ignoring`
    std::vector<std::string> labels;
    std::vector<std::string> include;  ///< labels of group_left / group_right
    std::optional<double> fill_left{};   ///< stands for an element of the left side that is not there
    std::optional<double> fill_right{};
};

struct Binary {
    BinaryOp op;
    NodePtr left;
    NodePtr right;
    bool return_bool{false};
    Matching matching;
};

enum class AggregateOp { sum, avg, min, max, count, group, stddev, stdvar, topk, bottomk, quantile, count_values, limitk, limit_ratio };

struct Aggregate {
    AggregateOp op;
    NodePtr inner;
    NodePtr parameter;  ///< of topk, bottomk, limitk, limit_ratio, quantile, count_values
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

/// A parsed text.
struct Parsed {
    std::string text;
    NodePtr tree;
    [[nodiscard]] const Node& root() const { return *tree; }
};

[[nodiscard]] bool is_comparison(BinaryOp op);
/// `</` and `>/`: they take observations out of a native histogram.
[[nodiscard]] bool is_trim(BinaryOp op);
[[nodiscard]] bool is_set_operator(BinaryOp op);
/// topk, bottomk, limitk, limit_ratio: they keep some elements as they are.
[[nodiscard]] bool selects(AggregateOp op);
[[nodiscard]] std::string_view op_text(BinaryOp op);
[[nodiscard]] std::string_view op_text(AggregateOp op);
/// The modifier's word; "" for none.
[[nodiscard]] std::string_view extension_text(Extension extension);
/// The expression inside any number of parentheses.
[[nodiscard]] const Node& without_parens(const Node& node);

}  // namespace noroshi::promql
