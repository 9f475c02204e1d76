// test/support/manual_timers.hpp - timers over a ManualClock, and a loop that a test turns by hand.
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <optional>

#include "base/runtime.hpp"

namespace noroshi::test {

/// Time that passes only when the test says so.
class ManualTimers final : public Timers {
  public:
    ManualTimers(Executor executor, ManualClock& clock) : executor_(std::move(executor)), clock_(clock) {}
    Task<Result<void>> sleep_for(Milliseconds duration) override {
        const auto sleeper = sleepers_.emplace(sleepers_.end(), clock_.steady() + duration, executor_);
        Result<void> slept;
        while (slept && clock_.steady() < sleeper->due) {
            slept = co_await sleeper->signal.wait();
        }
        sleepers_.erase(sleeper);
        co_return slept;
    }
    /// The moment at which the first sleeper wakes up.
    [[nodiscard]] std::optional<SteadyMs> next_due() const {
        std::optional<SteadyMs> out;
        for (const Sleeper& sleeper : sleepers_) {
            out = out ? std::min(*out, sleeper.due) : sleeper.due;
        }
        return out;
    }
    void wake() {
        for (Sleeper& sleeper : sleepers_) {
            sleeper.signal.notify();
        }
    }

  private:
    struct Sleeper {
        Sleeper(SteadyMs when, const Executor& executor) : due(when), signal(executor) {}
        SteadyMs due;
        Signal signal;
    };
    Executor executor_;
    ManualClock& clock_;
    std::list<Sleeper> sleepers_;
};

/// A loop with a clock and timers of its own. After `advance` and `settle` everything waits again.
class ManualLoop {
  public:
    explicit ManualLoop(TimestampMs start) : clock(start) {}

    /// Moves time, stopping at every moment at which somebody wakes up.
    void advance(Milliseconds by) {
        const SteadyMs end = clock.steady() + by;
        settle();
        while (clock.steady() < end) {
            const std::optional<SteadyMs> due = timers.next_due();
            const SteadyMs next = due && *due > clock.steady() && *due < end ? *due : end;
            clock.advance(next - clock.steady());
            timers.wake();
            settle();
        }
    }
    /// Enough turns of the loop for every chain of wake-ups there is.
    void settle() { static_cast<void>(runtime.run(turns(runtime))); }

    Runtime runtime{0};
    ManualClock clock;
    ManualTimers timers{runtime.executor(), clock};

  private:
    static Task<int> turns(Runtime& runtime) {  // NOLINT(*-reference-coroutine-parameters): a member of the loop
        for (int i = 0; i < 8; ++i) {
            static_cast<void>(co_await runtime.sleep_for(Milliseconds(0)));
        }
        co_return 0;
    }
};

}  // namespace noroshi::test
