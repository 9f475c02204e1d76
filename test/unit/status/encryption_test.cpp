// test/unit/status/encryption_test.cpp - two devices that write to each other, with and without bundles.
#include <gtest/gtest.h>

#include <vector>

#include "encryption_world.hpp"
#include "status/peers.hpp"
#include "status/prekeys.hpp"

namespace noroshi::status {
namespace {

using test::decoded;
using test::entry_of;
using test::TestDevice;
using test::vector_bytes;
using test::vector_text;

struct World {
    TestDevice alice{0x11, "alice-1"};
    TestDevice bob{0x22, "bob-1"};

    /// Each has the other's bundle; alice began and was answered.
    void meet() {
        ASSERT_EQ(bob.read(alice, alice.write(bob, "here is my bundle")), "here is my bundle");
        ASSERT_EQ(alice.read(bob, bob.write(alice, "and mine")), "and mine");
    }
};

TEST(Encryption_dh, Opens_the_vector) {
    TestDevice bob(0x22, "bob-1", false);
    const auto opened = bob.open(test::key_of(0x11).public_key(), vector_bytes("protocol_message_dh"));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(to_hex(opened->payload), vector_text("mvds_payload"));
    EXPECT_EQ(opened->protection, Protection::dh);
    EXPECT_TRUE(opened->new_negotiated_topic);
    EXPECT_EQ(bob.encryption().negotiated_with(), std::vector{test::key_of(0x11).public_key()});
}

TEST(Encryption_dh, Without_bundles_nothing_is_kept) {
    TestDevice alice(0x11, "alice-1", false);
    TestDevice bob(0x22, "bob-1", false);
    TestDevice* from = &alice;
    TestDevice* to = &bob;
    for (int i = 0; i < 3; ++i) {
        const auto sealed = from->seal(to->identity(), "hello");
        EXPECT_FALSE(sealed.negotiated);
        const ProtocolMessage message = decoded(sealed.protocol_message);
        EXPECT_TRUE(message.bundles.empty());
        EXPECT_EQ(message.encrypted.begin()->first, any_device);
        const auto opened = to->open(from->identity(), sealed.protocol_message);
        ASSERT_TRUE(opened);
        EXPECT_EQ(as_text(opened->payload), "hello");
        EXPECT_EQ(opened->protection, Protection::dh);
        EXPECT_FALSE(opened->new_negotiated_topic);
        std::swap(from, to);
    }
    EXPECT_TRUE(alice.store().tables["sessions"].empty());
    EXPECT_TRUE(alice.store().tables["devices"].empty());
    EXPECT_TRUE(alice.store().tables["prekeys"].empty());
}

TEST(Encryption_dh, Every_message_has_a_fresh_key) {
    TestDevice alice(0x11, "alice-1", false);
    const TestDevice bob(0x22, "bob-1", false);
    EXPECT_NE(entry_of(alice.write(bob, "same")).dh, entry_of(alice.write(bob, "same")).dh);
}

TEST(Encryption_dh, Every_device_of_the_recipient_can_read_it) {
    TestDevice alice(0x11, "alice-1", false);
    TestDevice phone(0x22, "phone", false);
    TestDevice desk(0x22, "desk", false);
    const Bytes message = alice.write(phone, "hello");
    EXPECT_EQ(phone.read(alice, message), "hello");
    EXPECT_EQ(desk.read(alice, message), "hello");
}

TEST(Encryption_dh, Tampered_or_foreign_is_refused) {
    TestDevice alice(0x11, "alice-1", false);
    TestDevice bob(0x22, "bob-1", false);
    TestDevice carol(0x33, "carol-1", false);
    const Bytes good = alice.write(bob, "hello");
    EXPECT_EQ(carol.read(alice, good), "refused: bad_dh");
    ProtocolMessage bad = decoded(good);
    bad.encrypted.at(any_device).payload.back() ^= 1;
    EXPECT_EQ(bob.read(alice, encode_protocol_message(bad)), "refused: bad_dh");
    bad.encrypted.at(any_device).payload.resize(11);
    EXPECT_EQ(bob.read(alice, encode_protocol_message(bad)), "refused: bad_dh");
    bad.encrypted.at(any_device).dh->fill(0x02);
    bad.encrypted.at(any_device).dh->back() = 0xff;
    EXPECT_EQ(bob.read(alice, encode_protocol_message(bad)), "refused: bad_dh");
    bad.encrypted.at(any_device) = {};
    EXPECT_EQ(bob.read(alice, encode_protocol_message(bad)), "refused: no_header");
}

TEST(Encryption, Other_bytes_are_given_back) {
    TestDevice bob(0x22, "bob-1");
    const auto opened = bob.open(test::key_of(0x11).public_key(), vector_bytes("mvds_payload"));
    ASSERT_TRUE(opened);
    EXPECT_EQ(to_hex(opened->payload), vector_text("mvds_payload"));
    EXPECT_EQ(opened->protection, Protection::none);
    EXPECT_EQ(as_text(bob.open(test::key_of(0x11).public_key(), {'h', 'i'})->payload), "hi");
}

TEST(Encryption, Public_message_brings_the_bundle) {
    World world;
    const Bytes message = world.alice.write_public("contact code");
    const auto opened = world.bob.open(world.alice.identity(), message);
    ASSERT_TRUE(opened);
    EXPECT_EQ(as_text(opened->payload), "contact code");
    EXPECT_EQ(opened->protection, Protection::none);
    EXPECT_FALSE(opened->new_negotiated_topic);  // not private
    const auto sealed = world.bob.seal(world.alice.identity(), "hello");
    EXPECT_TRUE(entry_of(sealed.protocol_message).x3dh);
    EXPECT_FALSE(sealed.negotiated);
    EXPECT_EQ(world.alice.read(world.bob, sealed.protocol_message), "hello");
}

TEST(Encryption, Public_message_has_no_bundle_when_none_is_published) {
    TestDevice alice(0x11, "alice-1", false);
    EXPECT_TRUE(decoded(alice.write_public("contact code")).bundles.empty());
    EXPECT_TRUE(alice.store().tables["prekeys"].empty());
}

TEST(Encryption, A_message_of_bundles_alone_is_empty) {
    World world;
    ProtocolMessage message = decoded(world.alice.write_public("x"));
    message.public_message.clear();
    const auto opened = world.bob.open(world.alice.identity(), encode_protocol_message(message));
    ASSERT_TRUE(opened);
    EXPECT_TRUE(opened->payload.empty());
    EXPECT_TRUE(entry_of(world.bob.write(world.alice, "hello")).x3dh);
}

TEST(Encryption_ratchet, Begins_with_x3dh_and_stops_repeating_it_at_the_first_reply) {
    World world;
    // Nothing is known of bob: the first goes to whatever devices he has.
    const auto first = world.alice.seal(world.bob.identity(), "first");
    EXPECT_TRUE(entry_of(first.protocol_message).dh);
    EXPECT_FALSE(first.negotiated);
    const auto opened = world.bob.open(world.alice.identity(), first.protocol_message);
    EXPECT_EQ(opened->protection, Protection::dh);
    EXPECT_TRUE(opened->new_negotiated_topic);

    const auto second = world.bob.seal(world.alice.identity(), "second");
    EXPECT_TRUE(second.negotiated);
    EXPECT_EQ(decoded(second.protocol_message).encrypted.begin()->first, "alice-1");
    const auto third = world.bob.seal(world.alice.identity(), "third");
    EXPECT_EQ(entry_of(second.protocol_message).x3dh, entry_of(third.protocol_message).x3dh);
    EXPECT_TRUE(entry_of(third.protocol_message).x3dh);
    EXPECT_EQ(entry_of(third.protocol_message).ratchet->header.n, 1U);

    const auto answered = world.alice.open(world.bob.identity(), second.protocol_message);
    EXPECT_EQ(as_text(answered->payload), "second");
    EXPECT_EQ(answered->protection, Protection::ratchet);
    EXPECT_TRUE(answered->new_negotiated_topic);
    EXPECT_FALSE(world.alice.open(world.bob.identity(), third.protocol_message)->new_negotiated_topic);

    const Bytes fourth = world.alice.write(world.bob, "fourth");
    EXPECT_FALSE(entry_of(fourth).x3dh);  // bob began: alice goes on in his session
    EXPECT_EQ(world.bob.read(world.alice, fourth), "fourth");
    EXPECT_FALSE(entry_of(world.bob.write(world.alice, "fifth")).x3dh);
    EXPECT_EQ(world.alice.sessions(), 1U);
    EXPECT_EQ(world.bob.sessions(), 1U);
}

TEST(Encryption_ratchet, A_repeated_first_message_makes_no_second_session) {
    World world;
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "bundle")), "bundle");
    const Bytes first = world.bob.write(world.alice, "first");
    const Bytes second = world.bob.write(world.alice, "second");
    ASSERT_EQ(world.alice.read(world.bob, first), "first");
    const auto before = world.alice.store().tables;
    EXPECT_EQ(world.alice.read(world.bob, first), "refused: used_key");
    EXPECT_EQ(world.alice.store().tables, before);
    EXPECT_EQ(world.alice.read(world.bob, second), "second");  // repeats the header of X3DH
    EXPECT_EQ(world.alice.sessions(), 1U);
}

