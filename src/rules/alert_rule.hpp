// src/rules/alert_rule.hpp - one alerting rule with the state of its instances (spec: alerting 3.3).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/alert.hpp"
#include "promql/promql.hpp"
#include "rules/rules.hpp"
#include "store/store.hpp"
#include "template.hpp"

namespace noroshi::rules {

/// What one evaluation changed and what it says.
struct AlertOutcome {
    std::vector<model::AlertTransition> transitions;
    promql::Vector series;  ///< ALERTS and ALERTS_FOR_STATE
};

/// Templates and instances of one rule. Thread: the I/O thread.
class AlertRule {
  public:
    /// `id` names the rule in the store, `group` is its group's key.
    AlertRule(Rule rule, std::string id, std::string group);

    /// Takes the instances of `before`, which was the same rule under an older configuration.
    void take_state(AlertRule& before) { instances_ = std::move(before.instances_); }
    void restore(model::Alert alert);

    /// Applies the answer of the expression at `at`. Until `grace_until` a restored instance is not ended by its
    /// absence and a restored pending one does not fire: the series that feed it may not be back yet.
    /// Errors: invalid_argument (two results with equal labels), limit; the instances stay as they were.
    [[nodiscard]] Result<AlertOutcome> apply(const promql::Vector& answer, TemplateData data, TimestampMs at,
                                             TimestampMs grace_until, std::size_t limit, store::Batch& batch);
    /// Ends all instances, because the rule is gone.
    [[nodiscard]] std::vector<model::AlertTransition> end(TimestampMs at, store::Batch& batch);

    [[nodiscard]] std::vector<model::Alert> alerts() const;
    [[nodiscard]] const Rule& rule() const { return rule_; }
    [[nodiscard]] const std::string& id() const { return id_; }

  private:
    /// A label or annotation, parsed once.
    struct Text {
        std::string name;
        std::string literal;
        std::optional<Template> parsed;  ///< nothing: the literal stands as it is
        [[nodiscard]] std::string expand(const TemplateData& data) const;
    };
    struct Instance {
        model::Alert alert;
        bool restored{false};  ///< and not seen since
        // The labels of its series, made again when the state is another.
        model::AlertState shown_state{model::AlertState::inactive};
        model::Labels alerts_series{};
        model::Labels for_state_series{};
    };
    /// What an element of the expression's answer is as an alert.
    struct Identity {
        model::Labels labels;
        std::uint64_t fingerprint{0};
    };
    [[nodiscard]] std::vector<Text> texts_of(const model::Labels& labels) const;
    [[nodiscard]] Identity identity_of(const TemplateData& data);
    [[nodiscard]] model::Labels labels_of(const TemplateData& data) const;
    [[nodiscard]] model::Labels annotations_of(const TemplateData& data) const;
    void refresh(const std::map<std::uint64_t, model::Alert>& seen, TimestampMs at, TimestampMs grace_until,
                 AlertOutcome& out, store::Batch& batch);
    /// True when the instance ends.
    [[nodiscard]] bool absent(Instance& instance, TimestampMs at, TimestampMs grace_until, AlertOutcome& out) const;
    static void add_series(Instance& instance, promql::Vector& out);

    Rule rule_;
    std::string id_;
    std::string group_;
    std::vector<Text> labels_;
    std::vector<Text> annotations_;
    std::unordered_map<model::Labels, Identity, model::LabelsHash> identities_;  // by an element's labels, as long as these decide
    std::map<std::uint64_t, Instance> instances_;  // by fingerprint
};

}  // namespace noroshi::rules
