// src/waku/p2p_node_receive.cpp - messages in, by gossip and from filter peers.
#include <algorithm>

#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t most_echoes = 8;

}  // namespace

void P2pNode::on(event::Gossip event) {
    const Verdict verdict = judge(event);
    if (!event.judged) {
        host_->verdict(event.id, event.peer, verdict);
    }
}

/// Every message gets exactly one verdict. Accepting what does not decode would cost us the score of every peer it is
/// forwarded to; not being able to keep a message is no fault of its sender.
Verdict P2pNode::judge(const event::Gossip& event) {
    const auto counted = [this](std::string_view result, Verdict verdict) {
        received_by_relay(environment_.metrics, result).add();
        return verdict;
    };
    if (std::ranges::count(topics_, event.topic) == 0) {
        return counted("foreign_topic", Verdict::ignore);
    }
    Result<WakuMessage> message = decode_message(event.data);
    if (!message) {
        count_rejected(environment_.metrics, message.error().message);
        return counted("rejected", verdict_on_fault(message.error().message));
    }
    switch (take_in(event.peer, event.topic, std::move(*message), event.data)) {
        case Taken::fresh:
            note_use(event.peer);
            return counted("accepted", Verdict::accept);
        case Taken::duplicate:
            return counted("duplicate", Verdict::accept);
        case Taken::no_room:
            break;
    }
    return counted("queue_full", Verdict::ignore);
}

bool P2pNode::on_filter_push(const PeerId& id, const Bytes& frame) {
    const auto counted = [this](std::string_view result) {
        count("noroshi_waku_received_total", "Messages from other peers, by way and what became of them.",
              {{"way", "filter"}, {"result", std::string(result)}});
    };
    const Result<FilterPush> push = decode_filter_push(frame);
    if (!push || !filter_.expects(id, push->pubsub_topic)) {
        counted(push ? "not_asked_for" : "rejected");
        return false;
    }
    Result<WakuMessage> message = decode_message(push->message);
    if (!message) {
        count_rejected(environment_.metrics, message.error().message);
        counted("rejected");
        return false;
    }
    if (!content_topics_.contains(message->content_topic)) {
        counted("not_asked_for");
        return true;
    }
    const Taken taken = take_in(id, push->pubsub_topic, std::move(*message), push->message);
    counted(taken == Taken::fresh ? "accepted" : taken == Taken::duplicate ? "duplicate" : "queue_full");
    return true;
}

P2pNode::Taken P2pNode::take_in(const PeerId& id, const std::string& topic, WakuMessage message, ByteView data) {
    const crypto::Digest hash = message_hash(topic, message);
    const bool known = seen_.contains(hash);
    const bool is_read = content_topics_.contains(message.content_topic);
    if (known && (!is_read || seen_.was_given(hash))) {
        note_echo(hash, id);
        return Taken::duplicate;
    }
    if (!known) {
        clock_watch_.note(message, environment_.clock.now());  // not of an own message: it has our clock's time
        if (services_) {
            services_->on_message(topic, message, hash, data);
        }
    }
    const bool given = is_read && received_.push({std::move(message), topic, hash, id});
    seen_.insert(hash, given);
    return is_read && !given ? Taken::no_room : Taken::fresh;
}

void P2pNode::note_echo(const crypto::Digest& hash, const PeerId& from) {
    const auto own = echoes_.find(hash);
    if (own != echoes_.end() && own->second.size() < most_echoes && std::ranges::count(own->second, from) == 0) {
        own->second.push_back(from);
    }
}

std::vector<std::string> P2pNode::echoed_by(const crypto::Digest& hash) const {
    const auto own = echoes_.find(hash);
    return own == echoes_.end() ? std::vector<std::string>{} : own->second;
}

Task<Result<ReceivedMessage>> P2pNode::next_message() {
    const Calls::Inside call(calls_);
    co_return co_await received_.take();
}

void P2pNode::set_content_topics(std::vector<std::string> topics) {
    const TimestampMs from = environment_.clock.now() - config_.catch_up_window;
    const ContentTopics::Change change = content_topics_.replace(topics, from);
    if (change.refused > 0) {
        environment_.log.warn("content_topics_left_out", {{"topics", change.refused}});
    }
    if (change.added.empty() && change.gone.empty()) {
        return;
    }
    judge_->read(content_topics_.list());
    filter_.set_content_topics(content_topics_.list(), environment_.clock.steady());
    for (const auto& [id, peer] : peers_) {
        catch_up_through(id, change.added);
    }
}

}  // namespace noroshi::waku
