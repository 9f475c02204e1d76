// test/unit/base/coroutine_codegen_test.cpp - coroutine code that some compilers turn into double frees; see decision 001.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "run_task.hpp"

namespace noroshi {
namespace {

struct Parts {
    std::string name;
    std::vector<int> numbers;
    std::shared_ptr<int> shared;
};

Task<std::size_t> by_value(Parts parts, std::string suffix) {
    co_return parts.name.size() + parts.numbers.size() + suffix.size() + static_cast<std::size_t>(parts.shared.use_count());
}

Task<std::string> echo(std::string text) { co_return text; }

Task<int> call(std::function<Task<int>(int)> function, int argument) { co_return co_await function(argument); }

Task<int> increment(int value) { co_return value + 1; }

Task<std::size_t> temporaries_beside_co_await() {
    auto shared = std::make_shared<int>(1);
    // A temporary aggregate with strings, in the same full expression as co_await.
    const std::size_t first = co_await by_value(Parts{"a name that is too long for the small buffer", {1, 2, 3}, shared},
                                                std::string(40, 'x'));
    const std::size_t second =
        (co_await by_value({.name = co_await echo("another name that does not fit either"), .numbers = {}, .shared = shared},
                           co_await echo("suffix")));
    co_return first + second + static_cast<std::size_t>(shared.use_count());
}

Task<int> lambdas_beside_co_await() {
    const std::string kept(50, 'k');
    auto shared = std::make_shared<int>(5);
    // A lambda with captures as a temporary of the awaited call.
    const int value = co_await call([kept, shared](int n) { return increment(n + *shared + static_cast<int>(kept.size())); }, 1);
    co_return value + static_cast<int>(shared.use_count());
}

Task<std::string> choice(bool which) {
    co_return which ? co_await echo("a long text of the first branch of the choice")
                    : std::string("a long text of the second branch of the choice");
}

Task<std::string> in_a_loop() {
    std::string out;
    for (const std::string& part : std::vector<std::string>{std::string(30, 'a'), std::string(30, 'b')}) {
        out += co_await echo(part + co_await echo(std::string(30, 'c')));
    }
    co_return out;
}

TEST(Coroutines, Temporaries_in_an_awaiting_expression_are_destroyed_once) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, temporaries_beside_co_await()), 44 + 3 + 40 + 2 + 37 + 0 + 6 + 2 + 1);
}

TEST(Coroutines, Lambdas_in_an_awaiting_expression_are_destroyed_once) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, lambdas_beside_co_await()), 1 + 5 + 50 + 1 + 1);
}

TEST(Coroutines, Both_branches_of_a_choice_give_their_text) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, choice(true)), "a long text of the first branch of the choice");
    EXPECT_EQ(test::run(runtime, choice(false)), "a long text of the second branch of the choice");
}

TEST(Coroutines, A_range_of_temporaries_lives_through_awaits) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, in_a_loop()),
              std::string(30, 'a') + std::string(30, 'c') + std::string(30, 'b') + std::string(30, 'c'));
}

Task<Result<int>> failing() { co_return fail(Errc::io, "no disk"); }
Task<Result<int>> passing_on() {
    NOROSHI_CO_TRY(const int value, co_await failing());
    co_return value + 1;
}

TEST(Coroutines, CO_TRY_passes_an_error_on) {
    Runtime runtime(0);
    EXPECT_EQ(test::run(runtime, passing_on()).error().message, "no disk");
}

Task<void> wait_for_ever(Signal& signal, int& ended) {
    const Result<void> woken = co_await signal.wait();
    ended += woken ? 100 : 1;
}

Task<int> stop_two(Runtime& runtime) {
    Signal first(runtime.executor());
    Signal second(runtime.executor());
    int ended = 0;
    TaskGroup group(runtime.executor());
    group.spawn("first", wait_for_ever(first, ended));
    group.spawn("second", wait_for_ever(second, ended));
    co_await group.stop();
    co_return ended;
}

TEST(TaskGroup, Stop_cancels_and_waits_for_all) {
    Runtime runtime(0);
    EXPECT_EQ(runtime.run(stop_two(runtime)), 2);
}

Task<int> notify_before_wait(Runtime& runtime) {
    Signal signal(runtime.executor());
    signal.notify();
    const Result<bool> woken = co_await signal.wait(std::chrono::hours(1));
    co_return woken && *woken ? 1 : 0;
}

TEST(Signal, A_notification_before_the_wait_is_not_lost) {
    Runtime runtime(0);
    EXPECT_EQ(runtime.run(notify_before_wait(runtime)), 1);
}

Task<Result<void>> sleep_an_hour(Runtime& runtime) { co_return co_await runtime.sleep_for(std::chrono::hours(1)); }

TEST(Deadline, Ends_what_takes_too_long) {
    Runtime runtime(0);
    const Result<void> done = test::run(runtime, with_deadline(sleep_an_hour(runtime), Milliseconds(5)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::timeout);
}

}  // namespace
}  // namespace noroshi
