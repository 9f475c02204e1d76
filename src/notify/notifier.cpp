// src/notify/notifier.cpp - groups and their timers.
#include <algorithm>
#include <map>
#include <set>

#include "notify/notify.hpp"
#include "text.hpp"

namespace noroshi::notify {

struct Notifier::State {
    State(Route r, Random& rnd, Metrics& m, Log l) : route(std::move(r)), random(rnd), metrics(m), log(std::move(l)) {}

    Route route;
    Random& random;
    Metrics& metrics;
    Log log;
    std::map<std::string, store::GroupRow> groups;  // by key

    [[nodiscard]] model::Labels group_labels(const model::Labels& labels) const {
        const bool by_all = route.group_by.size() == 1 && route.group_by.front() == "...";
        if (by_all) {
            return labels;
        }
        std::vector<model::Label> out;
        for (const std::string& name : route.group_by) {
            out.push_back({name, std::string(labels.get(name))});
        }
        return model::Labels(std::move(out));
    }

    store::GroupRow& group_of(const model::Alert& alert) {
        model::Labels labels = group_labels(alert.labels);
        const std::string key = route.receiver + ":" + labels.to_string();
        // A group made under an earlier route keeps its alert: a resolution must reach those who heard of the alert.
        for (auto& [other_key, other] : groups) {
            if (find(other, alert.fingerprint()) != other.alerts.end()) {
                return other;
            }
        }
        const auto [place, inserted] = groups.try_emplace(key);
        if (inserted) {
            place->second.key = key;
            place->second.receiver = route.receiver;
            place->second.labels = std::move(labels);
        }
        return place->second;
    }

    static std::vector<store::GroupAlert>::iterator find(store::GroupRow& group, std::uint64_t fingerprint) {
        return std::ranges::find_if(group.alerts, [fingerprint](const store::GroupAlert& entry) {
            return entry.alert.fingerprint() == fingerprint;
        });
    }

    /// Takes one transition into its group; false when it changes nothing.
    static bool merge(store::GroupRow& group, const model::AlertTransition& transition) {
        const auto entry = find(group, transition.alert.fingerprint());
        if (transition.kind == model::AlertTransition::Kind::fired) {
            if (entry == group.alerts.end()) {
                group.alerts.push_back({transition.alert, false, false});
                return true;
            }
            // Fired again before its resolution was told: for the receiver it never stopped.
            entry->alert = transition.alert;
            entry->alert.resolved_at.reset();
            entry->told_resolved = false;
            return true;
        }
        if (entry == group.alerts.end()) {
            return false;
        }
        if (!entry->told_firing) {
            group.alerts.erase(entry);
            return true;
        }
        entry->alert = transition.alert;
        return true;
    }

    [[nodiscard]] static bool has_news(const store::GroupRow& group) {
        return std::ranges::any_of(group.alerts, [](const store::GroupAlert& entry) {
            return entry.alert.resolved_at ? entry.told_firing && !entry.told_resolved : !entry.told_firing;
        });
    }

    [[nodiscard]] static bool has_firing(const store::GroupRow& group) {
        return std::ranges::any_of(group.alerts, [](const store::GroupAlert& e) { return !e.alert.resolved_at; });
    }

    /// When the group speaks next: news at the next step of group_interval, else the repetition.
    void schedule(store::GroupRow& group, TimestampMs now) const {
        if (!group.last_flush_at) {
            if (!group.flush_at) {
                group.flush_at = now + route.group_wait;
            }
            return;
        }
        if (has_news(group)) {
            const Milliseconds step = std::max(route.group_interval, Milliseconds(1));
            const auto steps = std::max<std::int64_t>(1, (now - *group.last_flush_at + step - Milliseconds(1)) / step);
            const TimestampMs next = *group.last_flush_at + steps * step;
            const bool news_timer_runs = group.flush_at && *group.flush_at < next;
            group.flush_at = news_timer_runs ? *group.flush_at : next;
        } else if (has_firing(group)) {
            group.flush_at = *group.last_flush_at + route.repeat_interval;
        } else {
            group.flush_at.reset();
        }
    }

