// test/unit/base/runtime_test.cpp - waiting: timers, signals, queues, groups, the pool and the process's signals.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "manual_timers.hpp"
#include "run_task.hpp"

namespace noroshi {
namespace {

using namespace std::chrono_literals;

Task<void> note_after(Timers& timers, Milliseconds pause, std::string word, std::vector<std::string>& notes) {
    const Result<void> slept = co_await timers.sleep_for(pause);
    notes.push_back(slept ? word : word + " cancelled");
}

Task<int> two_sleepers(Runtime& runtime, std::vector<std::string>& notes) {
    TaskGroup group(runtime.executor());
    group.spawn("late", note_after(runtime, 10ms, "late", notes));
    group.spawn("early", note_after(runtime, 1ms, "early", notes));
    while (group.running() > 0) {
        EXPECT_TRUE(co_await runtime.sleep_for(1ms));
    }
    co_return 0;
}

TEST(Runtime, Sleepers_wake_in_the_order_of_their_time) {
    Runtime runtime(0);
    std::vector<std::string> notes;
    EXPECT_EQ(runtime.run(two_sleepers(runtime, notes)), 0);
    EXPECT_EQ(notes, (std::vector<std::string>{"early", "late"}));
}

TEST(Runtime, Manual_time_passes_only_when_told) {
    test::ManualLoop loop(from_unix_ms(0));
    std::vector<std::string> notes;
    TaskGroup group(loop.runtime.executor());
    group.spawn("a", note_after(loop.timers, 1h, "a", notes));
    group.spawn("b", note_after(loop.timers, 2h, "b", notes));
    loop.advance(90min);
    EXPECT_EQ(notes, (std::vector<std::string>{"a"}));
    test::run(loop.runtime, group.stop());
    EXPECT_EQ(notes, (std::vector<std::string>{"a", "b cancelled"}));
}

TEST(Runtime, Gives_the_answer_of_its_main_task) {
    struct Main {
        static Task<int> seven() { co_return 7; }
    };
    Runtime runtime(0);
    EXPECT_EQ(runtime.run(Main::seven()), 7);
    EXPECT_EQ(runtime.run(Main::seven()), 7);
}

Task<std::thread::id> thread_of_work(Runtime& runtime) {
    std::thread::id id;
    co_await runtime.offload([&id] { id = std::this_thread::get_id(); });
    co_return id;
}

TEST(Runtime, Offloaded_work_runs_beside_the_loop) {
    Runtime runtime(1);
    EXPECT_NE(test::run(runtime, thread_of_work(runtime)), std::this_thread::get_id());
}

TEST(Runtime, Without_a_pool_offloaded_work_runs_in_place) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, thread_of_work(runtime)), std::this_thread::get_id());
}

TEST(Runtime, Posted_work_runs_on_the_loop) {
    Runtime runtime(0);
    Signal done(runtime.executor());
    std::thread::id id;
    std::thread other([&] {
        runtime.post([&] {
            id = std::this_thread::get_id();
            done.notify();
        });
    });
    EXPECT_TRUE(test::run(runtime, done.wait()));
    other.join();
    EXPECT_EQ(id, std::this_thread::get_id());
}

Task<Result<int>> hang_up_and_wait(Runtime& runtime, Signal& ready) {
    runtime.post([&ready] { ready.notify(); });
    co_return co_await runtime.next_signal();
}
Task<void> raise_when(Signal& ready) {
    EXPECT_TRUE(co_await ready.wait());
    EXPECT_EQ(std::raise(SIGHUP), 0);
}
Task<int> hang_up(Runtime& runtime) {
    Signal ready(runtime.executor());
    TaskGroup group(runtime.executor());
    group.spawn("raise", raise_when(ready));
    const Result<int> number = co_await hang_up_and_wait(runtime, ready);
    co_await group.stop();
    co_return number.value_or(0);
}

TEST(Runtime, Gives_signals_of_the_process_as_numbers) {
    Runtime runtime(0);
    EXPECT_EQ(runtime.run(hang_up(runtime)), SIGHUP);
}

TEST(Signal, Says_when_the_time_ran_out) {
    Runtime runtime(0);
    Signal signal(runtime.executor());
    const Result<bool> woken = test::run(runtime, signal.wait(1ms));
    ASSERT_TRUE(woken);
    EXPECT_FALSE(*woken);
}

TEST(Signal, Two_notifications_before_the_wait_are_one) {
    Runtime runtime(0);
    Signal signal(runtime.executor());
    signal.notify();
    signal.notify();
    EXPECT_TRUE(*test::run(runtime, signal.wait(1h)));
    EXPECT_FALSE(*test::run(runtime, signal.wait(1ms)));
}

TEST(Queue, Gives_values_in_order_and_refuses_over_its_capacity) {
    Runtime runtime(0);
    Queue<int> queue(runtime.executor(), 2);
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.push(2));
    EXPECT_FALSE(queue.push(3));
    EXPECT_EQ(*test::run(runtime, queue.take()), 1);
    EXPECT_EQ(*test::run(runtime, queue.take()), 2);
}

