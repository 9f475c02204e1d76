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
            if (known == subscribers_.end()) {
                break;
            }
            lose(known);
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
    std::size_t bytes = 0;
    for (const auto& [pubsub_topic, content_topic] : criteria) {
        bytes += content_topic.size();
    }
    if (criteria.size() > most_criteria || bytes > most_criteria_bytes) {
        return refused(status::unavailable, "at most 1000 topics of 64 KiB a subscriber");
    }
    Subscriber& subscriber = subscribers_[peer];
    subscriber.criteria = std::move(criteria);
    subscriber.last_request = now;
    subscriber.failing_since.reset();
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
        lose(known);
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
        waiting_bytes_ += encoded.size();
        while (subscriber.waiting.size() > most_waiting || subscriber.waiting_bytes > most_waiting_bytes) {
            drop_oldest(subscriber);
        }
        ready.push_back(peer);
    }
    make_room();
    for (const PeerId& peer : ready) {
        send(peer, now);
    }
}

void FilterServer::drop_oldest(Subscriber& subscriber) {
    const std::size_t bytes = subscriber.waiting.front().size();
    subscriber.waiting_bytes -= bytes;
    waiting_bytes_ -= bytes;
    subscriber.waiting.pop_front();
    count("dropped");
}

void FilterServer::make_room() {
    while (waiting_bytes_ > most_bytes_of_all) {
        drop_oldest(std::ranges::max_element(subscribers_, {}, [](const auto& entry) {
                        return entry.second.waiting_bytes;
                    })->second);
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
        const std::size_t bytes = subscriber.waiting.front().size();
        const bool too_much = subscriber.under_way > 0 && subscriber.under_way_bytes + bytes > most_pushing_bytes;
        if (too_much || under_way_bytes_ + bytes > most_bytes_of_all) {
            return;  // the next tick goes on
        }
        const Bytes next = std::move(subscriber.waiting.front());
        subscriber.waiting.pop_front();
        subscriber.waiting_bytes -= bytes;
        waiting_bytes_ -= bytes;
        ++subscriber.under_way;
        subscriber.under_way_bytes += bytes;
        under_way_bytes_ += bytes;
        streams_.push(peer, filter_push_protocol, next, now,
                      [this, peer, bytes](const Result<void>& result) { sent(peer, bytes, result); });
    }
}

void FilterServer::sent(const PeerId& peer, std::size_t bytes, const Result<void>& result) {
    count(result ? "sent" : "failed");
    under_way_bytes_ -= bytes;
    const auto found = subscribers_.find(peer);
    if (found == subscribers_.end()) {
        return;
    }
    Subscriber& subscriber = found->second;
    subscriber.under_way -= std::min<std::size_t>(subscriber.under_way, 1);
    subscriber.under_way_bytes -= std::min(subscriber.under_way_bytes, bytes);
    if (result) {
        subscriber.failing_since.reset();
    } else if (!subscriber.failing_since) {
        subscriber.failing_since = now_;
    }
    if (subscriber.failing_since && now_ - *subscriber.failing_since >= most_failing) {
        lose(found);
        count("subscriber_lost");
        return;
    }
    if (result) {  // after a failure the next tick goes on
        send(peer, now_);
    }
}

std::map<PeerId, FilterServer::Subscriber>::iterator FilterServer::lose(
    std::map<PeerId, Subscriber>::iterator subscriber) {
    waiting_bytes_ -= subscriber->second.waiting_bytes;
    return subscribers_.erase(subscriber);
}

void FilterServer::tick(SteadyMs now) {
    now_ = now;
    for (auto next = subscribers_.begin(); next != subscribers_.end();) {
        next = now - next->second.last_request >= lifetime ? lose(next) : std::next(next);
    }
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
