// test/unit/status/payloads_test.cpp - payloads against the vectors, there and back, and from strangers.
#include <gtest/gtest.h>

#include "fields.hpp"
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
        EXPECT_EQ(unwrap_payload(field(1, std::string(size, 'a')) + field(2, "x")).error().message, "bad_signature");
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

// Fields of a chat message.
constexpr std::uint32_t clock_field = 1;
constexpr std::uint32_t text_field = 3;
constexpr std::uint32_t response_to_field = 4;
constexpr std::uint32_t chat_id_field = 6;
constexpr std::uint32_t message_type_field = 7;
constexpr std::uint32_t content_type_field = 8;
constexpr std::uint32_t image_field = 10;
constexpr std::uint32_t name_field = 14;
constexpr std::uint32_t state_field = 15;

/// The vector's message with a field appended, which changes it.
std::string refusal_with(const Bytes& change) { return refusal(decode_payload(1, vector_bytes("chat_message") + change)); }

TEST(Payload, A_bad_message_is_refused_with_its_reason) {
    EXPECT_EQ(refusal_with({}), "taken");
    EXPECT_EQ(refusal_with(field(text_field, "\xc3")), "parse bad_utf8");
    EXPECT_EQ(refusal_with(field(chat_id_field, "\xff")), "parse bad_utf8");
    EXPECT_EQ(refusal_with(field(chat_id_field, std::string(257, 'a'))), "parse bad_chat_id");
    EXPECT_EQ(refusal_with(field(chat_id_field, "")), "parse bad_chat_id");
    EXPECT_EQ(refusal_with(field(text_field, "\n")), "parse bad_text");
    EXPECT_EQ(refusal_with(field(clock_field, 0)), "parse bad_clock");
    EXPECT_EQ(refusal_with(field(clock_field, ~0ULL)), "parse bad_clock");
    EXPECT_EQ(refusal_with(field(message_type_field, 3)), "parse bad_kind");
    EXPECT_EQ(refusal_with(field(message_type_field, 0)), "parse bad_kind");
    for (const std::uint64_t content : {0ULL, 3ULL, 6ULL, 9ULL, 10ULL, 13ULL, 14ULL, 15ULL, 16ULL, 17ULL, 18ULL, ~0ULL}) {
        EXPECT_EQ(refusal_with(field(content_type_field, content)), "parse bad_content") << content;
    }
    EXPECT_EQ(refusal_with(field(response_to_field, "0x" + std::string(63, 'a'))), "parse bad_message_id");
    EXPECT_EQ(refusal_with(field(content_type_field, 7)), "parse bad_image");
    const auto image = [](std::string_view data, std::uint64_t format) {
        return field(content_type_field, 7) + field(image_field, field(1, data) + field(2, format));
    };
    EXPECT_EQ(refusal_with(image("x", 5)), "parse bad_image");
    EXPECT_EQ(refusal_with(image("", 1)), "parse bad_image");
    EXPECT_EQ(refusal_with(image("x", 1)), "taken");
    for (const std::int32_t type : {1, 2, 15, 22, 24, 29, 31, 46, 47}) {
        EXPECT_EQ(refusal(decode_payload(type, as_bytes("\x0f"))), "parse malformed") << type;
        EXPECT_EQ(refusal(decode_payload(type, Bytes(wire::max_message_bytes + 1))), "parse too_large") << type;
        EXPECT_EQ(refusal(decode_payload(type, {})) == "taken", type == 15) << type;
    }
}

TEST(Payload, A_strange_name_or_state_loses_no_words) {
    const auto with = [](const Bytes& change) {
        return std::get<ChatMessage>(*decode_payload(1, vector_bytes("chat_message") + change));
    };
    const ChatMessage strange = with(field(name_field, "\xff\xfe") + field(state_field, field(2, 99)));
    EXPECT_EQ(strange.text, "please add me");
    EXPECT_EQ(strange.display_name, "");
    EXPECT_FALSE(strange.contact_state);
    EXPECT_FALSE(with(field(state_field, field(1, ~0ULL))).contact_state);
    EXPECT_EQ(with(field(name_field, " Ђорђе ")).display_name, "Ђорђе");
}

TEST(Payload, Stickers_and_sounds_are_read_as_their_text) {
    EXPECT_EQ(refusal_with(field(content_type_field, 2)), "taken");
    EXPECT_EQ(refusal_with(field(content_type_field, 8)), "taken");
    EXPECT_EQ(refusal_with(field(content_type_field, 2) + field(text_field, "")), "parse bad_text");
}

TEST(Payload, Ids_that_the_app_makes_up_are_taken) {
    const Bytes clock = field(2, 5);
    EXPECT_EQ(std::get<RetractContactRequest>(*decode_payload(47, clock)).id, "");
    EXPECT_EQ(refusal(decode_payload(46, clock)), "parse bad_message_id");
    const std::string of_contact_update = bob_id + "20";
    EXPECT_EQ(std::get<AcceptContactRequest>(*decode_payload(46, field(1, of_contact_update) + clock)).id, of_contact_update);
    const Bytes longer = field(1, "0x" + std::string(258, 'a')) + clock;
    EXPECT_EQ(refusal(decode_payload(46, longer)), "parse bad_message_id");
    EXPECT_EQ(refusal(decode_payload(47, longer)), "parse bad_message_id");
}

TEST(Payload, An_edit_without_content_type_is_one_of_text) {
    const Bytes edit = field(1, 1) + field(2, "x") + field(3, bob_id) + field(4, some_id) + field(6, 1);
    EXPECT_EQ(std::get<EditMessage>(*decode_payload(29, edit)).content, ContentType::text);
}

TEST(Payload, Of_an_identity_the_larger_open_picture_is_taken) {
    Bytes identity = field(1, 1);
    const auto add = [&identity](std::string_view name, std::string_view data, std::uint64_t encrypted) {
        identity = identity + field(3, field(1, name) + field(2, field(1, data) + field(3, 2) + field(5, encrypted)));
    };
    const auto picture = [&identity] { return std::get<ChatIdentity>(*decode_payload(24, identity)).picture; };
    const auto jpeg = [](char data) { return Image{Bytes(1, static_cast<std::uint8_t>(data)), ImageFormat::jpeg, 0, 0}; };
    add("other", "o", 0);
    EXPECT_FALSE(picture());
    add("thumbnail", "t", 0);
    EXPECT_EQ(picture(), jpeg('t'));
    add("large", "e", 1);
    EXPECT_EQ(picture(), jpeg('t'));
    add("large", "l", 0);
    EXPECT_EQ(picture(), jpeg('l'));
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
