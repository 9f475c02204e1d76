// src/waku/p2p_node_publish.cpp - messages out, by gossip or lightpush.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

/// More peers than one are pushed to only when their turn comes soon.
constexpr Milliseconds longest_second_wait{300};
constexpr std::size_t remembered_published = 1'000;
constexpr std::size_t remembered_doubts = 1'000;

tl::unexpected<Error> retry(Errc code, std::string message) {
    return fail(Error{code, std::move(message), {}, true});
}

}  // namespace

Task<Result<Publication>> P2pNode::publish(std::string pubsub_topic, WakuMessage message, PublishOptions options) {
    const Calls::Inside call(calls_);
    Task<Result<Publication>> attempt = check_and_publish(std::move(pubsub_topic), std::move(message), options);
    Result<Publication> result = co_await std::move(attempt);
    count_published(result);
    co_return result;
}

Task<Result<Publication>> P2pNode::check_and_publish(std::string pubsub_topic, WakuMessage message,
                                                     PublishOptions options) {
    NOROSHI_CO_TRY(const Bytes data, encode_to_publish(topics_, pubsub_topic, message, config_.limits));
    const crypto::Digest hash = message_hash(pubsub_topic, message);
    remember_published(hash);
    const bool relay = config_.mode == Mode::relay;
    Task<Result<Publication>> way = relay ? publish_relay(pubsub_topic, hash, data)
                                          : publish_light(pubsub_topic, hash, data, options.most_peers);
    Result<Publication> result = co_await std::move(way);
    if (result && services_) {
        services_->on_message(pubsub_topic, message, hash, data);
    }
    co_return result;
}

/// An own message is never received, wherever it comes from; that it came is noted.
void P2pNode::remember_published(const crypto::Digest& hash) {
    seen_.insert(hash, true);
    if (!echoes_.try_emplace(hash).second) {
        return;
    }
    published_.push_back(hash);
    if (published_.size() > remembered_published) {
        echoes_.erase(published_.front());
        published_.pop_front();
    }
}

void P2pNode::count_published(const Result<Publication>& result) {
    count("noroshi_waku_published_total", "Calls to publish, by what became of them.",
          {{"mode", config_.mode == Mode::relay ? "relay" : "light"},
           {"result", result ? "handed_over" : first_word(result.error().message)}});
}

Task<Result<Publication>> P2pNode::publish_relay(std::string topic, crypto::Digest hash, Bytes data) {
    Result<std::vector<PeerId>> taken = co_await gossip(std::move(topic), std::move(data));
    if (taken) {
        co_return Publication{hash, std::move(*taken)};
    }
    if (taken.error().code == Errc::conflict) {
        co_return Publication{hash, {}};
    }
    co_return fail(taken.error());
}

