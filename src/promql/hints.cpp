// src/promql/hints.cpp - parts of an expression that can never give a result, and comparisons that always do.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/numbers.hpp"
#include "functions.hpp"
#include "lexer.hpp"
#include "printer.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The values that something may have; NaN, for which no comparison but != holds, is left out.
struct Interval {
    double low{-infinity};
    double high{infinity};
    bool low_open{false};
    bool high_open{false};

    static Interval point(double value) { return {value, value}; }
    [[nodiscard]] bool is_point() const { return low == high; }
    [[nodiscard]] bool is_empty() const { return low > high || (low == high && (low_open || high_open)); }
    [[nodiscard]] Interval negated() const { return {-high, -low, high_open, low_open}; }
    [[nodiscard]] Interval and_(const Interval& other) const {
        Interval out = *this;
        if (other.low > low || (other.low == low && other.low_open)) {
            out.low = other.low;
            out.low_open = other.low_open;
        }
        if (other.high < high || (other.high == high && other.high_open)) {
            out.high = other.high;
            out.high_open = other.high_open;
        }
        return out;
    }
    [[nodiscard]] Interval or_(const Interval& other) const {
        return {std::min(low, other.low), std::max(high, other.high)};
    }
    [[nodiscard]] std::string shown() const {
        if (is_point()) {
            return "always " + format_float(low);
        }
        if (high == infinity) {
            return fmt::format("{} {}", low_open ? "above" : "at least", format_float(low));
        }
        if (low == -infinity) {
            return fmt::format("{} {}", high_open ? "below" : "at most", format_float(high));
        }
        return fmt::format("from {} to {}", format_float(low), format_float(high));
    }
};

/// What is left of `left op right`; nothing is known of `!=` unless both are one number.
Interval holding(const Interval& left, BinaryOp op, const Interval& right) {
    switch (op) {
        case BinaryOp::eq:
            return left.and_(right);
        case BinaryOp::lt:
            return left.and_({-infinity, right.high, false, true});
        case BinaryOp::le:
            return left.and_({-infinity, right.high, false, right.high_open});
        case BinaryOp::gt:
            return left.and_({right.low, infinity, true, false});
        case BinaryOp::ge:
            return left.and_({right.low, infinity, right.low_open, false});
        case BinaryOp::ne:
            return left.is_point() && right.is_point() && left.low == right.low ? Interval{1, 0} : left;
        default:
            return {};
    }
}

BinaryOp mirrored(BinaryOp op) {
    switch (op) {
        case BinaryOp::lt: return BinaryOp::gt;
        case BinaryOp::le: return BinaryOp::ge;
        case BinaryOp::gt: return BinaryOp::lt;
        case BinaryOp::ge: return BinaryOp::le;
        default: return op;
    }
}

bool is_vector(const NodePtr& node) { return node->type == ValueType::vector; }

Interval values_of(const Node& node);

Interval values_of(const Call& call) {
    static const std::map<std::string_view, Interval> known{
        {"absent", {1, 1}},       {"absent_over_time", {1, 1}}, {"present_over_time", {1, 1}}, {"count_over_time", {1, infinity}},
        {"changes", {0, infinity}}, {"resets", {0, infinity}},  {"stddev_over_time", {0, infinity}},
        {"stdvar_over_time", {0, infinity}}, {"abs", {0, infinity}}, {"sgn", {-1, 1}},
        {"minute", {0, 59}},      {"hour", {0, 23}},            {"day_of_week", {0, 6}},       {"day_of_month", {1, 31}},
        {"days_in_month", {28, 31}}, {"day_of_year", {1, 366}}, {"month", {1, 12}}};
    if (call.function->name == "vector" && call.arguments.size() == 1) {
        return values_of(*call.arguments[0]);
    }
    const auto found = known.find(call.function->name);
    return found == known.end() ? Interval{} : found->second;
}

Interval values_of(const Aggregate& aggregate) {
    switch (aggregate.op) {
        case AggregateOp::count:
        case AggregateOp::count_values:
            return {1, infinity};
        case AggregateOp::group:
            return {1, 1};
        case AggregateOp::stddev:
        case AggregateOp::stdvar:
            return {0, infinity};
        case AggregateOp::min:
        case AggregateOp::max:
            return values_of(*aggregate.inner);
        default:
            return selects(aggregate.op) ? values_of(*aggregate.inner) : Interval{};
    }
}