TEST(Queue, A_closed_one_gives_what_it_holds_and_then_ends) {
    Runtime runtime(0);
    Queue<int> queue(runtime.executor(), 2);
    EXPECT_TRUE(queue.push(1));
    queue.close();
    EXPECT_FALSE(queue.push(2));
    EXPECT_EQ(*test::run(runtime, queue.take()), 1);
    EXPECT_EQ(test::run(runtime, queue.take()).error().code, Errc::cancelled);
}

Task<void> take_into(Queue<int>& queue, std::vector<int>& out) {
    for (Result<int> value = co_await queue.take(); value; value = co_await queue.take()) {
        out.push_back(*value);
    }
}

TEST(Queue, Wakes_the_taker_that_waits) {
    test::ManualLoop loop(from_unix_ms(0));
    Queue<int> queue(loop.runtime.executor(), 2);
    std::vector<int> taken;
    TaskGroup group(loop.runtime.executor());
    group.spawn("take", take_into(queue, taken));
    loop.settle();
    EXPECT_TRUE(queue.push(5));
    loop.settle();
    EXPECT_EQ(taken, std::vector<int>{5});
    queue.close();
    loop.settle();
    EXPECT_EQ(group.running(), 0U);
}

Task<void> hear(Bell& bell, std::vector<std::string>& notes, std::string name) {
    const Result<bool> rang = co_await bell.wait(1h);
    notes.push_back(name + (rang ? *rang ? " rang" : " late" : " cancelled"));
}

TEST(Bell, Wakes_everybody_who_waits_and_nobody_who_comes_later) {
    test::ManualLoop loop(from_unix_ms(0));
    Bell bell(loop.runtime.executor());
    std::vector<std::string> notes;
    TaskGroup group(loop.runtime.executor());
    bell.ring();
    group.spawn("a", hear(bell, notes, "a"));
    group.spawn("b", hear(bell, notes, "b"));
    loop.settle();
    EXPECT_TRUE(notes.empty());
    bell.ring();
    group.spawn("c", hear(bell, notes, "c"));
    loop.settle();
    EXPECT_EQ(notes, (std::vector<std::string>{"a rang", "b rang"}));
    test::run(loop.runtime, group.stop());
    EXPECT_EQ(notes.size(), 3U);
    EXPECT_EQ(notes.back(), "c cancelled");
    bell.ring();
}

Task<Result<int>> answer_at_once() { co_return 5; }
Task<Result<int>> refuse_at_once() { co_return fail(Errc::refused, "no"); }
Task<Result<int>> answer_late(Runtime& runtime) {
    NOROSHI_CO_TRY_VOID(co_await runtime.sleep_for(1h));
    co_return 5;
}

TEST(Deadline, Passes_on_the_value_or_the_error_that_came_in_time) {
    Runtime runtime(0);
    EXPECT_EQ(*test::run(runtime, with_deadline<int>(answer_at_once(), 1h)), 5);
    EXPECT_EQ(test::run(runtime, with_deadline<int>(refuse_at_once(), 1h)).error().code, Errc::refused);
}

TEST(Deadline, A_timeout_may_be_tried_again) {
    Runtime runtime(0);
    const Result<int> late = test::run(runtime, with_deadline<int>(answer_late(runtime), 1ms));
    EXPECT_EQ(late.error().code, Errc::timeout);
    EXPECT_TRUE(late.error().retryable);
}

Task<void> wait_with_deadline(Runtime& runtime, std::string& end) {
    const Result<int> answer = co_await with_deadline<int>(answer_late(runtime), 2h);
    end = answer ? "answer" : errc_name(answer.error().code);
}

TEST(Deadline, A_stop_from_outside_is_a_cancellation) {
    test::ManualLoop loop(from_unix_ms(0));
    std::string end;
    TaskGroup group(loop.runtime.executor());
    group.spawn("wait", wait_with_deadline(loop.runtime, end));
    loop.settle();
    test::run(loop.runtime, group.stop());
    EXPECT_EQ(end, "cancelled");
}

Task<void> throw_at_once() {
    throw std::runtime_error("out of luck");
    co_return;
}
void spawn_one_that_throws() {
    Runtime runtime(0);
    TaskGroup group(runtime.executor());
    group.spawn("unlucky", throw_at_once());
    static_cast<void>(test::run(runtime, runtime.sleep_for(10s)));
}

TEST(TaskGroupDeathTest, An_exception_that_escapes_aborts_with_the_tasks_name) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(spawn_one_that_throws(), "out of luck(.|\n)*unlucky");
}

void destroy_while_running() {
    test::ManualLoop loop(from_unix_ms(0));
    std::vector<std::string> notes;
    TaskGroup group(loop.runtime.executor());
    group.spawn("sleeper", note_after(loop.timers, 1h, "a", notes));
    loop.settle();
}

TEST(TaskGroupDeathTest, Destroying_a_group_that_was_not_stopped_aborts) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(destroy_while_running(), "destroyed before its tasks were stopped");
}

}  // namespace
}  // namespace noroshi
