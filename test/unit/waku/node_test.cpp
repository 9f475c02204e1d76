// test/unit/waku/node_test.cpp - life of a node: start, static peers, metadata, the crash of its host, stop.
#include <gtest/gtest.h>

#include "fake_host.hpp"

namespace noroshi::waku {
namespace {

constexpr std::string_view own = "/p2p/16Uiu2HAkwdaqR4NGxQ6cDsUtqGaMpsboURRkh2hvXaHxxCs6CXfW";
constexpr StreamId inbound = 4294967296;

NodeConfig with_peer() {
    NodeConfig config = NodeBench::config();
    config.peers = {std::string(NodeBench::static_address)};
    return config;
}
NodeConfig listening(std::vector<std::string> addresses) {
    NodeConfig config = NodeBench::config();
    config.listen = std::move(addresses);
    return config;
}
event::Connected connected(std::string_view peer) {
    return event::Connected{PeerId(peer), "/ip4/127.0.0.1/tcp/60001", false, 1};
}
event::Closed closed(std::string_view peer) { return event::Closed{PeerId(peer), "gone", 0}; }
event::Identified with_metadata(std::string_view peer) {
    return event::Identified{PeerId(peer), "go-waku", {std::string(metadata_protocol)}};
}

class NodeTest : public ::testing::Test {
  protected:
    NodeBench bench_;
    HostNotes& notes_{bench_.notes};
};

TEST_F(NodeTest, Starts_at_once_when_it_does_not_listen) {
    bench_.start(NodeBench::config());
    EXPECT_EQ(bench_.node().state(), NodeState::running);
    EXPECT_EQ(notes_.accepted, std::vector{std::string(metadata_protocol)});
    EXPECT_EQ(notes_.topics, std::vector{std::string(NodeBench::shard)});
    EXPECT_TRUE(notes_.gossip);
    EXPECT_TRUE(notes_.hides_addresses);
    EXPECT_FALSE(bench_.node().peer_id().empty());
}

TEST_F(NodeTest, A_light_node_joins_no_gossip) {
    NodeConfig config = NodeBench::config();
    config.mode = Mode::light;
    bench_.start(std::move(config));
    EXPECT_FALSE(notes_.gossip);
    EXPECT_TRUE(notes_.topics.empty());
}

TEST_F(NodeTest, Start_ends_when_every_address_is_open) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"}));
    EXPECT_EQ(notes_.listens.size(), 2U);
    const std::string first = "/ip4/127.0.0.1/tcp/40000" + std::string(own);
    const std::string second = "/ip6/::1/tcp/40001" + std::string(own);
    bench_.event(event::Listening{first});
    EXPECT_EQ(started->error(), "pending");
    bench_.event(event::Listening{second});
    EXPECT_EQ(started->error(), "ok");
    EXPECT_EQ(bench_.node().listen_addresses(), (std::vector{first, second}));
    EXPECT_FALSE(notes_.hides_addresses);
}

TEST_F(NodeTest, The_host_gets_the_certificate_and_the_roots) {
    NodeConfig config = listening({"/ip4/127.0.0.1/tcp/1/wss"});
    config.tls = TlsIdentity{"certificate", "key"};
    config.extra_roots_pem = "roots";
    const auto started = bench_.begin(std::move(config));
    EXPECT_EQ(notes_.tls_certificate, "certificate");
    EXPECT_EQ(notes_.extra_roots, "roots");
}

TEST_F(NodeTest, Start_names_the_address_that_cannot_be_opened) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/1"}));
    bench_.event(event::ListenClosed{"/ip4/127.0.0.1/tcp/1", "address in use"});
    EXPECT_EQ(started->error(), "cannot listen on /ip4/127.0.0.1/tcp/1: address in use");
    EXPECT_EQ(started->result->error().code, Errc::io);
    EXPECT_EQ(notes_.hosts_alive, 0);
}