TEST(Encryption_ratchet, A_repeated_first_message_does_not_reset_a_session_that_went_on) {
    World world;
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "bundle")), "bundle");
    const Bytes first = world.bob.write(world.alice, "first");
    ASSERT_EQ(world.alice.read(world.bob, first), "first");
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "there")), "there");
        ASSERT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "back")), "back");
    }
    EXPECT_TRUE(world.alice.read(world.bob, first).starts_with("refused: "));
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "on")), "on");
    EXPECT_EQ(world.alice.sessions(), 1U);
}

TEST(Encryption_ratchet, A_lost_first_message_is_made_good_by_the_next) {
    World world;
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "bundle")), "bundle");
    const Bytes lost = world.bob.write(world.alice, "lost");
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "next")), "next");
    EXPECT_EQ(world.alice.read(world.bob, lost), "lost");  // late, not lost
}

TEST(Encryption_ratchet, Both_begin_at_once) {
    World world;
    // Each has the other's bundle from its contact code, and neither has heard a private message.
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write_public("alice")), "alice");
    ASSERT_EQ(world.alice.read(world.bob, world.bob.write_public("bob")), "bob");
    const std::vector<Bytes> from_alice = {world.alice.write(world.bob, "a0"), world.alice.write(world.bob, "a1")};
    const std::vector<Bytes> from_bob = {world.bob.write(world.alice, "b0"), world.bob.write(world.alice, "b1")};
    EXPECT_TRUE(entry_of(from_alice[0]).x3dh && entry_of(from_bob[0]).x3dh);
    EXPECT_NE(entry_of(from_alice[0]).ratchet->bundle_id, entry_of(from_bob[0]).ratchet->bundle_id);
    EXPECT_EQ(world.bob.read(world.alice, from_alice[1]), "a1");
    EXPECT_EQ(world.alice.read(world.bob, from_bob[0]), "b0");
    EXPECT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "a2")), "a2");
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "b2")), "b2");
    EXPECT_EQ(world.alice.read(world.bob, from_bob[1]), "b1");
    EXPECT_EQ(world.bob.read(world.alice, from_alice[0]), "a0");
    EXPECT_EQ(world.alice.sessions(), 2U);
    EXPECT_EQ(world.bob.sessions(), 2U);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "there")), "there");
        EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "back")), "back");
    }
    EXPECT_EQ(world.alice.sessions(), 2U);
}

