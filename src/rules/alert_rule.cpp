// src/rules/alert_rule.cpp - inactive -> pending -> firing -> inactive, one instance for each label set (3.3).
#include "alert_rule.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace noroshi::rules {
namespace {

/// What is worth a row in the store: everything but the value and the texts, which change each time.
bool same_state(const model::Alert& a, const model::Alert& b) {
    return a.state == b.state && a.active_at == b.active_at && a.fired_at == b.fired_at &&
           a.keep_firing_since == b.keep_firing_since;
}

}  // namespace

AlertRule::AlertRule(Rule rule, std::string id, std::string group)
    : rule_(std::move(rule)),
      id_(std::move(id)),
      group_(std::move(group)),
      labels_(texts_of(rule_.labels)),
      annotations_(texts_of(rule_.annotations)) {}

std::vector<AlertRule::Text> AlertRule::texts_of(const model::Labels& labels) const {
    std::vector<Text> out;
    for (const model::Label& label : labels) {
        Text text{label.name, label.value, std::nullopt};
        if (label.value.find("{{") != std::string::npos) {
            if (Result<Template> parsed = Template::parse(label.value, rule_.alert)) {
                text.parsed = std::move(*parsed);
            }
        }
        out.push_back(std::move(text));
    }
    return out;
}

std::string AlertRule::Text::expand(const TemplateData& data) const {
    if (!parsed) {
        return literal;
    }
    Result<std::string> text = parsed->expand(data);
    return text ? std::move(*text) : fmt::format("<error expanding template: {}>", text.error().message);
}

AlertRule::Identity AlertRule::identity_of(const TemplateData& data) {
    const bool from_labels_alone = std::ranges::none_of(labels_, [](const Text& text) { return text.parsed.has_value(); });
    if (from_labels_alone) {
        if (const auto known = identities_.find(data.labels); known != identities_.end()) {
            return known->second;
        }
    }
    Identity out{labels_of(data), 0};
    out.fingerprint = out.labels.fingerprint();
    if (from_labels_alone) {
        identities_.emplace(data.labels, out);
    }
    return out;
}

model::Labels AlertRule::labels_of(const TemplateData& data) const {
    std::vector<model::Label> all;
    for (const model::Label& label : data.labels) {
        if (label.name != model::metric_name_label) {
            all.push_back(label);
        }
    }
    for (const Text& text : labels_) {
        all.push_back({text.name, text.expand(data)});
    }
    for (const std::string& name : rule_.removed_labels) {
        all.push_back({name, ""});
    }
    all.push_back({std::string(model::alert_name_label), rule_.alert});
    return model::Labels(std::move(all));
}

model::Labels AlertRule::annotations_of(const TemplateData& data) const {
    std::vector<model::Label> all;
    for (const Text& text : annotations_) {
        all.push_back({text.name, text.expand(data)});
    }
    return model::Labels(std::move(all));
}

void AlertRule::restore(model::Alert alert) {
    const std::uint64_t fingerprint = alert.fingerprint();
    Instance& instance = instances_[fingerprint];
    instance = {};
    instance.alert = std::move(alert);
    instance.restored = true;
}

Result<AlertOutcome> AlertRule::apply(const promql::Vector& answer, TemplateData data, TimestampMs at,
                                      TimestampMs grace_until, std::size_t limit, store::Batch& batch) {
    if (limit != 0 && answer.size() > limit) {
        return fail(Errc::limit, fmt::format("exceeded limit of {} with {} alerts", limit, answer.size()));
    }
    if (identities_.size() > 2 * answer.size() + 16) {
        identities_.clear();  // most are of elements that are gone
    }
    std::map<std::uint64_t, model::Alert> seen;
    for (const promql::VectorSample& sample : answer) {
        data.labels = sample.labels;
        data.value = sample.value;
        data.histogram = sample.histogram;
        model::Alert alert;
        Identity identity = identity_of(data);
        alert.labels = std::move(identity.labels);
        alert.annotations = annotations_of(data);
        alert.value = sample.value;
        if (!seen.emplace(identity.fingerprint, std::move(alert)).second) {
            return fail(Errc::invalid_argument,
                        "vector contains metrics with the same labelset after applying alert labels");
        }
    }
    AlertOutcome out;
    refresh(seen, at, grace_until, out, batch);
    out.series.reserve(2 * instances_.size());
    for (auto& [fingerprint, instance] : instances_) {
        add_series(instance, out.series);
    }
    return out;
}

