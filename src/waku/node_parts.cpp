// src/waku/node_parts.cpp - received messages, and checks of a publish.
#include "node_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "content_topics.hpp"
#include "rpc.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t max_shards = 64;
constexpr std::uint16_t max_shard = 1023;
/// How long `stop` may have to wait for a call that waits.
constexpr Milliseconds wait_slice{200};

std::size_t cost(const ReceivedMessage& received) {
    return sizeof(ReceivedMessage) + received.message.payload.size() + received.message.content_topic.size() +
           (received.message.rate_limit_proof ? received.message.rate_limit_proof->size() : 0);
}

}  // namespace

// NOLINTBEGIN(*-reference-coroutine-parameters): parts of a node that outlives its calls
Task<Result<void>> wait_until(const NodeEnvironment& environment, const bool& stopping, SteadyMs when) {
    for (SteadyMs now = environment.clock.steady(); now < when && !stopping; now = environment.clock.steady()) {
        NOROSHI_CO_TRY_VOID(co_await environment.timers.sleep_for(std::min(wait_slice, when - now)));
    }
    co_return Result<void>{};
}

Task<Result<void>> wait_for_room(const NodeEnvironment& environment, const bool& stopping, const ReceivedQueue& queue) {
    while (!stopping && !queue.is_half_free()) {
        NOROSHI_CO_TRY_VOID(co_await wait_until(environment, stopping, environment.clock.steady() + wait_slice));
    }
    co_return Result<void>{};
}
// NOLINTEND(*-reference-coroutine-parameters)

Task<void> Calls::all_ended() {
    while (count_ > 0) {
        static_cast<void>(co_await ended_.wait(Milliseconds(20)));
    }
}

bool ReceivedQueue::push(ReceivedMessage received) {
    const std::size_t bytes = cost(received);
    if (bytes_ + bytes > limits_.received_bytes || !queue_.push(std::move(received))) {
        return false;
    }
    bytes_ += bytes;
    return true;
}

Task<Result<ReceivedMessage>> ReceivedQueue::take() {
    NOROSHI_CO_TRY(ReceivedMessage received, co_await queue_.take());
    bytes_ -= cost(received);
    co_return received;
}

std::vector<std::string> pubsub_topics(std::uint16_t cluster, const std::vector<std::uint16_t>& shards) {
    std::vector<std::string> out;
    for (const std::uint16_t shard : shards) {
        out.push_back(PubsubTopic{cluster, shard}.to_string());
    }
    return out;
}

Result<void> check_topics(const std::vector<std::uint16_t>& shards, const std::vector<std::string>& content_topics) {
    if (shards.empty() || shards.size() > max_shards) {
        return fail(Errc::invalid_argument, "shards: expected 1 to 64 of them");
    }
    for (const std::uint16_t shard : shards) {
        if (shard > max_shard) {
            return fail(Errc::invalid_argument, fmt::format("shards: expected 0 to 1023, got {}", shard));
        }
        if (std::ranges::count(shards, shard) > 1) {
            return fail(Errc::invalid_argument, fmt::format("shards: {} is named twice", shard));
        }
    }
    if (content_topics.size() > ContentTopics::most) {
        return fail(Errc::invalid_argument, "content_topics: expected at most 100 of them");
    }
    return {};
}

Result<Bytes> encode_to_publish(const std::vector<std::string>& topics, const std::string& pubsub_topic,
                                const WakuMessage& message, const NodeLimits& limits) {
    if (std::ranges::count(topics, pubsub_topic) == 0) {
        return fail(Errc::invalid_argument,
                    fmt::format("foreign_topic: {} is not a shard of this node", printable(pubsub_topic, 100)));
    }
    Result<Bytes> data = encode_message(message);
    if (!data) {
        Error error = std::move(data).error();
        return fail(std::move(error).with(error.code == Errc::limit ? "too_large" : "invalid"));
    }
    if (data->size() > limits.published_bytes) {
        return fail(Errc::limit, fmt::format("too_large: {} bytes, at most {} are published", data->size(),
                                             limits.published_bytes));
    }
    return data;
}

std::int64_t in_ns(TimestampMs at) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace noroshi::waku
