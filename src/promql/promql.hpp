// src/promql/promql.hpp - PromQL: parse an expression once, evaluate it at a time; the only public header of this library.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::promql {

enum class ValueType { scalar, string, vector, matrix };
[[nodiscard]] std::string_view value_type_name(ValueType type);  ///< Prometheus's names: "instant vector", ...

/// One element of an instant vector.
struct VectorSample {
    model::Labels labels;
    double value{0};
};
using Vector = std::vector<VectorSample>;

/// One element of a range vector, samples in order of time.
struct MatrixSeries {
    model::Labels labels;
    std::vector<model::Sample> samples;
};
using Matrix = std::vector<MatrixSeries>;

/// The answer of an evaluation: scalar, string, instant vector or range vector.
using Value = std::variant<double, std::string, Vector, Matrix>;

struct Node;  // private tree

/// A parsed and type-checked expression; immutable, cheap to copy. Thread: any.
class Expression {
  public:
    /// Errors: parse, with `where.line`/`where.column` inside `text` and Prometheus's wording where tests rely on it;
    /// unsupported (a function or modifier that this version lacks, named).
    [[nodiscard]] static Result<Expression> parse(std::string_view text);
    [[nodiscard]] ValueType type() const;
    /// The expression written back in canonical form.
    [[nodiscard]] std::string to_string() const;
    /// Metric names of all selectors that name one, sorted, each once: what the expression reads.
    [[nodiscard]] std::vector<std::string> metric_names() const;

  private:
    friend class Engine;
    explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
    std::shared_ptr<const Node> root_;  // shared: immutable tree
};

struct EngineOptions {
    Milliseconds lookback_delta{std::chrono::minutes(5)};
    std::size_t max_samples{50'000'000};  ///< read by one evaluation, else Errc::limit
};

/// Evaluates expressions over a store. Thread: the one that appends to the store.
class Engine {
  public:
    Engine(const tsdb::Head& head, EngineOptions options) : head_(head), options_(options) {}
    /// Value at `at`. Errors: limit, invalid_argument (matching and grouping faults, Prometheus's wording).
    [[nodiscard]] Result<Value> instant(const Expression& expression, TimestampMs at) const;

  private:
    const tsdb::Head& head_;
    EngineOptions options_;
};

}  // namespace noroshi::promql
