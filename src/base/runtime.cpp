// src/base/runtime.cpp - the event loop, its signals and its pool.
#include "base/runtime.hpp"

#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <optional>

namespace noroshi {
namespace asio = boost::asio;

struct Runtime::State {
    explicit State(unsigned threads) {
        if (threads > 0) {
            pool.emplace(threads);
            for (unsigned i = 0; i < threads; ++i) {
                asio::post(*pool, [] { ::pthread_setname_np(::pthread_self(), "noroshi-pool"); });
            }
        }
    }
    asio::io_context loop{1};
    std::optional<asio::thread_pool> pool;
    std::optional<asio::signal_set> signals;
};

namespace {

Task<void> run_work(std::function<void()> work) {
    work();
    co_return;
}

}  // namespace

Runtime::Runtime(unsigned pool_threads) : state_(std::make_unique<State>(pool_threads)) {}

Runtime::~Runtime() {
    if (state_->pool) {
        state_->pool->join();
    }
}

Executor Runtime::executor() const { return state_->loop.get_executor(); }

Task<Result<void>> Runtime::sleep_for(Milliseconds duration) {
    boost::system::error_code error;
    asio::steady_timer timer(state_->loop, duration);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        co_return fail(Errc::cancelled, "cancelled");
    }
    co_return Result<void>{};
}

int Runtime::run(Task<int> main) {
    ::pthread_setname_np(::pthread_self(), "noroshi");
    std::optional<int> code;
    const auto guard = asio::make_work_guard(state_->loop);
    state_->loop.restart();
    asio::co_spawn(state_->loop, std::move(main), [this, &code](const std::exception_ptr& error, int result) {
        NOROSHI_ASSERT(!error, "the main task ended with an exception");
        code = result;
        state_->loop.stop();
    });
    state_->loop.run();
    NOROSHI_ASSERT(code.has_value(), "the loop ended before the main task");
    return *code;
}

void Runtime::post(std::function<void()> work) { asio::post(state_->loop, std::move(work)); }

Task<void> Runtime::offload(std::function<void()> work) {
    if (!state_->pool) {
        work();
        co_return;
    }
    co_await asio::co_spawn(state_->pool->get_executor(), run_work(std::move(work)), asio::use_awaitable);
}

Task<Result<int>> Runtime::next_signal() {
    if (!state_->signals) {
        state_->signals.emplace(state_->loop, SIGINT, SIGTERM, SIGHUP);
    }
    boost::system::error_code error;
    const int signal = co_await state_->signals->async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        co_return fail(Errc::cancelled, "cancelled");
    }
    co_return signal;
}

}  // namespace noroshi
