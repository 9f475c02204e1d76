// src/base/task.hpp - coroutines: Task<T>, groups that own them, waiting for time and for each other.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"

namespace noroshi {

template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

/// Waiting for time. Thread: the I/O thread.
class Timers {
  public:
    virtual ~Timers() = default;
    /// Ends after `duration` with a value, or earlier with `cancelled`.
    [[nodiscard]] virtual Task<Result<void>> sleep_for(Milliseconds duration) = 0;
};

/// A flag that coroutines of the I/O thread wait for. `notify` before `wait` is not lost. One waiter.
class Signal {
  public:
    explicit Signal(const Executor& executor);
    ~Signal();
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    /// Wakes the waiter, or the next one.
    void notify();
    /// Ends with true when notified, false when `timeout` ran out first. Error: cancelled.
    [[nodiscard]] Task<Result<bool>> wait(Milliseconds timeout);
    [[nodiscard]] Task<Result<void>> wait();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Wakes everybody who waits at that moment; whoever comes later waits for the next time. Thread: the I/O thread.
class Bell {
  public:
    explicit Bell(Executor executor) : executor_(std::move(executor)) {}
    void ring() {
        for (Signal& waiter : waiters_) {
            waiter.notify();
        }
    }
    /// Ends with true when it rang, false when `timeout` ran out first. Error: cancelled.
    [[nodiscard]] Task<Result<bool>> wait(Milliseconds timeout) {
        const Place own(waiters_, executor_);
        co_return co_await own.signal->wait(timeout);
    }

  private:
    /// Goes away with the coroutine that waits, also when that is cancelled before it begins.
    struct Place {
        Place(std::list<Signal>& all, const Executor& executor)
            : waiters(all), signal(all.emplace(all.end(), executor)) {}
        ~Place() { waiters.erase(signal); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        std::list<Signal>& waiters;
        std::list<Signal>::iterator signal;
    };
    Executor executor_;
    std::list<Signal> waiters_;
};

/// A bounded queue between coroutines of the I/O thread; one taker.
template <class T>
class Queue {
  public:
    Queue(const Executor& executor, std::size_t capacity) : signal_(executor), capacity_(capacity) {}
    /// False when full or closed: the caller counts what it drops.
    [[nodiscard]] bool push(T value) {
        if (closed_ || items_.size() >= capacity_) {
            return false;
        }
        items_.push_back(std::move(value));
        signal_.notify();
        return true;
    }
    /// The next value; waits. Errors: cancelled (also when closed and empty).
    [[nodiscard]] Task<Result<T>> take() {
        while (items_.empty()) {
            if (closed_) {
                co_return fail(Errc::cancelled, "queue closed");
            }
            NOROSHI_CO_TRY_VOID(co_await signal_.wait());
        }
        T value = std::move(items_.front());
        items_.pop_front();
        co_return value;
    }
    void close() {
        closed_ = true;
        signal_.notify();
    }
    [[nodiscard]] std::size_t size() const { return items_.size(); }

  private:
    Signal signal_;
    std::deque<T> items_;
    std::size_t capacity_;
    bool closed_{false};
};

/// Owns running coroutines. `stop` cancels all and ends when the last has ended. Thread: the I/O thread.
/// An exception that escapes a task is a broken promise: it aborts with the task's name.
class TaskGroup {
  public:
    explicit TaskGroup(Executor executor);
    /// All tasks must have ended: call and await `stop` first.
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    /// Starts `task`; `name` (a literal) is for diagnosis.
    void spawn(const char* name, Task<void> task);
    [[nodiscard]] Task<void> stop();
    [[nodiscard]] std::size_t running() const;
    [[nodiscard]] const Executor& executor() const;

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the completion handlers of the tasks
};

/// Runs `task` with a deadline; what has not ended by then is cancelled and gives `timeout`. Thread: the I/O thread.
/// `task` must react to cancellation, as everything in base does.
[[nodiscard]] Task<Result<void>> with_deadline(Task<Result<void>> task, Milliseconds deadline);

/// The same for a task with a value.
template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(Task<Result<T>> task, Milliseconds deadline);

namespace detail {
template <class T>
Task<Result<void>> store_into(Task<Result<T>> task, std::optional<T>& out) {
    Result<T> result = co_await std::move(task);
    if (!result) {
        co_return fail(std::move(result).error());
    }
    out = std::move(*result);
    co_return Result<void>{};
}
}  // namespace detail

template <class T>
Task<Result<T>> with_deadline(Task<Result<T>> task, Milliseconds deadline) {
    std::optional<T> out;
    Task<Result<void>> inner = detail::store_into<T>(std::move(task), out);
    NOROSHI_CO_TRY_VOID(co_await with_deadline(std::move(inner), deadline));
    co_return std::move(*out);
}

}  // namespace noroshi
