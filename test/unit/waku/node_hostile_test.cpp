// test/unit/waku/node_hostile_test.cpp - a node among peers that mean harm: bans, places for newcomers, replays, floods.
#include <gtest/gtest.h>

#include "fake_host.hpp"

namespace noroshi::waku {
namespace {

const std::string shard(NodeBench::shard);

class NodeHostileTest : public ::testing::Test {
  protected:
    void SetUp() override {
        NodeConfig config = NodeBench::config();
        config.peers = {std::string(NodeBench::static_address)};
        config.limits.connections = 16;  // 12 places for who comes by itself
        config.limits.remembered_hashes = 4;
        bench_.start(std::move(config));
    }
    void bad_request(const PeerId& peer) {
        bench_.event(event::StreamIn{next_, peer, std::string(metadata_protocol)});
        bench_.event(event::StreamData{next_, {0x81, 0x80, 0x04}});
        bench_.event(event::StreamEnded{next_++, StreamEnd::cancelled, ""});
    }
    void gossip(const WakuMessage& message, const PeerId& peer = "peer") {
        GossipId id{};
        id[0] = ++gossip_;
        bench_.event(event::Gossip{id, peer, shard, *encode_message(message)});
    }
    std::uint64_t refused(const char* reason) {
        return bench_.counter("noroshi_waku_peers_refused_total", {{"reason", reason}});
    }
    NodeBench bench_;
    StreamId next_{4294967296};
    std::uint8_t gossip_{0};
};

TEST_F(NodeHostileTest, A_peer_of_many_faults_is_banned_for_ten_minutes_and_counted_by_reason) {
    bench_.connect("abuser", {}, true);
    for (int i = 0; i < 21; ++i) {
        EXPECT_TRUE(bench_.notes.banned.empty());
        bad_request("abuser");
    }
    EXPECT_EQ(bench_.notes.banned, std::vector<PeerId>{"abuser"});
    EXPECT_EQ(refused("faults"), 1U);
    EXPECT_EQ(bench_.counter("noroshi_waku_faults_total", {{"reason", "frame_too_large"}}), 21U);
    bench_.advance(Milliseconds(599'000));
    EXPECT_FALSE(bench_.notes.banned.empty());
    bench_.advance(Milliseconds(1'000));
    EXPECT_TRUE(bench_.notes.banned.empty());
}

TEST_F(NodeHostileTest, The_owners_own_peer_is_never_banned) {
    const PeerId own(NodeBench::static_peer);
    bench_.connect(own);
    for (int i = 0; i < 100; ++i) {
        bad_request(own);
    }
    EXPECT_TRUE(bench_.notes.banned.empty());
    EXPECT_EQ(bench_.counter("noroshi_waku_faults_total", {{"reason", "frame_too_large"}}), 100U);
}

TEST_F(NodeHostileTest, Idle_strangers_give_their_places_to_newcomers_and_useful_ones_keep_theirs) {
    for (int i = 0; i < 10; ++i) {
        bench_.connect("idler" + std::to_string(i), {}, true);
    }
    bench_.connect("useful", {}, true);
    bench_.connect(PeerId(NodeBench::static_peer), {}, true);
    bench_.advance(Milliseconds(29'000));
    EXPECT_TRUE(bench_.notes.disconnected.empty()) << "everybody has half a minute";
    gossip(NodeBench::message(), "useful");
    bench_.event(event::Mesh{shard, {"idler0"}});
    bench_.advance(Milliseconds(2'000));
    ASSERT_FALSE(bench_.notes.disconnected.empty());
    EXPECT_NE(bench_.notes.disconnected[0], "idler0") << "it is in the mesh";
    EXPECT_EQ(bench_.notes.disconnected[0].substr(0, 5), "idler");
    EXPECT_GE(refused("idle"), 1U);
    for (int i = 1; i < 10; ++i) {
        bench_.event(event::Closed{"idler" + std::to_string(i), "idle", 0});
    }
    const std::uint64_t gone = refused("idle");
    bench_.advance(Milliseconds(120'000));
    EXPECT_EQ(refused("idle"), gone) << "there is room: nobody has to go";
}

TEST_F(NodeHostileTest, The_same_message_in_new_bytes_is_given_out_once) {
    WakuMessage message = NodeBench::message();
    gossip(message);
    message.rate_limit_proof = Bytes(8, 1);  // not part of the hash
    gossip(message);
    EXPECT_EQ(bench_.notes.answers.back().verdict, Verdict::accept);
    EXPECT_TRUE(bench_.next_message()->result->has_value());
    EXPECT_FALSE(bench_.next_message()->ended());
}

TEST_F(NodeHostileTest, A_replay_after_the_window_of_remembered_hashes_comes_again_for_the_reader_to_drop) {
    gossip(NodeBench::message(1));
    for (std::uint8_t n = 2; n <= 6; ++n) {
        gossip(NodeBench::message(n));
    }
    gossip(NodeBench::message(1));
    std::size_t ones = 0;
    for (int i = 0; i < 7; ++i) {
        const auto next = bench_.next_message();
        ASSERT_TRUE(next->ended());
        ones += (*next->result)->message.payload == Bytes{1} ? 1 : 0;
    }
    EXPECT_EQ(ones, 2U) << "the id inside of the payload is what the reader drops it by";
}

TEST_F(NodeHostileTest, What_only_we_would_refuse_is_no_fault_of_the_relay_that_passed_it_on) {
    const Bytes long_topic = {0x0a, 0x01, 0x01, 0x12, 0x81, 0x08};  // payload 01, content topic of 1025 bytes
    Bytes bytes = long_topic;
    bytes.insert(bytes.end(), 1025, 'a');
    bench_.event(event::Gossip{{}, "peer", shard, bytes});
    EXPECT_EQ(bench_.notes.answers.back().verdict, Verdict::ignore);
    bench_.event(event::Gossip{{}, "peer", shard, {0x0a, 0x01, 0x01, 0x12, 0x02, 0xff, 0xfe}});
    EXPECT_EQ(bench_.notes.answers.back().verdict, Verdict::ignore) << "a content topic that is no UTF-8";
    EXPECT_EQ(bench_.counter("noroshi_waku_rejected_total", {{"reason", "content_topic_not_utf8"}}), 1U);
}

TEST_F(NodeHostileTest, Texts_of_a_stranger_that_are_no_utf8_are_shown_as_question_marks) {
    bench_.event(event::Connected{"peer", "/ip4/127.0.0.1/tcp/1", true, 1});
    bench_.event(event::Identified{"peer", "a\xff\xfe\x1b[31m", {"/p\xc3"}});
    EXPECT_EQ(bench_.node().peers()[0].agent, "a???[31m");
    EXPECT_EQ(bench_.node().peers()[0].protocols[0], "/p?");
}

}  // namespace
}  // namespace noroshi::waku
