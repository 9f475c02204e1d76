// test/unit/waku/node_gossip_test.cpp - messages in: one verdict each, bad ones counted by reason, each hash once.
#include <gtest/gtest.h>

#include "fake_host.hpp"

namespace noroshi::waku {
namespace {

const std::string shard(NodeBench::shard);

class NodeGossipTest : public ::testing::Test {
  protected:
    void start(void (*change)(NodeLimits&) = nullptr) {
        NodeConfig config = NodeBench::config();
        if (change != nullptr) {
            change(config.limits);
        }
        bench_.start(std::move(config));
        bench_.connect("p");
    }
    /// The verdict on these bytes.
    Verdict receive(Bytes data, const std::string& topic = shard) {
        const std::size_t before = notes_.answers.size();
        event::Gossip gossip;
        gossip.id = crypto::sha256(data);
        gossip.peer = "p";
        gossip.topic = topic;
        gossip.data = std::move(data);
        const GossipId id = gossip.id;
        bench_.event(std::move(gossip));
        EXPECT_EQ(notes_.answers.size(), before + 1) << "every message has exactly one verdict";
        EXPECT_EQ(notes_.answers.back().id, id);
        EXPECT_EQ(notes_.answers.back().peer, "p");
        return notes_.answers.back().verdict;
    }
    Verdict receive(const WakuMessage& message) { return receive(*encode_message(message)); }
    std::uint64_t rejected(const char* reason) {
        return bench_.counter("noroshi_waku_rejected_total", {{"reason", reason}});
    }
    std::uint64_t received(const char* result) {
        return bench_.counter("noroshi_waku_received_total", {{"way", "relay"}, {"result", result}});
    }
    NodeBench bench_;
    HostNotes& notes_{bench_.notes};
};

TEST_F(NodeGossipTest, A_message_is_accepted_and_given_out) {
    start();
    EXPECT_EQ(receive(NodeBench::message()), Verdict::accept);
    const auto next = bench_.next_message();
    ASSERT_EQ(next->error(), "ok");
    const ReceivedMessage& message = **next->result;
    EXPECT_EQ(message.message, NodeBench::message());
    EXPECT_EQ(message.pubsub_topic, shard);
    EXPECT_EQ(message.peer, "p");
    EXPECT_EQ(message.hash, message_hash(shard, NodeBench::message()));
}

TEST_F(NodeGossipTest, A_waiting_taker_gets_the_next_message) {
    start();
    const auto next = bench_.next_message();
    EXPECT_EQ(next->error(), "pending");
    receive(NodeBench::message());
    EXPECT_EQ(next->error(), "ok");
}

TEST_F(NodeGossipTest, Bytes_that_are_no_message_are_rejected_and_counted_by_reason) {
    start();
    EXPECT_EQ(receive(Bytes{0xff, 0xff}), Verdict::reject);
    EXPECT_EQ(receive(Bytes{}), Verdict::reject);
    EXPECT_EQ(receive(Bytes{0x0a, 0x01, 0x78}), Verdict::reject);
    EXPECT_EQ(receive(Bytes(max_message_bytes + 1, 0)), Verdict::reject);
    EXPECT_EQ(rejected("malformed"), 1U);
    EXPECT_EQ(rejected("missing_payload"), 1U);
    EXPECT_EQ(rejected("missing_content_topic"), 1U);
    EXPECT_EQ(rejected("too_large"), 1U);
    EXPECT_EQ(received("rejected"), 4U);
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeGossipTest, The_same_message_again_is_accepted_but_given_out_once) {
    start();
    receive(NodeBench::message());
    // Other bytes, the same message: an unknown field at the end.
    Bytes twin = *encode_message(NodeBench::message());
    twin.insert(twin.end(), {0xa2, 0x06, 0x01, 0x78});
    EXPECT_EQ(receive(twin), Verdict::accept);
    EXPECT_EQ(received("duplicate"), 1U);
    EXPECT_EQ(bench_.next_message()->error(), "ok");
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeGossipTest, An_own_message_that_comes_back_is_not_given_out) {
    start();
    bench_.publish(NodeBench::message());
    bench_.event(event::Published{notes_.publishes.at(0).request, PublishOutcome::published, ""});
    EXPECT_EQ(receive(NodeBench::message()), Verdict::accept);
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeGossipTest, Only_so_many_hashes_are_remembered) {
    start([](NodeLimits& limits) { limits.remembered_hashes = 2; });
    for (std::uint8_t payload = 1; payload <= 3; ++payload) {
        receive(NodeBench::message(payload));
    }
    receive(NodeBench::message(3));
    EXPECT_EQ(received("duplicate"), 1U);
    receive(NodeBench::message(1));
    EXPECT_EQ(received("duplicate"), 1U);
    EXPECT_EQ(received("accepted"), 4U);
}

TEST_F(NodeGossipTest, A_topic_that_is_not_ours_is_ignored) {
    start();
    EXPECT_EQ(receive(*encode_message(NodeBench::message()), "/waku/2/rs/16/33"), Verdict::ignore);
    EXPECT_EQ(received("foreign_topic"), 1U);
}

TEST_F(NodeGossipTest, Without_room_a_message_is_ignored_and_may_come_again) {
    start([](NodeLimits& limits) { limits.received_messages = 2; });
    receive(NodeBench::message(1));
    receive(NodeBench::message(2));
    EXPECT_EQ(receive(NodeBench::message(3)), Verdict::ignore);
    EXPECT_EQ(received("queue_full"), 1U);
    bench_.next_message();
    EXPECT_EQ(receive(NodeBench::message(3)), Verdict::accept);
}

TEST_F(NodeGossipTest, Waiting_bytes_are_bounded_and_given_back) {
    start([](NodeLimits& limits) { limits.received_bytes = 3'000; });
    WakuMessage large = NodeBench::message(1);
    large.payload.assign(1'500, 1);
    EXPECT_EQ(receive(large), Verdict::accept);
    large.payload[0] = 2;
    EXPECT_EQ(receive(large), Verdict::ignore);
    bench_.next_message();
    EXPECT_EQ(receive(large), Verdict::accept);
}

TEST_F(NodeGossipTest, A_message_that_waits_is_given_out_before_the_end) {
    start();
    receive(NodeBench::message());
    bench_.begin_stop();
    EXPECT_EQ(bench_.next_message()->error(), "ok");
    EXPECT_EQ(bench_.next_message()->result->error().code, Errc::cancelled);
}

/// A static peer that relays and never tells of a topic, and how often it is parted from.
class NodeMuteTest : public ::testing::Test {
  protected:
    void start(std::vector<std::string> peers = {std::string(NodeBench::static_address)}) {
        NodeConfig config = NodeBench::config();
        config.peers = std::move(peers);
        bench_.start(std::move(config));
    }
    void connect() {
        bench_.event(event::Connected{peer_, std::string(NodeBench::static_address), false, 1});
        bench_.event(event::Identified{peer_, "agent", {"/vac/waku/relay/2.0.0"}});
    }
    void announce(bool on = true) { bench_.event(event::Subscription{peer_, "/waku/2/rs/16/1", on}); }
    std::size_t parted() const { return bench_.notes.disconnected.size(); }

    const PeerId peer_{NodeBench::static_address.substr(NodeBench::static_address.rfind('/') + 1)};
    NodeBench bench_;
};

TEST_F(NodeMuteTest, A_static_relay_that_tells_of_no_topic_is_connected_anew) {
    start();
    connect();
    bench_.advance(Milliseconds(11'000));
    EXPECT_EQ(parted(), 0U);
    bench_.advance(Milliseconds(2'000));
    EXPECT_EQ(bench_.notes.disconnected, std::vector<PeerId>{peer_});
    EXPECT_EQ(bench_.counter("noroshi_waku_mute_redials_total", {}), 1U);
    const std::size_t dials = bench_.notes.dials.size();
    bench_.event(event::Closed{peer_, "", 0});
    bench_.advance(Milliseconds(2'000));
    EXPECT_EQ(bench_.notes.dials.size(), dials + 1);
}

TEST_F(NodeMuteTest, Three_times_and_then_it_is_left_alone_until_it_speaks) {
    start();
    for (int i = 0; i < 5; ++i) {
        connect();
        bench_.advance(Milliseconds(14'000));
        if (parted() == static_cast<std::size_t>(i) + 1) {
            bench_.event(event::Closed{peer_, "", 0});
        }
    }
    EXPECT_EQ(parted(), 3U);
    announce();
    bench_.event(event::Closed{peer_, "", 0});
    connect();
    bench_.advance(Milliseconds(14'000));
    EXPECT_EQ(parted(), 4U);
}

TEST_F(NodeMuteTest, Who_told_of_another_topic_or_was_not_chosen_stays) {
    start();
    connect();
    announce();
    announce(false);
    bench_.advance(Milliseconds(60'000));
    EXPECT_EQ(parted(), 0U);
    bench_.event(event::Connected{"stranger", "/ip4/127.0.0.1/tcp/1", true, 1});
    bench_.event(event::Identified{"stranger", "agent", {"/vac/waku/relay/2.0.0"}});
    bench_.advance(Milliseconds(60'000));
    EXPECT_EQ(parted(), 0U);
}

}  // namespace
}  // namespace noroshi::waku
