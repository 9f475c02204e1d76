// src/rules/rule_tests.cpp - runs tests of rules: feeds the series, evaluates the rules, compares.
#include "rules/rule_tests.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "base/file.hpp"
#include "base/numbers.hpp"
#include "promql/series_text.hpp"
#include "rules/rules.hpp"
#include "test_file.hpp"

namespace noroshi::rules {
namespace {

constexpr std::size_t max_file_bytes = 4u << 20;
/// Of one test: a mistyped time must not keep the program busy for hours.
constexpr std::int64_t max_evaluations = 1'000'000;

/// One series as it is fed to the store, value by value.
struct Feed {
    model::Labels labels;
    std::vector<promql::Slot> values;
    std::size_t next{0};
};

bool same_number(double a, double b) { return a == b; }
bool near_number(double a, double b) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return a == b || std::nextafter(a, -infinity) == b || std::nextafter(a, infinity) == b;
}

/// A sample as it is compared and shown.
struct Sample {
    model::Labels labels;
    double value{0};
    std::shared_ptr<const model::Histogram> histogram{};

    [[nodiscard]] std::string shown() const {
        if (!histogram) {
            return labels.to_string() + " " + format_float(value);
        }
        constexpr std::array<std::string_view, 4> hints{"", " counter_reset_hint:reset", " counter_reset_hint:not_reset",
                                                        " counter_reset_hint:gauge"};
        return fmt::format("{} {}{}", labels.to_string(), histogram->to_string(), hints[static_cast<std::size_t>(histogram->hint)]);
    }
};

std::string shown_alert(const model::Labels& labels, const model::Labels& annotations) {
    std::string out = labels.to_string();
    for (const model::Label& annotation : annotations) {
        out += fmt::format(" {}={}", annotation.name, model::quote(annotation.value));
    }
    return out;
}

/// One test over a store of its own.
class Run {
  public:
    Run(const RuleTestFile& file, const RuleTest& test, const RuleTestOptions& options, RuleTestCase& out)
        : file_(file), test_(test), options_(options), out_(out), step_(file.evaluation_interval) {}

    void run(std::vector<RuleGroup> groups) {
        Options options{.evaluation_interval = step_, .external_labels = test_.external_labels};
        options.external_url = test_.external_url;
        Manager manager(head_, engine_, std::move(options), metrics_, Log::none());
        store::Batch batch;
        static_cast<void>(manager.set_groups(std::move(groups), test_.start, batch));
        if (!read_input() || !check_names() || !walk(manager)) {
            return;
        }
        for (const ExpressionExpectation& expectation : test_.expressions) {
            check(expectation);
        }
        if (options_.dump) {
            dump();
        }
    }

  private:
    void fault(const SourcePos& where, std::string what) { out_.failures.push_back({where, std::move(what), {}, {}}); }

    /// A series given twice counts as it stands last.
    bool read_input() {
        std::map<model::Labels, std::size_t> known;
        for (const InputSeries& input : test_.input) {
            Result<promql::SeriesText> series = promql::parse_series(input.series + " " + input.values);
            if (!series) {
                fault(input.where, fmt::format("input_series {}: {}", model::quote(input.series), series.error().message));
                continue;
            }
            Feed feed{std::move(series->labels), std::move(series->values)};
            const auto [place, fresh] = known.emplace(feed.labels, feeds_.size());
            if (fresh) {
                feeds_.push_back(std::move(feed));
            } else {
                feeds_[place->second] = std::move(feed);
            }
        }
        return out_.failures.empty();
    }

