// test/unit/waku/rest_codec_test.cpp - the words of both REST APIs: as nwaku and go-waku write them, and as nobody should.
#include "rest_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace noroshi::waku::rest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

WakuMessage sample() {
    WakuMessage out;
    out.payload = {0xfb, 0xff, 0xfe, 0x01};  // both base64 alphabets differ here
    out.content_topic = "/noroshi/1/alerts/proto";
    out.version = 1;
    out.timestamp_ns = 1'795'480'738'515'365'512;
    return out;
}

TEST(RestCodec, A_message_comes_back_as_it_was_written) {
    WakuMessage message = sample();
    message.meta = Bytes{1, 2, 3};
    message.ephemeral = true;
    const Result<Messages> back = decode_messages("[" + encode_message_json(message) + "]");
    ASSERT_TRUE(back);
    EXPECT_THAT(back->messages, ElementsAre(message));
}

TEST(RestCodec, Writes_bytes_padded_and_numbers_whole) {
    EXPECT_EQ(encode_message_json(sample()),
              R"({"contentTopic":"/noroshi/1/alerts/proto","payload":"+//+AQ==","timestamp":1795480738515365512,"version":1})");
    EXPECT_EQ(encode_topics({"/waku/2/rs/16/32"}), R"(["/waku/2/rs/16/32"])");
    EXPECT_THAT(encode_push_json("/waku/2/rs/16/32", sample()), HasSubstr(R"("pubsubTopic":"/waku/2/rs/16/32")"));
    EXPECT_EQ(encode_filter("r1", "/p", {"/a", "/b"}), R"({"contentFilters":["/a","/b"],"pubsubTopic":"/p","requestId":"r1"})");
}

struct Cache {
    const char* name;
    const char* text;
};
void PrintTo(const Cache& c, std::ostream* out) { *out << c.name; }
class RestCache : public ::testing::TestWithParam<Cache> {};

TEST_P(RestCache, Is_the_same_message) {
    const Result<Messages> list = decode_messages(GetParam().text);
    ASSERT_TRUE(list);
    EXPECT_THAT(list->malformed, IsEmpty());
    EXPECT_THAT(list->messages, ElementsAre(sample()));
}
INSTANTIATE_TEST_SUITE_P(
    Dialects, RestCache,
    ::testing::Values(
        Cache{"go_waku", R"([{"payload":"+//+AQ==","contentTopic":"/noroshi/1/alerts/proto","version":1,)"
                         R"("timestamp":1795480738515365512,"ephemeral":null}])"},
        Cache{"nwaku", R"([{"payload":"+//+AQ==","contentTopic":"/noroshi/1/alerts/proto","version":1,)"
                       R"("timestamp":1795480738515365512,"proof":""}])"},
        Cache{"url_alphabet_without_padding", R"([{"payload":"-__-AQ","contentTopic":"/noroshi/1/alerts/proto",)"
                                              R"("version":1,"timestamp":1795480738515365512,"meta":""}])"},
        Cache{"numbers_as_texts", R"([{"payload":"+//+AQ==","contentTopic":"/noroshi/1/alerts/proto","version":1,)"
                                  R"("timestamp":"1795480738515365512","meta":null}])"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RestCodec, Nothing_is_null_or_an_empty_list) {
    for (const char* text : {"null", "[]", " [ ] \n"}) {
        const Result<Messages> list = decode_messages(text);
        ASSERT_TRUE(list) << text;
        EXPECT_THAT(list->messages, IsEmpty());
    }
}

TEST(RestCodec, What_is_no_message_is_left_out_and_named) {
    const Result<Messages> list = decode_messages(
        R"([1, null, {}, {"payload":"AQ=="}, {"payload":1,"contentTopic":"/a"}, {"payload":"AQ==","contentTopic":2},
            {"payload":"**","contentTopic":"/a"}, {"payload":"AQ==","contentTopic":"/a","version":-1},
            {"payload":"AQ==","contentTopic":"/a","version":4294967296},
            {"payload":"AQ==","contentTopic":"/a","timestamp":1.5},
            {"payload":"AQ==","contentTopic":"/a","timestamp":18446744073709551615},
            {"payload":"AQ==","contentTopic":"/a","ephemeral":"yes"},
            {"payload":"AQ==","contentTopic":"/a"}])");
    ASSERT_TRUE(list);
    EXPECT_EQ(list->messages.size(), 1U);
    EXPECT_THAT(list->malformed, ElementsAre("malformed", "malformed", "missing_payload", "missing_content_topic",
                                             "malformed", "malformed", "malformed", "malformed", "malformed",
                                             "malformed", "malformed", "malformed"));
}

TEST(RestCodec, Refuses_what_is_no_list_too_deep_or_too_much) {
    for (const char* text : {"", "{}", "1", "\"x\"", "[", "[1,]", "<html>", "[\"\xff\"]"}) {
        EXPECT_EQ(decode_messages(text).error().message, "malformed") << text;
    }
    EXPECT_EQ(decode_messages(std::string(100'000, '[')).error().message, "malformed");
    std::string many = "[0";
    for (std::size_t i = 0; i < max_values; ++i) {
        many += ",0";
    }
    EXPECT_EQ(decode_messages(many + "]").error().message, "too_many_values");
    // Brackets and commas in texts are none.
    EXPECT_TRUE(decode_messages("[\"" + std::string(100'000, '[') + "\\\"" + std::string(100'000, ',') + "\"]"));
}

constexpr const char* hash_hex = "35a39c946687a6b0647e467e666f6c7c0d7c561deb44f00adaf0dc12bf140e2a";

TEST(RestCodec, Reads_a_page_of_nwaku) {
    const Result<Page> page = decode_page(
        StoreVersion::v3,
        R"({"requestId":"r","statusCode":200,"statusDesc":"OK","messages":[{"messageHash":"0x35a39c946687a6b0647e467e666f6c7c0d7c561deb44f00adaf0dc12bf140e2a",
            "message":{"payload":"+//+AQ==","contentTopic":"/noroshi/1/alerts/proto","version":1,"timestamp":1795480738515365512,"ephemeral":false},
            "pubsubTopic":"/waku/2/rs/16/32"}],"paginationCursor":"0xab"})");
    ASSERT_TRUE(page);
    ASSERT_EQ(page->messages.size(), 1U);
    EXPECT_EQ(page->messages[0].payload, sample().payload);
    ASSERT_EQ(page->hashes.size(), 1U);
    EXPECT_EQ(to_hex(page->hashes[0]), hash_hex);
    EXPECT_EQ(page->cursor, "cursor=0xab");
}

TEST(RestCodec, Reads_a_page_of_version_3_in_go_wakus_words) {
    const std::string hash = to_base64(*from_hex(hash_hex));
    const Result<Page> page = decode_page(StoreVersion::v3, R"({"request_id":"r","status_code":200,"messages":[{"message_hash":")" +
                                                                hash + R"(","pubsub_topic":"/p"}],"pagination_cursor":"+/8="})");
    ASSERT_TRUE(page);
    EXPECT_THAT(page->messages, IsEmpty());
    EXPECT_THAT(page->malformed, IsEmpty());
    ASSERT_EQ(page->hashes.size(), 1U);
    EXPECT_EQ(to_hex(page->hashes[0]), hash_hex);
    EXPECT_EQ(page->cursor, "cursor=-_8%3D");
}