    store::OutboxRow make_row(store::GroupRow& group, TimestampMs now) {
        Rendered rendered = render(group, now);
        store::OutboxRow row;
        row.message.id = random.id();
        row.message.receiver = group.receiver;
        row.message.status = rendered.status;
        row.message.title = std::move(rendered.title);
        row.message.body = std::move(rendered.body) + "\n#" + row.message.id.substr(0, 6);
        row.message.labels = std::move(rendered.labels);
        row.message.created_at = now;
        row.message.replaces = group.last_message_id;
        row.next_attempt_at = now;
        count(row.message);
        return row;
    }

    void count(const model::Message& message) {
        metrics
            .counter("noroshi_notify_messages_total", "Messages made, by receiver and status.",
                     {{"receiver", message.receiver}, {"status", std::string(model::message_status_name(message.status))}})
            .add();
    }

    static void mark_told(store::GroupRow& group, const std::string& message_id, TimestampMs now) {
        for (store::GroupAlert& entry : group.alerts) {
            (entry.alert.resolved_at ? entry.told_resolved : entry.told_firing) = true;
        }
        std::erase_if(group.alerts, [](const store::GroupAlert& entry) { return entry.alert.resolved_at.has_value(); });
        group.last_message_id = message_id;
        group.last_flush_at = now;
        group.flush_at.reset();
    }
};

Notifier::Notifier(Route route, Random& random, Metrics& metrics, Log log)
    : state_(std::make_unique<State>(std::move(route), random, metrics, std::move(log))) {}
Notifier::~Notifier() = default;

void Notifier::set_route(Route route) { state_->route = std::move(route); }

void Notifier::restore(std::vector<store::GroupRow> rows) {
    for (store::GroupRow& row : rows) {
        std::string key = row.key;
        state_->groups[std::move(key)] = std::move(row);
    }
}

void Notifier::accept(const std::vector<model::AlertTransition>& transitions, TimestampMs now, store::Batch& batch) {
    std::set<std::string> dirty;
    for (const model::AlertTransition& transition : transitions) {
        store::GroupRow& group = state_->group_of(transition.alert);
        if (State::merge(group, transition)) {
            dirty.insert(group.key);
        } else if (group.alerts.empty()) {
            dirty.insert(group.key);
        }
    }
    for (const std::string& key : dirty) {
        store::GroupRow& group = state_->groups.at(key);
        if (group.alerts.empty()) {
            state_->groups.erase(key);
            batch.delete_group(key);
            continue;
        }
        state_->schedule(group, now);
        batch.put_group(group);
    }
}

std::optional<TimestampMs> Notifier::next_due() const {
    std::optional<TimestampMs> next;
    for (const auto& [key, group] : state_->groups) {
        if (group.flush_at && (!next || *group.flush_at < *next)) {
            next = group.flush_at;
        }
    }
    return next;
}

std::vector<store::OutboxRow> Notifier::flush_due(TimestampMs now, store::Batch& batch) {
    std::vector<store::OutboxRow> rows;
    for (auto it = state_->groups.begin(); it != state_->groups.end();) {
        store::GroupRow& group = it->second;
        if (!group.flush_at || *group.flush_at > now) {
            ++it;
            continue;
        }
        store::OutboxRow row = state_->make_row(group, now);
        State::mark_told(group, row.message.id, now);
        batch.put_outbox(row);
        rows.push_back(std::move(row));
        if (group.alerts.empty()) {
            batch.delete_group(group.key);
            it = state_->groups.erase(it);
            continue;
        }
        state_->schedule(group, now);
        batch.put_group(group);
        ++it;
    }
    return rows;
}

store::OutboxRow Notifier::announce(std::string title, std::string body, TimestampMs now, store::Batch& batch) {
    store::OutboxRow row;
    row.message.id = state_->random.id();
    row.message.receiver = state_->route.receiver;
    row.message.status = model::MessageStatus::event;
    row.message.title = shortened(cleaned(title, false), 200);
    row.message.body = cleaned(body, true);
    row.message.created_at = now;
    row.next_attempt_at = now;
    state_->count(row.message);
    batch.put_outbox(row);
    return row;
}

}  // namespace noroshi::notify
