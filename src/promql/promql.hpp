// src/promql/promql.hpp - PromQL: parse an expression once, evaluate it at a time; series_text.hpp beside it reads series of test files.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::promql {

enum class ValueType { scalar, string, vector, matrix };
[[nodiscard]] std::string_view value_type_name(ValueType type);  ///< Prometheus's names: "instant vector", ...

/// One element of an instant vector.
struct VectorSample {
    model::Labels labels;
    double value{0};
    std::shared_ptr<const model::Histogram> histogram{};  ///< instead of `value`, when there is one
};
using Vector = std::vector<VectorSample>;

/// One series of a range vector or of a range query's answer, samples in order of time.
struct MatrixSeries {
    model::Labels labels;
    std::vector<model::Sample> samples;
    std::vector<model::HistogramSample> histograms{};  ///< at other times than `samples`
};
using Matrix = std::vector<MatrixSeries>;

/// The value of an evaluation: scalar, string, instant vector or range vector.
using Value = std::variant<double, std::string, Vector, Matrix>;

/// What an evaluation has to say beside its value, in Prometheus's wording with its prefix and `(line:col)`; each once.
struct Annotations {
    std::set<std::string> warnings;  ///< "PromQL warning: ..."
    std::set<std::string> infos;     ///< "PromQL info: ..."
};

struct Answer {
    Value value;
    Annotations annotations;
};

struct Parsed;  // private tree

/// What Prometheus has behind its flags of the names beside.
struct ParseOptions {
    bool experimental{false};    ///< promql-experimental-functions: functions and aggregations
    bool fill_modifiers{false};  ///< promql-binop-fill-modifiers
    bool unquoted_names{false};  ///< promql-unquoted-utf8-names: names with letters of all scripts, and with dots
};

/// A parsed and type-checked expression; immutable, cheap to copy. Thread: any.
class Expression {
  public:
    /// Errors: parse, with `where.line`/`where.column` inside `text` and Prometheus's wording where tests rely on it.
    [[nodiscard]] static Result<Expression> parse(std::string_view text, const ParseOptions& options = {});
    [[nodiscard]] ValueType type() const;
    /// The expression written back in canonical form.
    [[nodiscard]] std::string to_string() const;
    /// Metric names of all selectors that name one, sorted, each once: what the expression reads.
    [[nodiscard]] std::vector<std::string> metric_names() const;
    /// Why parts of it can never give a result, or as an alert would always fire; nothing where that depends on series.
    /// Each with `where.line`/`where.column` inside the text.
    [[nodiscard]] std::vector<Error> hints() const;

  private:
    friend class Engine;
    explicit Expression(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
    std::shared_ptr<const Parsed> parsed_;  // shared: immutable tree
};

/// The matchers of a selector alone, the name's own among them. Errors: parse.
[[nodiscard]] Result<std::vector<model::Matcher>> parse_series_selector(std::string_view text);

/// Since when the counter of a sample counts, as its source says; the zero time: it does not know.
struct StartTime {
    TimestampMs at;  ///< of the sample
    TimestampMs start;
};
/// Of the series with these labels, in order of `at`, valid as long as an evaluation; samples may be missing.
using StartTimes = std::function<std::span<const StartTime>(const model::Labels& series)>;

struct EngineOptions {
    Milliseconds lookback_delta{std::chrono::minutes(5)};
    Milliseconds subquery_step{std::chrono::minutes(1)};  ///< of subqueries that name none
    std::size_t max_samples{50'000'000};                  ///< read by one evaluation, else Errc::limit
    std::function<bool()> gives_up{};                     ///< asked now and then; true: Errc::timeout
    StartTimes start_times{};                             ///< for rate, irate, increase, resets, start_timestamp
    bool delayed_name_removal{false};                     ///< `__name__` goes at the end, not in each step of the way
};

/// The times of a range query: start, start + step, .. up to end. `step` is positive, `end` not before `start`.
struct Steps {
    TimestampMs start;
    TimestampMs end;
    Milliseconds step;
};

/// Evaluates expressions over a store; cheap to make, one for each query. Thread: the one that appends to the store.
class Engine {
  public:
    Engine(const tsdb::Head& head, EngineOptions options) : head_(head), options_(options) {}
    /// Value at `at`. Errors: limit, timeout, invalid_argument (matching and grouping faults, Prometheus's wording; a time
    /// further than 4e18 ms from 1970).
    [[nodiscard]] Result<Answer> instant(const Expression& expression, TimestampMs at) const;
    /// A Matrix in order of labels, a series with at least one sample each; a scalar's has no labels. Errors as `instant`,
    /// and invalid_argument when the expression is a string or range vector.
    [[nodiscard]] Result<Answer> range(const Expression& expression, const Steps& steps) const;

  private:
    const tsdb::Head& head_;
    EngineOptions options_;
};

}  // namespace noroshi::promql
