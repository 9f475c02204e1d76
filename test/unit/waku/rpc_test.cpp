// test/unit/waku/rpc_test.cpp - framing, metadata in all its wire forms, lightpush replies.
#include <gtest/gtest.h>

#include "rpc.hpp"

namespace noroshi::waku {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

std::string metadata_reason(const Bytes& bytes) {
    const Result<Metadata> metadata = decode_metadata(bytes);
    return metadata ? "decoded" : metadata.error().message;
}

TEST(Frame, Length_is_a_varint) {
    EXPECT_EQ(to_hex(frame(hex("08101a0120"))), "0508101a0120");
    EXPECT_EQ(to_hex(ByteView(frame(Bytes(300, 1))).first(2)), "ac02");
    EXPECT_EQ(to_hex(frame({})), "00");
}

TEST(Frame, Reads_back_when_it_comes_byte_by_byte) {
    const Bytes body(300, 7);
    FrameReader reader(1000);
    Result<std::optional<Bytes>> got = std::nullopt;
    for (const std::uint8_t byte : frame(body)) {
        ASSERT_FALSE(*got);
        got = reader.feed(Bytes{byte});
        ASSERT_TRUE(got);
    }
    EXPECT_EQ(**got, body);
}

TEST(Frame, An_empty_body_is_a_frame) {
    FrameReader reader(10);
    EXPECT_EQ(*reader.feed(Bytes{0}), Bytes{});
}

TEST(Frame, Refuses_a_length_over_the_cap_before_any_body) {
    FrameReader reader(64);
    EXPECT_EQ(reader.feed(Bytes{65}).error().message, "frame_too_large");
    FrameReader huge(64);
    EXPECT_EQ(huge.feed(hex("ffffffffffffffffff01")).error().message, "frame_too_large");
}

TEST(Frame, Refuses_a_length_that_does_not_fit_64_bits) {
    FrameReader reader(64);
    EXPECT_EQ(reader.feed(Bytes(11, 0xff)).error().message, "bad_length");
}

TEST(Frame, Refuses_a_second_frame) {
    FrameReader at_once(64);
    EXPECT_EQ(at_once.feed(hex("016101")).error().message, "trailing_bytes");
    FrameReader later(64);
    ASSERT_TRUE(later.feed(hex("0161")));
    EXPECT_EQ(later.feed(Bytes{1}).error().message, "trailing_bytes");
}

TEST(Metadata_bytes, Reads_what_go_waku_writes) {
    EXPECT_EQ(*decode_metadata(hex("08101a0120")), (Metadata{16, {32}}));
}

TEST(Metadata_bytes, Writes_both_shard_fields) {
    EXPECT_EQ(to_hex(encode_metadata({16, {32, 64}})), "0810102010401a022040");
}

TEST(Metadata_bytes, Reads_all_three_forms_of_shards) {
    EXPECT_EQ(decode_metadata(hex("081010201040"))->shards, (std::vector<std::uint16_t>{32, 64}));  // 2 unpacked
    EXPECT_EQ(decode_metadata(hex("081012022040"))->shards, (std::vector<std::uint16_t>{32, 64}));  // 2 packed
    EXPECT_EQ(decode_metadata(hex("08101a022040"))->shards, (std::vector<std::uint16_t>{32, 64}));  // 3 packed
}

TEST(Metadata_bytes, The_new_field_wins) {
    EXPECT_EQ(decode_metadata(hex("081010011a0120"))->shards, (std::vector<std::uint16_t>{32}));
}

TEST(Metadata_bytes, Cluster_may_be_absent_and_may_be_zero) {
    EXPECT_FALSE(decode_metadata({})->cluster);
    EXPECT_EQ(decode_metadata(hex("0800"))->cluster, 0U);
}

TEST(Metadata_bytes, Passes_over_shards_that_cannot_be) {
    // 1024, 32, 65408
    EXPECT_EQ(*decode_metadata(hex("08101a0680082080ff03")), (Metadata{16, {32}}));
}

TEST(Metadata_bytes, Refuses_what_is_malformed_or_too_much) {
    EXPECT_EQ(metadata_reason(hex("ff")), "malformed");
    EXPECT_EQ(metadata_reason(hex("08101a0520")), "malformed");
    EXPECT_EQ(metadata_reason(Bytes(max_small_frame_bytes + 1, 0)), "malformed");
    Bytes many = hex("1a8110");
    many.insert(many.end(), 2049, 1);
    EXPECT_EQ(metadata_reason(many), "too_many_shards");
}

TEST(Push, Request_carries_the_message_bytes_untouched) {
    EXPECT_EQ(to_hex(encode_push("req-1", "/waku/2/rs/16/32", hex("0a0178120174"))),
              "0a057265712d31"
              "121a"
              "0a102f77616b752f322f72732f31362f3332"
              "12060a0178120174");
}

TEST(Push, Reads_the_success_reply_of_go_waku) {
    FrameReader reader(max_small_frame_bytes);
    const Result<std::optional<Bytes>> body = reader.feed(hex("0f0a057265712d311a06080112024f4b"));
    ASSERT_TRUE(body && *body);
    const PushAnswer answer = *decode_push_answer(**body);
    EXPECT_EQ(answer.request_id, "req-1");
    EXPECT_TRUE(answer.success);
    EXPECT_EQ(answer.info, "OK");
    EXPECT_FALSE(answer.rate_limited());
}

TEST(Push, Knows_a_rate_limit_by_request_id_or_words) {
    EXPECT_TRUE((PushAnswer{"N/A", false, ""}).rate_limited());
    EXPECT_TRUE((PushAnswer{"r", false, "exceeds the rate limit"}).rate_limited());
    EXPECT_TRUE((PushAnswer{"r", false, "TOO_MANY_REQUESTS"}).rate_limited());
    EXPECT_FALSE((PushAnswer{"r", false, "no peers"}).rate_limited());
}

TEST(Push, A_reply_without_response_is_refused) {
    EXPECT_EQ(decode_push_answer(hex("0a0172")).error().message, "no_response");
    EXPECT_EQ(decode_push_answer(hex("0a")).error().message, "malformed");
}

TEST(Push, Prose_of_a_stranger_is_made_printable_and_short) {
    Bytes reply = hex("0a01721ab10312ae030a");  // response { info: 430 bytes, of which the first is a line feed }
    reply.insert(reply.end(), 429, 'x');
    EXPECT_EQ(decode_push_answer(reply)->info, "?" + std::string(199, 'x'));
}

}  // namespace
}  // namespace noroshi::waku
