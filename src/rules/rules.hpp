// src/rules/rules.hpp - rule groups: load, evaluate at their interval, give alert transitions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/time.hpp"
#include "model/alert.hpp"
#include "promql/promql.hpp"
#include "store/store.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::rules {

/// One alerting or recording rule, checked. Exactly one of `alert` and `record` is set.
struct Rule {
    std::string alert;
    std::string record;
    promql::Expression expression;
    std::string expression_text;
    Milliseconds hold{0};              ///< `for`
    Milliseconds keep_firing_for{0};
    model::Labels labels;              ///< values may be templates
    std::vector<std::string> removed_labels;  ///< given as "": the result loses them
    model::Labels annotations;         ///< values may be templates
    SourcePos where;
    [[nodiscard]] const std::string& name() const { return alert.empty() ? record : alert; }
};

struct RuleGroup {
    std::string file;
    std::string name;
    Milliseconds interval{0};  ///< 0: the global evaluation interval
    std::size_t limit{0};      ///< most alerts or series a rule may give; 0: no limit
    Milliseconds query_offset{0};
    model::Labels labels;
    std::vector<Rule> rules;
    [[nodiscard]] std::string key() const { return file + ";" + name; }
};

/// Reads a Prometheus rule file's text: what is refused is what promtool 3.16 refuses. Every fault is reported, each
/// with file:line:column, the group and the rule. `file` is only named in errors and keys.
struct ParsedRules {
    std::vector<RuleGroup> groups;  ///< empty when there are errors
    std::vector<Error> errors;
    std::vector<Error> hints;       ///< what is allowed and surely not meant; empty when there are errors
    std::vector<Error> duplicates;  ///< rules with the name and labels of one before
};
struct RuleFileOptions {
    bool ignore_unknown_fields{false};
    promql::ParseOptions expressions{};
};
[[nodiscard]] ParsedRules parse_rules(const std::string& file, std::string_view text, const RuleFileOptions& options = {});

/// The rules noroshi uses when the owner has none: this host's memory, disks, load, clock and targets.
[[nodiscard]] std::string_view builtin_host_rules();

struct Options {
    Milliseconds evaluation_interval{std::chrono::minutes(1)};
    model::Labels external_labels;
    /// After a restart, alerts that were firing are not ended by an expression that finds nothing until this has
    /// passed: their series must be scraped again first.
    Milliseconds restore_grace{std::chrono::minutes(3)};
    std::string external_url{};  ///< for templates
    promql::ParseOptions expressions{};  ///< of queries in templates
};

/// Health of one rule, for people.
struct RuleHealth {
    std::string group;
    std::string rule;
    std::string last_error;  ///< "" when the last evaluation went well
    TimestampMs last_evaluation{};
    std::size_t pending{0};
    std::size_t firing{0};
};

/// One rule with all that is known of it.
struct RuleStatus {
    Rule rule;
    std::string last_error;          ///< "" when the last evaluation went well
    TimestampMs last_evaluation{};   ///< zero: not yet
    std::vector<model::Alert> alerts;
};

struct GroupStatus {
    std::string file;
    std::string name;
    Milliseconds interval{0};        ///< the one in force
    std::size_t limit{0};
    TimestampMs last_evaluation{};   ///< zero: not yet
    std::vector<RuleStatus> rules;
};

/// Evaluates groups and keeps every alert instance's state. Thread: the I/O thread.
///
/// State machine (spec: alerting 3.3): inactive -> pending -> firing -> inactive; a rule that cannot be evaluated
/// keeps its alerts as they are. Recorded series and ALERTS / ALERTS_FOR_STATE are appended to the store of series;
/// a series that left a rule's result gets a stale marker.
class Manager {
  public:
    Manager(tsdb::Head& head, const promql::Engine& engine, Options options, Metrics& metrics, Log log);
    ~Manager();

    /// Replaces all groups. State of a rule whose file, group and name stay the same is kept; alerts of a rule that
    /// went away and were firing are resolved at `now` and come back as transitions.
    [[nodiscard]] std::vector<model::AlertTransition> set_groups(std::vector<RuleGroup> groups, TimestampMs now,
                                                                 store::Batch& batch);
    /// Puts back what was persisted. Call it before `set_groups`. Rows of rules that no longer exist are resolved there.
    void restore(std::vector<store::AlertRow> rows);
    /// When the next group is due; groups are spread over their interval by the hash of their key.
    [[nodiscard]] TimestampMs next_due(TimestampMs now) const;
    /// Evaluates every group that is due at `now`, each once at its own aligned time; missed iterations are counted.
    /// Changed alert rows are appended to `batch`.
    [[nodiscard]] std::vector<model::AlertTransition> evaluate_due(TimestampMs now, store::Batch& batch);

    /// Evaluates every group at `at`, in the order of `set_groups` and whatever their intervals: for tests of rules.
    [[nodiscard]] std::vector<model::AlertTransition> evaluate_all(TimestampMs at, store::Batch& batch);

    [[nodiscard]] std::vector<model::Alert> active_alerts() const;
    [[nodiscard]] std::vector<RuleHealth> health() const;
    [[nodiscard]] std::vector<GroupStatus> status() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::rules
