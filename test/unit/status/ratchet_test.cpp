// test/unit/status/ratchet_test.cpp - X3DH and the double ratchet against status-go's values, and what each refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "status/ratchet.hpp"
#include "status/ratchet_kdf.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using crypto::PublicKey;
using crypto::SecretKey;
using test::key_of;
using test::vector_bytes;
using test::vector_text;

PublicKey public_of(std::uint8_t byte) { return key_of(byte).public_key(); }
Secret<32> secret_of(std::string_view hex) {
    const Bytes bytes = *from_hex(hex);
    return Secret<32>(std::span<const std::uint8_t>(bytes).first<32>());
}
std::string hex(const Secret<32>& secret) { return to_hex(secret.expose()); }
std::string text(const Result<Bytes>& opened) {
    return opened ? std::string(as_text(*opened)) : "refused: " + opened.error().message;
}

/// A session of two, alice the one who began.
struct Pair {
    SeededRandom random{7};
    Ratchet alice = Ratchet::initiate(secret_of(vector_text("x3dh_secret")), public_of(0x44), key_of(0x55));
    Ratchet bob = Ratchet::respond(secret_of(vector_text("x3dh_secret")), key_of(0x44));

    std::string to_bob(const RatchetMessage& message) { return text(bob.decrypt(message, random)); }
    std::string to_alice(const RatchetMessage& message) { return text(alice.decrypt(message, random)); }
    /// Both have heard each other.
    void shake_hands() {
        ASSERT_EQ(to_bob(alice.encrypt(as_bytes("a"))), "a");
        ASSERT_EQ(to_alice(bob.encrypt(as_bytes("b"))), "b");
    }
};

std::vector<RatchetMessage> many(Ratchet& from, std::size_t count) {
    std::vector<RatchetMessage> out;
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back(from.encrypt(as_bytes(std::to_string(i))));
    }
    return out;
}

TEST(X3dh, Shared_points_are_the_vectors) {
    EXPECT_EQ(hex(key_of(0x11).shared_x(public_of(0x44))), vector_text("dh1"));
    EXPECT_EQ(hex(key_of(0x33).shared_x(public_of(0x22))), vector_text("dh2"));
    EXPECT_EQ(hex(key_of(0x33).shared_x(public_of(0x44))), vector_text("dh3"));
}

TEST(X3dh, Both_sides_get_the_secret_of_the_vector) {
    EXPECT_EQ(hex(x3dh_initiator(key_of(0x11), key_of(0x33), public_of(0x22), public_of(0x44))),
              vector_text("x3dh_secret"));
    EXPECT_EQ(hex(x3dh_responder(key_of(0x22), key_of(0x44), public_of(0x11), public_of(0x33))),
              vector_text("x3dh_secret"));
}

TEST(Ratchet_kdf, Chains_are_the_vectors) {
    const RootStep root = root_step(secret_of(vector_text("x3dh_secret")), key_of(0x55).shared_x(public_of(0x44)));
    EXPECT_EQ(hex(root.root), vector_text("ratchet.root_key"));
    EXPECT_EQ(hex(root.chain), vector_text("ratchet.chain_key_0"));
    const ChainStep first = chain_step(root.chain);
    EXPECT_EQ(hex(first.message), vector_text("ratchet.message_key_0"));
    EXPECT_EQ(hex(first.chain), vector_text("ratchet.chain_key_1"));
    const ChainStep second = chain_step(first.chain);
    EXPECT_EQ(hex(second.message), vector_text("ratchet.message_key_1"));
    EXPECT_EQ(hex(second.chain), vector_text("ratchet.chain_key_2"));
}

TEST(Ratchet, Messages_are_the_vectors) {
    Pair pair;
    const RatchetMessage first = pair.alice.encrypt(as_bytes("hello 0"));
    const RatchetMessage second = pair.alice.encrypt(as_bytes("hello 1"));
    EXPECT_EQ(first.header, (RatchetHeader{public_of(0x55).compressed(), 0, 0}));
    EXPECT_EQ(second.header, (RatchetHeader{public_of(0x55).compressed(), 1, 0}));
    EXPECT_EQ(to_hex(first.payload), vector_text("ratchet.payload_0"));
    EXPECT_EQ(to_hex(second.payload), vector_text("ratchet.payload_1"));
}

