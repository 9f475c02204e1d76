// src/waku/rest_node_receive.cpp - messages in, out of the program's caches.
#include <fmt/format.h>

#include <algorithm>

#include "rest_node_impl.hpp"

namespace noroshi::waku {
namespace {

constexpr Milliseconds live_gap{3'000};
constexpr int polls_a_filter_check = 30;
// Between two tries to subscribe, doubling: service nodes take one request a second.
constexpr int polls_a_filter_try = 2;
constexpr int most_polls_a_filter_try = 30;

/// Errors: unsupported (no such endpoint), else as `refusal`.
Result<void> check(const rest::Answer& answer) {
    if (answer.status >= 200 && answer.status < 300) {
        return {};
    }
    Error error = rest::refusal(answer);
    if (rest::is_absent(answer)) {
        error.code = Errc::unsupported;
    } else if (error.code == Errc::io || error.code == Errc::timeout) {
        error.code = Errc::refused;  // the program itself answers
    }
    return fail(std::move(error));
}

}  // namespace

Task<Result<std::size_t>> RestNode::receive() {
    if (way_ != Way::filter) {
        Result<std::size_t> fresh = co_await receive_by_relay();
        if (fresh) {
            way_ = Way::relay;
        }
        if (fresh || fresh.error().code != Errc::unsupported) {
            co_return fresh;
        }
    }
    way_ = Way::filter;
    co_return co_await receive_by_filter();
}

/// Asked before it is subscribed to: go-waku makes one more cache at each subscription, and an old one that nobody
/// reads would stop the node when it is full.
Task<Result<std::size_t>> RestNode::receive_by_relay() {
    std::size_t fresh = 0;
    for (const std::string& topic : topics_) {
        const std::string path = "/relay/v1/messages/" + net::percent_encoded(topic);
        NOROSHI_CO_TRY(const rest::Answer answer, co_await api_.get(path));
        if (!rest::is_absent(answer) && rest::is_not_subscribed(answer)) {
            NOROSHI_CO_TRY_VOID(co_await subscribe_relay(topic));
            continue;
        }
        NOROSHI_CO_TRY_VOID(check(answer));
        NOROSHI_CO_TRY(const std::size_t taken, take_all("rest_relay", topic, answer));
        fresh += taken;
    }
    polled_at_ = environment_.clock.steady();
    co_return fresh;
}

Task<Result<void>> RestNode::subscribe_relay(std::string topic) {
    const Result<rest::Answer> answer = co_await api_.post("/relay/v1/subscriptions", rest::encode_topics({topic}));
    if (!answer && answer.error().code == Errc::io) {
        // go-waku without relay has the endpoint all the same, crashes inside and closes the connection.
        co_return fail(Errc::unsupported, "absent: the connection was closed");
    }
    if (!answer) {
        co_return fail(answer.error());
    }
    NOROSHI_CO_TRY_VOID(check(*answer));
    environment_.log.info("rest_subscribed", {{"way", "relay"}, {"topic", topic}});
    if (ready_) {
        catch_up_soon();
    }
    co_return Result<void>{};
}

/// A subscription that cannot be changed now is no reason not to read what the one there is brings.
Task<Result<std::size_t>> RestNode::receive_by_filter() {
    Result<void> subscribed;
    if (filter_topics_ != content_topics_.list()) {
        subscribed = co_await subscribe_filter();
    }
    std::size_t fresh = 0;
    // nwaku has one cache for all shards and does not say which: the first is assumed.
    const std::size_t caches = program_ == Program::nwaku ? 1 : topics_.size();
    const std::vector<std::string> content_topics = filter_topics_;
    for (std::size_t i = 0; i < caches; ++i) {
        const std::string shard = program_ == Program::nwaku ? "" : net::percent_encoded(topics_[i]) + "/";
        for (const std::string& content_topic : content_topics) {
            const std::string path = "/filter/v2/messages/" + shard + net::percent_encoded(content_topic);
            NOROSHI_CO_TRY(const rest::Answer answer, co_await api_.get(path));
            if (!rest::is_absent(answer) && rest::is_not_subscribed(answer)) {
                filter_topics_.clear();
                continue;
            }
            NOROSHI_CO_TRY_VOID(check(answer));
            NOROSHI_CO_TRY(const std::size_t taken, take_all("rest_filter", topics_[i], answer));
            fresh += taken;
        }
    }
    NOROSHI_CO_TRY_VOID(subscribed);
    polled_at_ = environment_.clock.steady();
    co_return fresh;
}

Task<Result<void>> RestNode::subscribe_filter() {
    if (environment_.clock.steady() < filter_retry_at_) {
        if (filter_delay_ == Milliseconds(0) && !filter_topics_.empty()) {
            co_return Result<void>{};  // it was changed a moment ago, and will be again
        }
        co_return fail(Error{Errc::refused, receive_problem_.empty() ? "not_subscribed" : receive_problem_, {}, true});
    }
    filter_delay_ = std::clamp<Milliseconds>(2 * filter_delay_, polls_a_filter_try * config_.poll_interval,
                                             most_polls_a_filter_try * config_.poll_interval);
    filter_retry_at_ = environment_.clock.steady() + filter_delay_;
    const std::vector<std::string> wanted = content_topics_.list();
    std::vector<std::string> added;
    std::vector<std::string> gone;
    std::ranges::set_difference(wanted, filter_topics_, std::back_inserter(added));
    std::ranges::set_difference(filter_topics_, wanted, std::back_inserter(gone));
    if (!added.empty()) {
        NOROSHI_CO_TRY_VOID(co_await change_filter(FilterAct::subscribe, added));
        filter_check_at_ = environment_.clock.steady() + config_.poll_interval * polls_a_filter_check;
        if (ready_) {
            catch_up_soon(added);
        }
    }
    if (!gone.empty()) {
        NOROSHI_CO_TRY_VOID(co_await change_filter(FilterAct::unsubscribe, gone));
    }
    filter_topics_ = wanted;
    filter_delay_ = Milliseconds(0);
    co_return Result<void>{};
}

Task<Result<void>> RestNode::change_filter(FilterAct act, std::vector<std::string> content_topics) {
    const char* path = "/filter/v2/subscriptions";
    const bool on = act == FilterAct::subscribe;
    for (const std::string& topic : topics_) {
        std::string request = rest::encode_filter(environment_.random.id(), topic, content_topics);
        Task<Result<rest::Answer>> call = on ? api_.post(path, std::move(request)) : api_.remove(path, std::move(request));
        NOROSHI_CO_TRY(const rest::Answer answer, co_await std::move(call));
        NOROSHI_CO_TRY_VOID(check(answer));
        environment_.log.info(on ? "rest_subscribed" : "rest_unsubscribed", {{"way", "filter"}, {"topic", topic}});
    }
    co_return Result<void>{};
}

/// The service node behind the program may have forgotten us, or be gone.
Task<void> RestNode::check_filter() {
    filter_check_at_ = environment_.clock.steady() + config_.poll_interval * polls_a_filter_check;
    const Result<rest::Answer> answer = co_await api_.get("/filter/v2/subscriptions/noroshi");
    if (answer && answer->status != 200) {
        environment_.log.info("rest_subscription_lost", {{"reason", rest::refusal(*answer).message}});
        filter_topics_.clear();
    }
}

Result<std::size_t> RestNode::take_all(std::string_view way, const std::string& topic, const rest::Answer& answer) {
    Result<rest::Messages> list = rest::decode_messages(answer.body);
    if (!list) {
        return fail(Error{Errc::parse, "bad_reply: " + list.error().message, {}, true});
    }
    count_malformed(*list);
    const auto counted = [this, way](std::string_view result) {
        count("noroshi_waku_received_total", "Messages from other peers, by way and what became of them.",
              {{"way", std::string(way)}, {"result", std::string(result)}});
    };
    const bool live = polled_at_ && environment_.clock.steady() - *polled_at_ <= live_gap;
    std::size_t fresh = 0;
    for (WakuMessage& message : list->messages) {
        const crypto::Digest hash = message_hash(topic, message);
        const bool known = seen_.contains(hash);
        if (live && !known) {  // an own message has our clock's time
            clock_watch_.note(message, environment_.clock.now());
        }
        if (known) {
            counted("duplicate");
        } else if (!content_topics_.contains(message.content_topic)) {
            counted("not_asked_for");
        } else if (!received_.push({std::move(message), topic, hash, name()})) {
            counted("queue_full");
        } else {
            seen_.insert(hash, true);
            counted("accepted");
            ++fresh;
        }
    }
    return fresh;
}

void RestNode::count_malformed(const rest::Messages& messages) {
    for (const std::string& reason : messages.malformed) {
        count("noroshi_waku_rejected_total", "Messages from other peers that are not Waku messages, by reason.",
              {{"reason", reason}});
    }
}

Task<Result<ReceivedMessage>> RestNode::next_message() {
    const Calls::Inside call(calls_);
    co_return co_await received_.take();
}

void RestNode::set_content_topics(std::vector<std::string> topics) {
    const TimestampMs from = environment_.clock.now() - config_.catch_up_window;
    const ContentTopics::Change change = content_topics_.replace(topics, from);
    if (change.refused > 0) {
        environment_.log.warn("content_topics_left_out", {{"topics", change.refused}});
    }
    if (ready_) {  // else all are asked for when it is
        catch_up_soon(change.added);
    }
}

}  // namespace noroshi::waku
