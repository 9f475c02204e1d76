// src/promql/parser_duration.cpp - durations in brackets and after `offset`, also calculated ones.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "parser.hpp"

namespace noroshi::promql {
namespace {

using Op = Calculation::Op;

/// Seconds that fit into nanoseconds of 64 bits.
constexpr double longest_seconds = 9223372036.0;

struct OpRow {
    std::string_view text;
    Op op;
    int precedence;
};
constexpr int longest_chain = 500;
constexpr int unary_precedence = 2;
constexpr int power_precedence = 3;
constexpr std::array<OpRow, 6> operators{{{"+", Op::add, 1},
                                          {"-", Op::sub, 1},
                                          {"*", Op::mul, 2},
                                          {"/", Op::div, 2},
                                          {"%", Op::mod, 2},
                                          {"^", Op::pow, power_precedence}}};

CalculationPtr constant(double seconds, std::size_t offset) {
    return std::make_shared<const Calculation>(Calculation{Op::number, seconds, nullptr, nullptr, offset});
}

CalculationPtr join(Op op, CalculationPtr left, CalculationPtr right, std::size_t offset) {
    return std::make_shared<const Calculation>(Calculation{op, 0, std::move(left), std::move(right), offset});
}

bool depends_on_query(const Calculation& calculation) {
    return calculation.op == Op::step || calculation.op == Op::range ||
           (calculation.left && depends_on_query(*calculation.left)) ||
           (calculation.right && depends_on_query(*calculation.right));
}

}  // namespace

Result<double> calculate(const Calculation& calculation, double step, double range) {
    double left = 0;
    double right = 0;
    if (calculation.left) {
        NOROSHI_TRY(left, calculate(*calculation.left, step, range));
    }
    if (calculation.right) {
        NOROSHI_TRY(right, calculate(*calculation.right, step, range));
    }
    switch (calculation.op) {
        case Op::number:
            return calculation.seconds;
        case Op::step:
            return step;
        case Op::range:
            return range;
        case Op::min_of:
            return std::isnan(left) || std::isnan(right) ? std::nan("") : std::fmin(left, right);
        case Op::max_of:
            return std::isnan(left) || std::isnan(right) ? std::nan("") : std::fmax(left, right);
        case Op::add:
            return left + right;
        case Op::sub:
            return left - right;
        case Op::mul:
            return left * right;
        case Op::div:
            return right == 0 ? Result<double>(fail(Errc::invalid_argument, "division by zero")) : left / right;
        case Op::mod:
            return right == 0 ? Result<double>(fail(Errc::invalid_argument, "modulo by zero")) : std::fmod(left, right);
        case Op::pow:
            return std::pow(left, right);
    }
    return 0;
}

Result<Milliseconds> duration_of(double seconds, bool may_be_negative) {
    if (!std::isfinite(seconds)) {
        return fail(Errc::invalid_argument, "duration is NaN or infinite");
    }
    if (seconds <= 0 && !may_be_negative) {
        return fail(Errc::invalid_argument, "duration must be greater than 0");
    }
    if (std::fabs(seconds) > longest_seconds) {
        return fail(Errc::invalid_argument, "duration is out of range");
    }
    return Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Result<Duration> Parser::duration(DurationPlace place) {
    const std::size_t offset = peek().offset;
    NOROSHI_TRY(CalculationPtr calculation, place == DurationPlace::offset ? duration_unary() : duration_expression(0));
    if (depends_on_query(*calculation)) {
        return Duration{Milliseconds(0), std::move(calculation)};
    }
    if (calculation->op == Op::number && (calculation->seconds > 0 || place == DurationPlace::offset)) {
        return Duration{Milliseconds(std::llround(calculation->seconds * 1000)), nullptr};
    }
    const Result<double> seconds = calculate(*calculation, 0, 0);
    const Result<Milliseconds> fixed = seconds ? duration_of(*seconds, place == DurationPlace::offset) : fail(seconds.error());
    if (!fixed) {
        return fault(offset, fixed.error().message);
    }
    return Duration{*fixed, nullptr};
}

/// After `offset` an operator belongs to the whole expression, unless parentheses say otherwise.
Result<CalculationPtr> Parser::duration_unary() {
    const std::size_t offset = peek().offset;
    if (take_if("+")) {
        return duration_primary();
    }
    if (take_if("-")) {
        NOROSHI_TRY(CalculationPtr operand, duration_primary());
        return join(Op::sub, constant(0, offset), std::move(operand), offset);
    }
    return duration_primary();
}

Result<CalculationPtr> Parser::duration_expression(int lowest) {
    const Nested nested(*this);
    NOROSHI_TRY_VOID(nested.check());
    const std::size_t offset = peek().offset;
    CalculationPtr left;
    if (peek().is("+") || peek().is("-")) {
        const bool negative = take().is("-");
        NOROSHI_TRY(left, duration_expression(unary_precedence + 1));
        left = negative ? join(Op::sub, constant(0, offset), std::move(left), offset) : left;
    } else {
        NOROSHI_TRY(left, duration_primary());
    }
    for (int length = 0; true; ++length) {
        // A chain of operators is a deep tree too.
        if (length > longest_chain) {
            return fault(offset, "duration has too many operators");
        }
        const auto found = std::ranges::find_if(operators, [this](const OpRow& row) { return peek().is(row.text); });
        if (found == operators.end() || found->precedence < lowest) {
            return left;
        }
        take();
        NOROSHI_TRY(CalculationPtr right,
                    duration_expression(found->precedence == power_precedence ? power_precedence : found->precedence + 1));
        left = join(found->op, std::move(left), std::move(right), offset);
    }
}

Result<CalculationPtr> Parser::duration_primary() {
    const Token token = take();
    if (token.is("(")) {
        NOROSHI_TRY(CalculationPtr inner, duration_expression(0));
        NOROSHI_TRY_VOID(expect(")", "duration"));
        return inner;
    }
    if (token.kind == TokenKind::identifier) {
        return duration_call(token);
    }
    Result<double> seconds = fail(Errc::parse, "");
    if (token.kind == TokenKind::duration) {
        const Result<Milliseconds> parsed = parse_duration(token.text);
        if (!parsed) {
            return fault(token.offset, parsed.error().message);
        }
        seconds = static_cast<double>(parsed->count()) / 1000.0;
    } else if (token.kind == TokenKind::number) {
        seconds = parse_float(token.text);
    } else {
        return fault(token.offset, fmt::format("unexpected {} in duration",
                                               token.kind == TokenKind::end ? "end of input" : model::quote(token.text)));
    }
    if (!seconds || !std::isfinite(*seconds) || std::fabs(*seconds) > longest_seconds) {
        return fault(token.offset, "duration out of range");
    }
    return constant(*seconds, token.offset);
}

Result<CalculationPtr> Parser::duration_call(const Token& name) {
    const std::string word = ascii_lower(name.text);
    const bool is_extreme = word == "min_of" || word == "max_of";
    if (!is_extreme && word != "step" && word != "range") {
        return fault(name.offset, fmt::format("unexpected {} in duration", model::quote(name.text)));
    }
    NOROSHI_TRY_VOID(expect("(", "duration"));
    CalculationPtr left;
    CalculationPtr right;
    if (is_extreme) {
        NOROSHI_TRY(left, duration_expression(0));
        NOROSHI_TRY_VOID(expect(",", "duration"));
        NOROSHI_TRY(right, duration_expression(0));
    }
    NOROSHI_TRY_VOID(expect(")", "duration"));
    const Op op = word == "step" ? Op::step : word == "range" ? Op::range : word == "min_of" ? Op::min_of : Op::max_of;
    return join(op, std::move(left), std::move(right), name.offset);
}

}  // namespace noroshi::promql