TEST_F(NodeTest, Start_gives_up_after_ten_seconds) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/1"}));
    bench_.advance(Milliseconds(9'500));
    EXPECT_EQ(started->error(), "pending");
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(started->result->error().code, Errc::timeout);
}

TEST_F(NodeTest, Start_says_why_there_is_no_host) {
    notes_.no_host = true;
    EXPECT_EQ(bench_.begin(NodeBench::config())->error(), "no thread");
}

TEST_F(NodeTest, Starts_only_once) {
    bench_.start(NodeBench::config());
    EXPECT_EQ(bench_.call(bench_.node().start())->result->error().code, Errc::conflict);
}

TEST_F(NodeTest, A_static_peer_is_dialled_when_the_node_runs) {
    bench_.start(with_peer());
    ASSERT_EQ(notes_.dials.size(), 1U);
    EXPECT_EQ(notes_.dials[0].address, NodeBench::static_address);
}

TEST_F(NodeTest, A_refused_dial_is_counted_and_tried_again_with_growing_waits) {
    bench_.start(with_peer());
    std::vector<std::size_t> dials_after;
    for (int i = 0; i < 4; ++i) {
        bench_.event(event::DialError{notes_.dials.back().request, "refused", ""});
        const std::size_t before = notes_.dials.size();
        std::size_t ticks = 0;
        while (notes_.dials.size() == before && ticks < 1'000) {
            bench_.advance(Milliseconds(500));
            ++ticks;
        }
        dials_after.push_back(ticks);
    }
    // 1, 2, 4, 8 s, each 75 to 125 %, seen at ticks of 0.5 s
    const std::size_t low[] = {2, 3, 6, 12};
    const std::size_t high[] = {3, 5, 10, 20};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_GE(dials_after[i], low[i]) << i;
        EXPECT_LE(dials_after[i], high[i]) << i;
    }
    EXPECT_EQ(bench_.counter("noroshi_waku_dial_errors_total", {{"reason", "refused"}}), 4U);
}

