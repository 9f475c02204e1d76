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

const char* name_of(FilterAct act) {
    return act == FilterAct::ping ? "ping" : act == FilterAct::subscribe ? "subscribe" : "unsubscribe";
}

}  // namespace

FilterClient::FilterClient(Streams& streams, std::vector<std::string> pubsub_topics,
                           std::vector<std::string> content_topics, Random& random, Metrics& metrics, Log log)
    : streams_(streams),
      pubsub_topics_(std::move(pubsub_topics)),
      content_topics_(std::move(content_topics)),
      random_(random),
      metrics_(metrics),
      log_(std::move(log)) {}

void FilterClient::set_content_topics(std::vector<std::string> topics, SteadyMs now) {
    const bool added = std::ranges::any_of(topics, [this](const std::string& topic) {
        return std::ranges::count(content_topics_, topic) == 0;
    });
    content_topics_ = std::move(topics);
    ++revision_;
    for (auto& [id, peer] : peers_) {
        peer.next_gone = 0;
        if (added) {
            peer.next_topic = 0;
            peer.subscribed = false;
        }
        if (peer.failures == 0 && peer.limited == 0) {  // others wait for their time
            peer.next_request = peer.asked_at + request_interval;
        }
    }
    tick(now);
}

void FilterClient::peer_ready(const PeerId& peer, SteadyMs now) {
    if (peers_.try_emplace(peer).second) {
        tick(now);
    }
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
    if (content_topics_.empty()) {
        return;
    }
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

std::vector<std::string> FilterClient::gone(const Peer& peer) const {
    std::vector<std::string> out;
    for (const std::string& topic : peer.held) {
        if (std::ranges::count(content_topics_, topic) == 0 && out.size() < max_filter_topics) {
            out.push_back(topic);
        }
    }
    return out;
}

bool FilterClient::is_subscribing(const Peer& peer) const {
    return !content_topics_.empty() && peer.next_topic < pubsub_topics_.size();
}

/// What is wanted first, then what is not, then a ping; nothing where nothing is wanted.
std::optional<FilterRequest> FilterClient::next_request(Peer& peer, SteadyMs now) const {
    if (peer.next_topic == pubsub_topics_.size() && now - peer.renewed_at >= renew_interval) {
        peer.next_topic = 0;
    }
    FilterRequest request;
    if (is_subscribing(peer)) {
        request.act = FilterAct::subscribe;
        request.pubsub_topic = pubsub_topics_[peer.next_topic];
        request.content_topics = content_topics_;
        peer.asked = true;
        peer.held.insert(content_topics_.begin(), content_topics_.end());
    } else if (std::vector<std::string> unwanted = gone(peer); !unwanted.empty()) {
        request.act = FilterAct::unsubscribe;
        request.pubsub_topic = pubsub_topics_[peer.next_gone];
        request.content_topics = std::move(unwanted);
    } else if (content_topics_.empty()) {
        return std::nullopt;
    }
    return request;
}

void FilterClient::ask(const PeerId& id, Peer& peer, SteadyMs now) {
    std::optional<FilterRequest> request = next_request(peer, now);
    if (!request) {
        peer.used = false;
        peer.subscribed = false;
        return;
    }
    request->request_id = random_.id();
    peer.asking = true;
    peer.asked_at = now;
    peer.next_request = now + request_interval;
    const Bytes bytes = encode_filter_request(*request);
    streams_.request(id, filter_subscribe_protocol, bytes, now,
                     [this, id, asked = std::move(*request), revision = revision_](const Result<Bytes>& body) {
                         take(id, asked, revision, body);
                     });
}

void FilterClient::take(const PeerId& id, const FilterRequest& request, unsigned revision, const Result<Bytes>& body) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) {
        return;
    }
    Peer& peer = found->second;
    peer.asking = false;
    if (!body) {
        count(request.act, "failed");
        failed(id, peer, body.error().message);
        return;
    }
    const Result<FilterAnswer> answer = decode_filter_answer(*body);
    if (answer && answer->code == status::rate_limited) {  // its request id is "N/A"
        count(request.act, "rate_limited");
        limited(peer);
    } else if (!answer || answer->request_id != request.request_id) {
        count(request.act, "bad_reply");
        failed(id, peer, answer ? "bad_reply: the answer is to another request" : answer.error().message);
    } else if (answer->code == status::not_found && request.act != FilterAct::subscribe) {
        count(request.act, "not_found");  // it has forgotten us: a restart, or an address that changed
        peer.subscribed = false;
        peer.next_topic = 0;
        peer.next_gone = 0;
        peer.held.clear();
    } else if (answer->code != status::ok) {
        count(request.act, "refused");
        failed(id, peer, "refused: " + std::to_string(answer->code) + " " + answer->info);
    } else {
        count(request.act, "ok");
        peer.failures = 0;
        peer.limited = 0;
        if (revision == revision_) {
            succeeded(id, peer, request);
        }
    }
}

void FilterClient::succeeded(const PeerId& id, Peer& peer, const FilterRequest& request) {
    if (request.act == FilterAct::subscribe && ++peer.next_topic == pubsub_topics_.size()) {
        if (!peer.subscribed) {
            log_.info("filter_subscribed", {{"peer", id}});
        }
        peer.subscribed = true;
        peer.renewed_at = now_;
    }
    if (request.act == FilterAct::unsubscribe && ++peer.next_gone == pubsub_topics_.size()) {
        peer.next_gone = 0;
        for (const std::string& topic : request.content_topics) {
            peer.held.erase(topic);
        }
    }
    if (!is_subscribing(peer) && gone(peer).empty()) {
        peer.next_request = now_ + ping_interval;
    }
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
    return found != peers_.end() && found->second.asked && std::ranges::count(pubsub_topics_, pubsub_topic) > 0;
}

std::size_t FilterClient::subscribed() const {
    return static_cast<std::size_t>(std::ranges::count_if(peers_, [](const auto& e) { return e.second.subscribed; }));
}

void FilterClient::count(FilterAct act, std::string_view result) {
    metrics_
        .counter("noroshi_waku_filter_requests_total", "Requests to filter peers, by what became of them.",
                 {{"act", name_of(act)}, {"result", std::string(result)}})
        .add();
}

}  // namespace noroshi::waku