TEST(Encryption_ratchet, Out_of_order_over_several_turns) {
    World world;
    world.meet();
    std::vector<Bytes> late;
    for (int turn = 0; turn < 5; ++turn) {
        late.push_back(world.alice.write(world.bob, "late " + std::to_string(turn)));
        ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "there")), "there");
        ASSERT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "back")), "back");
    }
    for (int turn = 4; turn >= 0; --turn) {
        EXPECT_EQ(world.bob.read(world.alice, late[static_cast<std::size_t>(turn)]), "late " + std::to_string(turn));
    }
}

TEST(Encryption_ratchet, Restarts_in_the_middle_of_everything) {
    World world;
    const auto restart = [&] {
        world.alice.restart();
        world.bob.restart();
    };
    const Bytes first = world.alice.write(world.bob, "bundle");
    restart();
    ASSERT_EQ(world.bob.read(world.alice, first), "bundle");
    restart();
    const Bytes late = world.bob.write(world.alice, "late");
    restart();
    const Bytes second = world.bob.write(world.alice, "second");
    restart();
    EXPECT_TRUE(entry_of(second).x3dh);
    EXPECT_EQ(entry_of(second).x3dh, entry_of(late).x3dh);
    EXPECT_EQ(world.alice.read(world.bob, second), "second");
    restart();
    EXPECT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "third")), "third");
    restart();
    EXPECT_FALSE(entry_of(world.bob.write(world.alice, "fourth")).x3dh);
    restart();
    EXPECT_EQ(world.alice.read(world.bob, late), "late");
    EXPECT_EQ(world.alice.read(world.bob, second), "refused: used_key");
    EXPECT_EQ(world.alice.encryption().negotiated_with(), std::vector{world.bob.identity()});
    EXPECT_EQ(world.alice.sessions(), 1U);
}

