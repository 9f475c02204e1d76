// src/promql/printer.cpp - a tree back to text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "base/numbers.hpp"
#include "functions.hpp"
#include "printer.hpp"

namespace noroshi::promql {
namespace {

std::string joined(const std::vector<std::string>& labels) {
    std::string out;
    for (const std::string& label : labels) {
        out += (out.empty() ? "" : ", ") + (model::is_legacy_label_name(label) ? label : model::quote(label));
    }
    return out;
}

/// Each operation in parentheses, so that no precedence matters.
std::string calculation_text(const Calculation& calculation) {
    constexpr std::array<std::string_view, 11> texts{"", "step()", "range()", "min_of", "max_of", "+", "-", "*", "/", "%", "^"};
    const auto op = static_cast<std::size_t>(calculation.op);
    switch (calculation.op) {
        case Calculation::Op::number:
            return format_float_go(calculation.seconds);
        case Calculation::Op::step:
        case Calculation::Op::range:
            return std::string(texts.at(op));
        case Calculation::Op::min_of:
        case Calculation::Op::max_of:
            return fmt::format("{}({}, {})", texts.at(op), calculation_text(*calculation.left),
                               calculation_text(*calculation.right));
        default:
            return fmt::format("({} {} {})", calculation_text(*calculation.left), texts.at(op),
                               calculation_text(*calculation.right));
    }
}

std::string duration_text(const Duration& duration) {
    return duration.calculation ? calculation_text(*duration.calculation) : format_duration(duration.fixed);
}

/// `@`, and `extension` between it and `offset`.
std::string shift_text(const TimeShift& shift, std::string_view extension = {}) {
    std::string out;
    if (shift.at) {
        switch (shift.at->kind) {
            case At::Kind::start:
                out += " @ start()";
                break;
            case At::Kind::end:
                out += " @ end()";
                break;
            case At::Kind::time:
                out += fmt::format(" @ {:.3f}", to_unix_seconds(shift.at->time));
                break;
        }
    }
    out += extension;
    if (shift.offset.is_set()) {
        out += " offset " + duration_text(shift.offset);
    }
    return out;
}

struct Printer {
    std::string operator()(const NumberLiteral& n) const {
        // "+Inf" would read as a sign before a looser operator.
        return n.value == std::numeric_limits<double>::infinity() ? "Inf" : format_float_go(n.value);
    }
    std::string operator()(const StringLiteral& s) const { return model::quote(s.value); }

    std::string operator()(const Selector& s) const {
        const bool plain_name = model::is_legacy_metric_name(s.name);
        std::string braces;
        for (const model::Matcher& matcher : s.matchers) {
            const bool is_name = !s.name.empty() && matcher.name() == model::metric_name_label &&
                                 matcher.op() == model::MatchOp::equal;
            if (is_name && plain_name) {
                continue;
            }
            braces += (braces.empty() ? "" : ",") + (is_name ? model::quote(s.name) : matcher.to_string());
        }
        std::string out = plain_name ? s.name : "";
        if (!braces.empty() || !plain_name) {
            out += "{" + braces + "}";
        }
        const std::string extension = s.extension == Extension::none ? "" : fmt::format(" {}", extension_text(s.extension));
        if (s.range.is_set()) {
            return out + "[" + duration_text(s.range) + "]" + extension + shift_text(s.shift);
        }
        return out + shift_text(s.shift, extension);
    }

    std::string operator()(const Subquery& s) const {
        const std::string step = s.step.is_set() ? duration_text(s.step) : "";
        return print(*s.inner) + "[" + duration_text(s.range) + ":" + step + "]" + shift_text(s.shift);
    }
    std::string operator()(const Unary& u) const { return (u.negative ? "-" : "+") + print(*u.operand); }
    std::string operator()(const Paren& p) const { return "(" + print(*p.inner) + ")"; }

    std::string operator()(const Binary& b) const {
        std::string out = print(*b.left) + " " + std::string(op_text(b.op));
        out += b.return_bool ? " bool" : "";
        if (b.matching.on || !b.matching.labels.empty() || b.matching.card == Card::many_to_one ||
            b.matching.card == Card::one_to_many) {
            out += (b.matching.on ? " on (" : " ignoring (") + joined(b.matching.labels) + ")";
        }
        if (b.matching.card == Card::many_to_one) {
            out += " group_left (" + joined(b.matching.include) + ")";
        } else if (b.matching.card == Card::one_to_many) {
            out += " group_right (" + joined(b.matching.include) + ")";
        }
        const auto fill = [&out](std::string_view name, const std::optional<double>& value) {
            out += value ? fmt::format(" {} ({})", name, format_float_go(*value)) : "";
        };
        fill("fill_left", b.matching.fill_left);
        fill("fill_right", b.matching.fill_right);
        return out + " " + print(*b.right);
    }

    std::string operator()(const Aggregate& a) const {
        std::string out(op_text(a.op));
        if (a.without || !a.labels.empty()) {
            out += (a.without ? " without (" : " by (") + joined(a.labels) + ") ";
        }
        out += "(";
        if (a.parameter) {
            out += print(*a.parameter) + ", ";
        }
        return out + print(*a.inner) + ")";
    }

    std::string operator()(const Call& c) const {
        std::string out = std::string(c.function->name) + "(";
        for (std::size_t i = 0; i < c.arguments.size(); ++i) {
            out += (i == 0 ? "" : ", ") + print(*c.arguments[i]);
        }
        return out + ")";
    }
};

/// Calls `visit` for every selector below.
struct SelectorWalk {
    std::set<std::string>& names;
    void operator()(const NumberLiteral&) const {}
    void operator()(const StringLiteral&) const {}
    void operator()(const Selector& s) const {
        for (const model::Matcher& matcher : s.matchers) {
            if (matcher.name() == model::metric_name_label && matcher.op() == model::MatchOp::equal) {
                names.insert(matcher.value());
            }
        }
    }
    void operator()(const Subquery& s) const { walk(*s.inner); }
    void operator()(const Unary& u) const { walk(*u.operand); }
    void operator()(const Paren& p) const { walk(*p.inner); }
    void operator()(const Binary& b) const {
        walk(*b.left);
        walk(*b.right);
    }
    void operator()(const Aggregate& a) const {
        walk(*a.inner);
        if (a.parameter) {
            walk(*a.parameter);
        }
    }
    void operator()(const Call& c) const {
        for (const NodePtr& argument : c.arguments) {
            walk(*argument);
        }
    }
    void walk(const Node& node) const { std::visit(*this, node.kind); }
};

}  // namespace

std::string print(const Node& node) { return std::visit(Printer{}, node.kind); }

std::vector<std::string> selected_names(const Node& node) {
    std::set<std::string> names;
    SelectorWalk{names}.walk(node);
    return {names.begin(), names.end()};
}

}  // namespace noroshi::promql
