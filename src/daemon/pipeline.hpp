// src/daemon/pipeline.hpp - the one loop that carries values from rules through notify and the store to the outbox.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "base/task.hpp"
#include "deliver/deliver.hpp"
#include "notify/notify.hpp"
#include "rules/rules.hpp"
#include "store/store.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::daemon {

/// What the pipeline drives; all outlive it.
struct Stages {
    tsdb::Head& head;
    rules::Manager& rules;
    notify::Notifier& notifier;
    store::Store& store;
    deliver::Outbox& outbox;
};

/// Evaluates what is due, commits alert state with the groups it touches, flushes due groups, commits those with their
/// outbox rows, and only then hands the rows to the outbox. One coroutine, so that commits keep their order; a commit
/// that fails (disk full) is tried again until it succeeds, and nothing is sent before. Thread: the I/O thread.
class Pipeline {
  public:
    Pipeline(Stages stages, Timers& timers, const Clock& clock, const Executor& executor, Metrics& metrics, Log log);

    /// Runs until cancelled.
    [[nodiscard]] Task<void> run();
    /// New rules and route, taken over by the loop before its next evaluation.
    void change(std::vector<rules::RuleGroup> groups, notify::Route route);
    /// Queues a message that speaks of no alert.
    void announce(std::string title, std::string body);
    /// Empty while the store takes what it is given.
    [[nodiscard]] const std::string& store_error() const { return store_error_; }

  private:
    struct Change {
        std::vector<rules::RuleGroup> groups;
        notify::Route route;
    };
    struct Announcement {
        std::string title;
        std::string body;
    };

    [[nodiscard]] Task<Result<void>> step();
    [[nodiscard]] Task<Result<void>> commit(store::Batch batch);
    [[nodiscard]] Milliseconds until_next(TimestampMs now) const;

    Stages stages_;
    Timers& timers_;
    const Clock& clock_;
    Log log_;
    Counter& commit_failures_;
    Signal wake_;
    std::optional<Change> change_;
    std::vector<Announcement> announcements_;
    std::string store_error_;
    SteadyMs expire_at_{};
};

}  // namespace noroshi::daemon