void AlertRule::refresh(const std::map<std::uint64_t, model::Alert>& seen, TimestampMs at, TimestampMs grace_until,
                        AlertOutcome& out, store::Batch& batch) {
    for (const auto& [fingerprint, now] : seen) {
        const auto [place, fresh] = instances_.try_emplace(fingerprint);
        model::Alert& alert = place->second.alert;
        bool& restored = place->second.restored;
        const model::Alert before = alert;
        if (fresh) {
            alert = now;
            alert.state = model::AlertState::pending;
            alert.active_at = at;
        }
        alert.annotations = now.annotations;
        alert.value = now.value;
        alert.keep_firing_since.reset();
        const bool waits = restored && at < grace_until;
        if (alert.state == model::AlertState::pending && at - alert.active_at >= rule_.hold && !waits) {
            alert.state = model::AlertState::firing;
            alert.fired_at = at;
            out.transitions.push_back({model::AlertTransition::Kind::fired, alert, at, group_});
        }
        restored = restored && alert.state == model::AlertState::pending;
        if (fresh || !same_state(before, alert)) {
            batch.put_alert({id_, alert});
        }
    }
    for (auto place = instances_.begin(); place != instances_.end();) {
        auto& [fingerprint, instance] = *place;
        const model::Alert before = instance.alert;
        if (seen.contains(fingerprint) || !absent(instance, at, grace_until, out)) {
            if (!same_state(before, instance.alert)) {
                batch.put_alert({id_, instance.alert});
            }
            ++place;
            continue;
        }
        batch.delete_alert(id_, fingerprint);
        place = instances_.erase(place);
    }
}

bool AlertRule::absent(Instance& instance, TimestampMs at, TimestampMs grace_until, AlertOutcome& out) const {
    model::Alert& alert = instance.alert;
    if (instance.restored && at < grace_until) {
        return false;
    }
    if (alert.state == model::AlertState::pending) {
        return true;
    }
    if (rule_.keep_firing_for > Milliseconds(0)) {
        alert.keep_firing_since = alert.keep_firing_since.value_or(at);
        if (at - *alert.keep_firing_since < rule_.keep_firing_for) {
            return false;
        }
    }
    alert.state = model::AlertState::inactive;
    alert.resolved_at = at;
    out.transitions.push_back({model::AlertTransition::Kind::resolved, alert, at, group_});
    return true;
}

std::vector<model::AlertTransition> AlertRule::end(TimestampMs at, store::Batch& batch) {
    std::vector<model::AlertTransition> out;
    for (auto& [fingerprint, instance] : instances_) {
        batch.delete_alert(id_, fingerprint);
        if (instance.alert.state == model::AlertState::firing) {
            instance.alert.state = model::AlertState::inactive;
            instance.alert.resolved_at = at;
            out.push_back({model::AlertTransition::Kind::resolved, std::move(instance.alert), at, group_});
        }
    }
    instances_.clear();
    return out;
}

void AlertRule::add_series(Instance& instance, promql::Vector& out) {
    const model::Alert& alert = instance.alert;
    if (instance.shown_state != alert.state) {
        instance.shown_state = alert.state;
        instance.alerts_series = alert.labels.with(model::metric_name_label, "ALERTS")
                                     .with("alertstate", model::alert_state_name(alert.state));
        instance.for_state_series = alert.labels.with(model::metric_name_label, "ALERTS_FOR_STATE");
    }
    out.push_back({instance.alerts_series, 1});
    out.push_back({instance.for_state_series, std::floor(to_unix_seconds(alert.active_at))});
}

std::vector<model::Alert> AlertRule::alerts() const {
    std::vector<model::Alert> out;
    for (const auto& [fingerprint, instance] : instances_) {
        out.push_back(instance.alert);
    }
    return out;
}

}  // namespace noroshi::rules