TEST(Encryption_ratchet, A_thousand_and_one_lost_are_too_many_until_a_new_session) {
    World world;
    world.meet();
    for (int i = 0; i < 1'001; ++i) {
        static_cast<void>(world.bob.write(world.alice, "lost"));
    }
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "ahead")), "refused: too_many_skipped");
    // Alice writes and her prekey is a day old: bob begins anew on the new one.
    world.alice.now += Prekeys::age;
    EXPECT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "still here")), "still here");
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "again")), "again");
}

TEST(Encryption_ratchet, One_who_stopped_publishing_writes_dh_and_reads_both) {
    World world;
    world.meet();
    world.alice.publish(false);
    const auto sealed = world.alice.seal(world.bob.identity(), "plain");
    EXPECT_TRUE(entry_of(sealed.protocol_message).dh);
    EXPECT_TRUE(decoded(sealed.protocol_message).bundles.empty());
    EXPECT_FALSE(sealed.negotiated);
    EXPECT_EQ(world.bob.read(world.alice, sealed.protocol_message), "plain");
    const auto opened = world.alice.open(world.bob.identity(), world.bob.write(world.alice, "ratchet"));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->protection, Protection::ratchet);
    TestDevice carol(0x33, "carol-1");
    world.alice.publish(true);
    ASSERT_EQ(carol.read(world.alice, world.alice.write(carol, "bundle")), "bundle");
    world.alice.publish(false);
    EXPECT_EQ(world.alice.read(carol, carol.write(world.alice, "a new session")), "a new session");
}

