// src/daemon/pipeline.cpp - the loop from rules to the outbox.
#include "pipeline.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace noroshi::daemon {
namespace {

// A wall clock that jumps back must not put the next evaluation out of reach: look again at least this often.
constexpr Milliseconds longest_wait = std::chrono::seconds(5);
constexpr Milliseconds commit_retry = std::chrono::seconds(1);
constexpr Milliseconds expire_every = std::chrono::minutes(1);

}  // namespace

Pipeline::Pipeline(Stages stages, Timers& timers, const Clock& clock, const Executor& executor, Metrics& metrics,
                   Log log)
    : stages_(stages),
      timers_(timers),
      clock_(clock),
      log_(std::move(log)),
      commit_failures_(metrics.counter("noroshi_store_commit_failures_total", "Commits that failed and were retried.")),
      wake_(executor) {}

void Pipeline::change(std::vector<rules::RuleGroup> groups, notify::Route route) {
    change_ = Change{std::move(groups), std::move(route)};
    wake_.notify();
}

void Pipeline::announce(std::string title, std::string body) {
    announcements_.push_back({std::move(title), std::move(body)});
    wake_.notify();
}

Task<void> Pipeline::run() {
    while (true) {
        const Result<void> stepped = co_await step();
        if (!stepped) {
            co_return;
        }
        const Result<bool> woken = co_await wake_.wait(until_next(clock_.now()));
        if (!woken) {
            co_return;
        }
    }
}

Milliseconds Pipeline::until_next(TimestampMs now) const {
    TimestampMs next = stages_.rules.next_due(now);
    if (const std::optional<TimestampMs> flush = stages_.notifier.next_due(); flush) {
        next = std::min(next, *flush);
    }
    return std::clamp(std::chrono::duration_cast<Milliseconds>(next - now), Milliseconds(1), longest_wait);
}

Task<Result<void>> Pipeline::step() {
    const TimestampMs now = clock_.now();
    store::Batch state;
    std::vector<model::AlertTransition> transitions;
    if (change_) {
        Change change = std::move(*change_);
        change_.reset();
        stages_.notifier.set_route(std::move(change.route));
        transitions = stages_.rules.set_groups(std::move(change.groups), now, state);
    }
    std::ranges::move(stages_.rules.evaluate_due(now, state), std::back_inserter(transitions));
    stages_.notifier.accept(transitions, now, state);
    NOROSHI_CO_TRY_VOID(co_await commit(std::move(state)));

    store::Batch flush;
    std::vector<store::OutboxRow> rows = stages_.notifier.flush_due(now, flush);
    for (Announcement& announcement : std::exchange(announcements_, {})) {
        rows.push_back(
            stages_.notifier.announce(std::move(announcement.title), std::move(announcement.body), now, flush));
    }
    NOROSHI_CO_TRY_VOID(co_await commit(std::move(flush)));
    stages_.outbox.enqueue(std::move(rows));

    if (clock_.steady() >= expire_at_) {
        expire_at_ = clock_.steady() + expire_every;
        stages_.head.drop_expired(now);
    }
    co_return Result<void>{};
}

Task<Result<void>> Pipeline::commit(store::Batch batch) {
    if (batch.empty()) {
        co_return Result<void>{};
    }
    while (true) {
        store::Batch attempt = batch;
        const Result<void> committed = co_await stages_.store.commit(std::move(attempt));
        if (committed) {
            store_error_.clear();
            co_return committed;
        }
        if (committed.error().code == Errc::cancelled) {
            co_return committed;
        }
        commit_failures_.add();
        if (store_error_ != committed.error().message) {
            log_.error("commit_failed", {{"reason", committed.error().to_string()}, {"retry_in", "1s"}});
        }
        store_error_ = committed.error().message;
        NOROSHI_CO_TRY_VOID(co_await timers_.sleep_for(commit_retry));
    }
}

}  // namespace noroshi::daemon