/// Of a comparison that filters: the values of the side that stays.
Interval filtered(const Binary& binary) {
    const bool left_stays = is_vector(binary.left);
    const Interval left = values_of(*binary.left);
    const Interval right = values_of(*binary.right);
    return left_stays ? holding(left, binary.op, right) : holding(right, mirrored(binary.op), left);
}

Interval values_of(const Binary& binary) {
    if (binary.matching.fill_left || binary.matching.fill_right) {
        return {};
    }
    if (is_comparison(binary.op)) {
        return binary.return_bool ? Interval{0, 1} : filtered(binary);
    }
    const Interval left = values_of(*binary.left);
    const Interval right = values_of(*binary.right);
    switch (binary.op) {
        case BinaryOp::and_:
        case BinaryOp::unless:
            return left;
        case BinaryOp::or_:
            return left.or_(right);
        case BinaryOp::add:
        case BinaryOp::sub:
        case BinaryOp::mul:
            if (left.is_point() && right.is_point()) {
                const double value = binary.op == BinaryOp::add   ? left.low + right.low
                                     : binary.op == BinaryOp::sub ? left.low - right.low
                                                                  : left.low * right.low;
                return value == value ? Interval::point(value) : Interval{};
            }
            return {};
        default:
            return {};
    }
}

Interval values_of(const Node& node) {
    struct Values {
        Interval operator()(const NumberLiteral& number) const {
            return number.value == number.value ? Interval::point(number.value) : Interval{};
        }
        Interval operator()(const Paren& paren) const { return values_of(*paren.inner); }
        Interval operator()(const Unary& unary) const {
            const Interval inner = values_of(*unary.operand);
            return unary.negative ? inner.negated() : inner;
        }
        Interval operator()(const Binary& binary) const { return values_of(binary); }
        Interval operator()(const Aggregate& aggregate) const { return values_of(aggregate); }
        Interval operator()(const Call& call) const { return values_of(call); }
        Interval operator()(const StringLiteral&) const { return {}; }
        Interval operator()(const Selector&) const { return {}; }
        Interval operator()(const Subquery&) const { return {}; }
    };
    return std::visit(Values{}, node.kind);
}

/// Walks over a tree; each visit says whether its node never gives a result, and tells the reason once, where it lies.
class Walk {
  public:
    explicit Walk(std::string_view text) : text_(text) {}

    bool visit(const Node& node) {
        return std::visit([&](const auto& kind) { return never(kind, node); }, node.kind);
    }
    void tell(const Node& node, std::string message) {
        Error hint = parse_fault(text_, node.offset, "").value();
        hint.code = Errc::invalid_argument;
        hint.message = std::move(message);
        hints.push_back(std::move(hint));
    }

    std::vector<Error> hints;

  private:
    bool never(const NumberLiteral&, const Node&) { return false; }
    bool never(const StringLiteral&, const Node&) { return false; }
    bool never(const Paren& paren, const Node&) { return visit(*paren.inner); }
    bool never(const Unary& unary, const Node&) { return visit(*unary.operand); }
    bool never(const Subquery& subquery, const Node&) { return visit(*subquery.inner); }

    bool never(const Selector& selector, const Node& node) {
        for (const model::Matcher& exact : selector.matchers) {
            if (exact.op() != model::MatchOp::equal) {
                continue;
            }
            for (const model::Matcher& other : selector.matchers) {
                if (other.name() == exact.name() && !other.matches(exact.value())) {
                    tell(node, fmt::format("this selector never finds a series: {} and {} exclude each other",
                                           exact.to_string(), other.to_string()));
                    return true;
                }
            }
        }
        return false;
    }

    bool never(const Aggregate& aggregate, const Node&) {
        if (aggregate.parameter) {
            visit(*aggregate.parameter);
        }
        return visit(*aggregate.inner);
    }

