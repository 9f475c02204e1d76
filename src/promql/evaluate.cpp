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

namespace noroshi::promql {
namespace {

/// Rows times steps for which memory is set aside before anything is counted.
constexpr std::size_t most_reserved = 1u << 16;

/// The first step's values, at all steps.
Table repeated(const Table& one, std::size_t steps) {
    Table out(steps);
    out.reserve(one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        const std::size_t row = out.add(one.row(i));
        for (std::size_t step = 0; step < steps; ++step) {
            out.copy(row, step, one, i, 0);
        }
    }
    return out;
}

/// Numbers and histograms of a series in order of time.
class MergedCursor {
  public:
    struct Item {
        TimestampMs at{};
        double value{0};
        HistogramPtr histogram;
        [[nodiscard]] bool is_stale() const { return histogram ? histogram->is_stale() : model::is_stale_marker(value); }
    };

    explicit MergedCursor(tsdb::SelectedSeries& series) : cursor_(series.cursor.get()), histograms_(series.histograms) {
        advance();
    }
    [[nodiscard]] std::size_t read() const { return read_; }
    [[nodiscard]] std::optional<Item> peek() const {
        if (has_number_ && (histograms_.empty() || number_.at <= histograms_.front().at)) {
            return Item{number_.at, number_.value, nullptr};
        }
        if (!histograms_.empty()) {
            return Item{histograms_.front().at, 0, histograms_.front().value};
        }
        return std::nullopt;
    }
    void take() {
        ++read_;
        if (has_number_ && (histograms_.empty() || number_.at <= histograms_.front().at)) {
            advance();
        } else {
            histograms_ = histograms_.subspan(1);
        }
    }

  private:
    void advance() { has_number_ = cursor_ != nullptr && cursor_->next(number_); }

    tsdb::Cursor* cursor_;
    std::span<const model::HistogramSample> histograms_;
    model::Sample number_{};
    bool has_number_{false};
    std::size_t read_{0};
};

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

Result<Steps> Evaluation::shifted(const TimeShift& shift, const Steps& steps) const {
    NOROSHI_TRY(const Milliseconds offset, resolved(shift.offset, true));
    if (!shift.at) {
        return Steps{steps.start - offset, steps.end - offset, steps.step};
    }
    TimestampMs at = shift.at->time;
    if (shift.at->kind != At::Kind::time) {
        at = shift.at->kind == At::Kind::start ? query_.start : query_.end;
    }
    return Steps{at - offset, at - offset, steps.step};
}

Result<void> Evaluation::count_samples(std::size_t by) {
    samples_ += by;
    if (samples_ > options_.max_samples) {
        return fail(Errc::limit, "query processing would load too many samples into memory in query execution");
    }
    // A look at a clock costs as much as some dozens of samples.
    constexpr std::size_t samples_a_look = 4096;
    if (options_.gives_up && samples_ >= next_look_) {
        next_look_ = samples_ + samples_a_look;
        if (!options_.gives_up()) {
            return {};
        }
        return fail(Errc::timeout, "query timed out in expression evaluation");
    }
    return {};
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

/// Where counts alone are read, Prometheus finds resets by itself, and its warnings follow from that.
void Evaluation::find_resets(std::vector<model::HistogramSample>& samples) const {
    if (!reading_.counts_alone || reading_.buckets) {
        return;
    }
    for (std::size_t i = 1; i < samples.size(); ++i) {
        if (samples[i].value->hint == model::ResetHint::unknown) {
            const bool is_reset = model::is_reset(*samples[i].value, *samples[i - 1].value);
            auto hinted = std::make_shared<model::Histogram>(*samples[i].value);
            hinted->hint = is_reset ? model::ResetHint::reset : model::ResetHint::not_reset;
            samples[i].value = std::move(hinted);
        }
    }
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
        Result<StepValue> operator()(const Selector& s) const { return self.value_of(s, steps); }
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

Result<StepValue> Evaluation::value_of(const Selector& selector, const Steps& steps) {
    NOROSHI_TRY(Table table, instant(selector, steps, false));
    return StepValue(std::move(table));
}

/// The newest sample in (t - lookback, t] of each step t, in one pass; nothing where that is stale. How many were read.
std::size_t Evaluation::fill_numbers(tsdb::SelectedSeries& series, const Steps& at, Table& out, std::size_t row,
                                     bool sample_times) {
    const std::span<double> values = out.values(row);
    read_.clear();
    series.cursor->read_rest(read_, true);
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
            values[step] = sample_times ? to_unix_seconds(newest.at) : newest.value;
        }
    }
    return read_.size();
}

std::size_t Evaluation::fill_mixed(tsdb::SelectedSeries& series, const Steps& at, Table& out, std::size_t row,
                                   bool sample_times) const {
    std::vector<model::HistogramSample> histograms(series.histograms.begin(), series.histograms.end());
    find_resets(histograms);
    series.histograms = histograms;
    MergedCursor cursor(series);
    MergedCursor::Item newest;
    std::size_t step = 0;
    const auto fill_before = [&](TimestampMs end) {
        for (; step < out.steps() && time_at(at, step) < end; ++step) {
            const bool there = cursor.read() > 0 && newest.at > time_at(at, step) - options_.lookback_delta;
            if (!there || newest.is_stale()) {
                continue;
            }
            if (newest.histogram && !sample_times) {
                out.set(row, step, newest.histogram);
            } else {
                out.set(row, step, sample_times ? to_unix_seconds(newest.at) : newest.value);
            }
        }
    };
    while (const auto next = cursor.peek()) {
        fill_before(next->at);
        newest = *next;
        cursor.take();
    }
    fill_before(TimestampMs::max());
    return cursor.read();
}

Result<Table> Evaluation::instant(const Selector& selector, const Steps& steps, bool sample_times) {
    NOROSHI_TRY(const Steps at, shifted(selector.shift, steps));
    const std::size_t columns = count_of(at);
    Table out(columns);
    std::vector<tsdb::SelectedSeries> selected = head_.select(selector.matchers, at.start - options_.lookback_delta, at.end);
    out.reserve(std::min<std::size_t>(selected.size(), most_reserved / columns + 1));
    for (tsdb::SelectedSeries& series : selected) {
        NOROSHI_TRY_VOID(count_samples(columns));
        const std::size_t row = out.add({*series.labels, false});
        const std::size_t read = series.histograms.empty() ? fill_numbers(series, at, out, row, sample_times)
                                                           : fill_mixed(series, at, out, row, sample_times);
        NOROSHI_TRY_VOID(count_samples(read));
        out.drop_last_if_empty();
    }
    const std::size_t wanted = count_of(steps);
    return columns == wanted ? std::move(out) : repeated(out, wanted);
}

Result<StepValue> Evaluation::timestamps(const Selector& selector, const Steps& steps) {
    NOROSHI_TRY(Table table, instant(selector, steps, true));
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
    // timestamp() of a bare selector is the sample's own time, which no vector carries.
    if (call.function->name == "timestamp") {
        if (const auto* selector = std::get_if<Selector>(&without_parens(*call.arguments.front()).kind)) {
            return timestamps(*selector, steps);
        }
    }
    CallContext context{*this, node, steps, call.arguments, {}, nullptr};
    for (const NodePtr& argument : call.arguments) {
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
