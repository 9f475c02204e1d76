// test/unit/waku/topic_test.cpp - content topics, pubsub topics and the vectors of autosharding.
#include <gtest/gtest.h>

#include "waku/message.hpp"

namespace noroshi::waku {
namespace {

struct ShardCase {
    const char* topic;
    std::uint16_t of_8;
    std::uint16_t of_5;
    std::uint16_t of_1;
};

class Autosharding : public ::testing::TestWithParam<ShardCase> {};

TEST_P(Autosharding, Gives_the_shard_that_js_waku_gives) {
    const ContentTopic topic = *parse_content_topic(GetParam().topic);
    EXPECT_EQ(*autoshard(topic, 8), GetParam().of_8);
    EXPECT_EQ(*autoshard(topic, 5), GetParam().of_5);
    EXPECT_EQ(*autoshard(topic, 1), GetParam().of_1);
}

INSTANTIATE_TEST_SUITE_P(Vectors, Autosharding,
                         ::testing::Values(ShardCase{"/myapp/1/mytopic/cbor", 0, 2, 0},
                                           ShardCase{"/0/myapp/1/mytopic/cbor", 0, 2, 0},
                                           ShardCase{"/noroshi/1/alerts/proto", 1, 4, 0},
                                           ShardCase{"/waku/2/default-content/proto", 1, 2, 0},
                                           ShardCase{"/toychat/2/huilong/proto", 3, 1, 0},
                                           ShardCase{"/status/1/community/cbor", 5, 0, 0}));

TEST(Autosharding_hash, Is_that_of_application_and_version_alone) {
    EXPECT_EQ(to_hex(crypto::sha256({as_bytes("waku"), as_bytes("2")})),
              "dde25f0ea3331a51fd8a51cad40e07c03fa4a804f0e286d0c6960f2454de3b99");
    EXPECT_EQ(to_hex(crypto::sha256({as_bytes("toychat"), as_bytes("2")})),
              "05f470e4bf9fcfe47831f2564603620481c756bd3fae5d4dcfbf980a0f51e3f3");
    EXPECT_EQ(to_hex(crypto::sha256({as_bytes("myapp"), as_bytes("1")})),
              "8e541178adbd8126068c47be6a221d77d64837221893a8e4e53139fb802d4928");
    EXPECT_EQ(to_hex(crypto::sha256({as_bytes("noroshi"), as_bytes("1")})),
              "eb5ec48d4bc60f68f45e56c8200022cb8f5519678bbb70aef841fdce7b46bbd9");
}

TEST(Autosharding_hash, Name_and_encoding_do_not_count) {
    EXPECT_EQ(*autoshard(*parse_content_topic("/toychat/2/other/json"), 8), 3);
}

TEST(Content_topic, Short_form_has_no_generation) {
    EXPECT_EQ(*parse_content_topic("/noroshi/1/alerts/proto"),
              (ContentTopic{std::nullopt, "noroshi", "1", "alerts", "proto"}));
}

TEST(Content_topic, Names_its_parts) {
    EXPECT_EQ(*parse_content_topic("/0/noroshi/1/alerts/proto"),
              (ContentTopic{0, "noroshi", "1", "alerts", "proto"}));
}

TEST(Content_topic, Refuses_other_shapes) {
    for (const char* text : {"", "/", "noroshi/1/alerts/proto", "/noroshi/1/alerts", "/noroshi//alerts/proto",
                             "/noroshi/1/alerts/proto/", "/x/noroshi/1/alerts/proto", "/-1/noroshi/1/alerts/proto",
                             "/0/0/noroshi/1/alerts/proto", "//noroshi/1/alerts/proto", "/\xff/1/a/b"}) {
        EXPECT_EQ(parse_content_topic(text).error().code, Errc::parse) << text;
    }
}

TEST(Content_topic, Other_generations_have_no_shard) {
    EXPECT_EQ(autoshard(*parse_content_topic("/1/a/b/c/d"), 8).error().code, Errc::unsupported);
}

TEST(Content_topic, Refuses_a_network_without_shards_or_with_too_many) {
    const ContentTopic topic = *parse_content_topic("/a/b/c/d");
    EXPECT_EQ(autoshard(topic, 0).error().code, Errc::invalid_argument);
    EXPECT_EQ(autoshard(topic, 1025).error().code, Errc::invalid_argument);
    EXPECT_LT(*autoshard(topic, 1024), 1024);
}

TEST(Pubsub_topic, Reads_back_what_it_prints) {
    EXPECT_EQ((PubsubTopic{16, 32}).to_string(), "/waku/2/rs/16/32");
    EXPECT_EQ(*parse_pubsub_topic("/waku/2/rs/65535/1023"), (PubsubTopic{65535, 1023}));
}

TEST(Pubsub_topic, Refuses_other_forms) {
    for (const char* text : {"", "/waku/2/rs/16", "/waku/2/rs/16/", "/waku/2/rs//32", "/waku/2/rs/65536/0",
                             "/waku/2/rs/16/1024", "/waku/2/rs/016/32", "/waku/2/rs/16/32/", "/waku/2/rs/+1/2",
                             "/waku/2/default-waku/proto"}) {
        EXPECT_EQ(parse_pubsub_topic(text).error().code, Errc::parse) << text;
    }
}

}  // namespace
}  // namespace noroshi::waku
