// src/promql/evaluate.hpp - the value of a tree at one time.
#pragma once

#include "functions.hpp"
#include "promql/promql.hpp"
#include "tree.hpp"

namespace noroshi::promql {

/// One evaluation over one store. Counts the samples it reads and refuses to go over the budget.
class Evaluation {
  public:
    /// `steps`: what `@ start()` and `@ end()` mean.
    Evaluation(const tsdb::Head& head, const EngineOptions& options, const Steps& steps)
        : head_(head), options_(options), steps_(steps) {}

    [[nodiscard]] Result<Value> evaluate(const Node& node, TimestampMs at);

  private:
    Result<Value> value_of(const Selector& selector, TimestampMs at);
    Result<Value> value_of(const Subquery& subquery, TimestampMs at);
    Result<Value> value_of(const Unary& unary, TimestampMs at);
    Result<Value> value_of(const Binary& binary, TimestampMs at);
    Result<Value> value_of(const Aggregate& aggregate, TimestampMs at);
    Result<Value> value_of(const Call& call, TimestampMs at);
    Result<Value> instant(const Selector& selector, TimestampMs at, bool sample_times);
    Result<Value> range(const Selector& selector, TimestampMs at);
    Result<Value> over_ranges(const Call& call, RangeFunction function, TimestampMs at);
    Result<Value> over_elements(const Call& call, ElementFunction function, TimestampMs at);
    [[nodiscard]] TimestampMs shifted(const TimeShift& shift, TimestampMs at) const;
    Result<void> count_samples(std::size_t by);

    const tsdb::Head& head_;
    const EngineOptions& options_;
    Steps steps_;
    std::size_t samples_{0};
};

/// Both sides evaluated. Errors: invalid_argument (many-to-many and duplicate matches, in Prometheus's words).
[[nodiscard]] Result<Value> apply_binary(const Binary& binary, Value left, Value right);
/// `parameter` is a scalar or string value, as the operator wants it.
[[nodiscard]] Result<Value> apply_aggregate(const Aggregate& aggregate, Vector elements, const Value& parameter);

}  // namespace noroshi::promql
