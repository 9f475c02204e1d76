// src/base/task.cpp - signals, task groups and deadlines over Asio.
#include "base/task.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <list>

namespace noroshi {
namespace asio = boost::asio;

struct Signal::State {
    asio::steady_timer timer;
    bool notified{false};
};

Signal::Signal(const Executor& executor) : state_(new State{asio::steady_timer(executor), false}) {}
Signal::~Signal() = default;

void Signal::notify() {
    state_->notified = true;
    state_->timer.cancel();
}

Task<Result<bool>> Signal::wait(Milliseconds timeout) {
    if (!state_->notified) {
        boost::system::error_code error;
        state_->timer.expires_after(timeout);
        co_await state_->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (!state_->notified && error) {
            co_return fail(Errc::cancelled, "cancelled");
        }
    }
    co_return std::exchange(state_->notified, false);
}

Task<Result<void>> Signal::wait() {
    // A year: the clock's own maximum overflows when it is added to the present time.
    while (true) {
        const Result<bool> woken = co_await wait(std::chrono::hours(24 * 365));
        if (!woken) {
            co_return fail(woken.error());
        }
        if (*woken) {
            co_return Result<void>{};
        }
    }
}

struct TaskGroup::State {
    struct Running {
        const char* name;
        asio::cancellation_signal cancel;
    };
    explicit State(Executor e) : executor(std::move(e)), ended(executor) {}
    Executor executor;
    std::list<Running> running;
    Signal ended;
};

TaskGroup::TaskGroup(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
    NOROSHI_ASSERT(state_->running.empty(), "a task group was destroyed before its tasks were stopped");
}

namespace {

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "noroshi: a task ended with an exception: %s\n", e.what());
        return false;
    } catch (...) {
        return false;
    }
}

}  // namespace

void TaskGroup::spawn(const char* name, Task<void> task) {
    const auto entry = state_->running.emplace(state_->running.end());
    entry->name = name;
    auto on_end = [state = state_, entry](const std::exception_ptr& error) {
        const char* ended_name = entry->name;
        state->running.erase(entry);
        state->ended.notify();
        NOROSHI_ASSERT(!error || is_cancellation(error), ended_name);
    };
    asio::co_spawn(state_->executor, std::move(task),
                   asio::bind_cancellation_slot(entry->cancel.slot(), std::move(on_end)));
}

Task<void> TaskGroup::stop() {
    const std::shared_ptr<State> state = state_;
    while (!state->running.empty()) {
        // Emitting may end a task at once and so change the list: each is asked in a turn of its own.
        for (State::Running& running : state->running) {
            asio::post(state->executor, [state, target = &running] {
                for (State::Running& alive : state->running) {
                    if (&alive == target) {
                        alive.cancel.emit(asio::cancellation_type::all);
                        return;
                    }
                }
            });
        }
        // A task between two waits does not see the emission; ask again until all have ended.
        static_cast<void>(co_await state->ended.wait(Milliseconds(50)));
    }
}

std::size_t TaskGroup::running() const { return state_->running.size(); }
const Executor& TaskGroup::executor() const { return state_->executor; }

namespace {

Task<void> wait_for(Milliseconds duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

Task<Result<void>> with_deadline(Task<Result<void>> task, Milliseconds deadline) {
    using asio::experimental::awaitable_operators::operator||;
    try {
        std::variant<Result<void>, std::monostate> first = co_await (std::move(task) || wait_for(deadline));
        if (first.index() == 0) {
            co_return std::get<0>(std::move(first));
        }
        Error error{Errc::timeout, fmt::format("no end within {}", format_duration(deadline)), {}, true};
        co_return fail(std::move(error));
    } catch (const boost::system::system_error&) {
        co_return fail(Errc::cancelled, "cancelled");
    } catch (const asio::multiple_exceptions&) {
        co_return fail(Errc::cancelled, "cancelled");
    }
}

}  // namespace noroshi
