// test/unit/waku/node_confirm_test.cpp - whom a light node pushes to, and whom it asks whether the network has it.
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "filter_rpc.hpp"
#include "lightpush_rpc.hpp"
#include "store_rpc.hpp"

namespace noroshi::waku {
namespace {

const std::string shard(NodeBench::shard);
const std::string push3(lightpush_v3_protocol);
const std::string store3(store_v3_protocol);

class NodeConfirmTest : public ::testing::Test {
  protected:
    void SetUp() override {
        NodeConfig config = NodeBench::config();
        config.mode = Mode::light;
        bench_.start(std::move(config));
    }
    static Published what(std::vector<std::string> peers) {
        const WakuMessage message = NodeBench::message();
        return {shard, message.content_topic, 1, message_hash(shard, message), std::move(peers)};
    }
    auto find(std::vector<std::string> peers) { return bench_.call(bench_.node().find_stored(what(std::move(peers)))); }
    Bytes body(StreamId stream) {
        FrameReader reader(max_push_frame_bytes);
        return **reader.feed(bench_.notes.streams.at(stream).written);
    }
    /// Answers the last question to a store.
    void say(bool found) {
        const StreamId stream = bench_.streams_of(store3).back();
        StoreAnswer answer{decode_store_query(body(stream))->request_id, status::ok, "OK", {}, {}};
        if (found) {
            answer.entries.push_back({what({}).hash, {}, ""});
        }
        bench_.answer(stream, encode_store_answer(answer));
    }
    PeerId last_asked() { return bench_.notes.streams.at(bench_.streams_of(store3).back()).peer; }
    void take_push() {
        const StreamId stream = bench_.streams_of(push3).back();
        bench_.answer(stream, encode_push_answer(LightpushVersion::v3,
                                                 {decode_push(LightpushVersion::v3, body(stream))->request_id, 200, "", 1}));
    }
    std::vector<PeerId> pushed_to() {
        std::vector<PeerId> out;
        for (const StreamId stream : bench_.streams_of(push3)) {
            out.push_back(bench_.notes.streams.at(stream).peer);
        }
        return out;
    }
    NodeBench bench_;
};

TEST_F(NodeConfirmTest, A_store_that_did_not_take_it_is_asked_for_the_hash_alone) {
    bench_.connect("a", {store3});
    bench_.connect("b", {store3});
    const auto word = find({"a"});
    EXPECT_EQ(last_asked(), "b");
    const StoreQuery query = *decode_store_query(body(bench_.streams_of(store3).back()));
    EXPECT_EQ(query.hashes, std::vector{what({}).hash});
    EXPECT_FALSE(query.include_data);
    say(true);
    ASSERT_EQ(word->error(), "ok");
    EXPECT_TRUE((**word->result).found);
    EXPECT_TRUE((**word->result).independent);
}

TEST_F(NodeConfirmTest, The_only_store_is_asked_also_when_it_took_it_and_its_word_is_marked) {
    bench_.connect("a", {store3});
    const auto word = find({"a"});
    say(true);
    EXPECT_TRUE((**word->result).found);
    EXPECT_FALSE((**word->result).independent);
}

TEST_F(NodeConfirmTest, Without_a_store_the_reason_is_no_store) {
    bench_.connect("a", {push3});
    EXPECT_EQ(find({})->error(), "no_store: nobody connected keeps messages");
}

TEST_F(NodeConfirmTest, A_second_store_is_asked_when_the_first_fails_or_has_nothing) {
    bench_.connect("a", {store3});
    bench_.connect("b", {store3});
    const auto word = find({});
    bench_.event(event::StreamEnded{bench_.streams_of(store3).back(), StreamEnd::reset, ""});
    EXPECT_EQ(last_asked(), "b");
    say(false);
    EXPECT_FALSE((**word->result).found);
    const auto again = find({});
    say(false);
    EXPECT_EQ(last_asked(), "b");
    say(true);
    EXPECT_TRUE((**again->result).found);
}

TEST_F(NodeConfirmTest, Each_message_goes_to_two_peers_by_the_newer_protocol) {
    for (const char* peer : {"a", "b", "c"}) {
        bench_.connect(peer, {push3, std::string(lightpush_v2_protocol)});
    }
    const auto call = bench_.publish(NodeBench::message());
    take_push();
    EXPECT_FALSE(call->ended());
    take_push();
    ASSERT_EQ(call->error(), "ok");
    EXPECT_EQ((*call->result)->peers, (std::vector<PeerId>{"a", "b"}));
}

TEST_F(NodeConfirmTest, The_second_push_is_no_condition) {
    bench_.connect("a", {push3});
    bench_.connect("b", {push3});
    const auto call = bench_.publish(NodeBench::message());
    take_push();
    bench_.event(event::StreamEnded{bench_.streams_of(push3).back(), StreamEnd::reset, ""});
    ASSERT_EQ(call->error(), "ok");
    EXPECT_EQ((*call->result)->peers, (std::vector<PeerId>{"a"}));
}

TEST_F(NodeConfirmTest, A_doubted_peer_is_the_last_choice_until_a_store_confirms_what_it_took) {
    for (const char* peer : {"a", "b", "c"}) {
        bench_.connect(peer, {push3, store3});
    }
    bench_.node().doubt({"a"});
    bench_.publish(NodeBench::message());
    take_push();
    take_push();
    EXPECT_EQ(pushed_to(), (std::vector<PeerId>{"b", "c"}));
    const auto word = find({"a"});
    say(true);
    EXPECT_TRUE((**word->result).independent);
    bench_.advance(Milliseconds(1'500));
    bench_.publish(NodeBench::message(2));
    take_push();
    take_push();
    EXPECT_EQ(std::ranges::count(pushed_to(), "a"), 1);
}

TEST_F(NodeConfirmTest, A_message_that_another_filter_peer_sends_back_is_confirmed_without_a_store) {
    bench_.connect("a", {push3});
    bench_.connect("b", {std::string(filter_subscribe_protocol)});
    const auto call = bench_.publish(NodeBench::message());
    take_push();
    EXPECT_EQ(find({"a"})->error().substr(0, 8), "no_store");
    bench_.event(event::StreamIn{4294967296, "b", std::string(filter_push_protocol)});
    const Bytes pushed = encode_filter_push(*encode_message(NodeBench::message()), shard);
    bench_.event(event::StreamData{4294967296, frame(pushed)});
    const auto word = find({"a"});
    ASSERT_EQ(word->error(), "ok");
    EXPECT_EQ((**word->result).peer, "b");
    EXPECT_TRUE((**word->result).independent);
    EXPECT_FALSE(bench_.next_message()->ended()) << "an own message is not received";
}

TEST(NodeCatchUp, Asks_its_stores_every_ten_minutes_and_when_the_machine_has_slept) {
    NodeBench bench;
    NodeConfig config = NodeBench::config();
    config.mode = Mode::light;
    config.catch_up = true;
    bench.start(std::move(config));
    bench.connect("store", {store3});
    const auto answer_all = [&bench] {
        for (const StreamId stream : bench.streams_of(store3)) {
            if (bench.notes.streams.at(stream).credit != 0) {
                FrameReader reader(1'000);
                const StoreQuery query = *decode_store_query(**reader.feed(bench.notes.streams.at(stream).written));
                bench.notes.streams.at(stream).credit = 0;
                bench.answer(stream, encode_store_answer({query.request_id, status::ok, "OK", {}, {}}));
            }
        }
        return bench.streams_of(store3).size();
    };
    EXPECT_EQ(answer_all(), 1U);
    bench.advance(Milliseconds(11'000));
    EXPECT_EQ(answer_all(), 2U) << "the second look";
    bench.advance(Milliseconds(580'000));
    EXPECT_EQ(answer_all(), 2U);
    bench.advance(Milliseconds(10'000));
    EXPECT_EQ(answer_all(), 3U);
    bench.advance(Milliseconds(11'000));
    EXPECT_EQ(answer_all(), 4U);
    bench.sleep(std::chrono::hours(6));
    bench.advance(Milliseconds(500));
    EXPECT_EQ(answer_all(), 5U) << "after six hours of sleep, at the first tick";
}

TEST(NodeInterest, A_relay_that_reads_nothing_forwards_everything) {
    NodeBench bench;
    NodeConfig config = NodeBench::config();
    config.content_topics = {};
    bench.start(std::move(config));
    for (int i = 0; i < 5'000; ++i) {
        WakuMessage message = NodeBench::message();
        message.timestamp_ns = i;
        GossipId id{};
        id[0] = static_cast<std::uint8_t>(i);
        id[1] = static_cast<std::uint8_t>(i >> 8);
        bench.event(event::Gossip{id, "peer", shard, *encode_message(message)});
    }
    EXPECT_EQ(bench.notes.answers.size(), 5'000U);
    EXPECT_TRUE(std::ranges::all_of(bench.notes.answers, [](const auto& a) { return a.verdict == Verdict::accept; }));
    EXPECT_FALSE(bench.next_message()->ended());
}

}  // namespace
}  // namespace noroshi::waku
