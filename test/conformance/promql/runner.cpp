// test/conformance/promql/runner.cpp - loads series, evaluates expressions, compares with what is expected.
#include "runner.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "base/numbers.hpp"
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

std::string shown(const promql::Value& value) {
    struct Text {
        std::string operator()(double d) const { return format_float(d); }
        std::string operator()(const std::string& s) const { return s; }
        std::string operator()(const promql::Vector& vector) const {
            std::string out;
            for (const promql::VectorSample& sample : vector) {
                out += fmt::format("{} {}; ", sample.labels.to_string(), format_float(sample.value));
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
                out += "; ";
            }
            return out.empty() ? "nothing" : out;
        }
    };
    return std::visit(Text{}, value);
}

using Points = std::map<TimestampMs, double>;
using Answer = std::map<model::Labels, Points>;

void add(const promql::Value& value, TimestampMs at, Answer& out) {
    if (const auto* scalar = std::get_if<double>(&value)) {
        out[model::Labels{}][at] = *scalar;
    } else if (const auto* vector = std::get_if<promql::Vector>(&value)) {
        for (const promql::VectorSample& sample : *vector) {
            out[sample.labels][at] = sample.value;
        }
    } else if (const auto* matrix = std::get_if<promql::Matrix>(&value)) {
        for (const promql::MatrixSeries& series : *matrix) {
            for (const model::Sample& sample : series.samples) {
                out[series.labels][sample.at] = sample.value;
            }
        }
    }
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

bool same(const Answer& a, const Answer& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && std::ranges::equal(x.second, y.second, [](const auto& p, const auto& q) {
                   return p.first == q.first && almost_equal(p.second, q.second);
               });
    });
}

class Runner {
  public:
    explicit Runner(bool lenient) : lenient_(lenient) { clear(); }

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
        histograms_.clear();
        lost_ = false;
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
            if (const std::string_view name = labels.metric_name(); load.with_nhcb && name.ends_with("_bucket")) {
                histograms_.emplace(name.substr(0, name.size() - std::string_view("_bucket").size()));
            }
            if (series.histogram) {
                histograms_.insert(std::string(series.labels.metric_name()));
                continue;
            }
            const Result<tsdb::SeriesId> id = head_->open_series(series.labels);
            for (std::size_t i = 0; id && i < series.values.size(); ++i) {
                if (series.values[i]) {
                    const TimestampMs at = from_unix_ms(0) + load.step * static_cast<std::int64_t>(i);
                    static_cast<void>(head_->append(*id, at, *series.values[i]));
                }
            }
        }
    }

    void carry_out(const Eval& eval) {
        const Result<promql::Expression> expression = promql::Expression::parse(eval.expression);
        if (needs_histograms(eval, expression) || (eval.step.count() > 0 && uses_range_bounds(eval.expression))) {
            ++out_.not_run;
            return;
        }
        if (!expression) {
            judge_error(eval, expression.error());
            return;
        }
        const promql::Engine engine(*head_, {});
        Answer got;
        std::string text;
        for (TimestampMs at = eval.from; at <= eval.to; at += std::max(eval.step, Milliseconds(1))) {
            Result<promql::Answer> answer = engine.instant(*expression, at);
            if (!answer) {
                judge_error(eval, answer.error());
                return;
            }
            const promql::Value* value = &answer->value;
            add(*value, at, got);
            text += shown(*value) + " ";
            if (eval.step == Milliseconds(0)) {
                judge_instant(eval, *value, got);
                return;
            }
        }
        judge(eval, !eval.fails && same(got, expected_of(eval)), text);
    }

    void judge_instant(const Eval& eval, const promql::Value& value, const Answer& got) {
        bool good = !eval.fails;
        if (eval.text) {
            good = good && std::holds_alternative<std::string>(value) && std::get<std::string>(value) == *eval.text;
        } else if (eval.ordered && std::holds_alternative<promql::Vector>(value)) {
            const auto& vector = std::get<promql::Vector>(value);
            good = good && std::ranges::equal(vector, eval.expected, [](const auto& sample, const Series& series) {
                       return sample.labels == series.labels && almost_equal(sample.value, *series.values.at(0));
                   });
        } else {
            good = good && same(got, expected_of(eval));
        }
        judge(eval, good, shown(value));
    }

    void judge_error(const Eval& eval, const Error& error) {
        // What the engine lacks is no expected failure, even where one is expected.
        if (error.code == Errc::unsupported) {
            lenient_ ? void(++out_.not_run) : judge(eval, false, "error: " + error.message);
            return;
        }
        const bool message = eval.fail_message.empty() || error.message.find(eval.fail_message) != std::string::npos;
        const bool regex = eval.fail_regex.empty() || RE2::PartialMatch(error.message, eval.fail_regex);
        judge(eval, eval.fails && message && regex, "error: " + error.message);
    }

    void judge(const Eval& eval, bool good, const std::string& got) {
        if (good) {
            // Right values without the expected annotation are half an answer.
            ++(eval.annotated ? out_.not_run : out_.passed);
            return;
        }
        ++out_.failed;
        std::string expected = eval.fails ? "failure " + eval.fail_message + eval.fail_regex : "";
        for (const auto& [labels, points] : expected_of(eval)) {
            expected += labels.to_string();
            for (const auto& [at, value] : points) {
                expected += fmt::format(" {}", format_float(value));
            }
            expected += "; ";
        }
        out_.failures.push_back(
            fmt::format("line {}: {}\n      got {}\n      expected {}", line_, eval.expression, got, expected));
    }

    bool needs_histograms(const Eval& eval, const Result<promql::Expression>& expression) const {
        if (lost_ || std::ranges::any_of(eval.expected, [](const Series& s) { return s.histogram || s.unreadable; })) {
            return true;
        }
        if (histograms_.empty() || !expression) {
            return false;
        }
        const std::vector<std::string> names = expression->metric_names();
        // A selector without a name may read any of them.
        return names.empty() ? eval.expression.find('{') != std::string::npos
                             : std::ranges::any_of(names, [this](const auto& name) { return histograms_.contains(name); });
    }

    /// The engine evaluates one time at a time and knows no range around it.
    static bool uses_range_bounds(const std::string& expression) {
        return expression.find("start()") != std::string::npos || expression.find("end()") != std::string::npos;
    }

    bool lenient_;
    bool lost_{false};
    std::size_t line_{0};
    std::unique_ptr<tsdb::Head> head_;
    std::set<std::string> histograms_;
    Outcome out_;
};

}  // namespace

Outcome run_script(const std::vector<Command>& commands, bool lenient) { return Runner(lenient).run(commands); }

}  // namespace noroshi::conformance
