// src/daemon/inbox.cpp - receive, decrypt, deduplicate.
#include "inbox.hpp"

#include <deque>
#include <unordered_set>
#include <utility>

#include "deliver/receipt.hpp"
#include "node_factory.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::size_t remembered_ids = 10'000;
constexpr std::size_t most_receipts_under_way = 32;

}  // namespace

struct Inbox::State {
    crypto::SecretKey key;
    std::unique_ptr<waku::Node> node;
    Metrics& metrics;
    Log log;
    const Clock& clock;
    Random& random;
    bool receipts{true};
    TaskGroup tasks;
    std::unordered_set<std::string> seen;
    std::deque<std::string> order;

    /// True the first time.
    bool remember(const std::string& id) {
        if (!seen.insert(id).second) {
            return false;
        }
        order.push_back(id);
        if (order.size() > remembered_ids) {
            seen.erase(order.front());
            order.pop_front();
        }
        return true;
    }

    /// Also for a repeated one: the sender repeats because it does not know yet.
    void acknowledge(const deliver::ReceivedNotification& notification, const std::string& pubsub_topic) {
        if (receipts && tasks.running() < most_receipts_under_way) {
            tasks.spawn("inbox receipt", send_receipt(notification.message.id, notification.from, pubsub_topic));
        }
    }

    Task<void> send_receipt(std::string id, crypto::PublicKey to, std::string pubsub_topic) {
        Result<waku::WakuMessage> sealed = deliver::seal_receipt({{std::move(id)}, clock.now()}, to, key, random);
        if (!sealed) {
            co_return;
        }
        const Result<waku::Publication> sent = co_await node->publish(std::move(pubsub_topic), std::move(*sealed));
        if (!sent) {
            log.debug("receipt_not_sent", {{"reason", sent.error().to_string()}});
        }
    }

    void count(std::string_view result) {
        metrics
            .counter("noroshi_inbox_messages_total", "Messages seen on the relay by what became of them.",
                     {{"result", std::string(result)}})
            .add();
    }
};

Inbox::Inbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Inbox::~Inbox() = default;

Result<std::unique_ptr<Inbox>> Inbox::create(InboxConfig config, Runtime& runtime, const Clock& clock, Random& random,
                                             Metrics& metrics, Log log) {
    waku::NodeConfig node_config{.key = crypto::SecretKey::generate(random),
                                 .listen = {},
                                 .peers = std::move(config.peers),
                                 .discovery = std::move(config.discovery),
                                 .cluster = config.cluster,
                                 .shards = std::move(config.shards),
                                 .mode = config.mode,
                                 .content_topics = {std::string(deliver::notification_content_topic)},
                                 .catch_up = true,
                                 .catch_up_window = config.since};
    NOROSHI_TRY(std::unique_ptr<waku::Node> node,
                make_node(std::move(node_config), config.rest, runtime, clock, random, metrics, log.named("waku")));
    return std::unique_ptr<Inbox>(new Inbox(std::unique_ptr<State>(
        new State{std::move(config.key), std::move(node), metrics, std::move(log), clock, random, config.receipts,
                  TaskGroup(runtime.executor()), {}, {}})));
}

Task<Result<void>> Inbox::start() { return state_->node->start(); }

Task<void> Inbox::stop() {
    co_await state_->tasks.stop();
    co_await state_->node->stop();
}

Task<Result<deliver::ReceivedNotification>> Inbox::next() {
    while (true) {
        NOROSHI_CO_TRY(const waku::ReceivedMessage received, co_await state_->node->next_message());
        Result<deliver::ReceivedNotification> opened = deliver::open_notification(received, state_->key);
        if (!opened) {
            state_->count(errc_name(opened.error().code));
            state_->log.debug("message_passed_over", {{"reason", opened.error().to_string()}});
            continue;
        }
        state_->acknowledge(*opened, received.pubsub_topic);
        if (!state_->remember(opened->message.id)) {
            state_->count("repeated");
            continue;
        }
        state_->count("read");
        co_return std::move(*opened);
    }
}

}  // namespace noroshi::daemon
