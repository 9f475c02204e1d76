// src/waku/filter_client.cpp - choosing filter peers, subscribing, pinging, replacing.
#include "filter_client.hpp"

#include <algorithm>
#include <utility>

namespace noroshi::waku {
namespace {

/// go-waku allows one request a second and peer.
constexpr Milliseconds request_interval{1'100};
constexpr Milliseconds longest_back_off{60'000};
constexpr unsigned most_failures = 2;

Milliseconds back_off(unsigned failures) {
    return std::min(longest_back_off, Milliseconds(1'000) * (1 << std::min(failures == 0 ? 0U : failures - 1, 6U)));
}

}  // namespace

FilterClient::FilterClient(Streams& streams, Topics topics, Random& random, Metrics& metrics, Log log)
    : streams_(streams), topics_(std::move(topics)), random_(random), metrics_(metrics), log_(std::move(log)) {}

void FilterClient::peer_ready(const PeerId& peer, SteadyMs now) {
    if (topics_.content.empty() || !peers_.try_emplace(peer).second) {
        return;
    }
    tick(now);
}

void FilterClient::peer_gone(const PeerId& peer) { peers_.erase(peer); }

void FilterClient::tick(SteadyMs now) {
    now_ = now;
    fill_places(now);
    std::vector<PeerId> due;
    for (const auto& [id, peer] : peers_) {
        if (peer.used && !peer.asking && now >= peer.next_request) {
            due.push_back(id);
        }
    }
    for (const PeerId& id : due) {
        if (const auto found = peers_.find(id); found != peers_.end()) {
            ask(id, found->second, now);
        }
    }
    metrics_.gauge("noroshi_waku_filter_peers", "Peers that push messages to this node.")
        .set(static_cast<double>(subscribed()));
}

/// The one with the fewest failures first; who has just failed waits for its time.
void FilterClient::fill_places(SteadyMs now) {
    auto used = static_cast<std::size_t>(std::ranges::count_if(peers_, [](const auto& e) { return e.second.used; }));
    while (used < wanted_peers) {
        Peer* best = nullptr;
        for (auto& [id, peer] : peers_) {
            if (!peer.used && now >= peer.next_request && (best == nullptr || peer.failures < best->failures)) {
                best = &peer;
            }
        }
        if (best == nullptr) {
            return;
        }
        best->used = true;
        best->next_topic = 0;
        ++used;
    }
}

void FilterClient::ask(const PeerId& id, Peer& peer, SteadyMs now) {
    if (peer.next_topic == topics_.pubsub.size() && now - peer.renewed_at >= renew_interval) {
        peer.next_topic = 0;
    }
    FilterRequest request;
    request.request_id = random_.id();
    if (peer.next_topic < topics_.pubsub.size()) {
        peer.asked = true;
        request.act = FilterAct::subscribe;
        request.pubsub_topic = topics_.pubsub[peer.next_topic];
        request.content_topics = topics_.content;
    }
    peer.asking = true;
    peer.next_request = now + request_interval;
    streams_.request(id, filter_subscribe_protocol, encode_filter_request(request), now,
                     [this, id, act = request.act, request_id = request.request_id](const Result<Bytes>& body) {
                         take(id, act, request_id, body);
                     });
}

void FilterClient::take(const PeerId& id, FilterAct act, const std::string& request_id, const Result<Bytes>& body) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) {
        return;
    }
    Peer& peer = found->second;
    peer.asking = false;
    if (!body) {
        count(act, "failed");
        failed(id, peer, body.error().message);
        return;
    }
    const Result<FilterAnswer> answer = decode_filter_answer(*body);
    if (answer && answer->code == status::rate_limited) {  // its request id is "N/A"
        count(act, "rate_limited");
        limited(peer);
    } else if (!answer || answer->request_id != request_id) {
        count(act, "bad_reply");
        failed(id, peer, answer ? "bad_reply: the answer is to another request" : answer.error().message);
    } else if (answer->code == status::not_found && act == FilterAct::ping) {
        count(act, "not_found");  // it has forgotten us: a restart, or an address that changed
        peer.subscribed = false;
        peer.next_topic = 0;
    } else if (answer->code != status::ok) {
        count(act, "refused");
        failed(id, peer, "refused: " + std::to_string(answer->code) + " " + answer->info);
    } else {
        count(act, "ok");
        succeeded(id, peer, act);
    }
}

void FilterClient::succeeded(const PeerId& id, Peer& peer, FilterAct act) {
    peer.failures = 0;
    peer.limited = 0;
    if (act == FilterAct::subscribe) {
        ++peer.next_topic;
    }
    if (peer.next_topic < topics_.pubsub.size()) {
        return;
    }
    if (act == FilterAct::subscribe) {
        if (!peer.subscribed) {
            log_.info("filter_subscribed", {{"peer", id}});
        }
        peer.subscribed = true;
        peer.renewed_at = now_;
    }
    peer.next_request = now_ + ping_interval;
}

void FilterClient::failed(const PeerId& id, Peer& peer, const std::string& reason) {
    ++peer.failures;
    peer.next_request = now_ + std::max(request_interval, back_off(peer.failures));
    log_.warn("filter_failed", {{"peer", id}, {"reason", reason}, {"failures", peer.failures}});
    if (peer.failures >= most_failures) {
        peer.used = false;
        peer.subscribed = false;
    }
}

void FilterClient::limited(Peer& peer) {
    peer.next_request = now_ + std::max(2 * request_interval, back_off(++peer.limited));
}

bool FilterClient::expects(const PeerId& peer, const std::string& pubsub_topic) const {
    const auto found = peers_.find(peer);
    return found != peers_.end() && found->second.asked && std::ranges::count(topics_.pubsub, pubsub_topic) > 0;
}

std::size_t FilterClient::subscribed() const {
    return static_cast<std::size_t>(std::ranges::count_if(peers_, [](const auto& e) { return e.second.subscribed; }));
}

void FilterClient::count(FilterAct act, std::string_view result) {
    metrics_
        .counter("noroshi_waku_filter_requests_total", "Requests to filter peers, by what became of them.",
                 {{"act", act == FilterAct::ping ? "ping" : "subscribe"}, {"result", std::string(result)}})
        .add();
}

}  // namespace noroshi::waku
