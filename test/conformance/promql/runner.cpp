// test/conformance/promql/runner.cpp - loads series, evaluates expressions, compares with what is expected.
#include "runner.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <set>

#include "base/numbers.hpp"
#include "classic_to_native.hpp"
#include "promql/promql.hpp"

namespace noroshi::conformance {
namespace {

/// Upstream's tolerance.
bool almost_equal(double a, double b) {
    constexpr double epsilon = 1e-6;
    if (std::isnan(a) || std::isnan(b)) {
        return std::isnan(a) && std::isnan(b);
    }
    if (a == b) {
        return true;
    }
    const double difference = std::fabs(a - b);
    const double sum = std::fabs(a) + std::fabs(b);
    if (a == 0 || b == 0 || sum < std::numeric_limits<double>::min()) {
        return difference < epsilon * std::numeric_limits<double>::min();
    }
    return difference / std::min(sum, std::numeric_limits<double>::max()) < epsilon;
}

std::string shown(const Point& point) {
    const auto* number = std::get_if<double>(&point);
    return number != nullptr ? format_float(*number) : std::get<HistogramSlot>(point).value.to_string();
}

std::string shown(const promql::Value& value) {
    struct Text {
        std::string operator()(double d) const { return format_float(d); }
        std::string operator()(const std::string& s) const { return s; }
        std::string operator()(const promql::Vector& vector) const {
            std::string out;
            for (const promql::VectorSample& sample : vector) {
                out += fmt::format("{} {}; ", sample.labels.to_string(),
                                   sample.histogram ? sample.histogram->to_string() : format_float(sample.value));
            }
            return out.empty() ? "nothing" : out;
        }
        std::string operator()(const promql::Matrix& matrix) const {
            std::string out;
            for (const promql::MatrixSeries& series : matrix) {
                out += series.labels.to_string();
                for (const model::Sample& sample : series.samples) {
                    out += fmt::format(" {}@{}", format_float(sample.value), to_unix_ms(sample.at));
                }
                for (const model::HistogramSample& sample : series.histograms) {
                    out += fmt::format(" {}@{}", sample.value->to_string(), to_unix_ms(sample.at));
                }
                out += "; ";
            }
            return out.empty() ? "nothing" : out;
        }
    };
    return std::visit(Text{}, value);
}

using Points = std::map<TimestampMs, Point>;

Point point_of(const promql::VectorSample& sample) {
    return sample.histogram ? Point(HistogramSlot{*sample.histogram, true}) : Point(sample.value);
}
using Answer = std::map<model::Labels, Points>;

void add(const promql::Value& value, TimestampMs at, Answer& out) {
    if (const auto* scalar = std::get_if<double>(&value)) {
        out[model::Labels{}][at] = *scalar;
    } else if (const auto* vector = std::get_if<promql::Vector>(&value)) {
        for (const promql::VectorSample& sample : *vector) {
            out[sample.labels][at] = point_of(sample);
        }
    } else if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
        for (const promql::MatrixSeries& series : *matrix) {
            for (const model::Sample& sample : series.samples) {
                out[series.labels][sample.at] = sample.value;
            }
            for (const model::HistogramSample& sample : series.histograms) {
                out[series.labels][sample.at] = HistogramSlot{*sample.value, true};
            }
        }
    }
}

bool is_expected(const Point& got, const Point& expected) {
    const auto* number = std::get_if<double>(&expected);
    if (number != nullptr || std::holds_alternative<double>(got)) {
        return number != nullptr && std::holds_alternative<double>(got) && almost_equal(std::get<double>(got), *number);
    }
    return is_expected(std::get<HistogramSlot>(expected), std::get<HistogramSlot>(got).value, almost_equal);
}

Answer expected_of(const Eval& eval) {
    Answer out;
    const TimestampMs from = eval.matrix ? eval.matrix->from : eval.from;
    const Milliseconds step = eval.matrix ? eval.matrix->step : eval.step;
    for (const Series& series : eval.expected) {
        for (std::size_t i = 0; i < series.values.size(); ++i) {
            if (series.values[i]) {
                out[series.labels][from + step * static_cast<std::int64_t>(i)] = *series.values[i];
            }
        }
    }
    return out;
}

/// `a` was got, `b` expected.
bool same(const Answer& a, const Answer& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && std::ranges::equal(x.second, y.second, [](const auto& p, const auto& q) {
                   return p.first == q.first && is_expected(p.second, q.second);
               });
    });
}

class Runner {
  public:
    explicit Runner(const Mode& mode) : mode_(mode) { clear(); }

