// test/unit/status/payloads_test.cpp - payloads against the vectors, there and back, and from strangers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <status.pb.h>

#include "payload_rules.hpp"
#include "payloads.hpp"
#include "status/identity.hpp"
#include "vectors.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

using namespace test;

const std::string some_id = "0x" + std::string(64, 'a');
const std::string bob_id = contact_id(bob().public_key());

/// The message of the vectors: alice asks bob.
ChatMessage vector_message() {
    ChatMessage out;
    out.clock = 1'700'000'000'001;
    out.timestamp = 1'700'000'000'000;
    out.text = "please add me";
    out.chat_id = bob_id;
    out.content = ContentType::contact_request;
    out.display_name = "noroshi";
    out.contact_state = PropagatedState{1'700'000'000'001, ContactState::sent, 0, ContactState::none};
    return out;
}
Image some_image() { return {Bytes{0x89, 'P', 'N', 'G'}, ImageFormat::png, 64, 32}; }

std::string refusal(const Result<Payload>& decoded) {
    return decoded ? "taken" : std::string(errc_name(decoded.error().code)) + " " + decoded.error().message;
}
std::string refusal(const Payload& payload) {
    const auto encoded = encode_payload(payload);
    return encoded ? "taken" : std::string(errc_name(encoded.error().code)) + " " + encoded.error().message;
}
template <class T>
T there_and_back(const T& payload) {
    const auto encoded = encode_payload(payload);
    EXPECT_TRUE(encoded) << encoded.error().message;
    const auto decoded = decode_payload(static_cast<std::int32_t>(type_of(payload)), *encoded);
    EXPECT_TRUE(decoded) << decoded.error().message;
    return std::get<T>(*decoded);
}

TEST(Payload, A_chat_message_is_the_vector) {
    EXPECT_EQ(to_hex(*encode_payload(vector_message())), vector_text("chat_message"));
    EXPECT_EQ(std::get<ChatMessage>(*decode_payload(1, vector_bytes("chat_message"))), vector_message());
}

TEST(Payload, The_signed_frame_is_the_vector) {
    const Bytes payload = vector_bytes("chat_message");
    EXPECT_EQ(to_hex(crypto::keccak256(payload)), vector_text("payload_digest"));
    const Bytes wrapped = wrap_payload(MessageType::chat_message, payload, alice());
    EXPECT_EQ(to_hex(wrapped), vector_text("metadata"));
    EXPECT_EQ(message_id(alice().public_key(), wrapped), vector_text("message_id"));
    const auto unwrapped = unwrap_payload(wrapped);
    ASSERT_TRUE(unwrapped);
    EXPECT_EQ(unwrapped->signer, alice().public_key());
    EXPECT_EQ(unwrapped->type, 1);
    EXPECT_EQ(unwrapped->payload, payload);
    EXPECT_EQ(unwrapped->id, vector_text("message_id"));
}

TEST(Payload, A_frame_may_hold_an_empty_advertisement) {
    const Bytes frame = *from_hex("0a41b092cb7ac5bde06893b35d95319f373b980fe0145c227f5ee02ad201cd66bd095ffe4da3c9147db00027f7b3b342d5"
                                  "acd94f32e793de3b05f5ad9cd08dc3cd6b00180f");
    EXPECT_EQ(wrap_payload(MessageType::contact_code_advertisement, *encode_payload(ContactCodeAdvertisement{}), alice()), frame);
    const auto unwrapped = unwrap_payload(frame);
    ASSERT_TRUE(unwrapped);
    EXPECT_EQ(unwrapped->signer, alice().public_key());
    EXPECT_EQ(std::get<ContactCodeAdvertisement>(*decode_payload(unwrapped->type, unwrapped->payload)),
              ContactCodeAdvertisement{});
}

TEST(Payload, The_id_is_of_the_bytes_as_they_came) {
    Bytes longer = vector_bytes("metadata");
    longer.insert(longer.end(), {0xf8, 0x01, 0x01});  // an unknown field
    const auto unwrapped = unwrap_payload(longer);
    ASSERT_TRUE(unwrapped);
    EXPECT_NE(unwrapped->id, vector_text("message_id"));
    EXPECT_EQ(unwrapped->id, message_id(alice().public_key(), longer));
}