    bool never(const Call& call, const Node&) {
        bool out = false;
        for (const NodePtr& argument : call.arguments) {
            const bool dead = visit(*argument);
            out = out || (dead && argument == call.arguments.front());
            out = out || (dead && argument->type == ValueType::matrix);
        }
        // These make something of nothing.
        const std::string_view name = call.function->name;
        return out && name != "absent" && name != "absent_over_time" && name != "scalar" && name != "vector";
    }

    bool never(const Binary& binary, const Node& node) {
        const bool left = visit(*binary.left);
        const bool right = visit(*binary.right);
        if (binary.matching.fill_left || binary.matching.fill_right) {
            return false;
        }
        if (binary.op == BinaryOp::or_) {
            return left && right;
        }
        if (left || (right && binary.op != BinaryOp::unless)) {
            return true;
        }
        if (is_comparison(binary.op) && !binary.return_bool && (is_vector(binary.left) || is_vector(binary.right))) {
            return never_holds(binary, node);
        }
        return binary.op == BinaryOp::and_ && excludes(binary, node);
    }

    bool never_holds(const Binary& binary, const Node& node) {
        if (!filtered(binary).is_empty()) {
            return false;
        }
        const Interval left = values_of(*binary.left);
        const Interval right = values_of(*binary.right);
        const bool show_left = is_vector(binary.left);  // a person sees a number as it stands
        std::string why = fmt::format("the {} side is {}", show_left ? "left" : "right", (show_left ? left : right).shown());
        const auto* aggregate = std::get_if<Aggregate>(&without_parens(show_left ? *binary.left : *binary.right).kind);
        if (aggregate != nullptr && aggregate->op == AggregateOp::count) {
            why += ", and where there is nothing to count it gives nothing: see absent()";
        }
        tell(node, fmt::format("this comparison never gives a result: {}", why));
        return true;
    }

    /// `x > 1 and x < 0`, both of the same series.
    bool excludes(const Binary& both, const Node& node) {
        if (both.matching.on || !both.matching.labels.empty()) {
            return false;
        }
        const auto* left = std::get_if<Binary>(&without_parens(*both.left).kind);
        const auto* right = std::get_if<Binary>(&without_parens(*both.right).kind);
        for (const Binary* side : {left, right}) {
            if (side == nullptr || !is_comparison(side->op) || side->return_bool || is_vector(side->left) == is_vector(side->right)) {
                return false;
            }
        }
        const Node& left_series = is_vector(left->left) ? *left->left : *left->right;
        const Node& right_series = is_vector(right->left) ? *right->left : *right->right;
        if (!one_name(left_series) || print(left_series) != print(right_series) ||
            !filtered(*left).and_(filtered(*right)).is_empty()) {
            return false;
        }
        tell(node, "this never gives a result: the comparisons on both sides of \"and\" exclude each other");
        return true;
    }

    /// Whether two of its elements can't differ by their metric names alone, which `and` does not look at.
    static bool one_name(const Node& node) {
        const Node& inner = without_parens(node);
        if (const auto* selector = std::get_if<Selector>(&inner.kind)) {
            return !selector->name.empty();
        }
        const auto* aggregate = std::get_if<Aggregate>(&inner.kind);
        return aggregate != nullptr && !selects(aggregate->op) && aggregate->op != AggregateOp::count_values && !aggregate->without &&
               std::ranges::find(aggregate->labels, model::metric_name_label) == aggregate->labels.end();
    }

    std::string_view text_;
};

}  // namespace

std::vector<Error> Expression::hints() const {
    Walk walk(parsed_->text);
    const Node& root = without_parens(parsed_->root());
    walk.visit(root);
    const auto* binary = std::get_if<Binary>(&root.kind);
    if (binary != nullptr && binary->return_bool) {
        walk.tell(root, "a comparison with \"bool\" gives a result, 0 or 1, whether it holds or not: an alert would always fire");
    }
    if (root.type == ValueType::matrix || root.type == ValueType::string) {
        walk.tell(root, fmt::format("a rule needs an instant vector or a scalar: each evaluation will fail on this {}",
                                    value_type_name(root.type)));
    }
    return std::move(walk.hints);
}

}  // namespace noroshi::promql