Task<Result<std::vector<PeerId>>> P2pNode::gossip(std::string topic, Bytes data) {
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
            co_return subscribers(topic);
        case PublishOutcome::duplicate:
            co_return fail(Errc::conflict, "duplicate: published or seen before");
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

Task<void> P2pNode::relay_for(std::string topic, Bytes data, std::function<void(Result<std::size_t>)> done) {
    if (data.size() > config_.limits.published_bytes) {  // go-waku would reset the gossip stream on which it came
        done(fail(Errc::limit, fmt::format("too_large: at most {} bytes are relayed", config_.limits.published_bytes)));
        co_return;
    }
    const Result<std::vector<PeerId>> taken = co_await gossip(topic, data);
    // Without another relay the message still has our store and our subscribers, when the owner says that this is enough.
    const bool alone = !taken && taken.error().message.starts_with("no_peers") && config_.services.alone;
    if (taken || alone) {
        Result<WakuMessage> message = decode_message(data);
        if (message) {
            static_cast<void>(take_in(peer_id_, topic, std::move(*message), data));
        }
    }
    if (alone) {
        done(std::size_t{1});
    } else if (taken) {
        done(taken->size());
    } else {
        done(fail(taken.error()));
    }
}

std::vector<PeerId> P2pNode::subscribers(const std::string& topic) const {
    std::vector<PeerId> out;
    for (const auto& [id, peer] : peers_) {
        if (peer.topics.contains(topic)) {
            out.push_back(id);
        }
    }
    return out;
}

Task<Result<Publication>> P2pNode::publish_light(std::string topic, crypto::Digest hash, Bytes data,
                                                 std::size_t most_peers) {
    Error last{Errc::refused, "no_peers: nobody connected offers lightpush", {}, true};
    std::set<PeerId> tried;
    Publication out{hash, {}};
    while (!stopping_ && out.peers.size() < most_peers) {
        const std::optional<PeerId> id = pick_push_peer(tried);
        if (!id) {
            break;
        }
        tried.insert(*id);
        const SteadyMs now = environment_.clock.steady();
        Peer& peer = peers_.at(*id);
        const LightpushVersion version = *push_version(peer);
        const SteadyMs turn = std::max(now, peer.next_push);
        if (turn - now > (out.peers.empty() ? longest_push_wait : longest_second_wait)) {
            last = Error{Errc::limit, "rate_limited: the peer asked to wait", {}, true};
            continue;
        }
        peer.next_push = turn + push_interval;  // taken before the wait, so that parallel calls queue up
        NOROSHI_CO_TRY_VOID(co_await wait_until(environment_, stopping_, turn));
        if (stopping_) {
            break;
        }
        const Result<void> pushed = co_await push_once(*id, version, topic, data);
        count("noroshi_waku_lightpush_requests_total", "Pushes to lightpush peers, by what became of them.",
              {{"result", pushed ? "ok" : first_word(pushed.error().message)}});
        if (pushed) {
            last_good_push_peer_ = *id;
            out.peers.push_back(*id);
            continue;
        }
        last = pushed.error();
        environment_.log.warn("push_failed", {{"peer", *id}, {"reason", last.message}});
    }
    if (!out.peers.empty()) {
        co_return out;
    }
    if (stopping_) {
        co_return fail(Errc::cancelled, "node stopped");
    }
    co_return fail(last);
}

std::optional<LightpushVersion> P2pNode::push_version(const Peer& peer) const {
    for (const LightpushVersion version : {LightpushVersion::v3, LightpushVersion::v2}) {
        if (std::ranges::count(peer.info.protocols, lightpush_protocol(version)) > 0) {
            return version;
        }
    }
    return std::nullopt;
}

void P2pNode::doubt(const std::vector<std::string>& peers) {
    for (const std::string& id : peers) {
        if (!doubts_.contains(id) && doubts_.size() >= remembered_doubts) {
            doubts_.erase(std::ranges::min_element(doubts_, {}, [](const auto& entry) { return entry.second; }));
        }
        ++doubts_[id];
        if (discovery_) {
            discovery_->blame(id);
        }
        count("noroshi_waku_doubted_total", "Messages that a peer took and that no store had.", {});
    }
}

/// The untried peer that is doubted least and whose turn comes first; among equals the one that took the last message.
std::optional<PeerId> P2pNode::pick_push_peer(const std::set<PeerId>& tried) const {
    const SteadyMs now = environment_.clock.steady();
    const PeerId* best = nullptr;
    std::tuple<unsigned, SteadyMs, bool> best_rank;
    for (const auto& [id, peer] : peers_) {
        if (peer.foreign || tried.contains(id) || !push_version(peer)) {
            continue;
        }
        const auto doubted = doubts_.find(id);
        const std::tuple rank{doubted == doubts_.end() ? 0U : doubted->second, std::max(now, peer.next_push),
                              id != last_good_push_peer_};
        if (best == nullptr || rank < best_rank) {
            best = &id;
            best_rank = rank;
        }
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
}

Task<Result<void>> P2pNode::push_once(PeerId id, LightpushVersion version, std::string topic, Bytes data) {
    const std::string request_id = environment_.random.id();
    const Bytes request = encode_push(version, {request_id, std::move(topic), std::move(data)});
    const auto pending = std::make_shared<Pending<Bytes>>(environment_.executor);
    streams_.request(id, lightpush_protocol(version), request, environment_.clock.steady(),
                     [pending](Result<Bytes> answer) { pending->complete(std::move(answer)); });
    NOROSHI_CO_TRY_VOID(co_await pending->ready.wait());
    co_return judge_answer(id, version, request_id, *pending->result);
}

Result<void> P2pNode::judge_answer(const PeerId& id, LightpushVersion version, const std::string& request_id,
                                   const Result<Bytes>& body) {
    if (!body) {
        return fail(body.error());
    }
    const Result<PushAnswer> answer = decode_push_answer(version, *body);
    if (!answer) {
        return retry(Errc::parse, "bad_reply: " + answer.error().message);
    }
    const auto peer = peers_.find(id);
    if (answer->code == status::rate_limited) {
        if (peer != peers_.end()) {
            const unsigned doublings = std::min(peer->second.pushes_limited++, 6U);
            const Milliseconds wait = std::min(longest_limit_wait, Milliseconds(1'000) * (1 << doublings));
            peer->second.next_push = environment_.clock.steady() + std::max(push_interval, wait);
        }
        return judge_push(version, *answer);
    }
    if (answer->request_id != request_id) {
        return retry(Errc::parse, "bad_reply: the answer is to another request");
    }
    NOROSHI_TRY_VOID(judge_push(version, *answer));
    if (peer != peers_.end()) {
        peer->second.pushes_limited = 0;
    }
    return {};
}

}  // namespace noroshi::waku