TEST_F(NodeTest, A_dial_that_the_host_does_not_take_is_tried_again) {
    bench_.start(with_peer());
    bench_.event(event::DialError{notes_.dials.back().request, "refused", ""});
    notes_.busy = true;
    bench_.advance(Milliseconds(2'000));
    const std::size_t refused = notes_.dials.size();
    ASSERT_GT(refused, 1U);
    notes_.busy = false;
    bench_.advance(Milliseconds(5'000));
    EXPECT_GT(notes_.dials.size(), refused);
}

TEST_F(NodeTest, A_connected_peer_is_shown_and_not_dialled_and_a_lost_one_is) {
    bench_.start(with_peer());
    bench_.event(connected(NodeBench::static_peer));
    bench_.advance(Milliseconds(60'000));
    EXPECT_EQ(notes_.dials.size(), 1U);
    ASSERT_EQ(bench_.node().peers().size(), 1U);
    EXPECT_EQ(bench_.node().peers()[0].id, NodeBench::static_peer);
    bench_.event(closed(NodeBench::static_peer));
    EXPECT_TRUE(bench_.node().peers().empty());
    bench_.advance(Milliseconds(2'000));
    EXPECT_EQ(notes_.dials.size(), 2U);
}

TEST_F(NodeTest, The_end_of_one_of_two_connections_loses_nobody) {
    bench_.start(with_peer());
    bench_.event(connected(NodeBench::static_peer));
    bench_.event(event::Closed{PeerId(NodeBench::static_peer), "one of two", 1});
    EXPECT_EQ(bench_.node().peers().size(), 1U);
}

TEST_F(NodeTest, What_a_peer_says_of_itself_is_cleaned_and_bounded) {
    bench_.start(NodeBench::config());
    bench_.event(connected("p"));
    bench_.event(event::Identified{"p", "bad\x1b[31m" + std::string(200, 'x'),
                                   std::vector<std::string>(500, std::string(500, 'y'))});
    const PeerInfo info = bench_.node().peers().at(0);
    EXPECT_EQ(info.agent.size(), 128U);
    EXPECT_EQ(info.agent.substr(0, 4), "bad?");
    EXPECT_EQ(info.protocols.size(), 128U);
    EXPECT_EQ(info.protocols[0].size(), 128U);
}

TEST_F(NodeTest, Only_own_topics_of_a_peer_are_kept) {
    bench_.start(NodeBench::config());
    bench_.connect("p");
    bench_.event(event::Subscription{"p", "/waku/2/rs/16/999", true});
    EXPECT_EQ(bench_.node().peers().at(0).topics, std::vector{std::string(NodeBench::shard)});
    bench_.event(event::Mesh{std::string(NodeBench::shard), {"p"}});
    EXPECT_EQ(bench_.node().peers().at(0).mesh_topics.size(), 1U);
    bench_.event(event::Subscription{"p", std::string(NodeBench::shard), false});
    EXPECT_TRUE(bench_.node().peers().at(0).topics.empty());
    EXPECT_TRUE(bench_.node().peers().at(0).mesh_topics.empty());
}

class NodeMetadataTest : public NodeTest {
  protected:
    /// A node and a peer that is asked for its metadata; the stream of the question.
    StreamId asked(std::uint16_t cluster = 16) {
        NodeConfig config = NodeBench::config();
        config.cluster = cluster;
        bench_.start(std::move(config));
        bench_.event(connected("p"));
        bench_.event(with_metadata("p"));
        const std::vector<StreamId> streams = bench_.streams_of(metadata_protocol);
        EXPECT_EQ(streams.size(), 1U);
        return streams.empty() ? 0 : streams.front();
    }
    std::uint64_t refused(const char* reason) {
        return bench_.counter("noroshi_waku_peers_refused_total", {{"reason", reason}});
    }
};

TEST_F(NodeMetadataTest, An_identified_peer_is_asked_once_with_our_own) {
    const StreamId stream = asked();
    EXPECT_EQ(to_hex(notes_.streams.at(stream).written), "07" "0810" "1020" "1a0120");
    bench_.event(with_metadata("p"));
    EXPECT_EQ(bench_.streams_of(metadata_protocol).size(), 1U);
}

TEST_F(NodeTest, Metadata_is_accepted_before_anything_can_connect_or_others_part_at_once) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/0"}));
    EXPECT_EQ(started->error(), "pending");
    EXPECT_EQ(std::ranges::count(notes_.accepted_before_use, metadata_protocol), 1);
}

TEST_F(NodeMetadataTest, A_peer_without_the_protocol_is_not_asked) {
    bench_.start(NodeBench::config());
    bench_.connect("p", {"/ipfs/ping/1.0.0"});
    EXPECT_TRUE(notes_.streams.empty());
}

TEST_F(NodeMetadataTest, A_peer_of_the_same_cluster_stays) {
    bench_.answer(asked(), encode_metadata({16, {64}}));
    bench_.advance(Milliseconds(1'000));
    EXPECT_TRUE(notes_.disconnected.empty());
    EXPECT_EQ(bench_.counter("noroshi_waku_metadata_total", {{"result", "ok"}}), 1U);
}

TEST_F(NodeMetadataTest, A_peer_of_another_cluster_is_disconnected_and_counted) {
    bench_.answer(asked(), encode_metadata({17, {32}}));
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.disconnected, std::vector<PeerId>{"p"});
    EXPECT_EQ(refused("foreign_cluster"), 1U);
}

TEST_F(NodeMetadataTest, A_peer_that_names_no_cluster_is_disconnected) {
    bench_.answer(asked(), encode_metadata({std::nullopt, {32}}));
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.disconnected.size(), 1U);
    EXPECT_EQ(refused("no_cluster"), 1U);
}

TEST_F(NodeMetadataTest, On_cluster_0_the_cluster_may_be_missing) {
    bench_.answer(asked(0), encode_metadata({std::nullopt, {32}}));
    bench_.advance(Milliseconds(500));
    EXPECT_TRUE(notes_.disconnected.empty());
}

TEST_F(NodeMetadataTest, A_poor_answer_is_no_ground_to_part) {
    const StreamId stream = asked();
    bench_.answer(stream, Bytes{0xff});
    bench_.advance(Milliseconds(500));
    EXPECT_TRUE(notes_.disconnected.empty());
    EXPECT_EQ(bench_.counter("noroshi_waku_metadata_total", {{"result", "malformed"}}), 1U);
}

TEST_F(NodeMetadataTest, No_answer_is_no_ground_to_part) {
    asked();
    bench_.advance(Milliseconds(11'000));
    EXPECT_TRUE(notes_.disconnected.empty());
    EXPECT_EQ(bench_.counter("noroshi_waku_metadata_total", {{"result", "failed"}}), 1U);
}

TEST_F(NodeMetadataTest, A_question_of_a_peer_is_answered_with_both_shard_fields) {
    bench_.start(NodeBench::config());
    bench_.connect("p", {}, true);
    bench_.event(event::StreamIn{inbound, "p", std::string(metadata_protocol)});
    bench_.event(event::StreamData{inbound, *from_hex("0508101a0120")});
    EXPECT_EQ(to_hex(notes_.streams.at(inbound).written), "07" "0810" "1020" "1a0120");
    EXPECT_TRUE(notes_.streams.at(inbound).finished);
    bench_.advance(Milliseconds(500));
    EXPECT_TRUE(notes_.disconnected.empty());
}

TEST_F(NodeMetadataTest, A_foreign_peer_gets_its_answer_before_it_is_disconnected) {
    bench_.start(NodeBench::config());
    bench_.connect("p", {}, true);
    bench_.event(event::StreamIn{inbound, "p", std::string(metadata_protocol)});
    bench_.event(event::StreamData{inbound, frame(encode_metadata({1, {0}}))});
    EXPECT_FALSE(notes_.streams.at(inbound).written.empty());
    EXPECT_TRUE(notes_.disconnected.empty());
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.disconnected, std::vector<PeerId>{"p"});
    EXPECT_EQ(refused("foreign_cluster"), 1U);
}

class NodeCrashTest : public NodeTest {
  protected:
    void crash() { bench_.event(event::Stopped{"a panic"}); }
};

TEST_F(NodeCrashTest, A_new_host_is_made_after_a_second_and_stands_as_the_old_one_did) {
    NodeConfig config = with_peer();
    config.listen = {"/ip4/127.0.0.1/tcp/0"};
    const auto started = bench_.begin(std::move(config));
    bench_.event(event::Listening{"/ip4/127.0.0.1/tcp/40000" + std::string(own)});
    bench_.event(connected(NodeBench::static_peer));
    crash();
    EXPECT_EQ(bench_.node().state(), NodeState::restarting);
    EXPECT_TRUE(bench_.node().peers().empty());
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.hosts_made, 1);
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.hosts_made, 2);
    EXPECT_EQ(notes_.hosts_alive, 1);
    EXPECT_EQ(bench_.node().state(), NodeState::running);
    EXPECT_EQ(notes_.topics.size(), 2U);
    EXPECT_EQ(notes_.accepted.size(), 2U);
    // The port that was got first: peers know the node by it.
    EXPECT_EQ(notes_.listens.back(), "/ip4/127.0.0.1/tcp/40000");
    EXPECT_EQ(notes_.listens.size(), 2U);
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(notes_.dials.size(), 2U);
    EXPECT_EQ(bench_.counter("noroshi_waku_p2p_restarts_total"), 1U);
}

TEST_F(NodeCrashTest, Listeners_of_each_kind_keep_their_ports) {
    NodeConfig config = NodeBench::config();
    config.tls = TlsIdentity{"certificate", "key"};
    config.listen = {"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws", "/ip4/127.0.0.1/tcp/0/wss"};
    const auto started = bench_.begin(std::move(config));
    const std::vector<std::string> opened{"/ip4/127.0.0.1/tcp/40000", "/ip4/127.0.0.1/tcp/40001/ws",
                                          "/ip4/127.0.0.1/tcp/40002/wss"};
    for (const std::string& address : opened) {
        bench_.event(event::Listening{address + std::string(own)});
    }
    crash();
    notes_.listens.clear();
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(notes_.listens, opened);
}

TEST_F(NodeCrashTest, Waits_double_while_hosts_keep_dying) {
    bench_.start(NodeBench::config());
    for (const int seconds : {1, 2, 4, 8, 16, 32, 60, 60}) {
        const int made = notes_.hosts_made;
        crash();
        bench_.advance(std::chrono::seconds(seconds) - Milliseconds(500));
        EXPECT_EQ(notes_.hosts_made, made) << seconds;
        bench_.advance(Milliseconds(500));
        EXPECT_EQ(notes_.hosts_made, made + 1) << seconds;
    }
}

TEST_F(NodeCrashTest, A_host_that_cannot_be_made_is_tried_again) {
    bench_.start(NodeBench::config());
    notes_.no_host = true;
    crash();
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(bench_.node().state(), NodeState::restarting);
    notes_.no_host = false;
    bench_.advance(Milliseconds(2'000));
    EXPECT_EQ(bench_.node().state(), NodeState::running);
}

TEST_F(NodeCrashTest, What_a_dead_host_still_had_to_say_is_passed_over) {
    bench_.start(NodeBench::config());
    crash();
    bench_.event(connected("p"));
    EXPECT_TRUE(bench_.node().peers().empty());
}

TEST_F(NodeTest, A_lost_listen_address_is_opened_again_with_the_same_port) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/0"}));
    const std::string address = "/ip4/127.0.0.1/tcp/40000" + std::string(own);
    bench_.event(event::Listening{address});
    bench_.event(event::ListenClosed{address, "interface gone"});
    EXPECT_TRUE(bench_.node().listen_addresses().empty());
    bench_.advance(Milliseconds(4'500));
    EXPECT_EQ(notes_.listens.size(), 1U);
    bench_.advance(Milliseconds(500));
    ASSERT_EQ(notes_.listens.size(), 2U);
    EXPECT_EQ(notes_.listens[1], "/ip4/127.0.0.1/tcp/40000");
}

TEST_F(NodeTest, Stop_ends_waiting_calls_and_may_be_repeated) {
    bench_.start(NodeBench::config());
    const auto next = bench_.next_message();
    bench_.event(connected("p"));
    const auto stopped = bench_.begin_stop();
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(stopped->error(), "ok");
    EXPECT_EQ(next->result->error().code, Errc::cancelled);
    EXPECT_EQ(notes_.hosts_alive, 0);
    EXPECT_EQ(bench_.node().state(), NodeState::stopped);
    EXPECT_EQ(bench_.begin_stop()->error(), "ok");
}

TEST_F(NodeTest, Stop_during_start_ends_it) {
    const auto started = bench_.begin(listening({"/ip4/127.0.0.1/tcp/1"}));
    const auto stopped = bench_.begin_stop();
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(started->result->error().code, Errc::cancelled);
    EXPECT_EQ(notes_.hosts_alive, 0);
}

TEST(Node_config, Names_what_cannot_be) {
    Runtime runtime(0);
    const SystemClock clock;
    SeededRandom random(1);
    Metrics metrics;
    const auto refusal = [&](void (*change)(NodeConfig&)) {
        NodeConfig config = NodeBench::config();
        change(config);
        const auto node = Node::create(std::move(config), {}, runtime, clock, random, metrics, Log::none());
        return node ? std::string("taken") : node.error().message;
    };
    EXPECT_EQ(refusal([](NodeConfig&) {}), "taken");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.shards.clear(); }), "shards: expected 1 to 64 of them");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.shards = {1024}; }), "shards: expected 0 to 1023, got 1024");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.shards = {3, 3}; }), "shards: 3 is named twice");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.cluster = 1; }).substr(0, 47),
              "cluster 1 takes no relay without RLN proofs, wh");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.cluster = 1, c.mode = Mode::light; }), "taken");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.agent = std::string(129, 'a'); }), "agent: expected at most 128 bytes");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.peers.assign(101, ""); }), "peers: expected at most 100 of them");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.peers = {"x"}; }).substr(0, 10), "peers: \"x\"");
    EXPECT_EQ(refusal([](NodeConfig& c) { c.listen = {"y"}; }).substr(0, 11), "listen: \"y\"");
}

}  // namespace
}  // namespace noroshi::waku
