// src/rules/manager.cpp - evaluates groups when they are due, writes their series, keeps state over reloads (3.2).
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "alert_rule.hpp"
#include "rules/rules.hpp"

namespace noroshi::rules {
namespace {

/// One rule of a group with what it last wrote and how it went.
struct RunningRule {
    Rule rule;
    std::optional<AlertRule> alerts;  ///< of an alerting rule
    std::unordered_set<tsdb::SeriesId> written;
    std::string last_error;
    TimestampMs last_evaluation{};
};

struct RunningGroup {
    RuleGroup head;  ///< its rules have moved into `rules`
    std::vector<RunningRule> rules;
    Milliseconds interval{0};
    Milliseconds phase{0};
    TimestampMs last{};  ///< the aligned time of the last evaluation

    /// The newest aligned time that is not after `now`.
    [[nodiscard]] TimestampMs aligned(TimestampMs now) const {
        const Milliseconds since = now.time_since_epoch() - phase;
        Milliseconds rest = since % interval;
        if (rest < Milliseconds(0)) {
            rest += interval;
        }
        return now - rest;
    }
};

/// A rule keeps its state under its name and its place among rules of that name.
std::vector<std::string> rule_ids(const RuleGroup& group) {
    std::map<std::string, std::size_t> count;
    std::vector<std::string> out;
    for (const Rule& rule : group.rules) {
        out.push_back(fmt::format("{};{};{}", group.key(), rule.name(), count[rule.name()]++));
    }
    return out;
}

Result<promql::Vector> as_vector(promql::Value value) {
    if (const double* scalar = std::get_if<double>(&value)) {
        return promql::Vector{{model::Labels{}, *scalar}};
    }
    if (auto* vector = std::get_if<promql::Vector>(&value)) {
        return std::move(*vector);
    }
    return fail(Errc::invalid_argument, "rule result is not a vector or scalar");
}

}  // namespace

struct Manager::State {
    tsdb::Head& head;
    const promql::Engine& engine;
    Options options;
    Log log;
    Counter& evaluations;
    Counter& failures;
    Counter& missed;
    Counter& refused;
    std::vector<RunningGroup> groups;
    std::map<std::string, std::vector<model::Alert>> restored;  // by rule id
    std::optional<TimestampMs> grace_until;  // set at the first evaluation after `restore`
    bool has_restored{false};

    RunningGroup make_group(RuleGroup group, TimestampMs now) const;
    void begin_grace(TimestampMs now);
    void take_over(std::vector<RunningGroup>& before, RunningGroup& group) const;
    void evaluate(RunningGroup& group, TimestampMs at, std::vector<model::AlertTransition>& out, store::Batch& batch);
    Result<promql::Vector> evaluate_rule(RunningGroup& group, RunningRule& rule, TimestampMs at,
                                         std::vector<model::AlertTransition>& out, store::Batch& batch);
    Result<promql::Vector> recorded(const RunningGroup& group, const Rule& rule, promql::Vector answer) const;
    TemplateData template_data(TimestampMs at) const;
    void write(RunningRule& rule, const promql::Vector& series, TimestampMs at);
    void mark_stale(const std::unordered_set<tsdb::SeriesId>& series, TimestampMs at);
    void add_external_labels(std::vector<model::AlertTransition>& transitions) const;
    void note(RunningGroup& group, RunningRule& rule, const Result<promql::Vector>& result);
};

Manager::Manager(tsdb::Head& head, const promql::Engine& engine, Options options, Metrics& metrics, Log log)
    : state_(std::make_unique<State>(State{
          head, engine, std::move(options), std::move(log),
          metrics.counter("noroshi_rules_evaluations_total", "Evaluations of rules."),
          metrics.counter("noroshi_rules_evaluation_failures_total", "Evaluations of rules that failed."),
          metrics.counter("noroshi_rules_iterations_missed_total", "Evaluations of groups left out for being late."),
          metrics.counter("noroshi_rules_samples_refused_total", "Samples of rules that the store did not take."),
          {}, {}, {}, false})) {}
Manager::~Manager() = default;

void Manager::restore(std::vector<store::AlertRow> rows) {
    state_->has_restored = state_->has_restored || !rows.empty();
    for (store::AlertRow& row : rows) {
        state_->restored[row.rule].push_back(std::move(row.alert));
    }
}

RunningGroup Manager::State::make_group(RuleGroup group, TimestampMs now) const {
    RunningGroup out;
    const std::vector<std::string> ids = rule_ids(group);
    out.interval = group.interval > Milliseconds(0) ? group.interval : options.evaluation_interval;
    // Spread over the interval, the same way after each start.
    const std::uint64_t hash = model::Labels{{"group", group.key()}}.hash();
    out.phase = Milliseconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(out.interval.count())));
    out.last = out.aligned(now);
    for (std::size_t i = 0; i < group.rules.size(); ++i) {
        RunningRule& running = out.rules.emplace_back(RunningRule{std::move(group.rules[i]), {}, {}, {}, {}});
        if (!running.rule.alert.empty()) {
            running.alerts.emplace(running.rule, ids[i], group.key());
        }
    }
    group.rules.clear();
    out.head = std::move(group);
    return out;
}

