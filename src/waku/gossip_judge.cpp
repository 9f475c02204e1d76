// src/waku/gossip_judge.cpp - what can be said of a gossip message from its bytes alone.
#include "gossip_judge.hpp"

#include <algorithm>
#include <utility>

#include "waku/message.hpp"

namespace noroshi::waku {

Counter& received_by_relay(Metrics& metrics, std::string_view result) {
    return metrics.counter("noroshi_waku_received_total", "Messages from other peers, by way and what became of them.",
                           {{"way", "relay"}, {"result", std::string(result)}});
}

void count_rejected(Metrics& metrics, const std::string& reason) {
    metrics
        .counter("noroshi_waku_rejected_total", "Messages from other peers that are not Waku messages, by reason.",
                 {{"reason", reason}})
        .add();
}

Verdict verdict_on_fault(std::string_view reason) {
    const bool others_take = reason == "content_topic_too_long" || reason == "content_topic_not_utf8";
    return others_take ? Verdict::ignore : Verdict::reject;
}

GossipJudge::GossipJudge(std::vector<std::string> topics, const std::vector<std::string>& content_topics,
                         const Clock& clock, Metrics& metrics)
    : topics_(std::move(topics)),
      clock_(clock),
      metrics_(metrics),
      accepted_(received_by_relay(metrics, "accepted")) {
    read(content_topics);
}

void GossipJudge::read(const std::vector<std::string>& content_topics) {
    content_topics_.store(std::make_shared<const Names>(content_topics.begin(), content_topics.end()));
}

Judgement GossipJudge::judge(std::string_view topic, ByteView data) {
    if (std::ranges::find(topics_, topic) == topics_.end()) {
        received_by_relay(metrics_, "foreign_topic").add();
        return {Verdict::ignore, false};
    }
    const Result<WakuMessage> message = decode_message(data);
    if (!message) {
        count_rejected(metrics_, message.error().message);
        received_by_relay(metrics_, "rejected").add();
        return {verdict_on_fault(message.error().message), false};
    }
    if (content_topics_.load()->contains(message->content_topic)) {
        return {std::nullopt, true};
    }
    if (tell_all_.load(std::memory_order_relaxed)) {
        return {Verdict::accept, true};
    }
    const SteadyMs now = clock_.steady();
    if (now >= sample_at_) {
        sample_at_ = now + sample_interval;
        return {Verdict::accept, true};
    }
    accepted_.add();
    return {Verdict::accept, false};
}

}  // namespace noroshi::waku
