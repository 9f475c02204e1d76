// test/unit/status/encryption_devices_test.cpp - prekeys that change, and identities with several devices.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "encryption_world.hpp"
#include "status/peers.hpp"
#include "status/prekeys.hpp"

namespace noroshi::status {
namespace {

using test::decoded;
using test::entry_of;
using test::TestDevice;

SignedPreKey prekey_in(const Bytes& message) { return decoded(message).bundles.at(0).prekeys.begin()->second; }

std::set<std::string> recipients(const Bytes& message) {
    std::set<std::string> out;
    for (const auto& [installation, entry] : decoded(message).encrypted) {
        out.insert(installation);
    }
    return out;
}

/// A message of bundles alone.
Bytes bundle_message(std::uint8_t identity, const std::map<std::string, SignedPreKey>& prekeys,
                     std::int64_t timestamp_ns) {
    ProtocolMessage message;
    message.installation_id = "teller";
    Bundle& bundle = message.bundles.emplace_back();
    bundle.identity = test::key_of(identity).public_key().compressed();
    bundle.prekeys = prekeys;
    bundle.timestamp_ns = timestamp_ns;
    sign_bundle(bundle, test::key_of(identity));
    return encode_protocol_message(message);
}
SignedPreKey prekey(std::uint8_t byte, std::uint32_t version) {
    return {test::key_of(byte).public_key().compressed(), version, bundle_protocol_version};
}

TEST(Prekeys, The_first_has_version_1_and_the_next_comes_after_a_day) {
    TestDevice alice(0x11, "alice-1");
    const TestDevice bob(0x22, "bob-1");
    const SignedPreKey first = prekey_in(alice.write(bob, "x"));
    EXPECT_EQ(first.version, 1U);
    EXPECT_EQ(first.protocol_version, 1U);
    alice.now += Prekeys::age - Milliseconds(1);
    EXPECT_EQ(prekey_in(alice.write(bob, "x")), first);
    alice.restart();
    EXPECT_EQ(prekey_in(alice.write(bob, "x")), first);
    alice.now += Milliseconds(1);
    const SignedPreKey second = prekey_in(alice.write(bob, "x"));
    EXPECT_EQ(second.version, 2U);
    EXPECT_NE(second.key, first.key);
    alice.restart();
    EXPECT_EQ(prekey_in(alice.write(bob, "x")), second);
}

TEST(Prekeys, A_clock_that_was_a_year_ahead_does_not_keep_a_prekey_for_a_year) {
    TestDevice alice(0x11, "alice-1");
    const TestDevice bob(0x22, "bob-1");
    const TimestampMs right = alice.now;
    alice.now += Milliseconds(365 * 24 * 3'600'000LL);
    EXPECT_EQ(prekey_in(alice.write(bob, "x")).version, 1U);
    alice.now = right;
    EXPECT_EQ(prekey_in(alice.write(bob, "x")).version, 2U);
    alice.now -= Milliseconds(5'000);  // a small step back is no reason
    EXPECT_EQ(prekey_in(alice.write(bob, "x")).version, 2U);
}

TEST(Prekeys, Every_bundle_is_signed_anew_with_the_present_time) {
    TestDevice alice(0x11, "alice-1");
    const TestDevice bob(0x22, "bob-1");
    for (int i = 0; i < 3; ++i) {
        alice.now += Milliseconds(1'000);
        const Bundle bundle = decoded(alice.write(bob, "x")).bundles.at(0);
        EXPECT_EQ(bundle.timestamp_ns, to_unix_ms(alice.now) * 1'000'000);
        EXPECT_EQ(verify_bundle(bundle)->compressed(), alice.identity().compressed());
    }
}

TEST(Prekeys, Old_ones_open_for_a_month_of_changes_and_are_forgotten_then) {
    TestDevice alice(0x11, "alice-1");
    std::vector<std::unique_ptr<TestDevice>> readers;
    for (std::size_t i = 0; i <= Prekeys::most; ++i) {
        auto reader = std::make_unique<TestDevice>(static_cast<std::uint8_t>(0x80 + i), "reader");
        ASSERT_EQ(reader->read(alice, alice.write_public("bundle")), "bundle");
        readers.push_back(std::move(reader));
        alice.now += Prekeys::age;
    }
    EXPECT_EQ(alice.store().tables["prekeys"].size(), Prekeys::most);
    alice.restart();
    EXPECT_EQ(alice.read(*readers[0], readers[0]->write(alice, "late")), "refused: unknown_prekey");
    EXPECT_EQ(alice.read(*readers[1], readers[1]->write(alice, "late")), "late");
    EXPECT_EQ(alice.read(*readers.back(), readers.back()->write(alice, "new")), "new");
}

TEST(Prekeys, A_changed_prekey_begins_a_new_session_and_the_old_one_still_opens) {
    TestDevice alice(0x11, "alice-1");
    TestDevice bob(0x22, "bob-1");
    ASSERT_EQ(bob.read(alice, alice.write(bob, "bundle")), "bundle");
    ASSERT_EQ(alice.read(bob, bob.write(alice, "first session")), "first session");
    const Bytes late = bob.write(alice, "late");
    for (int day = 1; day <= 10; ++day) {
        alice.now += Prekeys::age;
        bob.now += Prekeys::age;
        EXPECT_EQ(bob.read(alice, alice.write(bob, "there")), "there");
        EXPECT_EQ(alice.read(bob, bob.write(alice, "back")), "back");
        EXPECT_EQ(bob.read(alice, alice.write(bob, "there")), "there");
        EXPECT_EQ(alice.sessions(), bob.sessions());
    }
    EXPECT_GE(alice.sessions(), 10U);
    EXPECT_EQ(alice.read(bob, late), "late");
}

TEST(Prekeys, Sessions_of_a_contact_are_bounded) {
    TestDevice alice(0x11, "alice-1");
    TestDevice bob(0x22, "bob-1");
    ASSERT_EQ(bob.read(alice, alice.write(bob, "bundle")), "bundle");
    for (int day = 1; day <= 40; ++day) {
        alice.now += Prekeys::age;
        ASSERT_EQ(alice.read(bob, bob.write(alice, "back")), "back");
        ASSERT_EQ(bob.read(alice, alice.write(bob, "there")), "there");
        bob.now += Prekeys::age;
    }
    EXPECT_EQ(alice.sessions(), Peers::most_sessions_of_contact);
    EXPECT_EQ(bob.sessions(), Peers::most_sessions_of_contact);
}

TEST(Devices, Three_devices_each_get_their_own_session) {
    TestDevice alice(0x11, "alice-1");
    std::vector<std::unique_ptr<TestDevice>> bobs;
    for (const char* name : {"desk", "phone", "tablet"}) {
        auto device = std::make_unique<TestDevice>(0x22, name);
        ASSERT_EQ(device->read(alice, alice.write_public("bundle")), "bundle");
        ASSERT_EQ(alice.read(*device, device->write(alice, "hello")), "hello");
        bobs.push_back(std::move(device));
    }
    const auto sealed = alice.seal(bobs[0]->identity(), "to all");
    EXPECT_EQ(recipients(sealed.protocol_message), (std::set<std::string>{"desk", "phone", "tablet"}));
    EXPECT_TRUE(sealed.negotiated);
    for (const auto& device : bobs) {
        EXPECT_EQ(device->read(alice, sealed.protocol_message), "to all");
        EXPECT_EQ(alice.read(*device, device->write(alice, "back")), "back");
        alice.restart();
    }
    EXPECT_EQ(alice.sessions(), 3U);
}

TEST(Devices, The_newest_three_by_time_of_their_bundles_are_written_to) {
    TestDevice alice(0x11, "alice-1");
    const crypto::PublicKey bob = test::key_of(0x22).public_key();
    const std::vector<std::pair<std::string, std::int64_t>> seen = {{"b", 20}, {"d", 40}, {"a", 10}, {"c", 30}};
    std::uint8_t byte = 0x40;
    for (const auto& [name, at] : seen) {
        ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{name, prekey(++byte, 1)}}, at)));
    }
    EXPECT_EQ(recipients(alice.seal(bob, "x").protocol_message), (std::set<std::string>{"b", "c", "d"}));
    ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{"a", prekey(0x43, 1)}}, 50)));
    alice.restart();
    EXPECT_EQ(recipients(alice.seal(bob, "x").protocol_message), (std::set<std::string>{"a", "c", "d"}));
}