TEST(Ratchet, Bob_opens_the_vectors_in_either_order) {
    const RatchetHeader header{public_of(0x55).compressed(), 0, 0};
    RatchetMessage first{header, vector_bytes("ratchet.payload_0")};
    RatchetMessage second{header, vector_bytes("ratchet.payload_1")};
    second.header.n = 1;
    Pair in_order;
    EXPECT_EQ(in_order.to_bob(first), "hello 0");
    EXPECT_EQ(in_order.to_bob(second), "hello 1");
    Pair reversed;
    EXPECT_EQ(reversed.to_bob(second), "hello 1");
    EXPECT_EQ(reversed.to_bob(first), "hello 0");
}

TEST(Ratchet, Every_turn_changes_the_ratchet_key) {
    Pair pair;
    std::vector<CompressedKey> keys;
    for (int turn = 0; turn < 5; ++turn) {
        const RatchetMessage there = pair.alice.encrypt(as_bytes("there"));
        ASSERT_EQ(pair.to_bob(there), "there");
        const RatchetMessage back = pair.bob.encrypt(as_bytes("back"));
        ASSERT_EQ(pair.to_alice(back), "back");
        keys.push_back(there.header.key);
        keys.push_back(back.header.key);
    }
    std::ranges::sort(keys);
    EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

TEST(Ratchet, Late_messages_of_an_earlier_chain_open) {
    Pair pair;
    pair.shake_hands();
    const std::vector<RatchetMessage> before = many(pair.alice, 5);
    ASSERT_EQ(pair.to_bob(before[1]), "1");
    ASSERT_EQ(pair.to_alice(pair.bob.encrypt(as_bytes("turn"))), "turn");
    const RatchetMessage after = pair.alice.encrypt(as_bytes("after"));
    EXPECT_EQ(after.header.pn, 5U);
    EXPECT_EQ(pair.to_bob(after), "after");
    EXPECT_EQ(pair.bob.kept_keys(), 4U);
    for (const std::size_t i : {4U, 0U, 3U, 2U}) {
        EXPECT_EQ(pair.to_bob(before[i]), std::to_string(i));
    }
    EXPECT_EQ(pair.bob.kept_keys(), 0U);
}

TEST(Ratchet, A_message_opens_once) {
    Pair pair;
    const std::vector<RatchetMessage> sent = many(pair.alice, 3);
    EXPECT_EQ(pair.to_bob(sent[2]), "2");
    EXPECT_EQ(pair.to_bob(sent[0]), "0");
    EXPECT_EQ(pair.to_bob(sent[2]), "refused: used_key");
    EXPECT_EQ(pair.to_bob(sent[0]), "refused: used_key");
    EXPECT_EQ(pair.to_bob(sent[1]), "1");
}

TEST(Ratchet, A_repeated_message_of_an_earlier_chain_is_refused) {
    Pair pair;
    const RatchetMessage first = pair.alice.encrypt(as_bytes("first"));
    ASSERT_EQ(pair.to_bob(first), "first");
    ASSERT_EQ(pair.to_alice(pair.bob.encrypt(as_bytes("turn"))), "turn");
    ASSERT_EQ(pair.to_bob(pair.alice.encrypt(as_bytes("second"))), "second");
    const Bytes before = pair.bob.serialize();
    EXPECT_FALSE(pair.bob.decrypt(first, pair.random));
    EXPECT_EQ(pair.bob.serialize(), before);
}

TEST(Ratchet, What_fails_changes_nothing) {
    Pair pair;
    pair.shake_hands();
    const std::vector<RatchetMessage> sent = many(pair.alice, 3);
    ASSERT_EQ(pair.to_bob(sent[2]), "2");  // the keys of 0 and 1 are kept
    const RatchetMessage next = pair.alice.encrypt(as_bytes("next"));
    const Bytes before = pair.bob.serialize();
    for (const RatchetMessage& good : {sent[0], next}) {
        for (std::size_t i = 0; i < good.payload.size(); ++i) {
            RatchetMessage bad = good;
            bad.payload[i] ^= 0x80;
            EXPECT_EQ(pair.to_bob(bad), "refused: bad_mac") << i;
        }
        for (std::size_t i = 0; i < good.header.key.size(); ++i) {
            RatchetMessage bad = good;
            bad.header.key[i] ^= 0x01;
            EXPECT_FALSE(pair.bob.decrypt(bad, pair.random)) << i;
        }
        for (RatchetMessage bad : {good, good, good}) {
            bad.header.n += 7;
            EXPECT_EQ(pair.to_bob(bad), "refused: bad_mac");
            bad.header = good.header;
            bad.header.pn += 1;
            EXPECT_EQ(pair.to_bob(bad), "refused: bad_mac");
        }
        RatchetMessage bad = good;
        bad.payload.resize(47);
        EXPECT_EQ(pair.to_bob(bad), "refused: too_short");
        bad.payload.clear();
        EXPECT_EQ(pair.to_bob(bad), "refused: too_short");
    }
    RatchetMessage bad = next;
    bad.header.key.fill(0xff);
    EXPECT_EQ(pair.to_bob(bad), "refused: bad_key");
    EXPECT_EQ(pair.bob.serialize(), before);
    EXPECT_EQ(pair.to_bob(next), "next");
    EXPECT_EQ(pair.to_bob(sent[0]), "0");
}

TEST(Ratchet, Skips_a_thousand_and_no_more) {
    Pair pair;
    const std::vector<RatchetMessage> sent = many(pair.alice, 1'002);
    EXPECT_EQ(pair.to_bob(sent[1'001]), "refused: too_many_skipped");
    EXPECT_EQ(pair.to_bob(sent[1'000]), "1000");
    EXPECT_EQ(pair.bob.kept_keys(), 1'000U);
    EXPECT_EQ(pair.to_bob(sent[0]), "0");
    EXPECT_EQ(pair.to_bob(sent[999]), "999");
    EXPECT_EQ(pair.to_bob(sent[1'001]), "1001");
}

TEST(Ratchet, Skips_a_thousand_of_the_earlier_chain_and_no_more) {
    for (const std::uint32_t count : {1'000U, 1'001U}) {
        Pair pair;
        pair.shake_hands();
        const std::vector<RatchetMessage> lost = many(pair.alice, count - 1);
        ASSERT_EQ(pair.to_alice(pair.bob.encrypt(as_bytes("turn"))), "turn");
        ASSERT_EQ(pair.to_bob(pair.alice.encrypt(as_bytes("same"))), "same");
        static_cast<void>(many(pair.alice, count));
        ASSERT_EQ(pair.to_alice(pair.bob.encrypt(as_bytes("turn"))), "turn");
        EXPECT_EQ(pair.to_bob(pair.alice.encrypt(as_bytes("new"))), count == 1'000 ? "new" : "refused: too_many_skipped");
    }
}

TEST(Ratchet, A_header_that_counts_far_ahead_is_refused) {
    Pair pair;
    pair.shake_hands();
    RatchetMessage bad = pair.alice.encrypt(as_bytes("x"));
    bad.header.n = 0xffffffff;
    EXPECT_EQ(pair.to_bob(bad), "refused: too_many_skipped");
    bad.header.n = 0;
    bad.header.key = public_of(0x77).compressed();
    bad.header.pn = 0xffffffff;
    EXPECT_EQ(pair.to_bob(bad), "refused: too_many_skipped");
}

TEST(Ratchet, Keeps_two_thousand_keys_and_forgets_the_oldest) {
    Pair pair;
    const std::vector<RatchetMessage> sent = many(pair.alice, 2'506);
    for (const std::size_t i : {900U, 1'800U, 2'505U}) {
        ASSERT_EQ(pair.to_bob(sent[i]), std::to_string(i));
    }
    EXPECT_EQ(pair.bob.kept_keys(), 2'000U);
    EXPECT_EQ(pair.to_bob(sent[502]), "refused: used_key");
    EXPECT_EQ(pair.to_bob(sent[503]), "503");
    EXPECT_EQ(pair.to_bob(sent[2'504]), "2504");
}

TEST(Ratchet, A_kept_key_is_forgotten_after_three_thousand_messages) {
    Pair pair;
    const std::vector<RatchetMessage> sent = many(pair.alice, 3'003);
    for (std::size_t i = 1; i <= 3'000; ++i) {
        ASSERT_EQ(pair.to_bob(sent[i]), std::to_string(i));
    }
    EXPECT_EQ(pair.bob.kept_keys(), 0U);
    EXPECT_EQ(pair.to_bob(sent[0]), "refused: used_key");

    Pair other;
    const std::vector<RatchetMessage> fewer = many(other.alice, 3'000);
    for (std::size_t i = 1; i <= 2'999; ++i) {
        ASSERT_EQ(other.to_bob(fewer[i]), std::to_string(i));
    }
    EXPECT_EQ(other.to_bob(fewer[0]), "0");
}

TEST(Ratchet, Goes_on_from_its_bytes) {
    Pair pair;
    pair.shake_hands();
    const std::vector<RatchetMessage> sent = many(pair.alice, 3);
    ASSERT_EQ(pair.to_bob(sent[2]), "2");
    Result<Ratchet> alice = Ratchet::parse(pair.alice.serialize());
    Result<Ratchet> bob = Ratchet::parse(pair.bob.serialize());
    ASSERT_TRUE(alice && bob);
    EXPECT_EQ(bob->kept_keys(), 2U);
    EXPECT_EQ(text(bob->decrypt(sent[0], pair.random)), "0");
    EXPECT_EQ(text(alice->decrypt(bob->encrypt(as_bytes("back")), pair.random)), "back");
    EXPECT_EQ(text(bob->decrypt(alice->encrypt(as_bytes("on")), pair.random)), "on");
    EXPECT_EQ(text(bob->decrypt(sent[1], pair.random)), "1");
}

TEST(Ratchet, A_session_that_has_received_nothing_goes_on_from_its_bytes) {
    Pair pair;
    Result<Ratchet> bob = Ratchet::parse(pair.bob.serialize());
    ASSERT_TRUE(bob);
    EXPECT_EQ(text(bob->decrypt(pair.alice.encrypt(as_bytes("first")), pair.random)), "first");
}

TEST(Ratchet, Parse_takes_nothing_but_its_own_bytes) {
    Pair pair;
    const std::vector<RatchetMessage> sent = many(pair.alice, 3);
    ASSERT_EQ(pair.to_bob(sent[2]), "2");
    const Bytes good = pair.bob.serialize();
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < good.size(); ++size) {
        accepted += Ratchet::parse(ByteView(good).first(size)) ? 1 : 0;
    }
    EXPECT_LE(accepted, 5U);  // cut between two fields that may be absent; rows carry a checksum besides
    Bytes other_form = good;
    ASSERT_EQ(other_form[0], 0x08);
    other_form[1] = 2;
    EXPECT_FALSE(Ratchet::parse(other_form));
    Bytes with_unknown_field = good;
    with_unknown_field.insert(with_unknown_field.end(), {0xa0, 0x06, 0x01});
    EXPECT_FALSE(Ratchet::parse(with_unknown_field));
    Bytes twice = good;
    twice.insert(twice.end(), good.begin(), good.end());
    EXPECT_FALSE(Ratchet::parse(twice));
    Bytes no_key = good;
    ASSERT_EQ(no_key[2], 0x12);
    std::fill_n(no_key.begin() + 4, 32, std::uint8_t{0});
    EXPECT_FALSE(Ratchet::parse(no_key));
    EXPECT_EQ(Ratchet::parse({}).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace noroshi::status