    Outcome run(const std::vector<Command>& commands) {
        for (const Command& command : commands) {
            line_ = command.line;
            std::visit([this](const auto& what) { carry_out(what); }, command.what);
        }
        return std::move(out_);
    }

  private:
    void clear() {
        head_ = std::make_unique<tsdb::Head>(tsdb::Options{.retention = std::chrono::hours(24 * 365 * 100)});
        lost_ = false;
        starts_.clear();
    }
    void carry_out(const Clear&) { clear(); }
    void carry_out(const Unknown&) { lost_ = true; }

    void carry_out(const Load& load) {
        // Of two lines with the same series the last one counts.
        std::map<model::Labels, const Series*> last;
        for (const Series& series : load.series) {
            last[series.labels] = &series;
        }
        for (const auto& [labels, chosen] : last) {
            const Series& series = *chosen;
            lost_ = lost_ || series.unreadable;
            const Result<tsdb::SeriesId> id = head_->open_series(series.labels);
            for (std::size_t i = 0; id && i < series.values.size(); ++i) {
                if (series.values[i]) {
                    const TimestampMs at = from_unix_ms(0) + load.step * static_cast<std::int64_t>(i);
                    store(series.labels, *id, at, *series.values[i]);
                }
            }
            keep_starts(load, series);
        }
        if (load.with_nhcb) {
            store_native_of_classic(load);
        }
    }

    void keep_starts(const Load& load, const Series& series) {
        const auto found = load.starts.find(series.labels);
        for (std::size_t i = 0; found != load.starts.end() && i < std::min(series.values.size(), found->second.size()); ++i) {
            const TimestampMs at = from_unix_ms(0) + load.step * static_cast<std::int64_t>(i);
            if (series.values[i] && found->second[i]) {
                starts_[series.labels].push_back({at, at + *found->second[i]});
            }
        }
    }

    void store_native_of_classic(const Load& load) {
        for (const auto& [labels, steps] : native_of_classic(load.series)) {
            for (const auto& [step, histogram] : steps) {
                const TimestampMs at = from_unix_ms(0) + load.step * static_cast<std::int64_t>(step);
                static_cast<void>(head_->append(labels, {at, std::make_shared<const model::Histogram>(histogram)}));
            }
        }
    }

    void store(const model::Labels& labels, tsdb::SeriesId id, TimestampMs at, const Point& point) {
        if (const auto* number = std::get_if<double>(&point)) {
            static_cast<void>(head_->append(id, at, *number));
        } else {
            const auto& histogram = std::get<HistogramSlot>(point).value;
            static_cast<void>(head_->append(labels, {at, std::make_shared<const model::Histogram>(histogram)}));
        }
    }

    void carry_out(const Eval& eval) {
        const Result<promql::Expression> expression = promql::Expression::parse(eval.expression, {.experimental = mode_.experimental, .fill_modifiers = mode_.experimental, .unquoted_names = mode_.unquoted_names});
        if (is_unreadable(eval)) {
            ++out_.not_run;
            return;
        }
        if (!expression) {
            judge_error(eval, expression.error());
            return;
        }
        promql::EngineOptions options;
        options.delayed_name_removal = mode_.delayed_names;
        if (mode_.start_times) {
            options.start_times = [this](const model::Labels& series) {
                const auto found = starts_.find(series);
                return found == starts_.end() ? std::span<const promql::StartTime>{} : std::span(found->second);
            };
        }
        const promql::Engine engine(*head_, options);
        const bool is_range = eval.step.count() > 0;
        const Result<promql::Answer> answer =
            is_range ? engine.range(*expression, {eval.from, eval.to, eval.step}) : engine.instant(*expression, eval.from);
        if (!answer) {
            judge_error(eval, answer.error());
            return;
        }
        std::string fault = eval.fails ? "no failure" : fault_of_notes(eval, answer->annotations);
        if (fault.empty() && !is_right(eval, answer->value)) {
            fault = "another value";
        }
        if (fault.empty() && !is_range) {
            fault = fault_as_range(eval, engine, *expression);
        }
        judge(eval, fault, shown(answer->value));
    }

    bool is_right(const Eval& eval, const promql::Value& value) const {
        if (eval.text) {
            return std::holds_alternative<std::string>(value) && std::get<std::string>(value) == *eval.text;
        }
        if (eval.ordered && std::holds_alternative<promql::Vector>(value)) {
            const auto& vector = std::get<promql::Vector>(value);
            return std::ranges::equal(vector, eval.expected, [](const auto& sample, const Series& series) {
                return sample.labels == series.labels && is_expected(point_of(sample), *series.values.at(0));
            });
        }
        Answer got;
        add(value, eval.from, got);
        return same(got, expected_of(eval));
    }

