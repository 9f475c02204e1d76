// src/promql/engine.cpp - the public face of evaluation.
#include "evaluate.hpp"
#include "promql/promql.hpp"

namespace noroshi::promql {

Result<Value> Engine::instant(const Expression& expression, TimestampMs at) const {
    return Evaluation(head_, options_, at).evaluate(*expression.root_, at);
}

}  // namespace noroshi::promql