TEST(Devices, No_more_than_eight_are_kept) {
    TestDevice alice(0x11, "alice-1");
    const crypto::PublicKey bob = test::key_of(0x22).public_key();
    for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{"device " + std::to_string(i), prekey(0x44, 1)}}, 100 + i)));
    }
    EXPECT_EQ(recipients(alice.seal(bob, "x").protocol_message),
              (std::set<std::string>{"device 27", "device 28", "device 29"}));
    EXPECT_LT(alice.store().tables["devices"].begin()->second.size(), 8U * 100);
}

TEST(Devices, An_older_bundle_never_replaces_a_newer_one) {
    TestDevice alice(0x11, "alice-1");
    const crypto::PublicKey bob = test::key_of(0x22).public_key();
    const auto prekey_used = [&] { return entry_of(alice.seal(bob, "x").protocol_message).x3dh->prekey; };
    const auto tell = [&](const SignedPreKey& told, std::int64_t at) {
        ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{"phone", told}}, at)));
    };
    tell(prekey(0x41, 2), 100);
    EXPECT_EQ(prekey_used(), prekey(0x41, 2).key);
    tell(prekey(0x42, 1), 50);
    EXPECT_EQ(prekey_used(), prekey(0x41, 2).key);
    tell(prekey(0x42, 1), 200);  // told late by another device of bob, which had not heard of version 2
    EXPECT_EQ(prekey_used(), prekey(0x41, 2).key);
    tell(prekey(0x43, 2), 90);  // the same version, older
    EXPECT_EQ(prekey_used(), prekey(0x41, 2).key);
    tell(prekey(0x43, 3), 300);
    EXPECT_EQ(prekey_used(), prekey(0x43, 3).key);
}