    bool check_names() {
        for (const AlertExpectation& expectation : test_.alerts) {
            if (expectation.alert.empty()) {
                fault(expectation.where, "expected a name in \"alertname\", got nothing");
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] Milliseconds last_time() const {
        Milliseconds out{0};
        for (const AlertExpectation& expectation : test_.alerts) {
            out = std::max(out, expectation.at);
        }
        for (const ExpressionExpectation& expectation : test_.expressions) {
            out = std::max(out, expectation.at);
        }
        return out;
    }

    /// Evaluates the rules step by step; expected alerts are compared with the evaluation before or at their time.
    bool walk(Manager& manager) {
        const Milliseconds last = last_time();
        if (last / step_ >= max_evaluations) {
            fault(test_.where, fmt::format("expected at most {} evaluations, got {} until {}", max_evaluations,
                                           last / step_ + 1, format_duration(last)));
            return false;
        }
        for (Milliseconds since{0}; since <= last; since += step_) {
            const TimestampMs now = test_.start + since;
            if (!feed_until(now)) {
                return false;
            }
            store::Batch batch;
            static_cast<void>(manager.evaluate_all(now, batch));
            if (!note_faults(manager, since)) {
                return false;
            }
            for (const AlertExpectation& expectation : test_.alerts) {
                if (expectation.at >= since && expectation.at < since + step_) {
                    check(expectation, manager);
                }
            }
        }
        return true;
    }

    /// As upstream: samples after the evaluation are not there yet, whatever an offset asks for.
    bool feed_until(TimestampMs now) {
        const Milliseconds gap = test_.interval == Milliseconds(0) ? step_ : test_.interval;
        for (Feed& feed : feeds_) {
            for (; feed.next < feed.values.size(); ++feed.next) {
                const TimestampMs at = test_.start + gap * static_cast<std::int64_t>(feed.next);
                if (at > now) {
                    break;
                }
                if (const Result<void> stored = store(feed.labels, at, feed.values[feed.next]); !stored) {
                    fault(test_.where, fmt::format("input_series {}: {}", feed.labels.to_string(), stored.error().message));
                    return false;
                }
            }
        }
        return true;
    }

    Result<void> store(const model::Labels& labels, TimestampMs at, const promql::Slot& slot) {
        if (!slot) {
            return {};
        }
        NOROSHI_TRY(const tsdb::SeriesId id, head_.open_series(labels));
        if (const auto* number = std::get_if<double>(&*slot)) {
            return head_.append(id, at, *number);
        }
        const auto& histogram = std::get<promql::HistogramSlot>(*slot).value;
        return head_.append(id, at, std::make_shared<const model::Histogram>(histogram));
    }

    bool note_faults(const Manager& manager, Milliseconds since) {
        bool well = true;
        for (const RuleHealth& health : manager.health()) {
            if (!health.last_error.empty()) {
                fault(test_.where, fmt::format("rule {} at {}: {}", model::quote(health.rule), format_duration(since),
                                               health.last_error));
                well = false;
            }
        }
        return well;
    }

    void check(const AlertExpectation& expectation, const Manager& manager) {
        using Pair = std::pair<model::Labels, model::Labels>;
        std::vector<Pair> got;
        for (const model::Alert& alert : manager.active_alerts()) {
            if (alert.state == model::AlertState::firing && alert.labels.get(model::alert_name_label) == expectation.alert) {
                got.emplace_back(alert.labels, alert.annotations);
            }
        }
        std::vector<Pair> expected;
        for (const ExpectedAlert& alert : expectation.expected) {
            expected.emplace_back(alert.labels.with(model::alert_name_label, expectation.alert), alert.annotations);
        }
        ++out_.checks;
        std::ranges::sort(got);
        std::ranges::sort(expected);
        if (got == expected) {
            return;
        }
        RuleTestFailure failure{expectation.where,
                                fmt::format("alert {} at {}", expectation.alert, format_duration(expectation.at)), {}, {}};
        for (const auto& [pairs, lines] : {std::pair(&expected, &failure.expected), std::pair(&got, &failure.got)}) {
            for (const auto& [labels, annotations] : *pairs) {
                lines->push_back(shown_alert(labels, annotations));
            }
        }
        out_.failures.push_back(std::move(failure));
    }

    void check(const ExpressionExpectation& expectation) {
        ++out_.checks;
        const std::string what = fmt::format("expr {} at {}", model::quote(expectation.expression), format_duration(expectation.at));
        Result<std::vector<Sample>> expected = expected_of(expectation);
        Result<std::vector<Sample>> got = evaluate(expectation);
        if (!expected || !got) {
            fault(expectation.where, what + ": " + (got ? expected : got).error().message);
            return;
        }
        std::ranges::stable_sort(*expected, {}, &Sample::labels);
        std::ranges::stable_sort(*got, {}, &Sample::labels);
        if (std::ranges::equal(*expected, *got, [this](const Sample& a, const Sample& b) { return same(a, b); })) {
            return;
        }
        RuleTestFailure failure{expectation.where, what, {}, {}};
        std::ranges::transform(*expected, std::back_inserter(failure.expected), &Sample::shown);
        std::ranges::transform(*got, std::back_inserter(failure.got), &Sample::shown);
        out_.failures.push_back(std::move(failure));
    }

    [[nodiscard]] bool same(const Sample& expected, const Sample& got) const {
        if (expected.labels != got.labels || (expected.histogram == nullptr) != (got.histogram == nullptr)) {
            return false;
        }
        const auto close = file_.fuzzy ? near_number : same_number;
        return close(expected.value, got.value) &&
               (!expected.histogram || promql::is_expected({*expected.histogram, true}, *got.histogram, same_number));
    }

    static Result<std::vector<Sample>> expected_of(const ExpressionExpectation& expectation) {
        std::vector<Sample> out;
        for (const ExpectedSample& sample : expectation.expected) {
            Result<model::Labels> labels = promql::parse_metric(sample.labels);
            if (!labels) {
                return fail(std::move(labels).error().with("labels " + model::quote(sample.labels)));
            }
            Sample& read = out.emplace_back(Sample{std::move(*labels), sample.value});
            if (sample.histogram.empty()) {
                continue;
            }
            NOROSHI_TRY(const std::vector<promql::Slot> slots, promql::parse_series_values(sample.histogram));
            const auto* slot = slots.size() == 1 && slots[0] ? std::get_if<promql::HistogramSlot>(&*slots[0]) : nullptr;
            if (slot == nullptr) {
                return fail(Errc::parse, "expected one histogram in \"histogram\", got " + model::quote(sample.histogram));
            }
            read.histogram = std::make_shared<const model::Histogram>(slot->value);
        }
        return out;
    }

    Result<std::vector<Sample>> evaluate(const ExpressionExpectation& expectation) const {
        NOROSHI_TRY(const promql::Expression expression, promql::Expression::parse(expectation.expression));
        NOROSHI_TRY(promql::Answer answer, engine_.instant(expression, test_.start + expectation.at));
        if (const auto* number = std::get_if<double>(&answer.value)) {
            return std::vector<Sample>{{model::Labels{}, *number}};
        }
        auto* vector = std::get_if<promql::Vector>(&answer.value);
        if (vector == nullptr) {
            return fail(Errc::invalid_argument, "rule result is not a vector or scalar");
        }
        std::vector<Sample> out;
        for (promql::VectorSample& sample : *vector) {
            out.push_back({std::move(sample.labels), sample.value, std::move(sample.histogram)});
        }
        return out;
    }

    void dump() {
        for (tsdb::SelectedSeries& series : head_.select({}, TimestampMs::min(), TimestampMs::max())) {
            std::string line = series.labels->to_string();
            model::Sample sample{};
            while (series.cursor->next(sample)) {
                const model::HistogramPtr& histogram = series.cursor->histogram();
                const std::string value = model::is_stale_marker(sample.value) ? "stale"
                                          : histogram                          ? histogram->to_string()
                                                                               : format_float(sample.value);
                line += fmt::format(" {}@{}", value, format_float(to_unix_seconds(sample.at)));
            }
            out_.dump.push_back(std::move(line));
        }
    }

    const RuleTestFile& file_;
    const RuleTest& test_;
    const RuleTestOptions& options_;
    RuleTestCase& out_;
    Milliseconds step_;
    tsdb::Head head_{tsdb::Options{}};
    promql::Engine engine_{head_, promql::EngineOptions{.subquery_step = step_}};
    Metrics metrics_;
    std::vector<Feed> feeds_;
};

/// Groups of all rule files, those of `group_order` after the others and in its order.
std::vector<RuleGroup> load_rules(const fs::path& folder, const RuleTestFile& file, const RuleTestOptions& options,
                                  RuleTestReport& out) {
    std::vector<RuleGroup> groups;
    std::set<fs::path> seen;
    for (const std::string& pattern : file.rule_files) {
        const std::vector<fs::path> found = glob_files(folder, pattern);
        if (found.empty()) {
            out.warnings.push_back(fmt::format("no file matches {}", (folder / pattern).string()));
        }
        for (const fs::path& path : found) {
            if (!seen.insert(path.lexically_normal()).second) {
                continue;
            }
            Result<std::string> text = read_file(path, max_file_bytes);
            if (!text) {
                out.errors.push_back(std::move(text).error().with(path.string()));
                continue;
            }
            ParsedRules parsed = parse_rules(path.string(), *text, {.ignore_unknown_fields = options.ignore_unknown_fields});
            std::ranges::move(parsed.errors, std::back_inserter(out.errors));
            std::ranges::move(parsed.groups, std::back_inserter(groups));
        }
    }
    // A group that is not named has the place of the first one that is: upstream's order.
    std::ranges::stable_sort(groups, {}, [&](const RuleGroup& group) {
        const auto place = std::ranges::find(file.group_order, group.name);
        return place == file.group_order.end() ? 0 : place - file.group_order.begin();
    });
    return groups;
}

}  // namespace

bool RuleTestReport::passed() const {
    return errors.empty() && std::ranges::all_of(cases, [](const RuleTestCase& test) { return test.failures.empty(); });
}

RuleTestReport run_rule_tests(const fs::path& file, const RuleTestOptions& options) {
    RuleTestReport out;
    const Result<std::string> text = read_file(file, max_file_bytes);
    if (!text) {
        out.errors.push_back(Error(text.error()).with(file.string()));
        return out;
    }
    ParsedTests parsed = parse_rule_tests(file.string(), *text);
    out.errors = std::move(parsed.errors);
    std::vector<std::unique_ptr<RE2>> filters;
    for (const std::string& pattern : options.run) {
        filters.push_back(std::make_unique<RE2>(pattern, RE2::Quiet));
        if (!filters.back()->ok()) {
            out.errors.push_back({Errc::parse, fmt::format("expected a regular expression, got {}: {}", model::quote(pattern),
                                                           filters.back()->error()), {}});
        }
    }
    if (!out.errors.empty()) {
        return out;
    }
    const std::vector<RuleGroup> groups = load_rules(file.parent_path(), parsed.file, options, out);
    // Upstream reads rule files for a test: without one their faults are not seen.
    std::vector<Error> rule_faults = std::exchange(out.errors, {});
    for (std::size_t i = 0; i < parsed.file.tests.size(); ++i) {
        const RuleTest& test = parsed.file.tests[i];
        const bool chosen = filters.empty() || std::ranges::any_of(filters, [&](const auto& filter) {
                                return RE2::PartialMatch(test.name, *filter);
                            });
        if (!chosen) {
            continue;
        }
        if (!rule_faults.empty()) {
            out.errors = std::move(rule_faults);
            return out;
        }
        RuleTestCase& result = out.cases.emplace_back();
        result.name = test.name.empty() ? fmt::format("tests[{}]", i) : test.name;
        result.where = test.where;
        Run(parsed.file, test, options, result).run(groups);
    }
    return out;
}

}  // namespace noroshi::rules
