// test/unit/waku/rest_node_test.cpp - a node behind a REST API: what it asks, and what faults of the other side do to it.
#include <gmock/gmock.h>

#include "rest_bench.hpp"

namespace noroshi::waku {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string relay_get = "GET " + RestBench::relay_path();
const std::string relay_post = "POST " + RestBench::relay_path();
const std::string push_v3 = "POST /lightpush/v3/message";
const std::string push_v1 = "POST /lightpush/v1/message";

class RestNodeTest : public ::testing::Test {
  protected:
    /// A go-waku without relay, behind a service node.
    void be_light() {
        bench_.be_go_waku();
        bench_.replies.erase(relay_get);
        bench_.replies["GET " + RestBench::go_filter_path()] = {200, "[]"};
        bench_.replies["POST /filter/v2/subscriptions"] = {200, R"({"requestId":"r","statusDesc":"OK"})"};
        bench_.replies["GET /filter/v2/subscriptions/noroshi"] = {200, R"({"requestId":"noroshi","statusDesc":"OK"})"};
        bench_.replies[push_v1] = {200, "true"};
    }
    RestBench bench_;
};

TEST_F(RestNodeTest, Publishes_by_relay_and_says_who_took_it) {
    bench_.be_go_waku();
    bench_.start_ready();
    const WakuMessage message = RestBench::message(1);
    const Result<Publication> published = bench_.publish(message);
    ASSERT_TRUE(published) << published.error().message;
    EXPECT_EQ(published->hash, message_hash(RestBench::shard, message));
    EXPECT_THAT(published->peers, ElementsAre("NODE"));
    EXPECT_EQ(bench_.bodies[relay_post], rest::encode_message_json(message));
    EXPECT_EQ(bench_.times(push_v3) + bench_.times(push_v1), 0U);
}

TEST_F(RestNodeTest, Pushes_when_the_program_does_not_relay_and_remembers_how) {
    be_light();
    bench_.start_ready();
    ASSERT_TRUE(bench_.publish(RestBench::message(1)));
    ASSERT_TRUE(bench_.publish(RestBench::message(2)));
    EXPECT_EQ(bench_.times(push_v3), 1U) << "asked once whether it is there";
    EXPECT_EQ(bench_.times(push_v1), 2U);
    EXPECT_EQ(bench_.times(relay_post), 0U);
}

TEST_F(RestNodeTest, A_push_that_reached_nobody_is_no_success) {
    be_light();
    bench_.replies[push_v3] = {200, R"({"relayPeerCount":0})"};
    bench_.start_ready();
    EXPECT_THAT(bench_.publish(RestBench::message(1)).error().message, StartsWith("no_peers: "));
    bench_.replies[push_v3] = {200, "true"};
    EXPECT_THAT(bench_.publish(RestBench::message(1)).error().message, StartsWith("bad_reply: "));
}

TEST_F(RestNodeTest, Names_why_a_publish_failed) {
    bench_.be_go_waku();
    bench_.start_ready();
    const auto reason = [&](RestBench::Reply reply) {
        bench_.replies[relay_post] = std::move(reply);
        const Result<Publication> published = bench_.publish(RestBench::message(1));
        return published ? "none" : published.error().message.substr(0, published.error().message.find(':'));
    };
    EXPECT_EQ(reason({500, ""}), "refused");
    EXPECT_EQ(reason({400, "Failed to publish: RLN validation failed"}), "rln_required");
    EXPECT_EQ(reason({429, ""}), "rate_limited");
    EXPECT_EQ(reason({302, ""}), "bad_reply");
    EXPECT_EQ(reason({420, "Dropping already-seen message"}), "none") << "the network has it";
    WakuMessage large = RestBench::message(1);
    large.payload.resize(150'000);
    EXPECT_THAT(bench_.publish(large).error().message, StartsWith("too_large: "));
    large.payload.clear();
    EXPECT_THAT(bench_.publish(large).error().message, StartsWith("invalid: "));
    const auto foreign = test::run(bench_.runtime, bench_.node->publish("/waku/2/rs/1/0", RestBench::message(1)));
    EXPECT_THAT(foreign.error().message, StartsWith("foreign_topic: "));
    EXPECT_EQ(bench_.counter("noroshi_waku_published_total", {{"mode", "rest"}, {"result", "rln_required"}}), 1U);
}

TEST_F(RestNodeTest, A_refusal_without_words_is_explained_by_missing_peers) {
    bench_.be_go_waku();
    bench_.replies["GET /admin/v1/peers"] = {200, "[]"};
    bench_.replies[relay_post] = {500, ""};
    bench_.start_ready();
    EXPECT_THAT(bench_.publish(RestBench::message(1)).error().message, StartsWith("no_peers: "));
    EXPECT_THAT(bench_.node->problem(), StartsWith("no_peers: "));
}

TEST_F(RestNodeTest, Gives_each_message_of_its_topics_once_and_never_an_own_one) {
    bench_.be_go_waku();
    WakuMessage other = RestBench::message(9);
    other.content_topic = "/other/1/topic/proto";
    bench_.start_ready();
    ASSERT_TRUE(bench_.publish(RestBench::message(3)));
    bench_.once[relay_get] = {{200, RestBench::list({RestBench::message(1), other, RestBench::message(3)})},
                              {200, RestBench::list({RestBench::message(1), RestBench::message(2)})}};
    ASSERT_TRUE(bench_.until([&] { return bench_.received().size() >= 2; }));
    EXPECT_THAT(bench_.received(), ElementsAre(RestBench::message(1), RestBench::message(2)));
    const auto count = [&](const char* result) {
        return bench_.counter("noroshi_waku_received_total", {{"way", "rest_relay"}, {"result", result}});
    };
    EXPECT_EQ(count("accepted"), 2U);
    EXPECT_EQ(count("duplicate"), 2U);
    EXPECT_EQ(count("not_asked_for"), 1U);
    EXPECT_THAT(bench_.node->echoed_by(message_hash(RestBench::shard, RestBench::message(3))), IsEmpty());
}

TEST_F(RestNodeTest, Subscribes_only_when_it_is_told_that_there_is_no_subscription) {
    bench_.be_go_waku();
    bench_.once[relay_get] = {{404, "no subscription found for pubsubTopic"}};
    bench_.start_ready();
    ASSERT_TRUE(bench_.until([&] { return bench_.times(relay_get) > 10; }));
    EXPECT_EQ(bench_.times("POST /relay/v1/subscriptions"), 1U) << "each is one more cache inside go-waku";
    EXPECT_EQ(bench_.bodies["POST /relay/v1/subscriptions"], R"(["/waku/2/rs/16/32"])");
    EXPECT_EQ(bench_.node->problem(), "");
}

TEST_F(RestNodeTest, Speaks_nwakus_filter_and_lightpush) {
    bench_.be_nwaku();
    bench_.replies["POST /filter/v2/subscriptions"] = {200, R"({"requestId":"r","statusDesc":"OK"})"};
    bench_.replies["GET /filter/v2/subscriptions/noroshi"] = {200, "{}"};
    const std::string cache = "GET " + RestBench::nwaku_filter_path();
    bench_.replies[cache] = {200, "[]"};
    bench_.once[cache] = {{200, RestBench::list({RestBench::message(1)})}};
    bench_.start_ready();
    ASSERT_TRUE(bench_.until([&] { return !bench_.received().empty(); }));
    EXPECT_THAT(bench_.received(), ElementsAre(RestBench::message(1)));
    EXPECT_THAT(bench_.bodies["POST /filter/v2/subscriptions"], HasSubstr(std::string(RestBench::topic)));
    EXPECT_THAT(bench_.node->peers().front().agent, "nwaku v0.38.1");
    bench_.replies[push_v3] = {200, R"({"relayPeerCount":2})"};
    EXPECT_TRUE(bench_.publish(RestBench::message(2)));
}

TEST_F(RestNodeTest, A_filter_subscription_that_was_lost_is_made_anew) {
    be_light();
    bench_.start_ready();
    EXPECT_EQ(bench_.times("POST /filter/v2/subscriptions"), 1U);
    // The service node forgot it: seen at the check.
    bench_.once["GET /filter/v2/subscriptions/noroshi"] = {{404, R"({"statusDesc":"peer has no subscription"})"}};
    ASSERT_TRUE(bench_.until([&] { return bench_.times("POST /filter/v2/subscriptions") == 2; }));
    // The program forgot it: seen at its cache.
    bench_.once["GET " + RestBench::go_filter_path()] = {{404, "not subscribed to pubsubTopic:/p contentTopic: /c"}};
    ASSERT_TRUE(bench_.until([&] { return bench_.logged("rest_subscribed") >= 2; }));
}

TEST_F(RestNodeTest, A_relay_that_collects_all_is_read_for_topics_that_are_named_later) {
    bench_.be_go_waku();
    bench_.start_ready();
    const auto counted = [&](const char* result) {
        return bench_.counter("noroshi_waku_received_total", {{"way", "rest_relay"}, {"result", result}});
    };
    WakuMessage later = RestBench::message(1);
    later.content_topic = RestBench::later;
    bench_.once[relay_get] = {{200, RestBench::list({later})}};
    ASSERT_TRUE(bench_.until([&] { return counted("not_asked_for") == 1; }));
    bench_.node->set_content_topics({later.content_topic});
    bench_.once[relay_get] = {{200, RestBench::list({RestBench::message(2), later})}};
    ASSERT_TRUE(bench_.until([&] { return bench_.received().size() == 1; }));
    EXPECT_THAT(bench_.received(), ElementsAre(later)) << "that it was passed over before is no reason to lose it";
    EXPECT_EQ(counted("not_asked_for"), 2U);
}

TEST_F(RestNodeTest, The_filter_subscription_follows_the_topics) {
    be_light();
    bench_.replies["DELETE /filter/v2/subscriptions"] = {200, R"({"requestId":"r","statusDesc":"OK"})"};
    bench_.start_ready();
    WakuMessage later = RestBench::message(1);
    later.content_topic = RestBench::later;
    const std::string cache = "GET " + RestBench::later_filter_path();
    bench_.replies[cache] = {200, "null"};
    bench_.once[cache] = {{200, RestBench::list({later})}};
    bench_.node->set_content_topics({later.content_topic});
    ASSERT_TRUE(bench_.until([&] { return bench_.received().size() == 1; }));
    EXPECT_THAT(bench_.received(), ElementsAre(later));
    EXPECT_THAT(bench_.bodies["POST /filter/v2/subscriptions"], HasSubstr(later.content_topic));
    EXPECT_THAT(bench_.bodies["POST /filter/v2/subscriptions"], Not(HasSubstr(std::string(RestBench::topic))));
    EXPECT_THAT(bench_.bodies["DELETE /filter/v2/subscriptions"], HasSubstr(std::string(RestBench::topic)));
    EXPECT_THAT(bench_.bodies["DELETE /filter/v2/subscriptions"], Not(HasSubstr(later.content_topic)));
    const std::size_t polled = bench_.times("GET " + RestBench::go_filter_path());
    const std::size_t turns = bench_.times(cache);
    ASSERT_TRUE(bench_.until([&] { return bench_.times(cache) > turns + 3; }));
    EXPECT_EQ(bench_.times("GET " + RestBench::go_filter_path()), polled) << "nobody reads that topic any more";
    EXPECT_EQ(bench_.node->problem(), "");
}

TEST_F(RestNodeTest, A_topic_that_cannot_be_added_yet_keeps_nobody_from_reading_the_others) {
    be_light();
    bench_.replies["GET " + RestBench::later_filter_path()] = {200, "null"};
    bench_.start_ready();
    bench_.replies["POST /filter/v2/subscriptions"] = {400, R"({"requestId":"r","statusDesc":"subscription failed"})"};
    bench_.node->set_content_topics({std::string(RestBench::topic), std::string(RestBench::later)});
    ASSERT_TRUE(bench_.until([&] { return bench_.node->problem().find("subscription failed") != std::string::npos; }));
    bench_.once["GET " + RestBench::go_filter_path()] = {{200, RestBench::list({RestBench::message(1)})}};
    ASSERT_TRUE(bench_.until([&] { return !bench_.received().empty(); }));
    bench_.replies["POST /filter/v2/subscriptions"] = {200, R"({"requestId":"r","statusDesc":"OK"})"};
    ASSERT_TRUE(bench_.until([&] { return bench_.node->problem().empty(); }));
}

TEST_F(RestNodeTest, A_refused_subscription_is_a_problem_and_is_not_asked_for_in_a_storm) {
    be_light();
    bench_.replies["POST /filter/v2/subscriptions"] = {400, R"({"requestId":"r","statusDesc":"subscription failed"})"};
    bench_.start_ready();
    const std::uint64_t before = bench_.counter("noroshi_waku_rest_errors_total", {{"reason", "refused"}});
    ASSERT_TRUE(bench_.until([&] { return bench_.counter("noroshi_waku_rest_errors_total", {{"reason", "refused"}}) > before + 20; }));
    EXPECT_LT(bench_.times("POST /filter/v2/subscriptions"), 10U) << "waits twice as long each time";
    EXPECT_THAT(bench_.node->problem(), HasSubstr("subscription failed"));
    EXPECT_TRUE(bench_.publish(RestBench::message(1))) << "sending works all the same";
}

TEST_F(RestNodeTest, Starts_before_the_program_does) {
    bench_.be_go_waku();
    bench_.start_server();
    bench_.stop_server();
    bench_.start(bench_.config());
    EXPECT_EQ(bench_.node->state(), NodeState::running);
    ASSERT_TRUE(bench_.until([&] { return bench_.counter("noroshi_waku_rest_errors_total", {{"reason", "host_down"}}) > 3; }));
    EXPECT_THAT(bench_.node->problem(), StartsWith("host_down: "));
    EXPECT_THAT(bench_.publish(RestBench::message(1)).error().message, StartsWith("host_down: "));
    EXPECT_TRUE(bench_.publish(RestBench::message(1)).error().retryable);
    EXPECT_EQ(bench_.logged("rest_down"), 1U) << "told once a minute";
    EXPECT_THAT(bench_.node->peers(), IsEmpty());
    bench_.start_server();
    ASSERT_TRUE(bench_.until([&] { return bench_.ready == 1; }));
    EXPECT_EQ(bench_.node->problem(), "");
    EXPECT_EQ(bench_.node->peer_id(), "NODE");
    EXPECT_EQ(bench_.node->peers().size(), 1U);
    EXPECT_TRUE(bench_.publish(RestBench::message(1)));
}

TEST_F(RestNodeTest, A_restart_is_noticed_and_tells_that_messages_can_go) {
    bench_.be_go_waku();
    bench_.start_ready();
    bench_.stop_server();
    ASSERT_TRUE(bench_.until([&] { return !bench_.node->problem().empty(); }));
    bench_.once[relay_get] = {{404, "no subscription found for pubsubTopic"}};
    bench_.start_server();
    ASSERT_TRUE(bench_.until([&] { return bench_.ready == 2; }));
    EXPECT_EQ(bench_.times("POST /relay/v1/subscriptions"), 1U);
    EXPECT_EQ(bench_.node->problem(), "");
}

TEST_F(RestNodeTest, A_restart_between_two_questions_is_noticed_by_the_record) {
    bench_.be_go_waku();
    bench_.start_ready();
    bench_.replies["GET /debug/v1/info"] = {200, R"({"enrUri":"enr:2","listenAddresses":[]})"};
    ASSERT_TRUE(bench_.until([&] { return bench_.ready == 2; }));
    EXPECT_EQ(bench_.logged("rest_restarted"), 1U);
    EXPECT_THAT(bench_.publish(RestBench::message(1))->peers.front(), StartsWith("http://127.0.0.1:"));
}

TEST_F(RestNodeTest, Something_that_is_no_waku_node_is_never_ready) {
    bench_.replies["GET /info"] = {200, R"({"name":"a program"})"};
    bench_.start();
    ASSERT_TRUE(bench_.until([&] { return bench_.times("GET /info") > 3; }));
    EXPECT_THAT(bench_.node->problem(), StartsWith("bad_reply: "));
    bench_.replies["GET /info"] = {404, "/info endpoints are not available while initializing."};
    ASSERT_TRUE(bench_.until([&] { return bench_.node->problem().starts_with("host_down: HTTP 404"); }));
    EXPECT_EQ(bench_.ready, 0);
}

struct Bad {
    const char* name;
    RestBench::Reply reply;
    const char* reason;
};
void PrintTo(const Bad& b, std::ostream* out) { *out << b.name; }
class RestBadAnswer : public ::testing::TestWithParam<Bad> {};

TEST_P(RestBadAnswer, Is_counted_and_survived) {
    RestBench bench;
    bench.be_go_waku();
    bench.once[relay_get] = {GetParam().reply};
    bench.start();
    ASSERT_TRUE(bench.until([&] { return bench.counter("noroshi_waku_rest_errors_total", {{"reason", GetParam().reason}}) == 1; }));
    bench.once[relay_get] = {{200, RestBench::list({RestBench::message(1)})}};
    ASSERT_TRUE(bench.until([&] { return !bench.received().empty(); }));
    EXPECT_EQ(bench.node->problem(), "");
}
INSTANTIATE_TEST_SUITE_P(Replies, RestBadAnswer,
                         ::testing::Values(Bad{"no_json", {200, "<html>"}, "bad_reply"}, Bad{"empty", {200, ""}, "bad_reply"},
                                           Bad{"an_object", {200, "{}"}, "bad_reply"},
                                           Bad{"deep", {200, std::string(100'000, '[')}, "bad_reply"},
                                           Bad{"huge", {200, std::string(33 << 20, ' ')}, "bad_reply"},
                                           Bad{"redirect", {302, ""}, "bad_reply"}, Bad{"fault", {500, ""}, "refused"},
                                           Bad{"rate_limit", {429, "Too Many Requests"}, "rate_limited"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(RestNodeTest, What_is_no_message_is_counted_by_reason) {
    bench_.be_go_waku();
    bench_.once[relay_get] = {{200, R"([1, {"payload":"AQ=="}])"}};
    bench_.start_ready();
    EXPECT_EQ(bench_.counter("noroshi_waku_rejected_total", {{"reason", "malformed"}}), 1U);
    EXPECT_EQ(bench_.counter("noroshi_waku_rejected_total", {{"reason", "missing_content_topic"}}), 1U);
}

TEST_F(RestNodeTest, Reads_nothing_that_it_has_no_room_for) {
    bench_.be_go_waku();
    bench_.start_server();
    RestConfig config = bench_.config();
    config.limits.received_messages = 2;
    bench_.once[relay_get] = {{200, RestBench::list({RestBench::message(1), RestBench::message(2)})},
                              {200, RestBench::list({RestBench::message(3)})}};
    bench_.start(std::move(config));
    ASSERT_TRUE(bench_.until([&] { return bench_.times("GET /debug/v1/info") > 4; }));
    EXPECT_EQ(bench_.times(relay_get), 1U) << "reading empties the cache";
    ASSERT_TRUE(bench_.until([&] { return bench_.received().size() == 3; }));
}

TEST_F(RestNodeTest, Stop_ends_a_publish_that_waits) {
    bench_.be_go_waku();
    bench_.start_ready();
    bench_.hangs = relay_post;
    std::optional<Result<Publication>> outcome;
    TaskGroup group(bench_.runtime.executor());
    group.spawn("publish", [](Node& node, std::optional<Result<Publication>>& out) -> Task<void> {
        out.emplace(co_await node.publish(std::string(RestBench::shard), RestBench::message(1)));
    }(*bench_.node, outcome));
    ASSERT_TRUE(bench_.until([&] { return bench_.times(relay_post) == 1; }));
    test::run(bench_.runtime, bench_.node->stop());
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->error().code, Errc::cancelled);
    EXPECT_EQ(bench_.node->state(), NodeState::stopped);
}

TEST_F(RestNodeTest, A_configuration_that_cannot_work_is_refused) {
    const auto fault = [&](RestConfig config) {
        const auto made = make_rest_node(std::move(config), "test", bench_.runtime, bench_.clock, bench_.random, bench_.metrics, Log::none());
        return made ? std::string("none") : made.error().message;
    };
    RestConfig config;
    config.url = "127.0.0.1:8645";
    EXPECT_THAT(fault(config), StartsWith("bad URL"));
    config.url = "http://127.0.0.1:8645";
    config.shards = {1, 1};
    EXPECT_EQ(fault(config), "shards: 1 is named twice");
    config.shards = {1};
    config.content_topics.resize(101, "/a/1/b/c");
    EXPECT_EQ(fault(config), "content_topics: expected at most 100 of them");
}

}  // namespace
}  // namespace noroshi::waku
