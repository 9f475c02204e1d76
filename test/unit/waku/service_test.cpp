// test/unit/waku/service_test.cpp - a relay node as the server of others: every code, every limit, every flood.
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "filter_rpc.hpp"
#include "lightpush_rpc.hpp"
#include "service/filter_server.hpp"
#include "service/service.hpp"
#include "store_rpc.hpp"

namespace noroshi::waku {
namespace {

const std::string shard(NodeBench::shard);
const std::string alerts = "/noroshi/1/alerts/proto";
constexpr std::int64_t now_ns = 1'700'000'000'000'000'000;

WakuMessage fresh(std::uint8_t n = 1) {
    WakuMessage out = NodeBench::message(n);
    out.timestamp_ns = now_ns + n;
    return out;
}

class ServiceTest : public ::testing::Test {
  protected:
    void SetUp() override { start(false); }
    void start(bool alone) {
        NodeConfig config = NodeBench::config();
        config.content_topics = {};
        config.services = {.filter = true, .lightpush = true, .store = true, .alone = alone};
        bench_.start(std::move(config));
    }
    /// Opens an inbound stream and sends one frame; the body of the answer, if any.
    std::optional<Bytes> ask(std::string_view protocol, const Bytes& body, const PeerId& peer = "client") {
        const StreamId stream = next_++;
        bench_.event(event::StreamIn{stream, peer, std::string(protocol)});
        bench_.event(event::StreamData{stream, frame(body)});
        return answer(stream);
    }
    std::optional<Bytes> answer(StreamId stream) {
        FrameReader reader(max_store_frame_bytes);
        const Bytes& written = bench_.notes.streams.at(stream).written;
        std::optional<Bytes> body = written.empty() ? std::nullopt : *reader.feed(written);
        if (body) {
            bench_.event(event::StreamEnded{stream, StreamEnd::finished, ""});
        }
        return body;
    }
    StreamId begin_push(const WakuMessage& message, LightpushVersion version = LightpushVersion::v3,
                        const std::string& topic = shard) {
        const StreamId stream = next_;
        EXPECT_FALSE(ask(lightpush_protocol(version), encode_push(version, {"r", topic, *encode_message(message)})));
        return stream;
    }
    void published(PublishOutcome outcome) {
        bench_.event(event::Published{bench_.notes.publishes.back().request, outcome, ""});
    }
    PushAnswer push_answer(StreamId stream, LightpushVersion version = LightpushVersion::v3) {
        return *decode_push_answer(version, answer(stream).value());
    }
    PushAnswer push_now(const Bytes& request) {
        return *decode_push_answer(LightpushVersion::v3, ask(lightpush_v3_protocol, request).value());
    }
    FilterAnswer filter(FilterAct act, const std::string& pubsub = "", std::vector<std::string> topics = {},
                        const PeerId& peer = "client") {
        return *decode_filter_answer(
            ask(filter_subscribe_protocol, encode_filter_request({"r", act, pubsub, std::move(topics)}), peer).value());
    }
    void gossip(const WakuMessage& message) {
        GossipId id{};
        id[0] = ++gossip_;
        bench_.event(event::Gossip{id, "relay", shard, *encode_message(message)});
    }
    std::vector<StreamId> pushes() { return bench_.streams_of(filter_push_protocol); }
    StorePage query(const StoreQuery& query) {
        return *decode_store_page(StoreVersion::v3, query.request_id,
                                  ask(store_v3_protocol, encode_store_query(StoreVersion::v3, query)).value());
    }
    std::uint64_t served(const char* role, const char* result) {
        return bench_.counter("noroshi_waku_served_total", {{"role", role}, {"result", result}});
    }
    NodeBench bench_;
    StreamId next_{4294967296};
    std::uint8_t gossip_{0};
};

TEST_F(ServiceTest, All_roles_are_announced_before_anything_can_connect) {
    for (const std::string_view protocol :
         {lightpush_v3_protocol, lightpush_v2_protocol, store_v3_protocol, filter_subscribe_protocol}) {
        EXPECT_EQ(std::ranges::count(bench_.notes.accepted, protocol), 1) << protocol;
    }
}

TEST_F(ServiceTest, A_push_is_published_as_it_came_and_answered_with_the_number_of_peers) {
    bench_.connect("relay");
    const StreamId stream = begin_push(fresh());
    ASSERT_EQ(bench_.notes.publishes.size(), 1U);
    EXPECT_EQ(bench_.notes.publishes[0].data, *encode_message(fresh()));
    published(PublishOutcome::published);
    const PushAnswer said = push_answer(stream);
    EXPECT_EQ(said.code, status::ok);
    EXPECT_EQ(said.relay_peers, 1U);
    EXPECT_EQ(said.request_id, "r");
}

TEST_F(ServiceTest, Version_2_is_answered_in_its_own_words) {
    bench_.connect("relay");
    const StreamId stream = begin_push(fresh(), LightpushVersion::v2);
    published(PublishOutcome::published);
    EXPECT_EQ(push_answer(stream, LightpushVersion::v2).info, "OK");
    const StreamId second = begin_push(fresh(2), LightpushVersion::v2);
    published(PublishOutcome::no_peers);
    EXPECT_NE(push_answer(second, LightpushVersion::v2).code, status::ok);
}

TEST_F(ServiceTest, Each_way_a_push_can_fail_has_its_code) {
    const StreamId stream = begin_push(fresh());
    published(PublishOutcome::no_peers);
    EXPECT_EQ(push_answer(stream).code, status::no_peers);
    const StreamId large = begin_push(fresh(2));
    published(PublishOutcome::too_large);
    EXPECT_EQ(push_answer(large).code, status::too_large);
    const StreamId seen = begin_push(fresh(3));
    published(PublishOutcome::duplicate);
    EXPECT_EQ(push_answer(seen).code, status::invalid_message);
    EXPECT_NE(push_answer(seen).info.find("duplicate"), std::string::npos);
    const Bytes message = *encode_message(fresh(4));
    EXPECT_EQ(push_now(encode_push(LightpushVersion::v3, {"r", "/waku/2/rs/16/64", message})).code, status::wrong_shard);
    EXPECT_EQ(push_now(encode_push(LightpushVersion::v3, {"r", shard, {1, 2, 3}})).code, status::bad_request);
}

TEST_F(ServiceTest, A_push_that_other_relays_would_not_take_is_refused_as_too_large) {
    WakuMessage message = fresh();
    message.payload = Bytes(max_published_bytes);
    const Bytes request = encode_push(LightpushVersion::v3, {"r", shard, *encode_message(message)});
    EXPECT_EQ(push_now(request).code, status::too_large);
    EXPECT_TRUE(bench_.notes.publishes.empty());
}

TEST_F(ServiceTest, Messages_with_and_without_a_proof_are_relayed_kept_and_pushed_untouched) {
    filter(FilterAct::subscribe, shard, {alerts});
    std::vector<Bytes> sent;
    for (const bool proof : {false, true}) {
        WakuMessage message = fresh(proof ? 2 : 1);
        if (proof) {
            message.rate_limit_proof = Bytes(300, 7);
        }
        Bytes bytes = *encode_message(message);
        bytes.insert(bytes.end(), {0x98, 0x06, 0x01});  // a field that nobody knows
        sent.push_back(bytes);
        bench_.event(event::Gossip{{}, "relay", shard, bytes});
        EXPECT_EQ(bench_.notes.answers.back().verdict, Verdict::accept) << "the host forwards the bytes it has";
    }
    ASSERT_EQ(pushes().size(), 2U);
    StoreQuery all{"r", shard, {alerts}, {}, {}, {}, {}};
    const Bytes page = ask(store_v3_protocol, encode_store_query(StoreVersion::v3, all)).value();
    for (std::size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(bench_.notes.streams.at(pushes()[i]).written, frame(encode_filter_push(sent[i], shard)));
        EXPECT_NE(std::ranges::search(page, sent[i]).begin(), page.end());
    }
}

TEST_F(ServiceTest, A_push_without_a_topic_goes_to_the_only_shard) {
    begin_push(fresh(), LightpushVersion::v3, "");
    EXPECT_EQ(bench_.notes.publishes.back().topic, shard);
}

TEST_F(ServiceTest, Who_asks_too_often_hears_429_and_others_do_not) {
    const auto burst = static_cast<int>(Services::requests_at_once);
    for (int i = 0; i < burst; ++i) {
        EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
    }
    const FilterAnswer refused = filter(FilterAct::ping);
    EXPECT_EQ(refused.code, status::rate_limited);
    EXPECT_EQ(refused.request_id, "N/A");
    EXPECT_EQ(filter(FilterAct::ping, "", {}, "another").code, status::not_found);
    bench_.advance(Milliseconds(1'000));
    EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
}

TEST_F(ServiceTest, Filter_requests_get_the_codes_of_the_specification) {
    EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
    EXPECT_EQ(filter(FilterAct::unsubscribe, shard, {alerts}).code, status::not_found);
    EXPECT_EQ(filter(FilterAct::unsubscribe_all).code, status::not_found);
    EXPECT_EQ(filter(FilterAct::subscribe, "", {alerts}).code, status::bad_request);
    EXPECT_EQ(filter(FilterAct::subscribe, shard, {}).code, status::bad_request);
    EXPECT_EQ(filter(FilterAct::subscribe, "/waku/2/rs/16/64", {alerts}).code, status::bad_request);
    EXPECT_EQ(filter(FilterAct::subscribe, shard, std::vector<std::string>(101, "/a/1/b/c")).code, status::bad_request);
    EXPECT_EQ(filter(FilterAct::subscribe, shard, {alerts}).code, status::ok);
    EXPECT_EQ(filter(FilterAct::ping).code, status::ok);
    EXPECT_EQ(filter(FilterAct::unsubscribe, shard, {alerts}).code, status::ok);
    EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
}

TEST_F(ServiceTest, A_subscriber_has_at_most_a_thousand_topics) {
    for (int request = 0; request < 10; ++request) {
        std::vector<std::string> topics;
        for (int i = 0; i < 100; ++i) {
            topics.push_back("/a/1/" + std::to_string(request * 100 + i) + "/c");
        }
        EXPECT_EQ(filter(FilterAct::subscribe, shard, topics).code, status::ok);
    }
    EXPECT_EQ(filter(FilterAct::subscribe, shard, {"/one/1/more/c"}).code, status::unavailable);
    EXPECT_EQ(filter(FilterAct::subscribe, shard, {"/a/1/7/c"}).code, status::ok) << "the same again is no more";
}

TEST_F(ServiceTest, The_topics_of_a_subscriber_have_64_KiB_together) {
    std::vector<std::string> topics;
    for (int i = 0; i < 60; ++i) {
        topics.push_back("/a/1/" + std::string(1'000, 'a') + std::to_string(i) + "/c");
    }
    EXPECT_EQ(filter(FilterAct::subscribe, shard, topics).code, status::ok);
    for (std::string& topic : topics) {
        topic += "x";
    }
    EXPECT_EQ(filter(FilterAct::subscribe, shard, topics).code, status::unavailable);
    EXPECT_EQ(filter(FilterAct::ping).code, status::ok) << "what it had stays";
}

TEST_F(ServiceTest, Subscribers_beyond_the_limit_are_turned_away) {
    for (std::size_t i = 0; i < FilterServer::most_subscribers; ++i) {
        EXPECT_EQ(filter(FilterAct::subscribe, shard, {alerts}, "peer" + std::to_string(i)).code, status::ok);
    }
    EXPECT_EQ(filter(FilterAct::subscribe, shard, {alerts}, "late").code, status::unavailable);
}

TEST_F(ServiceTest, Gossiped_pushed_and_own_messages_reach_subscribers_of_the_topic_alone) {
    bench_.connect("relay");
    filter(FilterAct::subscribe, shard, {alerts});
    filter(FilterAct::subscribe, shard, {"/other/1/x/c"}, "other");
    gossip(fresh(1));
    begin_push(fresh(2));
    published(PublishOutcome::published);
    const auto own = bench_.publish(fresh(3));
    published(PublishOutcome::published);
    ASSERT_EQ(pushes().size(), 3U);
    for (const StreamId stream : pushes()) {
        EXPECT_EQ(bench_.notes.streams.at(stream).peer, "client");
    }
    EXPECT_EQ(bench_.notes.streams.at(pushes()[0]).written, frame(encode_filter_push(*encode_message(fresh(1)), shard)));
    gossip(fresh(1));
    EXPECT_EQ(pushes().size(), 3U) << "a message that is known goes to nobody twice";
}

TEST_F(ServiceTest, A_subscriber_that_reads_nothing_costs_a_bounded_queue_and_then_its_place) {
    filter(FilterAct::subscribe, shard, {alerts});
    for (int i = 0; i < 5'000; ++i) {
        WakuMessage message = fresh();
        message.timestamp_ns = now_ns + i;
        gossip(message);
    }
    EXPECT_EQ(pushes().size(), FilterServer::pushes_at_once);
    const auto dropped = [this] { return bench_.counter("noroshi_waku_filter_pushes_total", {{"result", "dropped"}}); };
    EXPECT_EQ(dropped(), 5'000 - FilterServer::pushes_at_once - FilterServer::most_waiting);
    bench_.advance(Streams::deadline);
    EXPECT_EQ(filter(FilterAct::ping).code, status::ok) << "who halts once is not forgotten";
    bench_.advance(FilterServer::most_failing);
    EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
}

TEST_F(ServiceTest, Two_hundred_subscribers_that_read_nothing_hold_32_MiB_together) {
    const auto held = [this] {
        std::size_t bytes = 0;
        for (const StreamId stream : pushes()) {
            bytes += bench_.notes.streams.at(stream).written.size();
        }
        return bytes;
    };
    for (std::size_t i = 0; i < FilterServer::most_subscribers; ++i) {
        filter(FilterAct::subscribe, shard, {alerts}, "slow" + std::to_string(i));
    }
    for (std::uint8_t n = 0; n < 20; ++n) {
        WakuMessage message = fresh(n);
        message.payload = Bytes(130'000, n);
        gossip(message);
    }
    EXPECT_LE(held(), FilterServer::most_bytes_of_all + 200 * 10);
    EXPECT_GE(pushes().size(), FilterServer::most_subscribers) << "each has one on its way";
    // What waits beside that is bounded too: 20 messages for each would be 520 MB.
    const auto dropped = bench_.counter("noroshi_waku_filter_pushes_total", {{"result", "dropped"}});
    EXPECT_GE(dropped, 200U * 20 - 200 - FilterServer::most_bytes_of_all / 130'000 - 200);
}

TEST_F(ServiceTest, A_subscription_ends_five_minutes_after_the_last_request) {
    filter(FilterAct::subscribe, shard, {alerts});
    bench_.advance(Milliseconds(299'000));
    EXPECT_EQ(filter(FilterAct::ping).code, status::ok);
    bench_.advance(Milliseconds(301'000));
    EXPECT_EQ(filter(FilterAct::ping).code, status::not_found);
}

TEST_F(ServiceTest, The_store_has_what_was_relayed_but_not_the_ephemeral_nor_what_a_clock_puts_far_away) {
    gossip(fresh(1));
    WakuMessage ephemeral = fresh(2);
    ephemeral.ephemeral = true;
    gossip(ephemeral);
    WakuMessage old = fresh(3);
    old.timestamp_ns = now_ns - 21'000'000'000;
    gossip(old);
    WakuMessage early = fresh(4);
    early.timestamp_ns = now_ns + 21'000'000'000;
    gossip(early);
    const StorePage page = query({"r", shard, {alerts}, {}, {}, {}, {}});
    EXPECT_EQ(page.messages, std::vector{fresh(1)});
    EXPECT_EQ(served("archive", "clock_off"), 2U);
}

TEST_F(ServiceTest, A_query_that_names_no_direction_gets_the_newest_page_first_and_that_page_ascending) {
    for (std::uint8_t n = 1; n <= 3; ++n) {
        gossip(fresh(n));
    }
    // request_id r, include_data, pagination_limit 2: direction absent, as proto3 writes false
    const Bytes bytes = ask(store_v3_protocol, {0x0a, 0x01, 'r', 0x10, 0x01, 0xa8, 0x03, 0x02}).value();
    const Result<StorePage> page = decode_store_page(StoreVersion::v3, "r", bytes);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->messages, (std::vector{fresh(2), fresh(3)}));
}

TEST_F(ServiceTest, The_store_answers_whether_it_has_a_hash) {
    gossip(fresh(1));
    StoreQuery presence;
    presence.request_id = "r";
    presence.hashes = {message_hash(shard, fresh(1)), message_hash(shard, fresh(2))};
    presence.include_data = false;
    const StorePage page = query(presence);
    EXPECT_EQ(page.hashes, std::vector{message_hash(shard, fresh(1))});
    EXPECT_TRUE(page.messages.empty());
}

TEST_F(ServiceTest, Queries_that_contradict_themselves_are_refused_with_a_reason) {
    const auto refused = [this](const StoreQuery& query) {
        const Bytes answer = ask(store_v3_protocol, encode_store_query(StoreVersion::v3, query)).value();
        return decode_store_page(StoreVersion::v3, query.request_id, answer).error().message;
    };
    StoreQuery mixed{"r", shard, {alerts}, {}, {}, {}, {}};
    mixed.hashes = {crypto::Digest{}};
    EXPECT_EQ(refused(mixed), "refused: code 400 message hashes exclude topics and times");
    EXPECT_EQ(refused({"r", shard, {}, {}, {}, {}, {}}).substr(0, 17), "refused: code 400");
    EXPECT_EQ(refused({"r", shard, std::vector<std::string>(11, alerts), {}, {}, {}, {}}),
              "refused: code 400 too many content topics");
    StoreQuery cursor{"r", shard, {alerts}, {}, {}, {}, {}};
    cursor.cursor = Bytes(32, 0);
    EXPECT_EQ(refused(cursor), "refused: code 400 unknown cursor");
}

TEST_F(ServiceTest, Bytes_that_are_no_request_reset_the_stream) {
    for (const std::string_view protocol : {lightpush_v3_protocol, lightpush_v2_protocol, filter_subscribe_protocol}) {
        const StreamId stream = next_;
        EXPECT_FALSE(ask(protocol, {0xff, 0xff}));
        EXPECT_TRUE(bench_.notes.streams.at(stream).reset) << protocol;
    }
    EXPECT_EQ(served("lightpush", "malformed"), 2U);
}

TEST(ServiceAlone, A_push_counts_when_store_and_subscribers_are_said_to_be_enough) {
    NodeBench bench;
    NodeConfig config = NodeBench::config();
    config.services = {.lightpush = true, .store = true, .alone = true};
    bench.start(std::move(config));
    bench.event(event::StreamIn{4294967296, "client", std::string(lightpush_v3_protocol)});
    const Bytes request = encode_push(LightpushVersion::v3, {"r", shard, *encode_message(fresh())});
    bench.event(event::StreamData{4294967296, frame(request)});
    bench.event(event::Published{bench.notes.publishes.at(0).request, PublishOutcome::no_peers, ""});
    FrameReader reader(1'000);
    const PushAnswer said =
        *decode_push_answer(LightpushVersion::v3, **reader.feed(bench.notes.streams.at(4294967296).written));
    EXPECT_EQ(said.code, status::ok);
}

TEST(ServiceConfig, Only_a_relay_can_serve) {
    NodeConfig config = NodeBench::config();
    config.mode = Mode::light;
    config.services.store = true;
    Runtime runtime(0);
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    const HostFactory none = [](const HostOptions&, HostEvents) -> Result<std::unique_ptr<P2pHost>> {
        return fail(Errc::io, "none");
    };
    EXPECT_EQ(Node::create(std::move(config), none, runtime, clock, random, metrics, Log::none()).error().code,
              Errc::invalid_argument);
}

}  // namespace
}  // namespace noroshi::waku
