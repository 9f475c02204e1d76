// src/promql/engine.cpp - the public face of evaluation.
#include <fmt/format.h>

#include <map>

#include "evaluate.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {

Result<Answer> Engine::instant(const Expression& expression, TimestampMs at) const {
    NOROSHI_TRY(Value value, Evaluation(head_, options_, {at, at, Milliseconds(1)}).evaluate(*expression.root_, at));
    return Answer{std::move(value), {}};
}

Result<Answer> Engine::range(const Expression& expression, const Steps& steps) const {
    if (expression.type() == ValueType::string || expression.type() == ValueType::matrix) {
        return fail(Errc::invalid_argument, fmt::format("invalid expression type \"{}\" for range query, must be Scalar "
                                                        "or instant Vector", value_type_name(expression.type())));
    }
    Evaluation evaluation(head_, options_, steps);
    std::map<model::Labels, std::vector<model::Sample>> rows;
    for (TimestampMs at = steps.start; at <= steps.end; at += steps.step) {
        NOROSHI_TRY(const Value value, evaluation.evaluate(*expression.root_, at));
        if (const auto* number = std::get_if<double>(&value)) {
            rows[{}].push_back({at, *number});
            continue;
        }
        for (const VectorSample& element : std::get<Vector>(value)) {
            rows[element.labels].push_back({at, element.value});
        }
    }
    Matrix out;
    for (auto& [labels, samples] : rows) {
        out.push_back({labels, std::move(samples)});
    }
    return Answer{std::move(out), {}};
}

}  // namespace noroshi::promql