TEST(RestCodec, Reads_a_page_of_version_1) {
    const Result<Page> page = decode_page(
        StoreVersion::v2,
        R"({"messages":[{"payload":"+//+AQ==","contentTopic":"/noroshi/1/alerts/proto","version":1,"timestamp":1795480738515365512}],
            "cursor":{"pubsubTopic":"/p","senderTime":"12","storeTime":"13","digest":"+/8="}})");
    ASSERT_TRUE(page);
    EXPECT_THAT(page->messages, ElementsAre(sample()));
    EXPECT_EQ(page->cursor, "senderTime=12&storeTime=13&digest=-_8%3D");
    const Result<Page> last = decode_page(StoreVersion::v2, R"({"messages":null,"cursor":{"digest":""}})");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->cursor, "");
}

TEST(RestCodec, A_store_that_refuses_says_so) {
    EXPECT_EQ(decode_page(StoreVersion::v3, R"({"statusCode":503,"statusDesc":"busy","messages":[]})").error().message,
              "refused: status 503 busy");
    EXPECT_EQ(decode_page(StoreVersion::v3, "[]").error().message, "malformed");
    EXPECT_EQ(decode_page(StoreVersion::v3, R"({"messages":{}})").error().message, "malformed");
    const Result<Page> bad_entry = decode_page(StoreVersion::v3, R"({"messages":[{"messageHash":"0x12"}, 3]})");
    ASSERT_TRUE(bad_entry);
    EXPECT_EQ(bad_entry->malformed.size(), 2U);
}

