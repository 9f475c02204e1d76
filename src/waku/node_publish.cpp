// src/waku/node_publish.cpp - messages out by gossip or lightpush, and in by gossip.
#include <fmt/format.h>

#include <algorithm>

#include "node_impl.hpp"

namespace noroshi::waku {
namespace {

/// go-waku allows one request a second and peer, and counts it when the stream is opened.
constexpr Milliseconds push_interval{1'100};
constexpr Milliseconds longest_push_wait{10'000};
constexpr Milliseconds longest_limit_wait{60'000};
/// How long `stop` may have to wait for a push that waits for its turn.
constexpr Milliseconds turn_slice{200};

tl::unexpected<Error> retry(Errc code, std::string message) {
    return fail(Error{code, std::move(message), {}, true});
}

/// The word in front of an error's message, for a metric label.
std::string first_word(std::string_view message) { return std::string(message.substr(0, message.find_first_of(": "))); }

std::size_t cost(const ReceivedMessage& received) {
    return sizeof(ReceivedMessage) + received.message.payload.size() + received.message.content_topic.size() +
           (received.message.rate_limit_proof ? received.message.rate_limit_proof->size() : 0);
}

}  // namespace

Task<Result<Publication>> Node::Impl::publish(std::string pubsub_topic, WakuMessage message) {
    const Call call(*this);
    Task<Result<Publication>> attempt = check_and_publish(std::move(pubsub_topic), std::move(message));
    Result<Publication> result = co_await std::move(attempt);
    count_published(result);
    co_return result;
}

Task<Result<Publication>> Node::Impl::check_and_publish(std::string pubsub_topic, WakuMessage message) {
    if (std::ranges::count(topics_, pubsub_topic) == 0) {
        co_return fail(Errc::invalid_argument,
                       fmt::format("foreign_topic: {} is not a shard of this node", printable(pubsub_topic, 100)));
    }
    Result<Bytes> data = encode_message(message);
    if (!data) {
        Error error = std::move(data).error();
        co_return fail(std::move(error).with(error.code == Errc::limit ? "too_large" : "invalid"));
    }
    if (data->size() > config_.limits.published_bytes) {
        co_return fail(Errc::limit, fmt::format("too_large: {} bytes, at most {} are published", data->size(),
                                                config_.limits.published_bytes));
    }
    const crypto::Digest hash = message_hash(pubsub_topic, message);
    const bool relay = config_.mode == Mode::relay;
    Task<Result<Publication>> way = relay ? publish_relay(std::move(pubsub_topic), hash, std::move(*data))
                                          : publish_light(std::move(pubsub_topic), hash, std::move(*data));
    co_return co_await std::move(way);
}

void Node::Impl::count_published(const Result<Publication>& result) {
    count("noroshi_waku_published_total", "Calls to publish, by what became of them.",
          {{"mode", config_.mode == Mode::relay ? "relay" : "light"},
           {"result", result ? "handed_over" : first_word(result.error().message)}});
}

Task<Result<Publication>> Node::Impl::publish_relay(std::string topic, crypto::Digest hash, Bytes data) {
    if (!host_ || host_dead_ || state_ != NodeState::running) {
        co_return retry(Errc::io, "host_down");
    }
    const auto pending = std::make_shared<Pending<event::Published>>(environment_.executor);
    pending->since = environment_.clock.steady();
    const RequestId request = next_request_++;
    const Result<void> begun = host_->publish(request, topic, data);
    if (!begun) {
        co_return retry(Errc::limit, "busy: " + begun.error().message);
    }
    publishing_.emplace(request, pending);
    NOROSHI_CO_TRY_VOID(co_await pending->ready.wait());
    NOROSHI_CO_TRY(const event::Published published, std::move(*pending->result));
    switch (published.outcome) {
        case PublishOutcome::published:
            seen_.insert(hash);
            co_return Publication{hash, subscribers(topic)};
        case PublishOutcome::duplicate:
            co_return Publication{hash, {}};
        case PublishOutcome::no_peers:
            co_return retry(Errc::refused, "no_peers: nobody connected is subscribed to " + topic);
        case PublishOutcome::queues_full:
            co_return retry(Errc::limit, "busy: the send queues of all peers are full");
        case PublishOutcome::too_large:
            co_return fail(Errc::limit, "too_large: over the gossip limit");
        case PublishOutcome::failed:
            break;
    }
    co_return retry(Errc::io, "refused: " + printable(published.details, 200));
}

std::vector<PeerId> Node::Impl::subscribers(const std::string& topic) const {
    std::vector<PeerId> out;
    for (const auto& [id, peer] : peers_) {
        if (peer.topics.contains(topic)) {
            out.push_back(id);
        }
    }
    return out;
}

Task<Result<Publication>> Node::Impl::publish_light(std::string topic, crypto::Digest hash, Bytes data) {
    Error last{Errc::refused, "no_peers: nobody connected offers lightpush", {}, true};
    std::set<PeerId> tried;
    while (!stopping_) {
        const std::optional<PeerId> id = pick_push_peer(tried);
        if (!id) {
            co_return fail(last);
        }
        tried.insert(*id);
        const SteadyMs now = environment_.clock.steady();
        Peer& peer = peers_.at(*id);
        const SteadyMs turn = std::max(now, peer.next_push);
        if (turn - now > longest_push_wait) {
            last = Error{Errc::limit, "rate_limited: the peer asked to wait", {}, true};
            continue;
        }
        peer.next_push = turn + push_interval;  // taken before the wait, so that parallel calls queue up
        NOROSHI_CO_TRY_VOID(co_await wait_until(turn));
        if (stopping_) {
            break;
        }
        const Result<void> pushed = co_await push_once(*id, topic, data);
        if (pushed) {
            last_good_push_peer_ = *id;
            seen_.insert(hash);
            co_return Publication{hash, {*id}};
        }
        last = pushed.error();
        environment_.log.warn("push_failed", {{"peer", *id}, {"reason", last.message}});
    }
    co_return fail(Errc::cancelled, "node stopped");
}

/// In slices: nothing but its own end wakes a sleeper, and `stop` waits for all calls.
Task<Result<void>> Node::Impl::wait_until(SteadyMs when) {
    for (SteadyMs now = environment_.clock.steady(); now < when && !stopping_; now = environment_.clock.steady()) {
        NOROSHI_CO_TRY_VOID(co_await environment_.timers.sleep_for(std::min(turn_slice, when - now)));
    }
    co_return Result<void>{};
}

/// The untried peer whose turn comes first; among equals the one that took the last message.
std::optional<PeerId> Node::Impl::pick_push_peer(const std::set<PeerId>& tried) const {
    const SteadyMs now = environment_.clock.steady();
    const PeerId* best = nullptr;
    std::pair<SteadyMs, bool> best_rank;
    for (const auto& [id, peer] : peers_) {
        if (peer.foreign || tried.contains(id) || std::ranges::count(peer.info.protocols, lightpush_protocol) == 0) {
            continue;
        }
        const std::pair rank{std::max(now, peer.next_push), id != last_good_push_peer_};
        if (best == nullptr || rank < best_rank) {
            best = &id;
            best_rank = rank;
        }
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
}

Task<Result<void>> Node::Impl::push_once(PeerId id, std::string topic, Bytes data) {
    const std::string request_id = environment_.random.id();
    const Bytes request = encode_push(request_id, topic, data);
    const auto pending = std::make_shared<Pending<Bytes>>(environment_.executor);
    streams_.request(id, lightpush_protocol, request, environment_.clock.steady(),
                     [pending](Result<Bytes> answer) { pending->complete(std::move(answer)); });
    NOROSHI_CO_TRY_VOID(co_await pending->ready.wait());
    co_return judge_push(id, request_id, *pending->result);
}

Result<void> Node::Impl::judge_push(const PeerId& id, const std::string& request_id, const Result<Bytes>& body) {
    if (!body) {
        return fail(body.error());
    }
    const Result<PushAnswer> answer = decode_push_answer(*body);
    if (!answer) {
        return retry(Errc::parse, "bad_reply: " + answer.error().message);
    }
    const auto peer = peers_.find(id);
    if (answer->rate_limited()) {
        if (peer != peers_.end()) {
            const unsigned doublings = std::min(peer->second.pushes_limited++, 6U);
            const Milliseconds wait = std::min(longest_limit_wait, Milliseconds(1'000) * (1 << doublings));
            peer->second.next_push = environment_.clock.steady() + std::max(push_interval, wait);
        }
        return retry(Errc::limit, "rate_limited: " + answer->info);
    }
    if (answer->request_id != request_id) {
        return retry(Errc::parse, "bad_reply: the answer is to another request");
    }
    if (!answer->success) {
        return retry(Errc::refused, "refused: " + answer->info);
    }
    if (peer != peers_.end()) {
        peer->second.pushes_limited = 0;
    }
    return {};
}

void Node::Impl::on(event::Gossip event) {
    const Verdict verdict = judge(event);
    host_->verdict(event.id, event.peer, verdict);
}

/// Every message gets exactly one verdict. Accepting what does not decode would cost us the score of every peer it is
/// forwarded to; not being able to keep a message is no fault of its sender.
Verdict Node::Impl::judge(const event::Gossip& event) {
    const auto counted = [this](std::string_view result, Verdict verdict) {
        count("noroshi_waku_received_total", "Messages from the relay, by what became of them.",
              {{"result", std::string(result)}});
        return verdict;
    };
    if (std::ranges::count(topics_, event.topic) == 0) {
        return counted("foreign_topic", Verdict::ignore);
    }
    Result<WakuMessage> message = decode_message(event.data);
    if (!message) {
        count("noroshi_waku_rejected_total", "Messages from the relay that are not Waku messages, by reason.",
              {{"reason", message.error().message}});
        return counted("rejected", Verdict::reject);
    }
    ReceivedMessage received{std::move(*message), event.topic, {}, event.peer};
    received.hash = message_hash(event.topic, received.message);
    if (seen_.contains(received.hash)) {
        return counted("duplicate", Verdict::accept);
    }
    const crypto::Digest hash = received.hash;
    if (!keep_received(std::move(received))) {
        return counted("queue_full", Verdict::ignore);
    }
    seen_.insert(hash);
    return counted("accepted", Verdict::accept);
}

bool Node::Impl::keep_received(ReceivedMessage received) {
    const std::size_t bytes = cost(received);
    if (received_bytes_ + bytes > config_.limits.received_bytes || !received_.push(std::move(received))) {
        return false;
    }
    received_bytes_ += bytes;
    return true;
}

Task<Result<ReceivedMessage>> Node::Impl::next_message() {
    const Call call(*this);
    NOROSHI_CO_TRY(ReceivedMessage received, co_await received_.take());
    received_bytes_ -= cost(received);
    co_return received;
}

}  // namespace noroshi::waku