TEST(Encryption_ratchet, Hostile_headers_are_refused_and_change_nothing) {
    World world;
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "bundle")), "bundle");
    const Bytes good = world.bob.write(world.alice, "first");
    const auto refused_as = [&](auto change) {
        ProtocolMessage bad = decoded(good);
        change(bad, bad.encrypted.begin()->second);
        return world.alice.read(world.bob, encode_protocol_message(bad));
    };
    const auto before = world.alice.store().tables;
    const auto other_point = test::key_of(0x77).public_key().compressed();
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.x3dh->ephemeral = other_point; }), "refused: bad_mac");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.x3dh->ephemeral.fill(0xff); }), "refused: bad_key");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.x3dh->prekey = other_point; }), "refused: bad_header");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) {
                  entry.x3dh->prekey = other_point;
                  entry.ratchet->bundle_id.assign(other_point.begin(), other_point.end());
              }),
              "refused: unknown_prekey");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.x3dh.reset(); }), "refused: unknown_session");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.ratchet.reset(); }), "refused: no_header");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.ratchet->bundle_id.clear(); }), "refused: bad_header");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.ratchet->header.key = other_point; }), "refused: bad_mac");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.ratchet->header.n = 0xffffffff; }),
              "refused: too_many_skipped");
    EXPECT_EQ(refused_as([&](auto&, auto& entry) { entry.payload.clear(); }), "refused: too_short");
    EXPECT_EQ(refused_as([&](auto& message, auto& entry) { message.encrypted = {{"not us", entry}}; }),
              "refused: other_device");
    EXPECT_EQ(refused_as([&](auto& message, auto&) { message.bundles[0].timestamp_ns += 1; }),
              "refused: bad_bundle_signature");
    EXPECT_EQ(refused_as([&](auto& message, auto&) {
                  message.bundles[0].prekeys.begin()->second.key.fill(0xff);
                  sign_bundle(message.bundles[0], test::key_of(0x22));
              }),
              "refused: bad_bundle_key");
    EXPECT_EQ(refused_as([&](auto& message, auto&) {
                  message.bundles[0].identity = test::key_of(0x33).public_key().compressed();
                  sign_bundle(message.bundles[0], test::key_of(0x33));
              }),
              "refused: foreign_bundle");
    // Sent by somebody else, who signed the envelope.
    ProtocolMessage stolen = decoded(good);
    stolen.bundles.clear();
    TestDevice carol(0x33, "carol-1");
    EXPECT_EQ(world.alice.read(carol, encode_protocol_message(stolen)), "refused: bad_mac");
    EXPECT_EQ(world.alice.store().tables, before);
    EXPECT_EQ(world.alice.read(world.bob, good), "first");
}

TEST(Encryption_ratchet, Flipped_bits_are_refused_in_a_session_that_is_there) {
    World world;
    world.meet();
    const Bytes good = world.bob.write(world.alice, "good");
    const auto before = world.alice.store().tables;
    for (std::size_t i = 0; i < entry_of(good).payload.size(); ++i) {
        ProtocolMessage bad = decoded(good);
        bad.encrypted.begin()->second.payload[i] ^= 0x10;
        EXPECT_EQ(world.alice.read(world.bob, encode_protocol_message(bad)), "refused: bad_mac");
    }
    EXPECT_EQ(world.alice.store().tables, before);
    EXPECT_EQ(world.alice.read(world.bob, good), "good");
}

TEST(Encryption_state, Damaged_rows_are_passed_over_and_stay) {
    World world;
    world.meet();
    TestDevice carol(0x33, "carol-1");
    ASSERT_EQ(carol.read(world.alice, world.alice.write(carol, "bundle")), "bundle");
    ASSERT_EQ(world.alice.read(carol, carol.write(world.alice, "hello")), "hello");
    auto& tables = world.alice.store().tables;
    ASSERT_EQ(tables["sessions"].size(), 2U);
    tables["sessions"].begin()->second[1] ^= 0xff;
    tables["devices"].begin()->second.pop_back();
    tables["prekeys"]["7"] = {1, 2, 3};
    tables["prekeys"]["seven"] = {};
    const auto before = tables;
    world.alice.restart();
    EXPECT_EQ(world.alice.encryption().damaged_rows(), 4U);
    EXPECT_EQ(tables, before);
    // A version that was given out is not given again.
    const Bundle bundle = decoded(world.alice.write(carol, "x")).bundles[0];
    EXPECT_EQ(bundle.prekeys.at("alice-1").version, 8U);
}