/// Moves the state of equal rules from `before` into `group`; what stays behind has lost its rule.
void Manager::State::take_over(std::vector<RunningGroup>& before, RunningGroup& group) const {
    const auto old = std::ranges::find_if(
        before, [&](const RunningGroup& candidate) { return candidate.head.key() == group.head.key(); });
    if (old == before.end()) {
        return;
    }
    if (old->interval == group.interval) {
        group.last = old->last;
    }
    for (RunningRule& rule : group.rules) {
        const auto same = std::ranges::find_if(old->rules, [&](const RunningRule& candidate) {
            return candidate.rule.alert == rule.rule.alert && candidate.rule.record == rule.rule.record;
        });
        if (same == old->rules.end()) {
            continue;
        }
        if (rule.alerts && same->alerts) {
            rule.alerts->take_state(*same->alerts);
        }
        rule.written = std::move(same->written);
        rule.last_error = std::move(same->last_error);
        rule.last_evaluation = same->last_evaluation;
        old->rules.erase(same);
    }
}

std::vector<model::AlertTransition> Manager::set_groups(std::vector<RuleGroup> groups, TimestampMs now,
                                                        store::Batch& batch) {
    State& state = *state_;
    std::vector<RunningGroup> before = std::exchange(state.groups, {});
    for (RuleGroup& group : groups) {
        RunningGroup running = state.make_group(std::move(group), now);
        state.take_over(before, running);
        for (RunningRule& rule : running.rules) {
            if (!rule.alerts) {
                continue;
            }
            if (auto rows = state.restored.extract(rule.alerts->id())) {
                for (model::Alert& alert : rows.mapped()) {
                    rule.alerts->restore(std::move(alert));
                }
            }
        }
        state.groups.push_back(std::move(running));
    }
    std::vector<model::AlertTransition> out;
    for (RunningGroup& group : before) {
        for (RunningRule& rule : group.rules) {
            // After the last evaluation, which may have been at this very millisecond.
            state.mark_stale(rule.written, now + Milliseconds(1));
            if (rule.alerts) {
                std::ranges::move(rule.alerts->end(now, batch), std::back_inserter(out));
            }
        }
    }
    for (auto& [id, alerts] : std::exchange(state.restored, {})) {
        for (model::Alert& alert : alerts) {
            batch.delete_alert(id, alert.fingerprint());
            if (alert.state == model::AlertState::firing) {
                alert.state = model::AlertState::inactive;
                alert.resolved_at = now;
                out.push_back({model::AlertTransition::Kind::resolved, std::move(alert), now, id});
            }
        }
    }
    state.add_external_labels(out);
    return out;
}