TEST(RestCodec, Asks_a_store_by_topics_and_time) {
    Query query{"", "/waku/2/rs/16/32", {"/a/1/b/c", "/a/1/d/c"}, 5, 9, false, ""};
    EXPECT_EQ(store_path(StoreVersion::v3, query),
              "/store/v3/messages?pubsubTopic=%2Fwaku%2F2%2Frs%2F16%2F32&contentTopics=%2Fa%2F1%2Fb%2Fc%2C%2Fa%2F1%2Fd%2Fc"
              "&startTime=5&endTime=9&pageSize=20&ascending=true&includeData=false");
    query.peer = "/ip4/1.2.3.4/tcp/1/p2p/x";
    query.cursor = "cursor=0xab";
    EXPECT_THAT(store_path(StoreVersion::v2, query), HasSubstr("/store/v1/messages?"));
    EXPECT_THAT(store_path(StoreVersion::v2, query), HasSubstr("&peerAddr=%2Fip4%2F1.2.3.4%2Ftcp%2F1%2Fp2p%2Fx&cursor=0xab"));
}

TEST(RestCodec, Knows_who_answers) {
    const Result<Info> info = decode_info(R"({"enrUri":"enr:-x","listenAddresses":["/ip4/127.0.0.1/tcp/1/p2p/16Uiu2HA"]})");
    ASSERT_TRUE(info);
    EXPECT_EQ(info->identity, "enr:-x");
    EXPECT_EQ(info->peer_id, "16Uiu2HA");
    EXPECT_THAT(info->addresses, ElementsAre("/ip4/127.0.0.1/tcp/1/p2p/16Uiu2HA"));
    EXPECT_FALSE(decode_info("{}")) << "some other program";
    EXPECT_FALSE(decode_info("[]"));
}

TEST(RestCodec, Lists_connected_peers_of_both) {
    const Result<std::vector<PeerInfo>> go = decode_peers(
        R"([{"id":"A","multiaddrs":["/ip4/127.0.0.1/tcp/1"],"protocols":["/vac/waku/store/2.0.0-beta4"],"connected":true,"pubsubTopics":["/p"]},
            {"id":"B","multiaddrs":[],"connected":false}, 7])");
    ASSERT_TRUE(go);
    ASSERT_EQ(go->size(), 1U);
    EXPECT_EQ(go->front().id, "A");
    EXPECT_EQ(go->front().address, "/ip4/127.0.0.1/tcp/1/p2p/A");
    EXPECT_THAT(go->front().topics, ElementsAre("/p"));
    const Result<std::vector<PeerInfo>> nim = decode_peers(
        R"([{"multiaddr":"/ip4/1.1.1.1/tcp/1/p2p/C","protocols":["/vac/waku/store-query/3.0.0"],"connected":"Connected","agent":"nwaku"},
            {"multiaddr":"/ip4/1.1.1.1/tcp/1/p2p/D","protocols":[{"protocol":"/x","connected":true}]},
            {"multiaddr":"/ip4/1.1.1.1/tcp/1/p2p/E","protocols":[],"connected":"CannotConnect"}])");
    ASSERT_TRUE(nim);
    ASSERT_EQ(nim->size(), 2U);
    EXPECT_EQ(nim->front().id, "C");
    EXPECT_EQ(nim->front().agent, "nwaku");
    EXPECT_THAT(nim->back().protocols, ElementsAre("/x"));
    EXPECT_TRUE(decode_peers("null")->empty());
}