    /// An instant query is the middle of a range query around it.
    std::string fault_as_range(const Eval& eval, const promql::Engine& engine, const promql::Expression& expression) const {
        static const RE2 asks_of_query(R"(\b(?:start|end|step|range)\s*\(\s*\))");
        if (eval.text || eval.matrix || RE2::PartialMatch(lowered(eval.expression), asks_of_query)) {
            return {};
        }
        if (expression.type() == promql::ValueType::matrix || expression.type() == promql::ValueType::string) {
            return {};
        }
        constexpr Milliseconds minute = std::chrono::minutes(1);
        const Result<promql::Answer> answer = engine.range(expression, {eval.from - minute, eval.from + minute, minute});
        if (!answer) {
            return "as a range query: " + answer.error().message;
        }
        Answer got;
        for (const promql::MatrixSeries& series : std::get<promql::Matrix>(answer->value)) {
            for (const model::Sample& sample : series.samples) {
                if (sample.at == eval.from) {
                    got[series.labels][sample.at] = sample.value;
                }
            }
            for (const model::HistogramSample& sample : series.histograms) {
                if (sample.at == eval.from) {
                    got[series.labels][sample.at] = HistogramSlot{*sample.value, true};
                }
            }
        }
        return eval.ordered || same(got, expected_of(eval)) ? "" : "another value as a range query: " + shown(answer->value);
    }

    static std::string lowered(std::string text) {
        std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return text;
    }

    static std::string fault_of_notes(const Eval& eval, const promql::Annotations& got) {
        const std::string warnings = fault_of_notes("warning", eval.warnings, eval.no_warnings, got.warnings);
        return warnings.empty() ? fault_of_notes("info", eval.infos, eval.no_infos, got.infos) : warnings;
    }

    static std::string fault_of_notes(const char* kind, const std::vector<Eval::Note>& expected, bool none,
                                      const std::set<std::string>& got) {
        const auto matches = [](const Eval::Note& note, const std::string& text) {
            return (note.message.empty() || text == note.message) &&
                   (note.regex.empty() || RE2::PartialMatch(text, note.regex));
        };
        if (none && !got.empty()) {
            return fmt::format("a {} not expected: {}", kind, *got.begin());
        }
        for (const Eval::Note& note : expected) {
            if (std::ranges::none_of(got, [&](const std::string& text) { return matches(note, text); })) {
                return fmt::format("no {} like {}{}, but {}", kind, note.message, note.regex, fmt::join(got, "; "));
            }
        }
        for (const std::string& text : got) {
            if (!expected.empty() && std::ranges::none_of(expected, [&](const auto& note) { return matches(note, text); })) {
                return fmt::format("a {} not expected: {}", kind, text);
            }
        }
        return {};
    }

    void judge_error(const Eval& eval, const Error& error) {
        // What the engine lacks is no expected failure, even where one is expected.
        if (error.code == Errc::unsupported) {
            mode_.lenient ? void(++out_.not_run) : judge(eval, "error: " + error.message, "");
            return;
        }
        const bool message = eval.fail_message.empty() || error.message.find(eval.fail_message) != std::string::npos;
        const bool regex = eval.fail_regex.empty() || RE2::PartialMatch(error.message, eval.fail_regex);
        judge(eval, eval.fails && message && regex ? "" : "error: " + error.message, "");
    }

    /// `fault` is empty when all is right.
    void judge(const Eval& eval, const std::string& fault, const std::string& got) {
        if (fault.empty()) {
            ++out_.passed;
            return;
        }
        ++out_.failed;
        std::string expected = eval.fails ? "failure " + eval.fail_message + eval.fail_regex : "";
        for (const auto& [labels, points] : expected_of(eval)) {
            expected += labels.to_string();
            for (const auto& [at, value] : points) {
                expected += " " + shown(value);
            }
            expected += "; ";
        }
        out_.failures.push_back(
            fmt::format("line {}: {}\n      {}\n      got {}\n      expected {}", line_, eval.expression, fault, got, expected));
    }

    /// Something that went before, or is expected, is not read here.
    bool is_unreadable(const Eval& eval) const {
        return lost_ || std::ranges::any_of(eval.expected, [](const Series& s) { return s.unreadable; });
    }

    Mode mode_;
    bool lost_{false};
    std::size_t line_{0};
    std::unique_ptr<tsdb::Head> head_;
    std::map<model::Labels, std::vector<promql::StartTime>> starts_;
    Outcome out_;
};

}  // namespace

Outcome run_script(const std::vector<Command>& commands, const Mode& mode) { return Runner(mode).run(commands); }

}  // namespace noroshi::conformance
