// src/tsdb/worker.hpp - Worker: the thread that writes, merges and deletes blocks.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace noroshi::tsdb {

/// Runs jobs in order on the thread "noroshi-blocks". What a job returns is run by `collect`, on the owner's thread: jobs
/// touch files and values of their own, completions touch the series. Thread: the owner's.
class Worker {
  public:
    using Completion = std::function<void()>;
    using Job = std::function<Completion()>;

    Worker() : thread_(&Worker::work, this) {}
    /// Finishes the job in hand; those that wait are dropped.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void post(Job job);
    /// Runs the completions that wait.
    void collect();
    /// Jobs or completions wait.
    [[nodiscard]] bool busy() const;
    /// Waits for all jobs, and runs their completions and what these post.
    void settle();

  private:
    void work();

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;           // guarded by mutex_, and so is all below
    std::deque<Completion> done_;
    bool working_{false};
    bool stopping_{false};
    std::thread thread_;
};

}  // namespace noroshi::tsdb