TimestampMs Manager::next_due(TimestampMs now) const {
    TimestampMs next = TimestampMs::max();
    for (const RunningGroup& group : state_->groups) {
        const TimestampMs aligned = group.aligned(now);
        next = std::min(next, aligned > group.last ? now : aligned + group.interval);
    }
    return next;
}

std::vector<model::AlertTransition> Manager::evaluate_due(TimestampMs now, store::Batch& batch) {
    State& state = *state_;
    std::vector<model::AlertTransition> out;
    state.begin_grace(now);
    for (RunningGroup& group : state.groups) {
        const TimestampMs at = group.aligned(now);
        const bool clock_went_back = at + 2 * group.interval <= group.last;
        if (at <= group.last && !clock_went_back) {
            continue;
        }
        if (at > group.last) {
            state.missed.add(static_cast<std::uint64_t>((at - group.last) / group.interval - 1));
        }
        group.last = at;
        state.evaluate(group, at, out, batch);
    }
    state.add_external_labels(out);
    return out;
}

std::vector<model::AlertTransition> Manager::evaluate_all(TimestampMs at, store::Batch& batch) {
    State& state = *state_;
    std::vector<model::AlertTransition> out;
    state.begin_grace(at);
    for (RunningGroup& group : state.groups) {
        state.evaluate(group, at, out, batch);
    }
    state.add_external_labels(out);
    return out;
}

void Manager::State::begin_grace(TimestampMs now) {
    if (!grace_until) {
        grace_until = has_restored ? now + options.restore_grace : now;
    }
}

void Manager::State::evaluate(RunningGroup& group, TimestampMs at, std::vector<model::AlertTransition>& out,
                              store::Batch& batch) {
    const TimestampMs query_time = at - group.head.query_offset;
    for (RunningRule& rule : group.rules) {
        evaluations.add();
        rule.last_evaluation = at;
        const Result<promql::Vector> result = evaluate_rule(group, rule, query_time, out, batch);
        note(group, rule, result);
        if (result) {
            write(rule, *result, query_time);
        }
    }
}

Result<promql::Vector> Manager::State::evaluate_rule(RunningGroup& group, RunningRule& rule, TimestampMs at,
                                                     std::vector<model::AlertTransition>& out, store::Batch& batch) {
    NOROSHI_TRY(promql::Answer evaluated, engine.instant(rule.rule.expression, at));
    NOROSHI_TRY(promql::Vector answer, as_vector(std::move(evaluated.value)));
    if (!rule.alerts) {
        return recorded(group, rule.rule, std::move(answer));
    }
    NOROSHI_TRY(AlertOutcome outcome,
                rule.alerts->apply(answer, template_data(at), at, *grace_until, group.head.limit, batch));
    std::ranges::move(outcome.transitions, std::back_inserter(out));
    return std::move(outcome.series);
}

Result<promql::Vector> Manager::State::recorded(const RunningGroup& group, const Rule& rule,
                                                promql::Vector answer) const {
    if (group.head.limit != 0 && answer.size() > group.head.limit) {
        return fail(Errc::limit, fmt::format("exceeded limit of {} with {} series", group.head.limit, answer.size()));
    }
    std::unordered_set<model::Labels, model::LabelsHash> seen;
    seen.reserve(answer.size());
    for (promql::VectorSample& sample : answer) {
        sample.labels = sample.labels.with(model::metric_name_label, rule.record);
        for (const model::LabelView label : rule.labels) {
            sample.labels = sample.labels.with(label.name, label.value);
        }
        for (const std::string& name : rule.removed_labels) {
            sample.labels = sample.labels.without(name);
        }
        if (!seen.insert(sample.labels).second) {
            return fail(Errc::invalid_argument,
                        "vector contains metrics with the same labelset after applying rule labels");
        }
    }
    return answer;
}

TemplateData Manager::State::template_data(TimestampMs at) const {
    TemplateData data;
    data.external_labels = options.external_labels;
    data.external_url = options.external_url;
    data.now = at;
    data.query = [this, at](std::string_view text) -> Result<promql::Vector> {
        NOROSHI_TRY(const promql::Expression expression, promql::Expression::parse(text, options.expressions));
        NOROSHI_TRY(promql::Answer answer, engine.instant(expression, at));
        return as_vector(std::move(answer.value));
    };
    return data;
}

