// test/unit/status/topics_test.cpp - chat ids, content topics and topic keys against the vectors; the envelopes on them.
#include <gtest/gtest.h>

#include "topics.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using namespace test;

void expect_topic(const std::string& chat_id, const std::string& name) {
    EXPECT_EQ(chat_id, vector_text(name + ".chat_id"));
    EXPECT_EQ(content_topic(chat_id), vector_text(name + ".content_topic"));
}

TEST(Topics, Of_one_user_are_the_vectors) {
    for (const std::string name : {"alice", "bob"}) {
        const crypto::PublicKey key = (name == "alice" ? alice() : bob()).public_key();
        expect_topic(partitioned_chat_id(key), name + ".partitioned");
        expect_topic(personal_chat_id(key), name + ".personal");
        expect_topic(contact_code_chat_id(key), name + ".contact_code");
        EXPECT_EQ(to_hex(topic_key(contact_code_chat_id(key)).expose()), vector_text(name + ".contact_code.key"));
    }
}

TEST(Topics, Of_two_users_is_the_vector_from_either_side) {
    const std::string chat_id = negotiated_chat_id(alice(), bob().public_key());
    expect_topic(chat_id, "negotiated");
    EXPECT_EQ(chat_id, vector_text("ecdh"));
    EXPECT_EQ(chat_id, negotiated_chat_id(bob(), alice().public_key()));
    EXPECT_EQ(to_hex(topic_key(chat_id).expose()), vector_text("negotiated.key"));
}

TEST(Topics, An_envelope_on_the_contact_code_topic_is_opened) {
    const auto opened = waku::open_symmetric(vector_bytes("envelope_contact_code_alice"),
                                             topic_key(contact_code_chat_id(alice().public_key())));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(to_hex(opened->payload), vector_text("protocol_message_contact_code"));
    EXPECT_EQ(opened->signer, alice().public_key());
}

TEST(Topics, An_envelope_on_the_partitioned_topic_is_opened) {
    const auto opened = waku::open_asymmetric(vector_bytes("envelope_to_bob"), bob());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(to_hex(opened->payload), vector_text("protocol_message_dh"));
    EXPECT_EQ(opened->signer, alice().public_key());
    EXPECT_FALSE(waku::open_asymmetric(vector_bytes("envelope_to_bob"), alice()));
}

}  // namespace
}  // namespace noroshi::status
