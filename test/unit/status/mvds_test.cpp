// test/unit/status/mvds_test.cpp - MVDS ids and payloads against the vectors, the pauses between sends, hostile payloads.
#include <gtest/gtest.h>

#include "fields.hpp"
#include "mvds.hpp"
#include "payloads.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using namespace test;

constexpr std::uint32_t acks = 5001;
constexpr std::uint32_t offers = 5002;
constexpr std::uint32_t requests = 5003;
constexpr std::uint32_t messages = 5004;
constexpr std::uint32_t group_id = 6001;

MvdsMessage vector_message() {
    return {mvds_group(alice().public_key(), bob().public_key()), 1'700'000'000, vector_bytes("metadata")};
}
std::string refusal(ByteView bytes) {
    const auto decoded = decode_mvds(bytes);
    return decoded ? "taken" : decoded.error().message;
}

TEST(Mvds, The_group_is_the_vector_from_either_side) {
    EXPECT_EQ(to_hex(mvds_group(alice().public_key(), bob().public_key())), vector_text("mvds_group"));
    EXPECT_EQ(to_hex(mvds_group(bob().public_key(), alice().public_key())), vector_text("mvds_group"));
}

TEST(Mvds, Message_and_payload_are_the_vector) {
    EXPECT_EQ(to_hex(vector_message().id()), vector_text("mvds_id"));
    EXPECT_EQ(to_hex(encode_mvds({{}, {vector_message()}})), vector_text("mvds_payload"));
    EXPECT_EQ(*decode_mvds(vector_bytes("mvds_payload")), (MvdsPayload{{}, {vector_message()}}));
}

TEST(Mvds, The_acknowledgement_is_the_vector) {
    const MvdsPayload ack{{vector_message().id()}, {}};
    EXPECT_EQ(to_hex(encode_mvds(ack)), vector_text("mvds_ack"));
    EXPECT_EQ(*decode_mvds(vector_bytes("mvds_ack")), ack);
}

TEST(Mvds, The_body_of_the_vector_is_the_contact_request) {
    const auto unwrapped = unwrap_payload(decode_mvds(vector_bytes("mvds_payload"))->messages.front().body);
    ASSERT_TRUE(unwrapped);
    EXPECT_EQ(unwrapped->id, vector_text("message_id"));
}

TEST(Mvds, Acks_and_messages_share_a_payload) {
    const MvdsPayload both{{MvdsId{1}, MvdsId{2}}, {vector_message(), MvdsMessage{MvdsId{3}, -1, {}}}};
    EXPECT_EQ(*decode_mvds(encode_mvds(both)), both);
}

TEST(Mvds, Other_bytes_are_no_payload) {
    EXPECT_EQ(refusal({}), "empty");
    EXPECT_EQ(refusal(vector_bytes("metadata")), "empty");
    EXPECT_EQ(refusal(vector_bytes("chat_message")), "empty");
    EXPECT_EQ(refusal(as_bytes("\xff\xff\xff")), "malformed");
    const Bytes ack = vector_bytes("mvds_ack");
    for (std::size_t size = 1; size < ack.size(); ++size) {
        EXPECT_EQ(refusal(ByteView(ack).first(size)), "malformed") << size;
    }
}

TEST(Mvds, Ids_of_another_length_are_malformed) {
    EXPECT_EQ(refusal(field(acks, std::string(31, 'a'))), "malformed");
    EXPECT_EQ(refusal(field(messages, field(group_id, "short"))), "malformed");
    EXPECT_EQ(refusal(field(messages, field(group_id, std::string(32, 'a')))), "taken");
}

TEST(Mvds, Offers_and_requests_are_passed_over) {
    const Bytes passed_over = field(offers, std::string(32, 'a')) + field(requests, "any");
    EXPECT_EQ(refusal(passed_over), "empty");
    EXPECT_EQ(decode_mvds(passed_over + field(acks, std::string(32, 'b')))->acks.size(), 1U);
}

TEST(Mvds, A_payload_is_bounded) {
    MvdsPayload many{std::vector<MvdsId>(1000), std::vector<MvdsMessage>(100)};
    EXPECT_EQ(refusal(encode_mvds(many)), "taken");
    many.acks.emplace_back();
    EXPECT_EQ(refusal(encode_mvds(many)), "too_many");
    many.acks.clear();
    many.messages.emplace_back();
    EXPECT_EQ(refusal(encode_mvds(many)), "too_many");
    many.messages.clear();
    many.acks.resize(100'000);
    EXPECT_EQ(refusal(encode_mvds(many)), "malformed");
}

TEST(Mvds, Pauses_double_with_jitter) {
    SeededRandom random(1);
    for (std::uint32_t sends = 1; sends <= mvds_most_sends; ++sends) {
        const Milliseconds least = Milliseconds(27'000) * (1 << (sends - 1));
        Milliseconds smallest = Milliseconds::max();
        Milliseconds largest{0};
        for (int i = 0; i < 200; ++i) {
            const Milliseconds pause = mvds_pause(sends, random);
            smallest = std::min(smallest, pause);
            largest = std::max(largest, pause);
        }
        EXPECT_GE(smallest, least);
        EXPECT_LE(largest, least + Milliseconds(9'000));
        EXPECT_GT(largest - smallest, Milliseconds(5'000));
    }
    EXPECT_GE(mvds_pause(0, random), Milliseconds(27'000));
    EXPECT_LE(mvds_pause(4'000'000'000, random), Milliseconds(27'000) * (1 << 14) + Milliseconds(9'000));
}

}  // namespace
}  // namespace noroshi::status
