// src/base/runtime.hpp - the one I/O thread's loop, its timers, signals, and the small pool beside it.
#pragma once

#include <functional>
#include <memory>

#include "base/task.hpp"

namespace noroshi {

/// Owns the event loop. Everything but `post` is for the thread that calls `run`.
class Runtime final : public Timers {
  public:
    /// `pool_threads` 0 runs `offload` work in place.
    explicit Runtime(unsigned pool_threads = 1);
    ~Runtime() override;
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    [[nodiscard]] Executor executor() const;
    [[nodiscard]] Task<Result<void>> sleep_for(Milliseconds duration) override;

    /// Runs `main` and the loop until `main` has ended; what it gives is the answer.
    [[nodiscard]] int run(Task<int> main);
    /// Runs `work` on the I/O thread soon. Thread: any.
    void post(std::function<void()> work);
    /// Runs `work` on a pool thread and ends when it is done: values in, values out, nothing shared.
    [[nodiscard]] Task<void> offload(std::function<void()> work);
    /// Next SIGINT, SIGTERM or SIGHUP as its number. Error: cancelled.
    [[nodiscard]] Task<Result<int>> next_signal();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi
