// src/promql/evaluate.cpp - selectors and calls; the walk over a tree.
#include "evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"

#include "native_histogram.hpp"
#include "start_times.hpp"

namespace noroshi::promql {
namespace {

/// Rows times steps for which memory is set aside before anything is counted.
constexpr std::size_t most_reserved = 1u << 16;

}  // namespace

Result<Milliseconds> Evaluation::resolved(const Duration& duration, bool may_be_negative) const {
    if (!duration.calculation) {
        return duration.fixed;
    }
    // An instant query has no step: its own stands for one.
    const auto seconds = [](Milliseconds ms) { return static_cast<double>(ms.count()) / 1000.0; };
    NOROSHI_TRY(const double value,
                calculate(*duration.calculation, seconds(query_.step), seconds(query_.end - query_.start)));
    return duration_of(value, may_be_negative);
}

TimestampMs Evaluation::time_of(const At& at) const {
    return at.kind == At::Kind::time ? at.time : at.kind == At::Kind::start ? query_.start : query_.end;
}

Result<Steps> Evaluation::shifted(const TimeShift& shift, const Steps& steps) const {
    NOROSHI_TRY(const Milliseconds offset, resolved(shift.offset, true));
    if (!shift.at) {
        return Steps{steps.start - offset, steps.end - offset, steps.step};
    }
    const TimestampMs at = time_of(*shift.at);
    return Steps{at - offset, at - offset, steps.step};
}

namespace {

Result<void> go_on(const EngineOptions& options) {
    if (options.gives_up && options.gives_up()) {
        return fail(Errc::timeout, "query timed out in expression evaluation");
    }
    return {};
}

}  // namespace

Result<void> Evaluation::count_samples(std::size_t by) {
    samples_ += by;
    if (samples_ > options_.max_samples) {
        return fail(Errc::limit, "query processing would load too many samples into memory in query execution");
    }
    // A look at a clock costs as much as some dozens of samples.
    constexpr std::size_t samples_a_look = 4096;
    if (samples_ < next_look_) {
        return {};
    }
    next_look_ = samples_ + samples_a_look;
    return go_on(options_);
}

Result<void> Evaluation::keep_on(std::size_t work) {
    constexpr std::size_t worth_asking = 1u << 16;
    work_ += work;
    if (work_ < worth_asking) {
        return {};
    }
    work_ = 0;
    return go_on(options_);
}

void Evaluation::drop_name(Row& row) const {
    if (options_.delayed_name_removal) {
        row.drop_name = true;
    } else {
        row.labels = without_metadata(row.labels);
    }
}

Result<void> Evaluation::unify(Table& table) const {
    return options_.delayed_name_removal ? Result<void>{} : table.unify();
}

Result<void> Evaluation::finish(Table& table) const {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (table.row(i).drop_name) {
            table.row(i).labels = without_metadata(table.row(i).labels);
        }
    }
    return table.unify();
}

std::string Evaluation::place_of(const Node& node) const {
    const std::string_view before = text_.substr(0, node.offset);
    const auto line = std::ranges::count(before, '\n') + 1;
    const std::size_t last = before.rfind('\n');
    const std::size_t column = last == std::string_view::npos ? node.offset + 1 : node.offset - last;
    return fmt::format(" ({}:{})", line, column);
}

void Evaluation::warn(const Node& node, std::string_view text) {
    annotations_.warnings.insert(fmt::format("PromQL warning: {}{}", text, place_of(node)));
}

void Evaluation::inform(const Node& node, std::string_view text, std::string_view details) {
    annotations_.infos.insert(fmt::format("PromQL info: {}{}{}", text, details, place_of(node)));
}

Evaluation::Reading Evaluation::reading_below(const Node& node) const {
    constexpr std::array<std::string_view, 3> counting{"histogram_count", "histogram_sum", "histogram_avg"};
    constexpr std::array<std::string_view, 6> looking{"histogram_quantile", "histogram_quantiles", "histogram_fraction",
                                                      "histogram_stddev",   "histogram_stdvar",    "changes"};
    Reading out = reading_;
    if (const auto* call = std::get_if<Call>(&node.kind)) {
        out.counts_alone = out.counts_alone || std::ranges::count(counting, call->function->name) != 0;
        out.buckets = out.buckets || std::ranges::count(looking, call->function->name) != 0;
    } else if (const auto* aggregate = std::get_if<Aggregate>(&node.kind)) {
        out.buckets = out.buckets || aggregate->op == AggregateOp::count_values;
    } else if (const auto* binary = std::get_if<Binary>(&node.kind)) {
        const BinaryOp op = binary->op;
        out.buckets = out.buckets || is_trim(op) || op == BinaryOp::eq || op == BinaryOp::ne;
    }
    out.buckets = out.buckets || std::holds_alternative<Subquery>(node.kind);
    return out;
}