void Manager::State::write(RunningRule& rule, const promql::Vector& series, TimestampMs at) {
    std::unordered_set<tsdb::SeriesId> now;
    now.reserve(series.size());
    for (const promql::VectorSample& sample : series) {
        const Result<tsdb::SeriesId> id = head.open_series(sample.labels);
        const tsdb::Value value = sample.histogram ? tsdb::Value(sample.histogram) : tsdb::Value(sample.value);
        const bool stored = id && head.append(*id, at, value);
        if (!stored) {
            refused.add();
            continue;
        }
        now.insert(*id);
        rule.written.erase(*id);
    }
    mark_stale(rule.written, at);
    rule.written = std::move(now);
}

void Manager::State::mark_stale(const std::unordered_set<tsdb::SeriesId>& series, TimestampMs at) {
    for (const tsdb::SeriesId id : series) {
        if (!head.append(id, at, model::stale_marker())) {
            refused.add();
        }
    }
}

/// As Prometheus does on the way to its Alertmanager: an alert's own label of the same name stays.
void Manager::State::add_external_labels(std::vector<model::AlertTransition>& transitions) const {
    for (model::AlertTransition& transition : transitions) {
        for (const model::Label& label : options.external_labels) {
            if (!transition.alert.labels.has(label.name)) {
                transition.alert.labels = transition.alert.labels.with(label.name, label.value);
            }
        }
    }
}

/// Says once that a rule fails and once that it is well again, not at each evaluation.
void Manager::State::note(RunningGroup& group, RunningRule& rule, const Result<promql::Vector>& result) {
    if (result) {
        if (!rule.last_error.empty()) {
            log.info("rule_recovered", {{"group", group.head.name}, {"rule", rule.rule.name()}});
        }
        rule.last_error.clear();
        return;
    }
    failures.add();
    if (rule.last_error != result.error().message) {
        log.warn("rule_failed", {{"group", group.head.name},
                                 {"rule", rule.rule.name()},
                                 {"file", rule.rule.where.file},
                                 {"line", rule.rule.where.line},
                                 {"reason", result.error().message}});
    }
    rule.last_error = result.error().message;
}

std::vector<model::Alert> Manager::active_alerts() const {
    std::vector<model::Alert> out;
    for (const RunningGroup& group : state_->groups) {
        for (const RunningRule& rule : group.rules) {
            if (rule.alerts) {
                std::ranges::move(rule.alerts->alerts(), std::back_inserter(out));
            }
        }
    }
    return out;
}

std::vector<RuleHealth> Manager::health() const {
    std::vector<RuleHealth> out;
    for (const RunningGroup& group : state_->groups) {
        for (const RunningRule& rule : group.rules) {
            RuleHealth health{group.head.name, rule.rule.name(), rule.last_error, rule.last_evaluation, 0, 0};
            for (const model::Alert& alert : rule.alerts ? rule.alerts->alerts() : std::vector<model::Alert>()) {
                ++(alert.state == model::AlertState::firing ? health.firing : health.pending);
            }
            out.push_back(std::move(health));
        }
    }
    return out;
}

std::vector<GroupStatus> Manager::status() const {
    std::vector<GroupStatus> out;
    for (const RunningGroup& group : state_->groups) {
        GroupStatus status{group.head.file, group.head.name, group.interval, group.head.limit, {}, {}};
        for (const RunningRule& rule : group.rules) {
            status.last_evaluation = std::max(status.last_evaluation, rule.last_evaluation);
            status.rules.push_back({rule.rule, rule.last_error, rule.last_evaluation,
                                    rule.alerts ? rule.alerts->alerts() : std::vector<model::Alert>()});
        }
        out.push_back(std::move(status));
    }
    return out;
}

}  // namespace noroshi::rules
