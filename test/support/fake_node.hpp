// test/support/fake_node.hpp - a Waku node that is only a list: what was published, and what a test lets it receive.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "waku/waku.hpp"

namespace noroshi::test {

class FakeNode final : public waku::Node {
  public:
    explicit FakeNode(const Executor& executor) : received_(executor, 1'000) {}

    Task<Result<void>> start() override { co_return Result<void>{}; }
    Task<void> stop() override {
        received_.close();
        co_return;
    }
    Task<Result<waku::Publication>> publish(std::string pubsub_topic, waku::WakuMessage message,
                                            waku::PublishOptions /*options*/) override {
        if (hangs != nullptr) {
            NOROSHI_CO_TRY_VOID(co_await hangs->wait());
        }
        if (refuses) {
            co_return fail(*refuses);
        }
        waku::Publication out{waku::message_hash(pubsub_topic, message), {"p1", "p2"}};
        published.push_back({std::move(pubsub_topic), std::move(message)});
        co_return out;
    }
    [[nodiscard]] std::vector<std::string> echoed_by(const crypto::Digest& /*hash*/) const override { return {}; }
    [[nodiscard]] std::optional<Milliseconds> clock_offset() const override { return std::nullopt; }
    Task<Result<waku::StoreWord>> find_stored(waku::Published what) override {
        asked.push_back(std::move(what));
        co_return word;
    }
    void doubt(const std::vector<std::string>& peers) override { doubted = peers; }
    Task<Result<waku::ReceivedMessage>> next_message() override { co_return co_await received_.take(); }
    void set_content_topics(std::vector<std::string> topics) override { content_topics = std::move(topics); }
    void on_peer_ready(std::function<void()> ready) override { peer_ready = std::move(ready); }
    [[nodiscard]] std::vector<waku::PeerInfo> peers() const override { return {}; }
    [[nodiscard]] std::string peer_id() const override { return "own"; }
    [[nodiscard]] std::vector<std::string> listen_addresses() const override { return {}; }
    [[nodiscard]] waku::NodeState state() const override { return waku::NodeState::running; }

    /// What next_message gives next.
    void receive(waku::ReceivedMessage message) { static_cast<void>(received_.push(std::move(message))); }

    struct One {
        std::string pubsub_topic;
        waku::WakuMessage message;
    };
    std::vector<One> published;
    std::optional<Error> refuses;  ///< the answer to publish
    Signal* hangs{nullptr};        ///< publish waits for it
    Result<waku::StoreWord> word{waku::StoreWord{true, "store", true}};
    std::vector<waku::Published> asked;
    std::vector<std::string> doubted;
    std::vector<std::string> content_topics;
    std::function<void()> peer_ready;

  private:
    Queue<waku::ReceivedMessage> received_;
};

}  // namespace noroshi::test
