// src/status/commit_queue.hpp - writes to the store, in the order in which they were decided, whoever stops waiting.
#pragma once

#include <deque>
#include <memory>

#include "base/task.hpp"
#include "state.hpp"

namespace noroshi::status {

/// What is in memory must reach the disk even when the call that changed it is given up: so the waiting is the caller's,
/// the committing is not. What waits together is committed together. Thread: the I/O thread.
class CommitQueue {
  public:
    CommitQueue(StateStore& store, Executor executor) : store_(store), executor_(executor), wake_(executor) {}

    /// Ends when `writes`, and all that was given before, are on disk. Errors: cancelled.
    [[nodiscard]] Task<Result<void>> commit(StateWrites writes);
    /// Commits until it is cancelled.
    [[nodiscard]] Task<void> work();
    /// Ends all waiting and later calls with `cancelled`.
    void close();

  private:
    struct Waiting {
        explicit Waiting(const Executor& executor) : ended(executor) {}
        StateWrites writes;
        Result<void> result;
        Signal ended;
    };

    StateStore& store_;
    Executor executor_;
    std::deque<std::shared_ptr<Waiting>> waiting_;
    std::deque<std::shared_ptr<Waiting>> committing_;
    Signal wake_;
    bool closed_{false};
};

}  // namespace noroshi::status
