// src/promql/evaluate.cpp - selectors, subqueries and calls.
#include "evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace noroshi::promql {
namespace {

Vector as_vector(Value value) { return std::get<Vector>(std::move(value)); }

}  // namespace

TimestampMs Evaluation::shifted(const TimeShift& shift, TimestampMs at) const {
    if (shift.at) {
        at = shift.at->kind == At::Kind::time ? shift.at->time : shift.at->kind == At::Kind::start ? steps_.start : steps_.end;
    }
    return at - shift.offset;
}

Result<void> Evaluation::count_samples(std::size_t by) {
    samples_ += by;
    if (samples_ > options_.max_samples) {
        return fail(Errc::limit, fmt::format("query would read more than {} samples", options_.max_samples));
    }
    if (options_.gives_up && options_.gives_up()) {
        return fail(Errc::timeout, "query timed out in expression evaluation");
    }
    return {};
}

Result<Value> Evaluation::evaluate(const Node& node, TimestampMs at) {
    struct Visitor {
        Evaluation& self;
        TimestampMs at;
        Result<Value> operator()(const NumberLiteral& n) const { return Value(n.value); }
        Result<Value> operator()(const StringLiteral& s) const { return Value(s.value); }
        Result<Value> operator()(const Paren& p) const { return self.evaluate(*p.inner, at); }
        Result<Value> operator()(const Selector& s) const { return self.value_of(s, at); }
        Result<Value> operator()(const Subquery& s) const { return self.value_of(s, at); }
        Result<Value> operator()(const Unary& u) const { return self.value_of(u, at); }
        Result<Value> operator()(const Binary& b) const { return self.value_of(b, at); }
        Result<Value> operator()(const Aggregate& a) const { return self.value_of(a, at); }
        Result<Value> operator()(const Call& c) const { return self.value_of(c, at); }
    };
    return std::visit(Visitor{*this, at}, node.kind);
}

Result<Value> Evaluation::value_of(const Selector& selector, TimestampMs at) {
    return selector.range.count() != 0 ? range(selector, at) : instant(selector, at, false);
}

Result<Value> Evaluation::instant(const Selector& selector, TimestampMs at, bool sample_times) {
    const TimestampMs to = shifted(selector.shift, at);
    Vector out;
    for (tsdb::SelectedSeries& series : head_.select(selector.matchers, to - options_.lookback_delta, to)) {
        model::Sample newest{};
        std::size_t read = 0;
        while (series.cursor->next(newest)) {
            ++read;
        }
        NOROSHI_TRY_VOID(count_samples(read));
        if (read > 0 && !model::is_stale_marker(newest.value)) {
            out.push_back({*series.labels, sample_times ? to_unix_seconds(newest.at) : newest.value});
        }
    }
    return Value(std::move(out));
}

Result<Value> Evaluation::range(const Selector& selector, TimestampMs at) {
    const TimestampMs to = shifted(selector.shift, at);
    Matrix out;
    for (tsdb::SelectedSeries& series : head_.select(selector.matchers, to - selector.range, to)) {
        MatrixSeries row{*series.labels, {}};
        model::Sample sample{};
        while (series.cursor->next(sample)) {
            if (!model::is_stale_marker(sample.value)) {
                row.samples.push_back(sample);
            }
        }
        NOROSHI_TRY_VOID(count_samples(row.samples.size()));
        if (!row.samples.empty()) {
            out.push_back(std::move(row));
        }
    }
    return Value(std::move(out));
}

Result<Value> Evaluation::value_of(const Subquery& subquery, TimestampMs at) {
    const Milliseconds step = subquery.step.count() == 0 ? options_.subquery_step : subquery.step;
    const TimestampMs to = shifted(subquery.shift, at);
    const TimestampMs from = to - subquery.range;
    // Steps lie on multiples of the step since the epoch; the left end is open.
    std::int64_t first = to_unix_ms(from) / step.count() * step.count();
    while (first <= to_unix_ms(from)) {
        first += step.count();
    }
    std::map<model::Labels, std::vector<model::Sample>> rows;
    for (std::int64_t t = first; t <= to_unix_ms(to); t += step.count()) {
        NOROSHI_TRY(Value value, evaluate(*subquery.inner, from_unix_ms(t)));
        Vector vector = as_vector(std::move(value));
        NOROSHI_TRY_VOID(count_samples(vector.size() + 1));
        for (VectorSample& element : vector) {
            rows[std::move(element.labels)].push_back({from_unix_ms(t), element.value});
        }
    }
    Matrix out;
    for (auto& [labels, samples] : rows) {
        out.push_back({labels, std::move(samples)});
    }
    return Value(std::move(out));
}