TEST(Payload, A_change_of_the_payload_is_never_alices) {
    const Bytes wrapped = vector_bytes("metadata");
    for (std::size_t i = 2; i < wrapped.size() - 2; ++i) {
        Bytes changed = wrapped;
        changed[i] ^= 1;
        const auto unwrapped = unwrap_payload(changed);
        const bool same = unwrapped && unwrapped->signer == alice().public_key() &&
                          unwrapped->payload == vector_bytes("chat_message");
        EXPECT_FALSE(same && unwrapped->id == vector_text("message_id")) << i;
        EXPECT_TRUE(!unwrapped || unwrapped->signer != alice().public_key() || unwrapped->payload == vector_bytes("chat_message")) << i;
    }
}

TEST(Payload, A_frame_without_a_good_signature_is_refused) {
    for (const std::size_t size : {0U, 1U, 64U, 66U}) {
        wire::ApplicationMetadataMessage frame;
        frame.set_signature(std::string(size, 'a'));
        frame.set_payload("x");
        EXPECT_EQ(unwrap_payload(wire::to_bytes(frame)).error().message, "bad_signature");
    }
    Bytes other_recovery = vector_bytes("metadata");
    other_recovery[66] = static_cast<std::uint8_t>(other_recovery[66] + 27);  // a second form of the same signature
    EXPECT_EQ(unwrap_payload(other_recovery).error().message, "bad_signature");
    EXPECT_EQ(unwrap_payload(as_bytes("\xff\xff")).error().message, "malformed");
    EXPECT_EQ(unwrap_payload({}).error().message, "bad_signature");
}

TEST(Payload, Every_type_is_read_back) {
    ChatMessage reply = vector_message();
    reply.content = ContentType::text;
    reply.response_to = some_id;
    reply.contact_state.reset();
    reply.display_name.clear();
    EXPECT_EQ(there_and_back(reply), reply);
    ChatMessage picture = reply;
    picture.content = ContentType::image;
    picture.text.clear();
    picture.image = some_image();
    EXPECT_EQ(there_and_back(picture), picture);
    picture.text = "graph";
    EXPECT_EQ(there_and_back(picture), picture);
    const ContactUpdate update{5, "noroshi", 4, PropagatedState{4, ContactState::sent, 3, ContactState::received}, bob_id};
    EXPECT_EQ(there_and_back(update), update);
    const AcceptContactRequest accept{some_id, 7};
    EXPECT_EQ(there_and_back(accept), accept);
    const RetractContactRequest retract{"", 8};
    EXPECT_EQ(there_and_back(retract), retract);
    const EditMessage edit{9, "better", bob_id, some_id, ContentType::text};
    EXPECT_EQ(there_and_back(edit), edit);
    const DeleteMessage erase{10, bob_id, some_id};
    EXPECT_EQ(there_and_back(erase), erase);
    for (std::int32_t emoji = 1; emoji <= 6; ++emoji) {
        const EmojiReaction reaction{11, bob_id, some_id, static_cast<Emoji>(emoji), emoji % 2 == 0};
        EXPECT_EQ(there_and_back(reaction), reaction);
    }
    ChatIdentity identity{12, "noroshi", some_image()};
    identity.picture->width = identity.picture->height = 0;
    EXPECT_EQ(there_and_back(identity), identity);
    const ContactCodeAdvertisement advertisement{identity};
    EXPECT_EQ(there_and_back(advertisement), advertisement);
    EXPECT_EQ(there_and_back(ContactCodeAdvertisement{ChatIdentity{1, "", {}}}).identity->clock, 1U);
}

TEST(Payload, Types_of_others_are_passed_over) {
    for (const std::int32_t type : {0, 4, 28, 30, 90, 1000, -1}) {
        EXPECT_EQ(std::get<Unhandled>(*decode_payload(type, as_bytes("any bytes"))).type, type);
        EXPECT_EQ(refusal(Payload(Unhandled{type})), "invalid_argument not_sendable");
    }
}

