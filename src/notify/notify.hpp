// src/notify/notify.hpp - groups alert transitions and turns them into messages; the only public header here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "model/alert.hpp"
#include "model/message.hpp"
#include "store/store.hpp"

namespace noroshi::notify {

/// The root route, with Alertmanager's keys and defaults.
struct Route {
    std::string receiver;
    std::vector<std::string> group_by;  ///< label names; the single name "..." groups by all labels
    Milliseconds group_wait{std::chrono::seconds(30)};
    Milliseconds group_interval{std::chrono::minutes(5)};
    Milliseconds repeat_interval{std::chrono::hours(4)};
};

/// Collects transitions into groups and decides when a group speaks. Thread: the I/O thread.
///
/// A group's first message comes group_wait after its first alert; changes come at group_interval steps after that; an
/// unchanged firing group is repeated after repeat_interval. An alert is told as firing once and as resolved once
/// (deduplicated by fingerprint); an alert that fired and was resolved before anybody was told is not told.
/// Every change goes into a store::Batch first; nothing is handed to deliver here.
class Notifier {
  public:
    Notifier(Route route, Random& random, Metrics& metrics, Log log);
    ~Notifier();

    /// Replaces the route on reload; groups made under another receiver or grouping keep their own until they are empty.
    void set_route(Route route);
    /// Puts back what was persisted; flushes that became due meanwhile are due at once.
    void restore(std::vector<store::GroupRow> rows);
    /// Takes transitions in; dirty groups with their timers go into `batch`, the same one as the alert rows.
    void accept(const std::vector<model::AlertTransition>& transitions, TimestampMs now, store::Batch& batch);
    /// The earliest time at which `flush_due` has something to do, or nothing.
    [[nodiscard]] std::optional<TimestampMs> next_due() const;
    /// Messages of all groups due at `now`. Group rows and outbox rows (state queued) go into `batch`; the rows are
    /// also returned, to be handed to the outbox once the batch is committed.
    [[nodiscard]] std::vector<store::OutboxRow> flush_due(TimestampMs now, store::Batch& batch);
    /// A message that speaks of no alert ("noroshi watches 12 things on HOST").
    [[nodiscard]] store::OutboxRow announce(std::string title, std::string body, TimestampMs now, store::Batch& batch);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Title and body of one group's message, short enough for a phone: what, where, since when, value, what to do.
/// Control characters are removed from label values and annotations. Pure.
struct Rendered {
    std::string title;
    std::string body;
    model::MessageStatus status{model::MessageStatus::firing};
    model::Labels labels;
};
[[nodiscard]] Rendered render(const store::GroupRow& group, TimestampMs now);

}  // namespace noroshi::notify
