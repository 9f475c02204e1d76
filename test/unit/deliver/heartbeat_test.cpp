// test/unit/deliver/heartbeat_test.cpp - the message to ourselves: which ways back count, and what is said when there is none.
#include <gtest/gtest.h>

#include "deliver/heartbeat.hpp"
#include "deliver/receipt.hpp"
#include "manual_timers.hpp"

namespace noroshi::deliver {
namespace {

/// A node that takes what it is given, or not, and says who sent it back.
class ScriptedNode final : public waku::Node {
  public:
    Task<Result<void>> start() override { co_return Result<void>{}; }
    Task<void> stop() override { co_return; }
    Task<Result<waku::Publication>> publish(std::string topic, waku::WakuMessage message, waku::PublishOptions options) override {
        topics.push_back(std::move(topic));
        messages.push_back(std::move(message));
        most_peers = options.most_peers;
        if (refusal) {
            co_return fail(*refusal);
        }
        co_return waku::Publication{crypto::Digest{1}, {"pusher"}};
    }
    std::vector<std::string> echoed_by(const crypto::Digest&) const override { return echoes; }
    std::optional<Milliseconds> clock_offset() const override { return std::nullopt; }
    Task<Result<waku::StoreWord>> find_stored(waku::Published) override { co_return waku::StoreWord{}; }
    void doubt(const std::vector<std::string>&) override {}
    Task<Result<waku::ReceivedMessage>> next_message() override { co_return fail(Errc::cancelled, "none"); }
    void set_content_topics(std::vector<std::string>) override {}
    void on_peer_ready(std::function<void()>) override {}
    std::vector<waku::PeerInfo> peers() const override { return {}; }
    std::string peer_id() const override { return "own"; }
    std::vector<std::string> listen_addresses() const override { return {}; }
    waku::NodeState state() const override { return waku::NodeState::running; }

    std::vector<std::string> topics;
    std::vector<waku::WakuMessage> messages;
    std::size_t most_peers{0};
    std::optional<Error> refusal;
    std::vector<std::string> echoes;
};

class HeartbeatTest : public ::testing::Test {
  protected:
    HeartbeatTest() { tasks_.spawn("heartbeat", heartbeat_.run()); }
    ~HeartbeatTest() override {
        const auto end = [](TaskGroup& tasks) -> Task<int> {
            co_await tasks.stop();
            co_return 0;
        };
        static_cast<void>(loop_.runtime.run(end(tasks_)));
    }

    test::ManualLoop loop_{from_unix_ms(1'700'000'000'000)};
    ScriptedNode node_;
    SeededRandom random_{1};
    crypto::SecretKey key_{crypto::SecretKey::generate(random_)};
    Metrics metrics_;
    Heartbeat heartbeat_{{node_, "/waku/2/rs/16/32", key_, loop_.timers, loop_.clock, random_, metrics_, Log::none()}};
    TaskGroup tasks_{loop_.runtime.executor()};
};

TEST_F(HeartbeatTest, GoesOutThroughOnePeerAndCountsWhenAnotherSendsItBack) {
    node_.echoes = {"pusher", "other"};
    loop_.advance(Heartbeat::first_after - Milliseconds(1'000));
    EXPECT_FALSE(heartbeat_.ok());
    loop_.advance(Milliseconds(2'000));
    ASSERT_EQ(node_.messages.size(), 1U);
    EXPECT_EQ(node_.most_peers, 1U);
    EXPECT_EQ(heartbeat_.ok(), true);
    EXPECT_EQ(heartbeat_.detail(), "through pusher, back through other");
    EXPECT_EQ(metrics_.gauge("noroshi_waku_heartbeat_ok", "").value(), 1);
}

TEST_F(HeartbeatTest, LooksLikeAReceiptAndIsKeptByNoStore) {
    loop_.advance(Heartbeat::first_after + Milliseconds(1'000));
    ASSERT_EQ(node_.messages.size(), 1U);
    EXPECT_EQ(node_.messages[0].content_topic, receipt_content_topic);
    EXPECT_EQ(node_.messages[0].ephemeral, true);
    EXPECT_EQ(node_.topics[0], "/waku/2/rs/16/32");
}

TEST_F(HeartbeatTest, TheOnlyPeerMaySendItBackItself) {
    node_.echoes = {"pusher"};
    loop_.advance(Heartbeat::first_after + Heartbeat::patience + Milliseconds(1'000));
    EXPECT_EQ(heartbeat_.ok(), true);
    EXPECT_EQ(heartbeat_.detail(), "through pusher and back");
}

TEST_F(HeartbeatTest, ABeatThatIsLostIsToldUntilOneComesBack) {
    loop_.advance(Heartbeat::first_after + Heartbeat::patience + Milliseconds(1'000));
    EXPECT_EQ(heartbeat_.ok(), false);
    EXPECT_TRUE(heartbeat_.detail().starts_with("no_echo"));
    EXPECT_EQ(metrics_.gauge("noroshi_waku_heartbeat_ok", "").value(), 0);
    node_.refusal = Error{Errc::refused, "no_peers: nobody connected offers lightpush", {}, true};
    loop_.advance(Heartbeat::interval);
    EXPECT_EQ(node_.messages.size(), 2U);
    EXPECT_TRUE(heartbeat_.detail().starts_with("no_peers"));
    node_.refusal.reset();
    node_.echoes = {"other"};
    loop_.advance(Heartbeat::interval);
    EXPECT_EQ(heartbeat_.ok(), true);
}

}  // namespace
}  // namespace noroshi::deliver