TEST(Payload, What_peers_would_drop_is_not_made) {
    const auto refused = [](auto change) {
        ChatMessage message = vector_message();
        change(message);
        return refusal(Payload(message));
    };
    EXPECT_EQ(refused([](ChatMessage& m) { m.clock = 0; }), "invalid_argument bad_clock");
    EXPECT_EQ(refused([](ChatMessage& m) { m.timestamp = 0; }), "invalid_argument bad_clock");
    EXPECT_EQ(refused([](ChatMessage& m) { m.clock = max_clock + 1; }), "invalid_argument bad_clock");
    EXPECT_EQ(refused([](ChatMessage& m) { m.text = ""; }), "invalid_argument bad_text");
    EXPECT_EQ(refused([](ChatMessage& m) { m.text = " \n\xe2\x80\x83"; }), "invalid_argument bad_text");
    EXPECT_EQ(refused([](ChatMessage& m) { m.text = std::string(4097, 'a'); }), "invalid_argument bad_text");
    EXPECT_EQ(refused([](ChatMessage& m) { m.text = std::string(4096, 'a'); }), "taken");
    EXPECT_EQ(refused([](ChatMessage& m) {
                  m.text.clear();
                  for (int i = 0; i < 4096; ++i) {
                      m.text += "\xf0\x9f\x94\xa5";
                  }
              }),
              "taken");
    EXPECT_EQ(refused([](ChatMessage& m) { m.response_to = "0xabc"; }), "invalid_argument bad_message_id");
    EXPECT_EQ(refused([](ChatMessage& m) { m.chat_id = ""; }), "invalid_argument bad_chat_id");
    EXPECT_EQ(refused([](ChatMessage& m) { m.display_name = "abc"; }), "invalid_argument bad_display_name");
    EXPECT_EQ(refused([](ChatMessage& m) { m.content = ContentType::image; }), "invalid_argument bad_image");
    EXPECT_EQ(refused([](ChatMessage& m) { m.image = some_image(); }), "invalid_argument bad_image");
    EXPECT_EQ(refused([](ChatMessage& m) { m.content = ContentType::sticker; }), "invalid_argument not_sendable");
    EXPECT_EQ(refused([](ChatMessage& m) { m.content = static_cast<ContentType>(15); }), "invalid_argument bad_content");
    EXPECT_EQ(refused([](ChatMessage& m) {
                  m.content = ContentType::image;
                  m.image = some_image();
                  m.image->data.resize(max_image_bytes + 1);
              }),
              "limit image_too_large");
    EXPECT_EQ(refusal(Payload(AcceptContactRequest{"", 1})), "invalid_argument bad_message_id");
    EXPECT_EQ(refusal(Payload(EditMessage{1, " ", bob_id, some_id, ContentType::text})), "invalid_argument bad_text");
    EXPECT_EQ(refusal(Payload(DeleteMessage{1, "", some_id})), "invalid_argument bad_chat_id");
    EXPECT_EQ(refusal(Payload(EmojiReaction{1, bob_id, some_id, static_cast<Emoji>(7), false})), "invalid_argument bad_content");
    EXPECT_EQ(refusal(Payload(ChatIdentity{1, "abc", {}})), "invalid_argument bad_display_name");
    EXPECT_EQ(refusal(Payload(ChatIdentity{1, "", Image{Bytes(max_image_bytes / 2 + 1), ImageFormat::jpeg, 0, 0}})),
              "limit image_too_large");
}

/// The vector's message with one thing changed on the wire.
std::string refusal_of(auto change) {
    wire::ChatMessage message;
    EXPECT_TRUE(wire::parse(message, vector_bytes("chat_message")));
    change(message);
    return refusal(decode_payload(1, wire::to_bytes(message)));
}

TEST(Payload, A_bad_message_is_refused_with_its_reason) {
    EXPECT_EQ(refusal_of([](wire::ChatMessage&) {}), "taken");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_text("\xc3"); }), "parse bad_utf8");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_chat_id("\xff"); }), "parse bad_utf8");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_chat_id(std::string(257, 'a')); }), "parse bad_chat_id");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_text("\n"); }), "parse bad_text");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_clock(0); }), "parse bad_clock");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_clock(~0ULL); }), "parse bad_clock");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_message_type(3); }), "parse bad_kind");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_message_type(0); }), "parse bad_kind");
    for (const std::int32_t content : {0, 3, 6, 9, 10, 13, 14, 15, 16, 17, 18, -1}) {
        EXPECT_EQ(refusal_of([content](wire::ChatMessage& m) { m.set_content_type(content); }), "parse bad_content");
    }
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_response_to("0x" + std::string(63, 'a')); }), "parse bad_message_id");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_content_type(7); }), "parse bad_image");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) {
                  m.set_content_type(7);
                  m.mutable_image()->set_payload("x");
                  m.mutable_image()->set_format(5);
              }),
              "parse bad_image");
    for (const std::int32_t type : {1, 2, 15, 22, 24, 29, 31, 46, 47}) {
        EXPECT_EQ(refusal(decode_payload(type, as_bytes("\x0f"))), "parse malformed") << type;
        EXPECT_EQ(refusal(decode_payload(type, Bytes(wire::max_message_bytes + 1))), "parse too_large") << type;
        EXPECT_EQ(refusal(decode_payload(type, {})) == "taken", type == 15) << type;
    }
}