TEST(RestCodec, Reads_health_and_the_answer_to_a_push) {
    EXPECT_EQ(*decode_health(R"({"nodeHealth":"NOT_READY","protocolsHealth":[]})"), "NOT_READY");
    EXPECT_FALSE(decode_health(R"("Node is healthy")"));
    EXPECT_EQ(**decode_push_answer(R"({"relayPeerCount":3})"), 3U);
    EXPECT_FALSE(decode_push_answer(R"({"relayPeerCount":null})")->has_value());
    EXPECT_FALSE(decode_push_answer(R"({"relayPeerCount":"3"})"));
    EXPECT_FALSE(decode_push_answer("true"));
}

struct Refused {
    unsigned status;
    const char* body;
    const char* reason;
    bool retryable;
};
void PrintTo(const Refused& r, std::ostream* out) { *out << r.status << " " << r.body; }
class RestRefusal : public ::testing::TestWithParam<Refused> {};

TEST_P(RestRefusal, Has_a_name) {
    const Error error = refusal({GetParam().status, GetParam().body});
    EXPECT_THAT(error.message, StartsWith(std::string(GetParam().reason) + ": HTTP "));
    EXPECT_EQ(error.retryable, GetParam().retryable);
}
// Bodies as the programs' sources write them.
INSTANTIATE_TEST_SUITE_P(
    Answers, RestRefusal,
    ::testing::Values(
        Refused{500, "", "refused", true}, Refused{503, "lightpush error: exceeds the rate limit", "rate_limited", true},
        Refused{503, "no suitable remote peers", "no_peers", true}, Refused{503, "", "no_peers", true},
        Refused{400, "missing Payload field", "invalid", false},
        Refused{400, "Failed to publish: Node not subscribed to topic: /waku/2/rs/1/0", "wrong_shard", true},
        Refused{400, "Failed to publish: RLN validation failed", "rln_required", true},
        Refused{500, "Failed to publish: error appending RLN proof to message: x", "rln_required", true},
        Refused{400, "Failed to publish: Message size exceeded maximum of 153600 bytes", "too_large", false},
        Refused{413, R"({"statusDesc":"x"})", "too_large", false},
        Refused{500, "Failed to publish: timedout", "timeout", true},
        Refused{503, R"({"statusDesc":"Push request timed out"})", "timeout", true},
        Refused{420, R"({"statusDesc":"Dropping already-seen message"})", "duplicate", false},
        Refused{420, R"({"statusDesc":"RLN validation failed"})", "rln_required", true},
        Refused{421, "{}", "wrong_shard", true}, Refused{429, "Request rate limmit reached", "rate_limited", true},
        Refused{503, R"({"statusDesc":"No suitable service peer & none discovered"})", "no_peers", true},
        Refused{504, "{}", "rln_required", true}, Refused{505, "{}", "no_peers", true},
        Refused{404, "/relay endpoints are not available while initializing.", "host_down", true}));

TEST(RestCodec, Tells_an_absent_endpoint_from_a_missing_subscription) {
    EXPECT_TRUE(is_absent({404, "404 page not found\n"}));
    EXPECT_TRUE(is_absent({404, "/relay endpoints are not available. Please check your configuration: --relay"}));
    EXPECT_TRUE(is_absent({404, "/lightpush endpoints are not available."}));
    EXPECT_TRUE(is_absent({400, "Bad request initiated. Invalid path or method used."}));
    EXPECT_FALSE(is_absent({404, "/relay endpoints are not available while initializing."}));
    EXPECT_FALSE(is_absent({404, ""}));
    EXPECT_TRUE(is_not_subscribed({404, ""}));
    EXPECT_TRUE(is_not_subscribed({404, "no subscription found for pubsubTopic"}));
    EXPECT_TRUE(is_not_subscribed({404, "not subscribed to pubsubTopic:/p contentTopic: /c"}));
    EXPECT_TRUE(is_not_subscribed({400, "Not subscribed to topic: /c"}));
    EXPECT_FALSE(is_not_subscribed({404, "/relay endpoints are not available while initializing."}));
    EXPECT_FALSE(is_not_subscribed({500, ""}));
}

}  // namespace
}  // namespace noroshi::waku::rest
