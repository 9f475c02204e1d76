// test/unit/waku/message_test.cpp - WakuMessage bytes and hash vectors.
#include <gtest/gtest.h>

#include "waku/message.hpp"

namespace noroshi::waku {
namespace {

constexpr std::string_view vector_topic = "/waku/2/default-waku/proto";

Bytes hex(std::string_view text) { return *from_hex(text); }

WakuMessage vector_message() {
    WakuMessage message;
    message.payload = hex("010203045445535405060708");
    message.content_topic = "/waku/2/default-content/proto";
    message.timestamp_ns = 0x175789bfa23f8400;
    return message;
}

std::string hash_of(const WakuMessage& message) { return to_hex(message_hash(vector_topic, message)); }

WakuMessage small_message() {
    WakuMessage message;
    message.payload = hex("6869");
    message.content_topic = "/noroshi/1/alerts/proto";
    message.version = 0;
    message.timestamp_ns = 1700000000000000000;
    return message;
}

constexpr std::string_view small_message_hex =
    "0a02686912172f6e6f726f7368692f312f616c657274732f70726f746f1800508080d0e2c6bfce972f";

std::string decode_reason(const Bytes& bytes) {
    const Result<WakuMessage> message = decode_message(bytes);
    return message ? "decoded" : message.error().message;
}

TEST(Message_hash, With_meta) {
    WakuMessage message = vector_message();
    message.meta = hex("73757065722d736563726574");
    EXPECT_EQ(hash_of(message), "64cce733fed134e83da02b02c6f689814872b1a0ac97ea56b76095c3c72bfe05");
}

TEST(Message_hash, With_the_longest_meta) {
    WakuMessage message = vector_message();
    message.meta = Bytes();
    for (std::uint8_t i = 0; i < 64; ++i) {
        message.meta->push_back(i);
    }
    EXPECT_EQ(hash_of(message), "7158b6498753313368b9af8f6e0a0a05104f68f972981da42a43bc53fb0c1b27");
}

TEST(Message_hash, Without_meta) {
    EXPECT_EQ(hash_of(vector_message()), "a2554498b31f5bcdfcbf7fa58ad1c2d45f0254f3f8110a85588ec3cf10720fd8");
}

TEST(Message_hash, With_an_empty_payload) {
    WakuMessage message = vector_message();
    message.meta = hex("73757065722d736563726574");
    message.payload.clear();
    EXPECT_EQ(hash_of(message), "483ea950cb63f9b9d6926b262bb36194d3f40a0463ce8446228350bd44e96de4");
}

TEST(Message_hash, An_absent_timestamp_counts_as_eight_zero_bytes) {
    WakuMessage message = vector_message();
    message.meta = hex("73757065722d736563726574");
    message.timestamp_ns.reset();
    EXPECT_EQ(hash_of(message), "a7b48e67027664b7fb29d15bfe318bb8845b60bf27bf99822a246a4cb6389e08");
    message.timestamp_ns = 0;
    EXPECT_EQ(hash_of(message), "a7b48e67027664b7fb29d15bfe318bb8845b60bf27bf99822a246a4cb6389e08");
}

TEST(Message_hash, Js_waku_leaves_an_absent_timestamp_out) {
    // Why a timestamp is always set: only then do all implementations agree.
    WakuMessage message = vector_message();
    message.meta = hex("73757065722d736563726574");
    message.timestamp_ns.reset();
    const crypto::Digest theirs = crypto::sha256(
        {as_bytes(vector_topic), message.payload, as_bytes(message.content_topic), *message.meta});
    EXPECT_EQ(to_hex(theirs), "4fdde1099c9f77f6dae8147b6b3179aba1fc8e14a7bf35203fc253ee479f135f");
    EXPECT_NE(message_hash(vector_topic, message), theirs);
}

TEST(Message_hash, On_a_shard) {
    EXPECT_EQ(to_hex(message_hash("/waku/2/rs/16/32", small_message())),
              "35a39c946687a6b0647e467e666f6c7c0d7c561deb44f00adaf0dc12bf140e2a");
}

TEST(Message_bytes, Encodes_in_field_order_as_the_reference_does) {
    EXPECT_EQ(to_hex(*encode_message(small_message())), small_message_hex);
}

TEST(Message_bytes, Decodes_the_reference_bytes) {
    EXPECT_EQ(*decode_message(hex(small_message_hex)), small_message());
}

TEST(Message_bytes, Timestamp_is_zigzag) {
    EXPECT_EQ(*decode_message(hex("0a026869120c2f612f312f622f70726f746f5001"))->timestamp_ns, -1);
}

TEST(Message_hash, Timestamp_is_big_endian_twos_complement_although_the_message_has_zigzag) {
    WakuMessage message = small_message();
    message.timestamp_ns = -2;
    const Bytes last = hex("fffffffffffffffe");
    EXPECT_EQ(message_hash("/t", message),
              crypto::sha256({as_bytes("/t"), message.payload, as_bytes(message.content_topic), last}));
}

TEST(Message_bytes, Every_field_reads_back) {
    WakuMessage message = small_message();
    message.version = 1;
    message.timestamp_ns = INT64_MIN;
    message.meta = Bytes(64, 0xff);
    message.rate_limit_proof = hex("00ff");
    message.ephemeral = true;
    EXPECT_EQ(*decode_message(*encode_message(message)), message);
}

TEST(Message_bytes, Absent_is_not_zero) {
    WakuMessage message;
    message.payload = {1};
    message.content_topic = "t";
    const WakuMessage read = *decode_message(*encode_message(message));
    EXPECT_FALSE(read.version || read.timestamp_ns || read.meta || read.rate_limit_proof || read.ephemeral);
}

TEST(Message_bytes, Passes_over_fields_it_does_not_know) {
    Bytes bytes = hex(small_message_hex);
    const Bytes unknown = hex("a2060378797a");
    bytes.insert(bytes.end(), unknown.begin(), unknown.end());
    EXPECT_EQ(*decode_message(bytes), small_message());
}

TEST(Message_bytes, Refuses_every_prefix_of_a_message) {
    const Bytes bytes = hex(small_message_hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const Result<WakuMessage> message = decode_message(prefix);
        EXPECT_TRUE(!message || *message != small_message()) << size;
    }
    EXPECT_EQ(decode_reason(Bytes(bytes.begin(), bytes.end() - 1)), "malformed");
}

TEST(Message_bytes, Names_the_reason_of_each_refusal) {
    EXPECT_EQ(decode_reason({}), "missing_payload");
    EXPECT_EQ(decode_reason(hex("0a00120174")), "missing_payload");
    EXPECT_EQ(decode_reason(hex("0a0178")), "missing_content_topic");
    EXPECT_EQ(decode_reason(hex("0a01781202c328")), "content_topic_not_utf8");
    EXPECT_EQ(decode_reason(hex("ffffff")), "malformed");
    EXPECT_EQ(decode_reason(Bytes(max_message_bytes + 1, 0)), "too_large");
    Bytes long_topic = hex("0a0178128108");
    long_topic.insert(long_topic.end(), 1025, 'a');
    EXPECT_EQ(decode_reason(long_topic), "content_topic_too_long");
    Bytes long_meta = hex("0a01781201745a41");
    long_meta.insert(long_meta.end(), 65, 0);
    EXPECT_EQ(decode_reason(long_meta), "meta_too_long");
}

TEST(Message_bytes, Refuses_to_encode_what_others_would_refuse) {
    WakuMessage message = small_message();
    message.payload.clear();
    EXPECT_EQ(encode_message(message).error().message, "missing_payload");
    message = small_message();
    message.content_topic.clear();
    EXPECT_EQ(encode_message(message).error().message, "missing_content_topic");
    message = small_message();
    message.content_topic = "\xc3\x28";
    EXPECT_EQ(encode_message(message).error().message, "content_topic_not_utf8");
    message = small_message();
    message.meta = Bytes(65, 0);
    EXPECT_EQ(encode_message(message).error().message, "meta_too_long");
    message = small_message();
    message.payload = Bytes(max_message_bytes, 1);
    EXPECT_EQ(encode_message(message).error().message, "too_large");
}

}  // namespace
}  // namespace noroshi::waku
