// test/support/run_task.hpp - runs a coroutine to its end from a plain test.
#pragma once

#include <optional>
#include <utility>

#include "base/runtime.hpp"

namespace noroshi::test {

template <class T>
Task<int> keep(Task<T> task, std::optional<T>& out) {
    out.emplace(co_await std::move(task));
    co_return 0;
}

inline Task<int> ended(Task<void> task) {
    co_await std::move(task);
    co_return 0;
}

/// What `task` gives; the loop of `runtime` runs meanwhile.
template <class T>
T run(Runtime& runtime, Task<T> task) {
    std::optional<T> out;
    static_cast<void>(runtime.run(keep(std::move(task), out)));
    return std::move(*out);
}
inline void run(Runtime& runtime, Task<void> task) { static_cast<void>(runtime.run(ended(std::move(task)))); }

}  // namespace noroshi::test