TEST(Devices, One_bundle_may_tell_of_several) {
    TestDevice alice(0x11, "alice-1");
    const crypto::PublicKey bob = test::key_of(0x22).public_key();
    ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{"desk", prekey(0x41, 1)}, {"phone", prekey(0x42, 5)}}, 100)));
    EXPECT_EQ(recipients(alice.seal(bob, "x").protocol_message), (std::set<std::string>{"desk", "phone"}));
}

TEST(Devices, A_device_called_none_is_passed_over) {
    TestDevice alice(0x11, "alice-1");
    const crypto::PublicKey bob = test::key_of(0x22).public_key();
    ASSERT_TRUE(alice.open(bob, bundle_message(0x22, {{any_device, prekey(0x41, 1)}}, 100)));
    EXPECT_TRUE(entry_of(alice.seal(bob, "x").protocol_message).dh);
}

TEST(Devices, Negotiated_when_every_device_written_to_has_spoken) {
    TestDevice alice(0x11, "alice-1");
    TestDevice phone(0x22, "phone");
    ASSERT_EQ(phone.read(alice, alice.write(phone, "bundle")), "bundle");
    const auto opened = alice.open(phone.identity(), phone.write(alice, "hello"));
    EXPECT_TRUE(opened->new_negotiated_topic);
    EXPECT_TRUE(alice.seal(phone.identity(), "x").negotiated);
    // A second device is known by its bundle alone.
    TestDevice desk(0x22, "desk");
    ASSERT_EQ(alice.read(desk, desk.write_public("bundle")), "bundle");
    EXPECT_FALSE(alice.seal(phone.identity(), "x").negotiated);
    const auto second = alice.open(desk.identity(), desk.write(alice, "hello"));
    EXPECT_EQ(second->protection, Protection::dh);
    EXPECT_FALSE(second->new_negotiated_topic);  // the topic is one for the identity
    EXPECT_TRUE(alice.seal(phone.identity(), "x").negotiated);
    alice.restart();
    EXPECT_TRUE(alice.seal(phone.identity(), "x").negotiated);
}

TEST(Devices, A_bundle_without_protocol_version_does_not_negotiate) {
    TestDevice alice(0x11, "alice-1");
    TestDevice bob(0x22, "bob-1");
    ProtocolMessage message = decoded(bob.write(alice, "hello"));
    message.bundles[0].prekeys.begin()->second.protocol_version = 0;  // not signed
    const auto opened = alice.open(bob.identity(), encode_protocol_message(message));
    EXPECT_EQ(as_text(opened->payload), "hello");
    EXPECT_FALSE(opened->new_negotiated_topic);
    EXPECT_FALSE(alice.seal(bob.identity(), "x").negotiated);
    message.bundles[0].prekeys.begin()->second.protocol_version = 1;
    message.installation_id = "another";  // the bundle does not speak of the sender's device
    EXPECT_FALSE(alice.open(bob.identity(), encode_protocol_message(message))->new_negotiated_topic);
}

TEST(Devices, Other_devices_of_our_own_identity_are_not_written_to) {
    TestDevice alice(0x11, "alice-1");
    TestDevice other(0x11, "alice-2");
    ASSERT_EQ(alice.read(other, other.write(alice, "from myself")), "from myself");
    EXPECT_TRUE(entry_of(alice.write(other, "to myself")).dh);
    EXPECT_TRUE(alice.store().tables["devices"].empty());
    EXPECT_TRUE(alice.encryption().negotiated_with().empty());
}

}  // namespace
}  // namespace noroshi::status
