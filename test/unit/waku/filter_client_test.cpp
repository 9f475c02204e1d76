// test/unit/waku/filter_client_test.cpp - a light node stays subscribed at two peers, whatever they do.
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "filter_rpc.hpp"

namespace noroshi::waku {
namespace {

const std::string shard(NodeBench::shard);
const std::string alerts = "/noroshi/1/alerts/proto";

class FilterClientTest : public ::testing::Test {
  protected:
    void SetUp() override { start({32}); }
    void start(std::vector<std::uint16_t> shards) {
        NodeConfig config = NodeBench::config();
        config.mode = Mode::light;
        config.shards = std::move(shards);
        bench_.start(std::move(config));
    }
    void connect(const PeerId& peer) { bench_.connect(peer, {std::string(filter_subscribe_protocol)}); }
    std::vector<StreamId> requests() { return bench_.streams_of(filter_subscribe_protocol); }
    FilterRequest request(StreamId stream) {
        FrameReader reader(100'000);
        return *decode_filter_request(**reader.feed(bench_.notes.streams.at(stream).written));
    }
    PeerId asked(std::size_t index) { return bench_.notes.streams.at(requests().at(index)).peer; }
    FilterRequest last() { return request(requests().back()); }
    void answer(StreamId stream, std::uint32_t code, std::optional<std::string> id = {}) {
        bench_.answer(stream, encode_filter_answer({id.value_or(request(stream).request_id), code, ""}));
    }
    void answer_last(std::uint32_t code) { answer(requests().back(), code); }
    void fail_last() { bench_.event(event::StreamEnded{requests().back(), StreamEnd::reset, "gone"}); }
    /// A push of `peer` on a stream of its own; whether the stream was let live.
    bool push(const PeerId& peer, std::vector<WakuMessage> messages, const std::string& topic = shard) {
        const StreamId stream = next_++;
        bench_.event(event::StreamIn{stream, peer, std::string(filter_push_protocol)});
        Bytes frames;
        for (const WakuMessage& message : messages) {
            const Bytes one = frame(encode_filter_push(*encode_message(message), topic));
            frames.insert(frames.end(), one.begin(), one.end());
        }
        bench_.event(event::StreamData{stream, frames});
        return !bench_.notes.streams[stream].reset;
    }
    NodeBench bench_;
    StreamId next_{4294967296};
};

TEST_F(FilterClientTest, The_push_protocol_is_mounted_before_anything_can_connect) {
    EXPECT_EQ(std::ranges::count(bench_.notes.accepted, filter_push_protocol), 1);
}

TEST_F(FilterClientTest, Subscribes_at_two_peers_of_three) {
    for (const char* peer : {"a", "b", "c"}) {
        connect(peer);
    }
    ASSERT_EQ(requests().size(), 2U);
    EXPECT_EQ(last().act, FilterAct::subscribe);
    EXPECT_EQ(last().pubsub_topic, shard);
    EXPECT_EQ(last().content_topics, std::vector{alerts});
}

TEST_F(FilterClientTest, Pings_each_minute_and_subscribes_anew_after_five) {
    connect("a");
    answer_last(status::ok);
    std::vector<FilterAct> acts;
    for (int minute = 0; minute < 6; ++minute) {
        bench_.advance(Milliseconds(60'500));
        acts.push_back(last().act);
        answer_last(status::ok);
    }
    using enum FilterAct;
    EXPECT_EQ(acts, (std::vector{ping, ping, ping, ping, subscribe, ping}));
}

TEST_F(FilterClientTest, A_peer_that_has_forgotten_us_is_asked_anew_at_once) {
    connect("a");
    answer_last(status::ok);
    bench_.advance(Milliseconds(60'500));
    answer_last(status::not_found);
    bench_.advance(Milliseconds(1'500));
    EXPECT_EQ(last().act, FilterAct::subscribe);
}

TEST_F(FilterClientTest, A_peer_that_fails_twice_gives_its_place_to_another) {
    for (const char* peer : {"a", "b", "c"}) {
        connect(peer);
    }
    answer(requests()[1], status::ok);
    bench_.event(event::StreamEnded{requests()[0], StreamEnd::reset, ""});
    bench_.advance(Milliseconds(1'500));
    ASSERT_EQ(requests().size(), 3U);
    EXPECT_EQ(asked(2), "a");
    fail_last();
    bench_.advance(Milliseconds(500));
    ASSERT_EQ(requests().size(), 4U);
    EXPECT_EQ(asked(3), "c");
}

TEST_F(FilterClientTest, The_only_peer_is_tried_for_ever_with_growing_pauses) {
    connect("a");
    std::vector<int> half_seconds;
    for (std::size_t round = 1; round <= 9; ++round) {
        fail_last();
        int waited = 0;
        while (requests().size() == round && waited < 400) {
            bench_.advance(Milliseconds(500));
            ++waited;
        }
        half_seconds.push_back(waited);
    }
    EXPECT_EQ(half_seconds, (std::vector<int>{3, 4, 8, 16, 32, 64, 120, 120, 120}));
    answer_last(status::ok);
    EXPECT_TRUE(push("a", {NodeBench::message()}));
}

TEST_F(FilterClientTest, A_rate_limit_is_waited_out_at_the_same_peer) {
    connect("a");
    connect("b");
    answer(requests()[1], status::ok);
    answer(requests()[0], status::rate_limited, "N/A");
    connect("c");
    bench_.advance(Milliseconds(2'500));
    ASSERT_EQ(requests().size(), 3U);
    EXPECT_EQ(asked(2), "a");
    answer_last(status::ok);
}

TEST_F(FilterClientTest, A_new_connection_means_a_new_subscription) {
    connect("a");
    answer_last(status::ok);
    bench_.event(event::Closed{"a", "gone", 0});
    connect("a");
    EXPECT_EQ(requests().size(), 2U);
    EXPECT_EQ(last().act, FilterAct::subscribe);
}

TEST_F(FilterClientTest, Takes_one_or_many_messages_a_stream_and_each_hash_once) {
    connect("a");
    connect("b");
    EXPECT_TRUE(push("a", {NodeBench::message(1), NodeBench::message(2)}));
    EXPECT_TRUE(push("b", {NodeBench::message(2), NodeBench::message(3)}));
    for (std::uint8_t n = 1; n <= 3; ++n) {
        const auto next = bench_.next_message();
        ASSERT_TRUE(next->ended());
        EXPECT_EQ((**next->result).message.payload, Bytes{n});
    }
    EXPECT_FALSE(bench_.next_message()->ended());
}

TEST_F(FilterClientTest, A_push_that_was_not_asked_for_is_refused) {
    connect("a");
    EXPECT_FALSE(push("stranger", {NodeBench::message()}));
    EXPECT_FALSE(push("a", {NodeBench::message()}, "/waku/2/rs/16/64"));
    WakuMessage other = NodeBench::message();
    other.content_topic = "/other/1/x/proto";
    EXPECT_TRUE(push("a", {other})) << "a server's mistake is no attack";
    EXPECT_FALSE(bench_.next_message()->ended());
    EXPECT_EQ(bench_.counter("noroshi_waku_received_total", {{"way", "filter"}, {"result", "not_asked_for"}}), 3U);
}

TEST_F(FilterClientTest, A_peer_that_lost_its_place_may_go_on_to_push) {
    connect("a");
    connect("b");
    connect("c");
    fail_last();  // of b
    bench_.advance(Milliseconds(2'000));
    fail_last();
    bench_.advance(Milliseconds(1'500));
    ASSERT_EQ(asked(requests().size() - 1), "c");
    EXPECT_TRUE(push("b", {NodeBench::message()})) << "what it was asked for is no fault";
    EXPECT_TRUE(bench_.next_message()->ended());
}

TEST_F(FilterClientTest, A_flood_of_a_filter_peer_fills_the_queue_and_no_more) {
    connect("a");
    for (int i = 0; i < 1'200; ++i) {
        WakuMessage message = NodeBench::message();
        message.timestamp_ns = i;
        push("a", {message});
        bench_.event(event::StreamEof{next_ - 1});
    }
    EXPECT_EQ(bench_.counter("noroshi_waku_received_total", {{"way", "filter"}, {"result", "queue_full"}}), 200U);
}

TEST_F(FilterClientTest, A_topic_that_is_added_is_subscribed_at_once_and_pushed) {
    connect("a");
    answer_last(status::ok);
    bench_.advance(Milliseconds(5'000));
    bench_.node().set_content_topics({alerts, "/later/1/x/proto"});
    ASSERT_EQ(requests().size(), 2U);
    EXPECT_EQ(last().act, FilterAct::subscribe);
    EXPECT_EQ(last().content_topics, (std::vector<std::string>{"/later/1/x/proto", alerts}));
    WakuMessage later = NodeBench::message();
    later.content_topic = "/later/1/x/proto";
    EXPECT_TRUE(push("a", {later}));
    EXPECT_TRUE(bench_.next_message()->ended());
}

TEST_F(FilterClientTest, A_topic_that_is_gone_is_given_up_and_not_received) {
    connect("a");
    answer_last(status::ok);
    bench_.node().set_content_topics({"/later/1/x/proto"});
    EXPECT_EQ(requests().size(), 1U) << "one request in 1.1 s";
    bench_.advance(Milliseconds(1'500));
    EXPECT_EQ(last().act, FilterAct::subscribe);
    answer_last(status::ok);
    bench_.advance(Milliseconds(1'500));
    ASSERT_EQ(requests().size(), 3U);
    EXPECT_EQ(last().act, FilterAct::unsubscribe);
    EXPECT_EQ(last().pubsub_topic, shard);
    EXPECT_EQ(last().content_topics, std::vector{alerts});
    EXPECT_TRUE(push("a", {NodeBench::message()})) << "it may be on its way";
    EXPECT_FALSE(bench_.next_message()->ended());
    answer_last(status::ok);
    bench_.advance(Milliseconds(5'000));
    EXPECT_EQ(requests().size(), 3U);
}

TEST_F(FilterClientTest, Without_topics_nobody_is_asked_and_with_the_first_all_begins) {
    connect("a");
    answer_last(status::ok);
    bench_.node().set_content_topics({});
    bench_.advance(Milliseconds(1'500));
    EXPECT_EQ(last().act, FilterAct::unsubscribe);
    answer_last(status::ok);
    bench_.advance(std::chrono::minutes(10));
    EXPECT_EQ(requests().size(), 2U) << "no pings";
    bench_.node().set_content_topics({alerts});
    ASSERT_EQ(requests().size(), 3U);
    EXPECT_EQ(last().act, FilterAct::subscribe);
}

TEST_F(FilterClientTest, An_answer_to_the_topics_of_before_is_not_taken_for_one_to_those_of_now) {
    connect("a");
    bench_.node().set_content_topics({alerts, "/later/1/x/proto"});
    EXPECT_EQ(requests().size(), 1U);
    answer_last(status::ok);
    bench_.advance(Milliseconds(1'500));
    ASSERT_EQ(requests().size(), 2U);
    EXPECT_EQ(last().content_topics.size(), 2U);
    answer_last(status::ok);
    bench_.advance(Milliseconds(5'000));
    EXPECT_EQ(requests().size(), 2U);
}

TEST_F(FilterClientTest, A_peer_that_has_forgotten_us_when_a_topic_is_given_up_is_asked_anew) {
    connect("a");
    bench_.node().set_content_topics({alerts, "/later/1/x/proto"});
    answer_last(status::ok);
    bench_.advance(Milliseconds(1'500));
    answer_last(status::ok);
    bench_.node().set_content_topics({alerts});
    bench_.advance(Milliseconds(1'500));
    ASSERT_EQ(last().act, FilterAct::unsubscribe);
    answer_last(status::not_found);
    bench_.advance(Milliseconds(1'500));
    EXPECT_EQ(last().act, FilterAct::subscribe);
    answer_last(status::ok);
    bench_.advance(Milliseconds(5'000));
    EXPECT_EQ(requests().size(), 4U) << "nothing is left to be given up";
}

TEST(FilterClientShards, Each_shard_is_one_request_and_they_keep_a_distance) {
    NodeBench bench;
    NodeConfig config = NodeBench::config();
    config.mode = Mode::light;
    config.shards = {32, 64};
    bench.start(std::move(config));
    bench.connect("a", {std::string(filter_subscribe_protocol)});
    const auto answer_last = [&bench] {
        const StreamId stream = bench.streams_of(filter_subscribe_protocol).back();
        FrameReader reader(1'000);
        const FilterRequest request = *decode_filter_request(**reader.feed(bench.notes.streams.at(stream).written));
        bench.answer(stream, encode_filter_answer({request.request_id, status::ok, ""}));
        return request.pubsub_topic;
    };
    EXPECT_EQ(answer_last(), "/waku/2/rs/16/32");
    bench.advance(Milliseconds(1'000));
    EXPECT_EQ(bench.streams_of(filter_subscribe_protocol).size(), 1U);
    bench.advance(Milliseconds(500));
    EXPECT_EQ(answer_last(), "/waku/2/rs/16/64");
}

}  // namespace
}  // namespace noroshi::waku
