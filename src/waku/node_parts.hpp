// src/waku/node_parts.hpp - what both kinds of node need: remembered hashes, received messages, checks.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "waku/node.hpp"

namespace noroshi::waku {

/// go-waku allows one lightpush request a second and peer, and counts it when the stream is opened.
inline constexpr Milliseconds push_interval{1'100};
inline constexpr Milliseconds longest_push_wait{10'000};
inline constexpr Milliseconds longest_limit_wait{60'000};

/// The hashes of the last messages, oldest forgotten first, and which of them were given to who reads: what was passed
/// over may be wanted later, when its content topic is read.
class HashMemory {
  public:
    explicit HashMemory(std::size_t capacity) : capacity_(capacity) {}
    [[nodiscard]] bool contains(const crypto::Digest& hash) const { return known_.contains(hash); }
    [[nodiscard]] bool was_given(const crypto::Digest& hash) const {
        const auto found = known_.find(hash);
        return found != known_.end() && found->second;
    }
    void insert(const crypto::Digest& hash, bool given) {
        const auto [entry, is_new] = known_.try_emplace(hash, given);
        if (!is_new) {
            entry->second = entry->second || given;
            return;
        }
        order_.push_back(hash);
        if (order_.size() > capacity_) {
            known_.erase(order_.front());
            order_.pop_front();
        }
    }

  private:
    std::size_t capacity_;
    std::map<crypto::Digest, bool> known_;  // ordered: a stranger can aim hashes at one bucket of a hash table
    std::deque<crypto::Digest> order_;
};

/// A value that an event brings to one waiting coroutine.
template <class T>
struct Pending {
    explicit Pending(const Executor& executor) : ready(executor) {}
    void complete(Result<T> value) {
        if (!result) {
            result = std::move(value);
            ready.notify();
        }
    }
    Signal ready;
    std::optional<Result<T>> result;
    SteadyMs since{};
};

/// The calls that are inside a node: `stop` must not end before they have. Thread: the I/O thread.
class Calls {
  public:
    explicit Calls(const Executor& executor) : ended_(executor) {}
    /// One call, as long as it lives.
    class Inside {
      public:
        explicit Inside(Calls& calls) : calls_(calls) { ++calls_.count_; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() {
            --calls_.count_;
            calls_.ended_.notify();
        }

      private:
        Calls& calls_;
    };
    /// Ends when none is inside.
    [[nodiscard]] Task<void> all_ended();

  private:
    std::size_t count_{0};
    Signal ended_;
};

/// What waits for `next_message`, bounded by number and by bytes. Thread: the I/O thread; one taker.
class ReceivedQueue {
  public:
    ReceivedQueue(const Executor& executor, const NodeLimits& limits)
        : queue_(executor, limits.received_messages), limits_(limits) {}
    /// False when there is no room.
    [[nodiscard]] bool push(ReceivedMessage received);
    [[nodiscard]] Task<Result<ReceivedMessage>> take();
    /// Ends `take` with `cancelled`.
    void close() { queue_.close(); }
    /// A page of a store fits, and live messages keep their room.
    [[nodiscard]] bool is_half_free() const {
        return queue_.size() * 2 <= limits_.received_messages && bytes_ * 2 <= limits_.received_bytes;
    }

  private:
    Queue<ReceivedMessage> queue_;
    NodeLimits limits_;
    std::size_t bytes_{0};
};

/// Waits in slices, and no longer when `stopping`: nothing but its own end wakes a sleeper, and `stop` waits for all calls.
/// All references are to parts of a node, which outlives its calls. Errors: cancelled.
[[nodiscard]] Task<Result<void>> wait_until(const NodeEnvironment& environment, const bool& stopping, SteadyMs when);
/// Ends when a page of a store fits into `queue`, or when `stopping`. References as above. Errors: cancelled.
[[nodiscard]] Task<Result<void>> wait_for_room(const NodeEnvironment& environment, const bool& stopping,
                                               const ReceivedQueue& queue);

/// Errors: invalid_argument, with what was expected.
[[nodiscard]] Result<void> check_topics(const std::vector<std::uint16_t>& shards,
                                        const std::vector<std::string>& content_topics);

/// The pubsub topics of a cluster's shards.
[[nodiscard]] std::vector<std::string> pubsub_topics(std::uint16_t cluster, const std::vector<std::uint16_t>& shards);

/// The bytes of a message that is fit to be published on `pubsub_topic`, one of `topics`.
/// Errors: foreign_topic, invalid, too_large, as Node::publish names them.
[[nodiscard]] Result<Bytes> encode_to_publish(const std::vector<std::string>& topics, const std::string& pubsub_topic,
                                              const WakuMessage& message, const NodeLimits& limits);

/// Unix nanoseconds.
[[nodiscard]] std::int64_t in_ns(TimestampMs at);

}  // namespace noroshi::waku
