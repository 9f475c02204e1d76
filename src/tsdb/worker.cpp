// src/tsdb/worker.cpp - the queue of jobs and their completions.
#include "worker.hpp"

#include <pthread.h>

#include <utility>

namespace noroshi::tsdb {

Worker::~Worker() {
    {
        const std::lock_guard held(mutex_);
        stopping_ = true;
        jobs_.clear();
    }
    changed_.notify_all();
    thread_.join();
}

void Worker::post(Job job) {
    {
        const std::lock_guard held(mutex_);
        jobs_.push_back(std::move(job));
    }
    changed_.notify_all();
}

void Worker::collect() {
    std::deque<Completion> done;
    {
        const std::lock_guard held(mutex_);
        done.swap(done_);
    }
    for (const Completion& completion : done) {
        completion();
    }
}

bool Worker::busy() const {
    const std::lock_guard held(mutex_);
    return working_ || !jobs_.empty() || !done_.empty();
}

void Worker::settle() {
    while (busy()) {
        {
            std::unique_lock held(mutex_);
            changed_.wait(held, [this] { return !working_ && jobs_.empty(); });
        }
        collect();
    }
}

void Worker::work() {
    ::pthread_setname_np(::pthread_self(), "noroshi-blocks");
    std::unique_lock held(mutex_);
    while (true) {
        changed_.wait(held, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) {
            return;
        }
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        working_ = true;
        held.unlock();
        Completion done = job();
        held.lock();
        working_ = false;
        if (done) {
            done_.push_back(std::move(done));
        }
        changed_.notify_all();
    }
}

}  // namespace noroshi::tsdb