/// What holds below `node`, as long as it lives.
class Evaluation::ReadingScope {
  public:
    ReadingScope(Evaluation& evaluation, const Node& node)
        : evaluation_(evaluation), before_(std::exchange(evaluation.reading_, evaluation.reading_below(node))) {}
    ~ReadingScope() { evaluation_.reading_ = before_; }
    ReadingScope(const ReadingScope&) = delete;
    ReadingScope& operator=(const ReadingScope&) = delete;

  private:
    Evaluation& evaluation_;
    Reading before_;
};

/// Where counts alone are read, Prometheus finds resets by itself and leaves the buckets behind; its warnings follow from that.
HistogramPtr Evaluation::as_read(const HistogramPtr& whole, const HistogramPtr& before) const {
    if (!reading_.counts_alone || reading_.buckets) {
        return whole;
    }
    auto counts = std::make_shared<model::Histogram>();
    counts->schema = whole->schema;
    counts->hint = whole->hint;
    counts->count = whole->count;
    counts->sum = whole->sum;
    if (before && whole->hint == model::ResetHint::unknown) {
        counts->hint = model::is_reset(*whole, *before) ? model::ResetHint::reset : model::ResetHint::not_reset;
    }
    return counts;
}

Result<StepValue> Evaluation::evaluate(const Node& node, const Steps& steps) {
    NOROSHI_TRY_VOID(count_samples(count_of(steps)));
    const ReadingScope scope(*this, node);
    struct Visitor {
        Evaluation& self;
        const Node& node;
        const Steps& steps;
        Result<StepValue> operator()(const NumberLiteral& n) const { return StepValue(Scalars(count_of(steps), n.value)); }
        Result<StepValue> operator()(const StringLiteral& s) const { return StepValue(s.value); }
        Result<StepValue> operator()(const Paren& p) const { return self.evaluate(*p.inner, steps); }
        Result<StepValue> operator()(const Selector& s) const { return self.value_of(s, node, steps); }
        Result<StepValue> operator()(const Subquery&) const { return fail(Errc::internal, "a range vector has no value"); }
        Result<StepValue> operator()(const Unary& u) const { return self.value_of(u, steps); }
        Result<StepValue> operator()(const Binary& b) const { return self.value_of(b, node, steps); }
        Result<StepValue> operator()(const Aggregate& a) const { return self.value_of(a, node, steps); }
        Result<StepValue> operator()(const Call& c) const { return self.value_of(c, node, steps); }
    };
    Result<StepValue> out = std::visit(Visitor{*this, node, steps}, node.kind);
    if (const auto* table = out ? std::get_if<Table>(&*out) : nullptr) {
        NOROSHI_TRY_VOID(count_samples(table->size() * table->steps()));
    }
    return out;
}

Result<StepValue> Evaluation::value_of(const Selector& selector, const Node& node, const Steps& steps) {
    if (selector.extension == Extension::smoothed) {
        NOROSHI_TRY(Table table, smoothed(selector, node, steps));
        return StepValue(std::move(table));
    }
    NOROSHI_TRY(Table table, instant(selector, steps, Shown::values));
    return StepValue(std::move(table));
}

double View::of(TimestampMs at, double value) const {
    if (shown == Shown::values) {
        return value;
    }
    return to_unix_seconds(shown == Shown::start_times ? start_of(starts, at) : at);
}

/// The newest sample in (t - lookback, t] of each step t, in one pass; nothing where that is stale. How many were read.
std::size_t Evaluation::fill(tsdb::Cursor& cursor, const Steps& at, Table& out, std::size_t row, const View& view) {
    read_.clear();
    if (!cursor.read_numbers(read_, true)) {
        return fill_mixed(cursor, at, out, row, view);
    }
    const std::span<double> values = out.values(row);
    std::size_t newer = 0;  // the first sample after the step
    for (std::size_t step = 0; step < values.size(); ++step) {
        const TimestampMs time = time_at(at, step);
        while (newer < read_.size() && read_[newer].at <= time) {
            ++newer;
        }
        if (newer == 0) {
            continue;
        }
        const model::Sample& newest = read_[newer - 1];
        if (newest.at > time - options_.lookback_delta && !model::is_stale_marker(newest.value)) {
            values[step] = view.of(newest.at, newest.value);
        }
    }
    return read_.size();
}