Result<Value> Evaluation::value_of(const Unary& unary, TimestampMs at) {
    NOROSHI_TRY(Value value, evaluate(*unary.operand, at));
    if (!unary.negative) {
        return value;
    }
    if (const auto* number = std::get_if<double>(&value)) {
        return Value(-*number);
    }
    Vector vector = as_vector(std::move(value));
    for (VectorSample& element : vector) {
        element.value = -element.value;
        element.labels = without_metadata(element.labels);
    }
    NOROSHI_TRY_VOID(require_unique(vector));
    return Value(std::move(vector));
}

Result<Value> Evaluation::value_of(const Binary& binary, TimestampMs at) {
    NOROSHI_TRY(Value left, evaluate(*binary.left, at));
    NOROSHI_TRY(Value right, evaluate(*binary.right, at));
    return apply_binary(binary, std::move(left), std::move(right));
}

Result<Value> Evaluation::value_of(const Aggregate& aggregate, TimestampMs at) {
    Value parameter = 0.0;
    if (aggregate.parameter) {
        NOROSHI_TRY(parameter, evaluate(*aggregate.parameter, at));
    }
    NOROSHI_TRY(Value inner, evaluate(*aggregate.inner, at));
    return apply_aggregate(aggregate, as_vector(std::move(inner)), parameter);
}

Result<Value> Evaluation::value_of(const Call& call, TimestampMs at) {
    if (const auto* element = std::get_if<ElementFunction>(&call.function->run)) {
        return over_elements(call, *element, at);
    }
    if (const auto* over_range = std::get_if<RangeFunction>(&call.function->run)) {
        return over_ranges(call, *over_range, at);
    }
    // timestamp() of a bare selector is the sample's own time, which no vector carries.
    if (call.function->name == "timestamp") {
        const Node& argument = without_parens(*call.arguments.front());
        if (const auto* selector = std::get_if<Selector>(&argument.kind)) {
            NOROSHI_TRY(Value times, instant(*selector, at, true));
            Vector vector = as_vector(std::move(times));
            for (VectorSample& element : vector) {
                element.labels = without_metadata(element.labels);
            }
            NOROSHI_TRY_VOID(require_unique(vector));
            return Value(std::move(vector));
        }
    }
    std::vector<Value> values;
    for (const NodePtr& argument : call.arguments) {
        NOROSHI_TRY(Value value, evaluate(*argument, at));
        values.push_back(std::move(value));
    }
    CallContext context{at, call.arguments, values};
    NOROSHI_TRY(Value out, std::get<FreeFunction>(call.function->run)(context));
    if (const auto* vector = std::get_if<Vector>(&out)) {
        NOROSHI_TRY_VOID(require_unique(*vector));
    }
    return out;
}

Result<Value> Evaluation::over_elements(const Call& call, ElementFunction function, TimestampMs at) {
    NOROSHI_TRY(Value first, evaluate(*call.arguments.front(), at));
    double scalars[2] = {0, 0};
    for (std::size_t i = 1; i < call.arguments.size() && i <= 2; ++i) {
        NOROSHI_TRY(const Value value, evaluate(*call.arguments[i], at));
        scalars[i - 1] = std::get<double>(value);
    }
    if (call.function->name == "round" && call.arguments.size() == 1) {
        scalars[0] = 1;
    }
    if (call.function->name == "clamp" && scalars[0] > scalars[1]) {
        return Value(Vector{});
    }
    Vector vector = as_vector(std::move(first));
    for (VectorSample& element : vector) {
        element.value = function(element.value, scalars[0], scalars[1]);
        element.labels = without_metadata(element.labels);
    }
    NOROSHI_TRY_VOID(require_unique(vector));
    return Value(std::move(vector));
}

Result<Value> Evaluation::over_ranges(const Call& call, RangeFunction function, TimestampMs at) {
    double parameter = 0;
    const Node* range_node = nullptr;
    Matrix matrix;
    for (const NodePtr& argument : call.arguments) {
        NOROSHI_TRY(Value value, evaluate(*argument, at));
        if (argument->type == ValueType::matrix) {
            range_node = &without_parens(*argument);
            matrix = std::get<Matrix>(std::move(value));
        } else {
            parameter = std::get<double>(value);
        }
    }
    const auto* selector = std::get_if<Selector>(&range_node->kind);
    const auto* subquery = std::get_if<Subquery>(&range_node->kind);
    const Milliseconds length = selector != nullptr ? selector->range : subquery->range;
    const TimestampMs end = shifted(selector != nullptr ? selector->shift : subquery->shift, at);
    Vector out;
    for (MatrixSeries& series : matrix) {
        const Window window{series.samples,
                            to_unix_seconds(end - length),
                            to_unix_seconds(end),
                            static_cast<double>(length.count()) / 1000.0,
                            to_unix_seconds(at),
                            parameter};
        if (const std::optional<double> value = function(window)) {
            out.push_back({call.function->keeps_name ? std::move(series.labels)
                                                     : without_metadata(series.labels),
                           *value});
        }
    }
    NOROSHI_TRY_VOID(require_unique(out));
    return Value(std::move(out));
}

}  // namespace noroshi::promql
