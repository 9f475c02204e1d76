// test/unit/waku/node_publish_test.cpp - messages out: by gossip and by lightpush, and each named reason why not.
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "lightpush_rpc.hpp"

namespace noroshi::waku {
namespace {

using Call = std::shared_ptr<Outcome<Publication>>;

const std::string shard(NodeBench::shard);

class NodeRelayTest : public ::testing::Test {
  protected:
    void SetUp() override { bench_.start(NodeBench::config()); }
    /// Publishes, and the host says what became of it.
    Call publish(PublishOutcome outcome, std::string details = {}) {
        const Call call = bench_.publish(NodeBench::message());
        bench_.event(event::Published{notes_.publishes.back().request, outcome, std::move(details)});
        return call;
    }
    std::uint64_t counted(const char* result) {
        return bench_.counter("noroshi_waku_published_total", {{"mode", "relay"}, {"result", result}});
    }
    NodeBench bench_;
    HostNotes& notes_{bench_.notes};
};

TEST_F(NodeRelayTest, Gives_the_hash_and_the_subscribed_peers) {
    bench_.connect("p");
    bench_.connect("q");
    bench_.event(event::Subscription{"q", shard, false});
    const Call call = publish(PublishOutcome::published);
    ASSERT_EQ(call->error(), "ok");
    EXPECT_EQ((*call->result)->hash, message_hash(shard, NodeBench::message()));
    EXPECT_EQ((*call->result)->peers, std::vector<PeerId>{"p"});
    EXPECT_EQ(notes_.publishes.at(0).data, *encode_message(NodeBench::message()));
    EXPECT_EQ(notes_.publishes.at(0).topic, shard);
    EXPECT_EQ(counted("handed_over"), 1U);
}

TEST_F(NodeRelayTest, Waits_for_the_host) {
    const Call call = bench_.publish(NodeBench::message());
    bench_.advance(Milliseconds(9'500));
    EXPECT_EQ(call->error(), "pending");
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(call->error(), "timeout: no answer of the p2p host");
    EXPECT_TRUE(call->retryable());
}

TEST_F(NodeRelayTest, Nobody_subscribed_is_named_and_worth_another_try) {
    const Call call = publish(PublishOutcome::no_peers);
    EXPECT_EQ(call->error(), "no_peers: nobody connected is subscribed to /waku/2/rs/16/32");
    EXPECT_TRUE(call->retryable());
    EXPECT_EQ(counted("no_peers"), 1U);
}

TEST_F(NodeRelayTest, What_was_published_before_counts_as_success) {
    const Call call = publish(PublishOutcome::duplicate);
    ASSERT_EQ(call->error(), "ok");
    EXPECT_TRUE((*call->result)->peers.empty());
}

TEST_F(NodeRelayTest, Full_queues_are_worth_another_try_and_too_large_is_not) {
    const Call full = publish(PublishOutcome::queues_full);
    EXPECT_EQ(full->error().substr(0, 5), "busy:");
    EXPECT_TRUE(full->retryable());
    const Call large = publish(PublishOutcome::too_large);
    EXPECT_EQ(large->error().substr(0, 10), "too_large:");
    EXPECT_FALSE(large->retryable());
}

TEST_F(NodeRelayTest, Any_other_reason_is_passed_on_in_printable_form) {
    EXPECT_EQ(publish(PublishOutcome::failed, "odd\n")->error(), "refused: odd?");
}

TEST_F(NodeRelayTest, A_busy_host_is_worth_another_try) {
    notes_.busy = true;
    const Call call = bench_.publish(NodeBench::message());
    EXPECT_EQ(call->error(), "busy: the p2p host is busy");
    EXPECT_TRUE(call->retryable());
}

TEST_F(NodeRelayTest, What_no_peer_would_take_is_refused_at_once) {
    WakuMessage empty = NodeBench::message();
    empty.payload.clear();
    EXPECT_EQ(bench_.publish(empty)->error(), "invalid: missing_payload");
    WakuMessage large = NodeBench::message();
    large.payload.assign(max_published_bytes, 1);
    const Call call = bench_.publish(large);
    EXPECT_EQ(call->error().substr(0, 10), "too_large:");
    EXPECT_FALSE(call->retryable());
    large.payload.assign(max_message_bytes, 1);
    EXPECT_EQ(bench_.publish(large)->error().substr(0, 10), "too_large:");
    EXPECT_EQ(counted("too_large"), 2U);
    EXPECT_EQ(bench_.call(bench_.node().publish("/waku/2/rs/16/33", NodeBench::message()))->error(),
              "foreign_topic: /waku/2/rs/16/33 is not a shard of this node");
    EXPECT_TRUE(notes_.publishes.empty());
}

TEST_F(NodeRelayTest, A_crash_of_the_host_ends_a_publish_that_waits) {
    const Call call = bench_.publish(NodeBench::message());
    bench_.event(event::Stopped{"a panic"});
    EXPECT_EQ(call->error(), "host_down: a panic");
    EXPECT_TRUE(call->retryable());
    EXPECT_EQ(bench_.publish(NodeBench::message())->error(), "host_down");
}

TEST_F(NodeRelayTest, Stop_ends_a_publish_that_waits) {
    const Call call = bench_.publish(NodeBench::message());
    const auto stopped = bench_.begin_stop();
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(stopped->error(), "ok");
    EXPECT_EQ(call->result->error().code, Errc::cancelled);
    EXPECT_FALSE(call->retryable());
}

TEST_F(NodeRelayTest, An_answer_that_comes_too_late_is_passed_over) {
    const Call call = bench_.publish(NodeBench::message());
    bench_.advance(Milliseconds(10'000));
    bench_.event(event::Published{notes_.publishes.at(0).request, PublishOutcome::published, ""});
    EXPECT_EQ(call->result->error().code, Errc::timeout);
}

class NodeLightTest : public ::testing::Test {
  protected:
    void SetUp() override {
        NodeConfig config = NodeBench::config();
        config.mode = Mode::light;
        bench_.start(std::move(config));
    }
    void connect(const PeerId& peer) { bench_.connect(peer, {std::string(lightpush_v2_protocol)}); }
    [[nodiscard]] std::vector<StreamId> pushes() const { return bench_.streams_of(lightpush_v2_protocol); }
    /// The request's own id, from the bytes that were written.
    std::string request_id(StreamId stream) {
        FrameReader reader(max_message_bytes);
        const Bytes body = **reader.feed(notes_.streams.at(stream).written);
        return {body.begin() + 2, body.begin() + 2 + body[1]};
    }
    /// A lightpush response: request_id = 1, response = 3 { is_success = 1, info = 2 }
    static Bytes response(const std::string& id, bool success, const std::string& info) {
        Bytes inner{0x08, static_cast<std::uint8_t>(success), 0x12, static_cast<std::uint8_t>(info.size())};
        inner.insert(inner.end(), info.begin(), info.end());
        Bytes out{0x0a, static_cast<std::uint8_t>(id.size())};
        out.insert(out.end(), id.begin(), id.end());
        out.insert(out.end(), {0x1a, static_cast<std::uint8_t>(inner.size())});
        out.insert(out.end(), inner.begin(), inner.end());
        return out;
    }
    /// Answers the last push.
    void answer(bool success, const std::string& info) {
        const StreamId stream = pushes().back();
        bench_.answer(stream, response(request_id(stream), success, info));
    }
    std::uint64_t counted(const char* result) {
        return bench_.counter("noroshi_waku_published_total", {{"mode", "light"}, {"result", result}});
    }
    NodeBench bench_;
    HostNotes& notes_{bench_.notes};
};

TEST_F(NodeLightTest, A_push_that_is_taken_names_the_peer) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    ASSERT_EQ(pushes().size(), 1U);
    const Bytes expected = 
        frame(encode_push(LightpushVersion::v2, {request_id(1), std::string(shard), *encode_message(NodeBench::message())}));
    EXPECT_EQ(notes_.streams.at(1).written, expected);
    answer(true, "OK");
    ASSERT_EQ(call->error(), "ok");
    EXPECT_EQ((*call->result)->peers, std::vector<PeerId>{"p"});
    EXPECT_EQ((*call->result)->hash, message_hash(shard, NodeBench::message()));
    EXPECT_EQ(counted("handed_over"), 1U);
}

TEST_F(NodeLightTest, Without_a_peer_that_offers_it_the_reason_is_no_peers) {
    bench_.connect("p", {std::string(metadata_protocol)});
    const Call call = bench_.publish(NodeBench::message());
    EXPECT_EQ(call->error(), "no_peers: nobody connected offers lightpush");
    EXPECT_TRUE(call->retryable());
    EXPECT_TRUE(pushes().empty());
}

TEST_F(NodeLightTest, A_refusal_gives_the_peers_reason) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    answer(false, "no peers to relay");
    EXPECT_EQ(call->error(), "refused: no peers to relay");
    EXPECT_TRUE(call->retryable());
    EXPECT_EQ(counted("refused"), 1U);
}

TEST_F(NodeLightTest, The_next_peer_is_tried_when_one_refuses) {
    connect("p");
    connect("q");
    const Call call = bench_.publish(NodeBench::message());
    answer(false, "no");
    ASSERT_EQ(pushes().size(), 2U);
    EXPECT_NE(notes_.streams.at(pushes()[0]).peer, notes_.streams.at(pushes()[1]).peer);
    answer(true, "OK");
    EXPECT_EQ(call->error(), "ok");
}

TEST_F(NodeLightTest, Each_peer_is_tried_once) {
    connect("p");
    connect("q");
    const Call call = bench_.publish(NodeBench::message());
    answer(false, "one");
    answer(false, "two");
    EXPECT_EQ(call->error(), "refused: two");
    EXPECT_EQ(pushes().size(), 2U);
}

TEST_F(NodeLightTest, The_peer_that_took_the_last_message_is_asked_first) {
    connect("p");
    connect("q");
    const Call first = bench_.publish(NodeBench::message());
    answer(false, "no");
    answer(true, "OK");
    bench_.advance(Milliseconds(5'000));
    bench_.publish(NodeBench::message(2));
    EXPECT_EQ(notes_.streams.at(pushes()[2]).peer, notes_.streams.at(pushes()[1]).peer);
}

TEST_F(NodeLightTest, A_peer_that_goes_away_is_named) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    bench_.event(event::StreamEnded{1, StreamEnd::reset, "the connection went away"});
    bench_.event(event::Closed{"p", "gone", 0});
    EXPECT_EQ(call->error(), "reset: the connection went away");
    EXPECT_TRUE(call->retryable());
}

TEST_F(NodeLightTest, A_silent_peer_is_given_up_after_ten_seconds) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    bench_.advance(Milliseconds(10'500));
    EXPECT_EQ(call->error(), "timeout: no answer within 10 s");
    EXPECT_TRUE(notes_.streams.at(1).reset);
}

TEST_F(NodeLightTest, An_answer_to_another_request_is_no_success) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    bench_.answer(1, response("other", true, "OK"));
    EXPECT_EQ(call->error(), "bad_reply: the answer is to another request");
}

TEST_F(NodeLightTest, Malformed_and_empty_answers_are_no_success) {
    connect("p");
    const Call malformed = bench_.publish(NodeBench::message());
    bench_.answer(1, Bytes{0xff});
    EXPECT_EQ(malformed->error(), "bad_reply: malformed");
    bench_.advance(Milliseconds(2'000));
    const Call empty = bench_.publish(NodeBench::message(2));
    bench_.answer(2, Bytes{});
    EXPECT_EQ(empty->error(), "bad_reply: no_response");
}

TEST_F(NodeLightTest, A_peer_gets_at_most_one_push_a_second) {
    connect("p");
    bench_.publish(NodeBench::message(1));
    bench_.publish(NodeBench::message(2));
    EXPECT_EQ(pushes().size(), 1U);
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(pushes().size(), 1U);
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(pushes().size(), 2U);
}

TEST_F(NodeLightTest, More_pushes_than_a_peer_can_take_soon_are_refused) {
    connect("p");
    std::vector<Call> calls;
    for (std::uint8_t i = 1; i <= 12; ++i) {
        calls.push_back(bench_.publish(NodeBench::message(i)));
    }
    EXPECT_EQ(calls.at(9)->error(), "pending");
    EXPECT_EQ(calls.at(11)->error(), "rate_limited: the peer asked to wait");
    EXPECT_TRUE(calls.at(11)->retryable());
}

TEST_F(NodeLightTest, A_rate_limit_of_the_peer_is_honoured_with_growing_waits) {
    connect("p");
    std::vector<std::size_t> half_seconds;
    for (std::uint8_t i = 1; i <= 4; ++i) {
        const Call call = bench_.publish(NodeBench::message(i));
        std::size_t waited = 0;
        while (pushes().size() < i && waited < 100) {
            bench_.advance(Milliseconds(500));
            ++waited;
        }
        half_seconds.push_back(waited);
        bench_.answer(pushes().back(), response("N/A", false, "exceeds the rate limit"));
        EXPECT_EQ(call->error(), "rate_limited: exceeds the rate limit");
    }
    EXPECT_EQ(half_seconds, (std::vector<std::size_t>{0, 3, 4, 8}));  // 0, 1.1, 2, 4 s
}

TEST_F(NodeLightTest, A_peer_of_another_cluster_gets_no_push) {
    bench_.connect("p", {std::string(lightpush_v2_protocol), std::string(metadata_protocol)});
    bench_.answer(bench_.streams_of(metadata_protocol).at(0), encode_metadata({1, {0}}));
    EXPECT_EQ(bench_.publish(NodeBench::message())->error().substr(0, 9), "no_peers:");
}

TEST_F(NodeLightTest, Stop_ends_a_push_that_waits_for_its_answer) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    const auto stopped = bench_.begin_stop();
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(stopped->error(), "ok");
    EXPECT_FALSE(*call->result);
}

TEST_F(NodeLightTest, Stop_ends_a_push_that_waits_for_its_turn) {
    connect("p");
    bench_.publish(NodeBench::message(1));
    const Call second = bench_.publish(NodeBench::message(2));
    const auto stopped = bench_.begin_stop();
    bench_.advance(Milliseconds(500));
    EXPECT_EQ(stopped->error(), "ok");
    EXPECT_EQ(second->result->error().code, Errc::cancelled);
    EXPECT_EQ(pushes().size(), 1U);
}

TEST_F(NodeLightTest, A_crash_of_the_host_ends_a_push) {
    connect("p");
    const Call call = bench_.publish(NodeBench::message());
    bench_.event(event::Stopped{"a panic"});
    EXPECT_EQ(call->error(), "host_down");
    EXPECT_TRUE(call->retryable());
}

}  // namespace
}  // namespace noroshi::waku