TEST(Encryption_state, Forgotten_peers_keep_their_sessions) {
    World world;
    world.meet();
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "a contact")), "a contact");
    StateWrites changes;
    world.alice.encryption().forget(world.bob.identity(), changes);
    world.alice.store().apply(changes);
    EXPECT_FALSE(changes.empty());
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "add me again")), "add me again");
    EXPECT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "welcome")), "welcome");
}

TEST(Encryption_state, Strangers_cannot_push_out_a_contact) {
    World world;
    world.meet();
    ASSERT_EQ(world.bob.read(world.alice, world.alice.write(world.bob, "a contact now")), "a contact now");
    for (std::uint8_t i = 0; i < 100; ++i) {
        TestDevice stranger(static_cast<std::uint8_t>(0x80 + i), "stranger");
        ASSERT_EQ(stranger.read(world.alice, world.alice.write_public("bundle")), "bundle");
        ASSERT_EQ(world.alice.read(stranger, stranger.write(world.alice, "let me in")), "let me in");
    }
    EXPECT_EQ(world.alice.store().tables["devices"].size(), Peers::most_strangers + 1);
    EXPECT_EQ(world.alice.sessions(), Peers::most_strangers + 1);
    world.alice.restart();
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "still here")), "still here");
    EXPECT_EQ(world.alice.encryption().negotiated_with().size(), Peers::most_strangers + 1);
}

TEST(Encryption_state, A_stranger_who_is_answered_stays_one) {
    World world;
    world.meet();
    ASSERT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "let me in")), "let me in");
    const auto answer = [&](Recipient recipient) {
        StateWrites changes;
        Encryption::Sealed sealed =
            world.alice.encryption().seal(world.bob.identity(), as_bytes("heard"), world.alice.now, changes, recipient);
        world.alice.store().apply(changes);
        EXPECT_EQ(world.bob.read(world.alice, sealed.protocol_message), "heard");
        return sealed.negotiated;
    };
    EXPECT_FALSE(answer(Recipient::stranger));  // nor is it worth the key of a topic
    for (std::uint8_t i = 0; i < Peers::most_strangers; ++i) {
        TestDevice stranger(static_cast<std::uint8_t>(0x80 + i), "stranger");
        ASSERT_EQ(stranger.read(world.alice, world.alice.write_public("bundle")), "bundle");
        ASSERT_EQ(world.alice.read(stranger, stranger.write(world.alice, "me too")), "me too");
    }
    EXPECT_EQ(world.alice.store().tables["devices"].size(), Peers::most_strangers);
    EXPECT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "hello")), "refused: unknown_session");
}

TEST(Encryption_state, What_is_sealed_to_a_contact_goes_to_the_negotiated_topic) {
    World world;
    world.meet();
    ASSERT_EQ(world.alice.read(world.bob, world.bob.write(world.alice, "hello")), "hello");
    EXPECT_TRUE(world.alice.seal(world.bob.identity(), "welcome").negotiated);
}

TEST(Encryption_state, A_stranger_cannot_fill_the_sessions) {
    TestDevice alice(0x11, "alice-1");
    TestDevice stranger(0x33, "stranger");
    for (int day = 0; day < 20; ++day) {
        ASSERT_EQ(stranger.read(alice, alice.write_public("bundle")), "bundle");
        ASSERT_EQ(alice.read(stranger, stranger.write(alice, "hello")), "hello");
        alice.now += Prekeys::age;
    }
    EXPECT_EQ(alice.sessions(), Peers::most_sessions_of_stranger);
}

}  // namespace
}  // namespace noroshi::status