/// As fill, where histograms come after the numbers that were read.
std::size_t Evaluation::fill_mixed(tsdb::Cursor& cursor, const Steps& at, Table& out, std::size_t row, const View& view) const {
    const bool shows_histograms = view.shown == Shown::values || view.shown == Shown::times_of_numbers;
    model::Sample newest{};
    HistogramPtr histogram;  // of `newest`
    HistogramPtr before;     // the last one that came, whole
    std::size_t read = 0;
    std::size_t step = 0;
    const auto fill_before = [&](TimestampMs end) {
        for (; step < out.steps() && time_at(at, step) < end; ++step) {
            const bool there = read > 0 && newest.at > time_at(at, step) - options_.lookback_delta;
            if (!there || model::is_stale_marker(newest.value)) {
                continue;
            }
            if (histogram && shows_histograms) {
                out.set(row, step, histogram);
            } else {
                out.set(row, step, view.of(newest.at, newest.value));
            }
        }
    };
    const auto take = [&](const model::Sample& next, const HistogramPtr& whole) {
        fill_before(next.at);
        newest = next;
        ++read;
        histogram = nullptr;
        if (whole && !whole->is_stale()) {
            histogram = as_read(whole, before);
            before = whole;
        }
    };
    for (const model::Sample& number : read_) {
        take(number, nullptr);
    }
    for (model::Sample next{}; cursor.next(next);) {
        take(next, cursor.histogram());
    }
    fill_before(TimestampMs::max());
    return read;
}

Result<Table> Evaluation::instant(const Selector& selector, const Steps& steps, Shown shown) {
    NOROSHI_TRY(const Steps at, shifted(selector.shift, steps));
    const std::size_t columns = count_of(at);
    Table out(columns);
    std::vector<tsdb::SelectedSeries> selected = head_.select(selector.matchers, at.start - options_.lookback_delta, at.end);
    out.reserve(std::min<std::size_t>(selected.size(), most_reserved / columns + 1));
    for (tsdb::SelectedSeries& series : selected) {
        NOROSHI_TRY_VOID(count_samples(columns));
        const std::size_t row = out.add({*series.labels, false});
        const View view{shown, shown == Shown::start_times ? options_.start_times(*series.labels) : std::span<const StartTime>{}};
        const std::size_t read = fill(*series.cursor, at, out, row, view);
        NOROSHI_TRY_VOID(count_samples(read));
        out.drop_last_if_empty();
    }
    const std::size_t wanted = count_of(steps);
    return columns == wanted ? std::move(out) : out.repeated(wanted);
}

Result<StepValue> Evaluation::times(const Selector& selector, const Steps& steps, Shown shown) {
    NOROSHI_TRY(Table table, instant(selector, steps, shown));
    for (std::size_t i = 0; i < table.size(); ++i) {
        drop_name(table.row(i));
    }
    NOROSHI_TRY_VOID(unify(table));
    return StepValue(std::move(table));
}

Result<StepValue> Evaluation::value_of(const Unary& unary, const Steps& steps) {
    NOROSHI_TRY(StepValue value, evaluate(*unary.operand, steps));
    if (!unary.negative) {
        return value;
    }
    const auto negate = [](std::span<double> values) {
        for (double& value : values) {
            value = has_value(value) ? -value : value;
        }
    };
    if (auto* scalars = std::get_if<Scalars>(&value)) {
        negate(*scalars);
        return value;
    }
    auto& table = std::get<Table>(value);
    for (std::size_t i = 0; i < table.size(); ++i) {
        negate(table.values(i));
        for (std::size_t step = 0; step < table.steps() && table.has_histograms(); ++step) {
            if (const HistogramPtr histogram = table.histogram(i, step)) {
                auto negated = std::make_shared<model::Histogram>(*histogram);
                multiply(*negated, -1);
                table.set(i, step, std::move(negated));
            }
        }
        drop_name(table.row(i));
    }
    NOROSHI_TRY_VOID(unify(table));
    return value;
}

