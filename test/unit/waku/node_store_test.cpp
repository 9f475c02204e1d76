// test/unit/waku/node_store_test.cpp - catching up from a store: what is asked, what is kept, and what a bad server can do.
#include <gtest/gtest.h>

#include "content_topics.hpp"
#include "fake_host.hpp"
#include "node_parts.hpp"
#include "store_rpc.hpp"

namespace noroshi::waku {
namespace {

const std::string topic = "/noroshi/1/alerts/proto";

Bytes length_prefixed(std::uint8_t tag, ByteView bytes) {
    Bytes out{tag};
    const Bytes framed = frame(bytes);  // a length and the bytes: the same as a protobuf field's
    out.insert(out.end(), framed.begin(), framed.end());
    return out;
}

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

/// HistoryRPC: request_id = 1, response = 3 { messages = 2, paging_info = 3 { cursor = 2 { digest = 1 } }, error = 4 }
Bytes v2_page(const std::string& id, const std::vector<WakuMessage>& messages, std::string_view digest = "") {
    Bytes inner;
    for (const WakuMessage& message : messages) {
        append(inner, length_prefixed(0x12, *encode_message(message)));
    }
    if (!digest.empty()) {
        append(inner, length_prefixed(0x1a, length_prefixed(0x12, length_prefixed(0x0a, as_bytes(digest)))));
    }
    Bytes out = length_prefixed(0x0a, as_bytes(id));
    append(out, length_prefixed(0x1a, inner));
    return out;
}

class NodeStoreTest : public ::testing::Test {
  protected:
    void SetUp() override {
        NodeConfig config = NodeBench::config();
        config.content_topics = {topic};
        config.catch_up = true;
        config.catch_up_window = std::chrono::hours(1);
        bench_.start(std::move(config));
    }
    void connect() { bench_.connect("store", {std::string(store_v2_protocol)}); }
    std::vector<StreamId> queries() { return bench_.streams_of(store_v2_protocol); }
    Bytes query(std::size_t index) {
        FrameReader reader(1000);
        return **reader.feed(bench_.notes.streams.at(queries().at(index)).written);
    }
    std::string request_id(std::size_t index) {
        const Bytes body = query(index);
        return {body.begin() + 2, body.begin() + 2 + body[1]};
    }
    void answer(const std::vector<WakuMessage>& messages, std::string_view digest = "") {
        const std::size_t last = queries().size() - 1;
        bench_.answer(queries()[last], v2_page(request_id(last), messages, digest));
    }
    void set_content_topics(const std::vector<std::string>& topics) {
        bench_.node().set_content_topics(topics);
        bench_.advance(Milliseconds(1));  // what it has begun
    }
    std::uint64_t caught_up(const char* result) {
        return bench_.counter("noroshi_waku_catch_ups_total", {{"result", result}});
    }
    NodeBench bench_;
};

TEST_F(NodeStoreTest, Asks_a_peer_that_keeps_messages_when_it_is_connected) {
    connect();
    ASSERT_EQ(queries().size(), 1U);
    answer({NodeBench::message(1), NodeBench::message(2)});
    EXPECT_EQ(caught_up("ok"), 1U);
    EXPECT_EQ((*bench_.next_message()->result)->message, NodeBench::message(1));
    EXPECT_EQ((*bench_.next_message()->result)->message, NodeBench::message(2));
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeStoreTest, Prefers_the_newer_protocol) {
    bench_.connect("store", {std::string(store_v2_protocol), std::string(store_v3_protocol)});
    EXPECT_EQ(bench_.streams_of(store_v3_protocol).size(), 1U);
    EXPECT_TRUE(queries().empty());
}

TEST_F(NodeStoreTest, Follows_the_cursor_to_the_last_page) {
    connect();
    answer({NodeBench::message(1)}, "page 2");
    ASSERT_EQ(queries().size(), 2U);
    EXPECT_NE(as_text(query(1)).find("page 2"), std::string_view::npos);
    answer({NodeBench::message(2)});
    EXPECT_EQ(caught_up("ok"), 1U);
    EXPECT_EQ((*bench_.next_message()->result)->message, NodeBench::message(1));
}

TEST_F(NodeStoreTest, A_server_that_repeats_its_cursor_does_not_keep_us) {
    connect();
    answer({NodeBench::message(1)}, "again");
    answer({NodeBench::message(1)}, "again");
    EXPECT_EQ(queries().size(), 2U);
    EXPECT_EQ(caught_up("ok"), 1U);
}

TEST_F(NodeStoreTest, What_gossip_brought_is_not_given_again) {
    connect();
    bench_.event(event::Gossip{{}, "p", std::string(NodeBench::shard), *encode_message(NodeBench::message(1))});
    answer({NodeBench::message(1)});
    EXPECT_TRUE(bench_.next_message()->ended());
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeStoreTest, Messages_of_topics_that_were_not_asked_for_are_passed_over) {
    connect();
    WakuMessage foreign = NodeBench::message(1);
    foreign.content_topic = "/other/1/topic/proto";
    answer({foreign});
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeStoreTest, Looks_a_second_time_when_the_mesh_has_formed) {
    connect();
    answer({});
    bench_.advance(std::chrono::seconds(9));
    EXPECT_EQ(queries().size(), 1U);
    bench_.advance(std::chrono::seconds(2));
    EXPECT_EQ(queries().size(), 2U);
    answer({NodeBench::message(3)});
    EXPECT_TRUE(bench_.next_message()->ended());
}

TEST_F(NodeStoreTest, Looks_again_after_a_reconnection) {
    connect();
    answer({});
    bench_.event(event::Closed{"store", "gone", 0});
    bench_.advance(std::chrono::seconds(15));
    connect();
    EXPECT_EQ(queries().size(), 2U);
}

TEST_F(NodeStoreTest, A_refusal_is_named_and_asked_again_at_the_next_connection) {
    connect();
    Bytes refusal = length_prefixed(0x0a, as_bytes("N/A"));
    append(refusal, length_prefixed(0x1a, Bytes{0x20, 0xad, 0x03}));  // error = 4: 429
    bench_.answer(queries()[0], refusal);
    EXPECT_EQ(caught_up("rate_limited"), 1U);
    bench_.event(event::Closed{"store", "gone", 0});
    connect();
    EXPECT_EQ(queries().size(), 2U);
}

TEST_F(NodeStoreTest, Garbage_and_silence_are_named_and_harm_nothing) {
    connect();
    bench_.answer(queries()[0], Bytes{0xff, 0xff, 0xff});
    EXPECT_EQ(caught_up("malformed"), 1U);
    bench_.event(event::Closed{"store", "gone", 0});
    connect();
    bench_.advance(std::chrono::seconds(11));
    EXPECT_EQ(caught_up("timeout"), 1U);
}

TEST_F(NodeStoreTest, Stop_ends_a_query_that_waits) {
    connect();
    const auto stopped = bench_.begin_stop();
    bench_.advance(std::chrono::milliseconds(500));
    EXPECT_EQ(stopped->error(), "ok");
}

TEST_F(NodeStoreTest, A_topic_that_is_added_is_asked_for_by_itself_and_from_the_window_on) {
    connect();
    answer({});
    bench_.advance(std::chrono::seconds(11));
    answer({});  // the second look
    bench_.advance(std::chrono::seconds(20));
    const std::size_t before = queries().size();
    WakuMessage later = NodeBench::message(4);
    later.content_topic = "/later/1/x/proto";
    set_content_topics({topic, later.content_topic});
    ASSERT_EQ(queries().size(), before + 1);
    const TimestampMs now = bench_.clock().now();
    StoreQuery expected{request_id(before), std::string(NodeBench::shard), {later.content_topic}, {}, {}, {}, {}};
    expected.start_ns = in_ns(now - Milliseconds(1) - std::chrono::hours(1));
    expected.end_ns = in_ns(now + clock_overlap);
    EXPECT_EQ(query(before), encode_store_query(StoreVersion::v2, expected)) << "and not for what is long known";
    answer({later});
    EXPECT_EQ((*bench_.next_message()->result)->message, later);
    bench_.advance(std::chrono::seconds(11));
    EXPECT_EQ(queries().size(), before + 2) << "until the subscription stands";
    answer({later});
    EXPECT_EQ(bench_.next_message()->error(), "pending");
}

TEST_F(NodeStoreTest, What_was_passed_over_before_its_topic_was_read_is_given_when_a_store_has_it) {
    WakuMessage later = NodeBench::message(4);
    later.content_topic = "/later/1/x/proto";
    bench_.event(event::Gossip{{}, "p", std::string(NodeBench::shard), *encode_message(later)});
    EXPECT_EQ(bench_.next_message()->error(), "pending");
    set_content_topics({later.content_topic});
    connect();
    answer({later});
    EXPECT_EQ(caught_up("ok"), 1U);
    bench_.event(event::Gossip{{}, "p", std::string(NodeBench::shard), *encode_message(later)});
    EXPECT_EQ(bench_.counter("noroshi_waku_received_total", {{"way", "relay"}, {"result", "duplicate"}}), 1U);
}

TEST_F(NodeStoreTest, A_hundred_topics_are_asked_for_ten_at_a_time) {
    std::vector<std::string> topics;
    for (int i = 0; i < 101; ++i) {
        topics.push_back("/later/1/" + std::to_string(1'000 + i) + "/proto");
    }
    set_content_topics(topics);
    connect();
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(queries().size(), static_cast<std::size_t>(i) + 1);
        for (int j = 0; j < 10; ++j) {
            EXPECT_NE(as_text(query(static_cast<std::size_t>(i))).find(topics[static_cast<std::size_t>(10 * i + j)]),
                      std::string_view::npos);
        }
        answer({});
    }
    EXPECT_EQ(queries().size(), 10U) << "the last one is left out";
    EXPECT_EQ(caught_up("ok"), 1U);
}

TEST_F(NodeStoreTest, A_topic_that_is_added_while_a_store_is_asked_is_asked_for_next) {
    connect();
    set_content_topics({topic, "/later/1/x/proto"});
    EXPECT_EQ(queries().size(), 1U);
    answer({});
    bench_.advance(std::chrono::milliseconds(500));
    EXPECT_EQ(queries().size(), 2U);
    EXPECT_NE(as_text(query(1)).find("/later/1/x/proto"), std::string_view::npos);
}

TEST(NodeWithSmallQueue, Fetches_no_page_before_there_is_room_for_it) {
    NodeBench bench;
    NodeConfig config = NodeBench::config();
    config.content_topics = {topic};
    config.catch_up = true;
    config.limits.received_messages = 5;
    bench.start(std::move(config));
    bench.connect("store", {std::string(store_v2_protocol)});
    const auto id = [&bench](StreamId stream) {
        FrameReader reader(1000);
        const Bytes body = **reader.feed(bench.notes.streams.at(stream).written);
        return std::string(body.begin() + 2, body.begin() + 2 + body[1]);
    };
    const StreamId first = bench.streams_of(store_v2_protocol).at(0);
    bench.answer(first, v2_page(id(first), {NodeBench::message(1), NodeBench::message(2), NodeBench::message(3)}, "more"));
    bench.advance(std::chrono::seconds(5));
    EXPECT_EQ(bench.streams_of(store_v2_protocol).size(), 1U);
    EXPECT_TRUE(bench.next_message()->ended());
    bench.advance(std::chrono::seconds(1));
    EXPECT_EQ(bench.streams_of(store_v2_protocol).size(), 2U);
}

TEST(NodeWithoutCatchUp, Asks_no_store) {
    NodeBench bench;
    bench.start(NodeBench::config());
    bench.connect("store", {std::string(store_v2_protocol)});
    EXPECT_TRUE(bench.streams_of(store_v2_protocol).empty());
}

TEST(StoreV3, Query_has_the_fields_of_the_specification) {
    StoreQuery query{"r", "/waku/2/rs/16/32", {"/a/1/b/c"}, 1, 2, {}, {}};
    query.cursor = *from_hex("aabb");
    EXPECT_EQ(to_hex(encode_store_query(StoreVersion::v3, query)),
              "0a01721001" "5210" + to_hex(as_bytes("/waku/2/rs/16/32")) + "5a08" + to_hex(as_bytes("/a/1/b/c")) +
                  "6002" "6804" "9a0302aabb" "a00301" "a80314");
}

TEST(StoreV3, An_error_is_taken_without_the_request_id_and_a_rate_limit_with_NA) {
    const Bytes unavailable = {0x50, 0xf7, 0x03};  // status_code = 10: 503, no request id
    EXPECT_EQ(decode_store_page(StoreVersion::v3, "r", unavailable).error().message.substr(0, 17), "refused: code 503");
    Bytes limited = length_prefixed(0x0a, as_bytes("N/A"));
    append(limited, {0x50, 0xad, 0x03});  // 429
    EXPECT_EQ(decode_store_page(StoreVersion::v3, "r", limited).error().message, "rate_limited");
}

TEST(StoreV3, Page_gives_messages_and_the_next_cursor) {
    Bytes entry = length_prefixed(0x0a, Bytes(32, 1));
    append(entry, length_prefixed(0x12, *encode_message(NodeBench::message(7))));
    Bytes page = length_prefixed(0x0a, as_bytes("r"));
    append(page, {0x50, 0xc8, 0x01});  // status_code = 10: 200
    append(page, {0xa2, 0x01});        // messages = 20
    append(page, frame(entry));
    append(page, {0x9a, 0x03});  // pagination_cursor = 51
    append(page, frame(Bytes(32, 9)));
    const Result<StorePage> decoded = decode_store_page(StoreVersion::v3, "r", page);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(decoded->messages, std::vector{NodeBench::message(7)});
    EXPECT_EQ(decoded->cursor, Bytes(32, 9));
    EXPECT_EQ(decode_store_page(StoreVersion::v3, "other", page).error().message, "wrong_request");
}

}  // namespace
}  // namespace noroshi::waku