TEST(Payload, A_strange_name_or_state_loses_no_words) {
    wire::ChatMessage message;
    ASSERT_TRUE(wire::parse(message, vector_bytes("chat_message")));
    message.set_display_name("\xff\xfe");
    message.mutable_contact_request_propagated_state()->set_local_state(99);
    const auto decoded = std::get<ChatMessage>(*decode_payload(1, wire::to_bytes(message)));
    EXPECT_EQ(decoded.text, "please add me");
    EXPECT_EQ(decoded.display_name, "");
    EXPECT_FALSE(decoded.contact_state);
    message.set_display_name(" Ђорђе ");
    EXPECT_EQ(std::get<ChatMessage>(*decode_payload(1, wire::to_bytes(message))).display_name, "Ђорђе");
}

TEST(Payload, Stickers_and_sounds_are_read_as_their_text) {
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_content_type(2); }), "taken");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) { m.set_content_type(8); }), "taken");
    EXPECT_EQ(refusal_of([](wire::ChatMessage& m) {
                  m.set_content_type(2);
                  m.set_text("");
              }),
              "parse bad_text");
}

TEST(Payload, Ids_that_the_app_makes_up_are_taken) {
    wire::ContactRequestAnswer answer;
    answer.set_clock(5);
    EXPECT_EQ(std::get<RetractContactRequest>(*decode_payload(47, wire::to_bytes(answer))).id, "");
    EXPECT_EQ(refusal(decode_payload(46, wire::to_bytes(answer))), "parse bad_message_id");
    answer.set_id(bob_id + "20");  // of a request that came as ContactUpdate
    EXPECT_EQ(std::get<AcceptContactRequest>(*decode_payload(46, wire::to_bytes(answer))).id, bob_id + "20");
    answer.set_id("0x" + std::string(258, 'a'));
    EXPECT_EQ(refusal(decode_payload(46, wire::to_bytes(answer))), "parse bad_message_id");
    EXPECT_EQ(refusal(decode_payload(47, wire::to_bytes(answer))), "parse bad_message_id");
}

TEST(Payload, An_edit_without_content_type_is_one_of_text) {
    wire::EditMessage edit;
    edit.set_clock(1);
    edit.set_text("x");
    edit.set_chat_id(bob_id);
    edit.set_message_id(some_id);
    edit.set_message_type(1);
    EXPECT_EQ(std::get<EditMessage>(*decode_payload(29, wire::to_bytes(edit))).content, ContentType::text);
}

TEST(Payload, Of_an_identity_the_larger_open_picture_is_taken) {
    wire::ChatIdentity identity;
    identity.set_clock(1);
    const auto add = [&identity](const char* name, const char* data, bool encrypted) {
        wire::IdentityImageEntry& entry = *identity.add_images();
        entry.set_key(name);
        entry.mutable_value()->set_payload(data);
        entry.mutable_value()->set_image_format(2);
        entry.mutable_value()->set_encrypted(encrypted);
    };
    const auto picture = [&identity] { return std::get<ChatIdentity>(*decode_payload(24, wire::to_bytes(identity))).picture; };
    add("other", "o", false);
    EXPECT_FALSE(picture());
    add("thumbnail", "t", false);
    EXPECT_EQ(picture()->data, wire::bytes("t"));
    add("large", "e", true);
    EXPECT_EQ(picture()->data, wire::bytes("t"));
    add("large", "l", false);
    EXPECT_EQ(*picture(), (Image{wire::bytes("l"), ImageFormat::jpeg, 0, 0}));
}

TEST(Payload, Fields_without_number_are_no_message) {
    Bytes many;
    for (int i = 0; i < 5000; ++i) {
        many.insert(many.end(), {0x1a, 0x00});  // an empty picture
    }
    EXPECT_EQ(refusal(decode_payload(24, many)), "parse malformed");
}

}  // namespace
}  // namespace noroshi::status