Result<StepValue> Evaluation::value_of(const Binary& binary, const Node& node, const Steps& steps) {
    NOROSHI_TRY(StepValue left, evaluate(*binary.left, steps));
    NOROSHI_TRY(StepValue right, evaluate(*binary.right, steps));
    return apply_binary(*this, node, std::move(left), std::move(right));
}

Result<StepValue> Evaluation::value_of(const Aggregate& aggregate, const Node& node, const Steps& steps) {
    StepValue parameter = Scalars(count_of(steps), 0.0);
    if (aggregate.parameter) {
        NOROSHI_TRY(parameter, evaluate(*aggregate.parameter, steps));
    }
    NOROSHI_TRY(StepValue inner, evaluate(*aggregate.inner, steps));
    return apply_aggregate(*this, node, std::get<Table>(std::move(inner)), parameter);
}

Result<StepValue> Evaluation::value_of(const Call& call, const Node& node, const Steps& steps) {
    if (const auto* element = std::get_if<ElementFunction>(&call.function->run)) {
        return over_elements(call, *element, steps);
    }
    if (const auto* over_range = std::get_if<RangeFunction>(&call.function->run)) {
        return over_ranges(call, *over_range, steps);
    }
    if (const auto* mixed = std::get_if<MixedFunction>(&call.function->run)) {
        return over_mixed(call, *mixed, steps);
    }
    // Of a bare selector both are the sample's own times, which no vector carries.
    const bool asks_start = call.function->name == "start_timestamp" && options_.start_times;
    if (asks_start || call.function->name == "timestamp") {
        if (const auto* selector = std::get_if<Selector>(&without_parens(*call.arguments.front()).kind)) {
            return times(*selector, steps, asks_start ? Shown::start_times : Shown::times);
        }
    }
    CallContext context{*this, node, steps, call.arguments, {}, nullptr};
    for (const NodePtr& argument : call.arguments) {
        if (call.function->takes_selector && !context.values.empty()) {
            break;
        }
        if (argument->type == ValueType::matrix) {
            NOROSHI_TRY(Ranges windows, ranges(*argument, steps));
            context.ranges = std::make_shared<Ranges>(std::move(windows));
            context.values.emplace_back();
        } else {
            NOROSHI_TRY(StepValue value, evaluate(*argument, steps));
            context.values.push_back(std::move(value));
        }
    }
    NOROSHI_TRY(StepValue out, std::get<FreeFunction>(call.function->run)(context));
    if (auto* table = std::get_if<Table>(&out)) {
        // Labels may have been made equal on purpose, so this is no matter of names alone.
        NOROSHI_TRY_VOID(call.function->keeps_name ? table->unify() : unify(*table));
    }
    return out;
}

Result<StepValue> Evaluation::over_elements(const Call& call, ElementFunction function, const Steps& steps) {
    NOROSHI_TRY(StepValue first, evaluate(*call.arguments.front(), steps));
    Scalars scalars[2] = {Scalars(count_of(steps), call.function->default_parameter), Scalars(count_of(steps), 0.0)};
    for (std::size_t i = 1; i < call.arguments.size() && i <= 2; ++i) {
        NOROSHI_TRY(StepValue value, evaluate(*call.arguments[i], steps));
        scalars[i - 1] = std::get<Scalars>(std::move(value));
    }
    const bool clamps = call.function->name == "clamp";
    auto& table = std::get<Table>(first);
    table.drop_histograms();
    for (std::size_t i = 0; i < table.size(); ++i) {
        const std::span<double> values = table.values(i);
        for (std::size_t step = 0; step < values.size(); ++step) {
            if (clamps && scalars[0][step] > scalars[1][step]) {
                values[step] = no_value;
            } else if (has_value(values[step])) {
                values[step] = function(values[step], scalars[0][step], scalars[1][step]);
            }
        }
        drop_name(table.row(i));
    }
    NOROSHI_TRY_VOID(unify(table));
    return first;
}

void warn_of_quantiles(Evaluation& evaluation, const Node& node, const Scalars& quantiles) {
    for (const double q : quantiles) {
        if (std::isnan(q) || q < 0 || q > 1) {
            evaluation.warn(node, fmt::format("quantile value should be between 0 and 1, got {}", format_float(q)));
        }
    }
}

}  // namespace noroshi::promql
