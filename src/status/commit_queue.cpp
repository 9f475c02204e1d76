// src/status/commit_queue.cpp - one committer, many who wait.
#include "commit_queue.hpp"

#include <iterator>
#include <utility>

namespace noroshi::status {

Task<Result<void>> CommitQueue::commit(StateWrites writes) {
    if (closed_) {
        co_return fail(Errc::cancelled, "stopped");
    }
    auto own = std::make_shared<Waiting>(executor_);
    own->writes = std::move(writes);
    waiting_.push_back(own);
    wake_.notify();
    NOROSHI_CO_TRY_VOID(co_await own->ended.wait());
    co_return own->result;
}

Task<void> CommitQueue::work() {
    while (true) {
        if (waiting_.empty()) {
            if (!co_await wake_.wait()) {
                co_return;
            }
            continue;
        }
        committing_ = std::exchange(waiting_, {});
        StateWrites writes;
        for (const std::shared_ptr<Waiting>& one : committing_) {
            std::ranges::move(one->writes, std::back_inserter(writes));
        }
        Result<void> done;
        if (!writes.empty()) {
            done = co_await store_.commit(std::move(writes));
        }
        for (const std::shared_ptr<Waiting>& one : committing_) {
            one->result = done;
            one->ended.notify();
        }
        committing_.clear();
        if (!done) {
            close();  // only when all is being stopped: memory and disk would differ from here on
            co_return;
        }
    }
}

void CommitQueue::close() {
    closed_ = true;
    for (auto* queue : {&waiting_, &committing_}) {
        for (const std::shared_ptr<Waiting>& one : *queue) {
            one->result = fail(Errc::cancelled, "stopped");
            one->ended.notify();
        }
        queue->clear();
    }
}

}  // namespace noroshi::status
