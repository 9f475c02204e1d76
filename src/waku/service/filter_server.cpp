// src/waku/service/filter_server.cpp - subscriptions and pushes.
#include "filter_server.hpp"

#include <algorithm>
#include <utility>

namespace noroshi::waku {

FilterAnswer FilterServer::answer(const PeerId& peer, const FilterRequest& request, SteadyMs now) {
    const auto known = subscribers_.find(peer);
    if (known != subscribers_.end()) {
        known->second.last_request = now;
    }
    switch (request.act) {
        case FilterAct::subscribe:
            return subscribe(peer, request, now);
        case FilterAct::unsubscribe:
            return unsubscribe(peer, request);
        case FilterAct::unsubscribe_all:
            if (subscribers_.erase(peer) == 0) {
                break;
            }
            return {request.request_id, status::ok, "OK"};
        case FilterAct::ping:
            if (known == subscribers_.end()) {
                break;
            }
            return {request.request_id, status::ok, "OK"};
    }
    return {request.request_id, status::not_found, "peer has no subscriptions"};
}

FilterAnswer FilterServer::subscribe(const PeerId& peer, const FilterRequest& request, SteadyMs now) {
    const auto refused = [&request](std::uint32_t code, std::string info) {
        return FilterAnswer{request.request_id, code, std::move(info)};
    };
    if (request.pubsub_topic.empty() || request.content_topics.empty()) {
        return refused(status::bad_request, "pubsub topic and content topics are required");
    }
    if (request.content_topics.size() > max_filter_topics) {
        return refused(status::bad_request, "at most 100 content topics in a request");
    }
    if (std::ranges::count(topics_, request.pubsub_topic) == 0) {
        return refused(status::bad_request, "this node is not on that pubsub topic");
    }
    const auto too_long = [](const std::string& topic) { return topic.empty() || topic.size() > 1'024; };
    if (std::ranges::any_of(request.content_topics, too_long)) {
        return refused(status::bad_request, "content topics have 1 to 1024 bytes");
    }
    const auto known = subscribers_.find(peer);
    if (known == subscribers_.end() && subscribers_.size() >= most_subscribers) {
        return refused(status::unavailable, "too many subscribers");
    }
    std::set<std::pair<std::string, std::string>> criteria =
        known == subscribers_.end() ? decltype(criteria){} : known->second.criteria;
    for (const std::string& topic : request.content_topics) {
        criteria.emplace(request.pubsub_topic, topic);
    }
    if (criteria.size() > most_criteria) {
        return refused(status::unavailable, "at most 1000 topics a subscriber");
    }
    Subscriber& subscriber = subscribers_[peer];
    subscriber.criteria = std::move(criteria);
    subscriber.last_request = now;
    subscriber.failures = 0;
    return {request.request_id, status::ok, "OK"};
}

FilterAnswer FilterServer::unsubscribe(const PeerId& peer, const FilterRequest& request) {
    if (request.pubsub_topic.empty() || request.content_topics.empty()) {
        return {request.request_id, status::bad_request, "pubsub topic and content topics are required"};
    }
    const auto known = subscribers_.find(peer);
    if (known == subscribers_.end()) {
        return {request.request_id, status::not_found, "peer has no subscriptions"};
    }
    for (const std::string& topic : request.content_topics) {
        known->second.criteria.erase({request.pubsub_topic, topic});
    }
    if (known->second.criteria.empty()) {
        subscribers_.erase(known);
    }
    return {request.request_id, status::ok, "OK"};
}

void FilterServer::push(const std::string& pubsub_topic, const std::string& content_topic, ByteView message,
                        SteadyMs now) {
    now_ = now;
    const std::pair wanted{pubsub_topic, content_topic};
    Bytes encoded;
    std::vector<PeerId> ready;
    for (auto& [peer, subscriber] : subscribers_) {
        if (!subscriber.criteria.contains(wanted)) {
            continue;
        }
        if (encoded.empty()) {
            encoded = encode_filter_push(message, pubsub_topic);
        }
        subscriber.waiting.push_back(encoded);
        subscriber.waiting_bytes += encoded.size();
        while (subscriber.waiting.size() > most_waiting || subscriber.waiting_bytes > most_waiting_bytes) {
            subscriber.waiting_bytes -= subscriber.waiting.front().size();
            subscriber.waiting.pop_front();
            count("dropped");
        }
        ready.push_back(peer);
    }
    for (const PeerId& peer : ready) {
        send(peer, now);
    }
}

void FilterServer::send(const PeerId& peer, SteadyMs now) {
    while (true) {
        const auto found = subscribers_.find(peer);  // anew each time: a push that fails at once may end it
        if (found == subscribers_.end() || found->second.waiting.empty() ||
            found->second.under_way >= pushes_at_once) {
            return;
        }
        Subscriber& subscriber = found->second;
        const Bytes next = std::move(subscriber.waiting.front());
        subscriber.waiting.pop_front();
        subscriber.waiting_bytes -= next.size();
        ++subscriber.under_way;
        streams_.push(peer, filter_push_protocol, next, now,
                      [this, peer](const Result<void>& result) { sent(peer, result); });
    }
}

void FilterServer::sent(const PeerId& peer, const Result<void>& result) {
    count(result ? "sent" : "failed");
    const auto found = subscribers_.find(peer);
    if (found == subscribers_.end()) {
        return;
    }
    Subscriber& subscriber = found->second;
    subscriber.under_way -= std::min<std::size_t>(subscriber.under_way, 1);
    subscriber.failures = result ? 0 : subscriber.failures + 1;
    if (subscriber.failures >= most_failures) {
        subscribers_.erase(found);
        count("subscriber_lost");
        return;
    }
    if (result) {  // after a failure the next tick goes on
        send(peer, now_);
    }
}

void FilterServer::tick(SteadyMs now) {
    now_ = now;
    std::erase_if(subscribers_, [now](const auto& entry) { return now - entry.second.last_request >= lifetime; });
    std::vector<PeerId> ready;
    for (const auto& [peer, subscriber] : subscribers_) {
        if (!subscriber.waiting.empty()) {
            ready.push_back(peer);
        }
    }
    for (const PeerId& peer : ready) {
        send(peer, now);
    }
    metrics_.gauge("noroshi_waku_filter_subscribers", "Peers subscribed to this node's filter.")
        .set(static_cast<double>(subscribers_.size()));
}

void FilterServer::count(std::string_view result) {
    metrics_
        .counter("noroshi_waku_filter_pushes_total", "Messages pushed to filter subscribers, by what became of them.",
                 {{"result", std::string(result)}})
        .add();
}

}  // namespace noroshi::waku
