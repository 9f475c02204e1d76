// test/unit/waku/rpc_test.cpp - framing, metadata in all its wire forms, lightpush replies.
#include <gtest/gtest.h>

#include "filter_rpc.hpp"
#include "lightpush_rpc.hpp"
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
    EXPECT_EQ(to_hex(encode_push(LightpushVersion::v2, {"req-1", "/waku/2/rs/16/32", hex("0a0178120174")})),
              "0a057265712d31"
              "121a"
              "0a102f77616b752f322f72732f31362f3332"
              "12060a0178120174");
}

TEST(Push, Reads_the_success_reply_of_go_waku) {
    FrameReader reader(max_small_frame_bytes);
    const Result<std::optional<Bytes>> body = reader.feed(hex("0f0a057265712d311a06080112024f4b"));
    ASSERT_TRUE(body && *body);
    const PushAnswer answer = *decode_push_answer(LightpushVersion::v2, **body);
    EXPECT_EQ(answer.request_id, "req-1");
    EXPECT_TRUE(answer.code == status::ok);
    EXPECT_EQ(answer.info, "OK");
}

/// request_id = 1, response = 3 { is_success = 1, info = 2 }
Bytes refusal(std::string id, std::string info) {
    Bytes inner{0x08, 0, 0x12, static_cast<std::uint8_t>(info.size())};
    inner.insert(inner.end(), info.begin(), info.end());
    Bytes out{0x0a, static_cast<std::uint8_t>(id.size())};
    out.insert(out.end(), id.begin(), id.end());
    out.insert(out.end(), {0x1a, static_cast<std::uint8_t>(inner.size())});
    out.insert(out.end(), inner.begin(), inner.end());
    return out;
}

std::string judged(std::uint32_t code, std::string info, std::optional<std::uint32_t> peers = {}) {
    const Result<void> result = judge_push(LightpushVersion::v3, {"r", code, std::move(info), peers});
    return result ? "ok" : result.error().message + (result.error().retryable ? ", retryable" : "");
}

TEST(Push, Version_2_knows_a_rate_limit_by_request_id_or_words) {
    for (const auto& [id, info] : {std::pair{"N/A", ""}, {"r", "exceeds the rate limit"}, {"r", "TOO_MANY_REQUESTS"}}) {
        EXPECT_EQ(decode_push_answer(LightpushVersion::v2, refusal(id, info))->code, status::rate_limited) << info;
    }
    EXPECT_EQ(decode_push_answer(LightpushVersion::v2, refusal("r", "no peers"))->code, status::internal);
}

TEST(Push, Version_3_success_that_reached_nobody_is_a_failure) {
    EXPECT_EQ(judged(200, "", 3), "ok");
    EXPECT_EQ(judged(200, "", 0), "no_peers: code 200, retryable");
    EXPECT_EQ(judged(200, "fine"), "no_peers: fine, retryable");
    EXPECT_TRUE(judge_push(LightpushVersion::v2, {"r", 200, "OK", {}}));
}

TEST(Push, Each_code_of_version_3_has_its_named_reason) {
    EXPECT_EQ(judged(400, "bad"), "invalid: bad");
    EXPECT_EQ(judged(413, "big"), "too_large: big");
    EXPECT_EQ(judged(420, "RLN validation failed"), "rln_required: RLN validation failed, retryable");
    EXPECT_EQ(judged(420, "Duplicate message"), "ok") << "already seen: somebody has it";
    EXPECT_EQ(judged(420, "odd"), "refused: odd, retryable");
    EXPECT_EQ(judged(421, ""), "wrong_shard: code 421, retryable");
    EXPECT_EQ(judged(429, ""), "rate_limited: code 429, retryable");
    EXPECT_EQ(judged(503, ""), "no_peers: code 503, retryable") << "the specification's code";
    EXPECT_EQ(judged(505, ""), "no_peers: code 505, retryable") << "the Nim node's code";
    EXPECT_EQ(judged(504, ""), "rln_required: code 504, retryable");
    EXPECT_EQ(judged(500, ""), "refused: code 500, retryable");
    EXPECT_EQ(judged(777, ""), "refused: code 777, retryable");
}

TEST(Push, Version_3_goes_both_ways) {
    const Bytes request = encode_push(LightpushVersion::v3, {"req", "/waku/2/rs/16/32", hex("0a01")});
    EXPECT_EQ(to_hex(request), "0a03726571a201102f77616b752f322f72732f31362f3332aa01020a01");
    const PushRequest read = *decode_push(LightpushVersion::v3, request);
    EXPECT_EQ(read.pubsub_topic, "/waku/2/rs/16/32");
    EXPECT_EQ(read.message, hex("0a01"));
    const Bytes answer = encode_push_answer(LightpushVersion::v3, {"req", 200, "OK", 2});
    EXPECT_EQ(to_hex(answer), "0a0372657150c8015a024f4b6002");
    EXPECT_EQ(decode_push_answer(LightpushVersion::v3, answer)->relay_peers, 2U);
}

TEST(Push, Version_2_is_read_as_a_server) {
    const Bytes request = encode_push(LightpushVersion::v2, {"req", "/t", hex("0a01")});
    EXPECT_EQ(decode_push(LightpushVersion::v2, request)->message, hex("0a01"));
    EXPECT_EQ(decode_push(LightpushVersion::v2, refusal("r", "")).error().message, "no_request");
    EXPECT_EQ(to_hex(encode_push_answer(LightpushVersion::v2, {"req-1", 200, "OK", {}})),
              "0a057265712d311a06080112024f4b")
        << "the bytes that go-waku sends";
}

TEST(Filter, Requests_and_answers_have_their_field_numbers) {
    const Bytes request = encode_filter_request({"r", FilterAct::subscribe, "/p", {"/c", "/d"}});
    EXPECT_EQ(to_hex(request), "0a0172100152022f705a022f635a022f64");
    const FilterRequest read = *decode_filter_request(request);
    EXPECT_EQ(read.act, FilterAct::subscribe);
    EXPECT_EQ(read.content_topics, (std::vector<std::string>{"/c", "/d"}));
    EXPECT_EQ(to_hex(encode_filter_request({"r", FilterAct::ping, "", {}})), "0a0172");
    EXPECT_EQ(decode_filter_request(hex("1004")).error().message, "unknown_act");
    const Bytes answer = encode_filter_answer({"r", 404, "no"});
    EXPECT_EQ(to_hex(answer), "0a017250940" + std::string("35a026e6f"));
    EXPECT_EQ(decode_filter_answer(answer)->code, 404U);
    EXPECT_EQ(decode_filter_push(encode_filter_push(hex("0a01"), "/p"))->pubsub_topic, "/p");
}

TEST(Push, A_reply_without_response_is_refused) {
    EXPECT_EQ(decode_push_answer(LightpushVersion::v2, hex("0a0172")).error().message, "no_response");
    EXPECT_EQ(decode_push_answer(LightpushVersion::v2, hex("0a")).error().message, "malformed");
}

TEST(Push, Prose_of_a_stranger_is_made_printable_and_short) {
    Bytes reply = hex("0a01721ab10312ae030a");  // response { info: 430 bytes, of which the first is a line feed }
    reply.insert(reply.end(), 429, 'x');
    EXPECT_EQ(decode_push_answer(LightpushVersion::v2, reply)->info, "?" + std::string(199, 'x'));
}

}  // namespace
}  // namespace noroshi::waku
