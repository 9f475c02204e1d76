// test/unit/base/sealed_key_test.cpp - keys under a passphrase: round trip, wrong passphrases, damage, absurd costs; SecretBytes.
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/crypto/sealed_key.hpp"

namespace noroshi::crypto {
namespace {

constexpr PassphraseCost cheap{1, 8192};

SecretBytes secret(std::string_view text) {
    SecretBytes out(text.size());
    EXPECT_TRUE(out.append(as_bytes(text)));
    return out;
}

Secret<32> some_key() {
    Secret<32> key;
    SeededRandom(7).fill(key.expose_mutable());
    return key;
}

SealedKey sealed(std::string_view passphrase = "correct horse") {
    SeededRandom random(1);
    return *seal_with_passphrase(some_key(), secret(passphrase), random, cheap);
}

std::string hex(const Secret<32>& key) { return to_hex(key.expose()); }

TEST(SealedKey, Opens_with_its_passphrase) {
    const Result<Secret<32>> opened = open_with_passphrase(sealed(), secret("correct horse"));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(hex(*opened), hex(some_key()));
}

TEST(SealedKey, Does_not_open_with_another_passphrase) {
    for (const std::string_view wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
        const Result<Secret<32>> opened = open_with_passphrase(sealed(), secret(wrong));
        ASSERT_FALSE(opened) << wrong;
        EXPECT_EQ(opened.error().code, Errc::refused);
    }
}

TEST(SealedKey, Does_not_open_when_one_bit_of_any_part_is_another) {
    const auto refused = [](const SealedKey& damaged) { return !open_with_passphrase(damaged, secret("correct horse")); };
    for (std::size_t i = 0; i < 48; ++i) {
        SealedKey box = sealed();
        box.box[i] ^= 1;
        EXPECT_TRUE(refused(box)) << i;
    }
    SealedKey other = sealed();
    other.nonce[23] ^= 0x80;
    EXPECT_TRUE(refused(other));
    other = sealed();
    other.salt[0] ^= 1;
    EXPECT_TRUE(refused(other));
    other = sealed();
    other.cost.passes = 2;
    EXPECT_TRUE(refused(other));
    other = sealed();
    other.cost.bytes = 16384;
    EXPECT_TRUE(refused(other));
}

TEST(SealedKey, Has_a_new_salt_and_nonce_each_time) {
    SeededRandom random(1);
    const SealedKey first = *seal_with_passphrase(some_key(), secret("p"), random, cheap);
    const SealedKey second = *seal_with_passphrase(some_key(), secret("p"), random, cheap);
    EXPECT_NE(first.salt, second.salt);
    EXPECT_NE(first.nonce, second.nonce);
    EXPECT_NE(first.box, second.box);
}

TEST(SealedKey, Opens_what_others_have_made) {
    // Key by argon2-cffi (hash_secret_raw: passes 1, 8 KiB, one lane, argon2id), box by PyNaCl's SecretBox.
    SealedKey fixed;
    fixed.cost = cheap;
    for (std::uint8_t i = 0; i < 24; ++i) {
        fixed.nonce[i] = i;
        fixed.salt[i % 16] = i % 16;
    }
    const Bytes box = *from_hex(
        "9fece790d74ae56cc777f742a2e27b3e0318378417325b4146b3addc1ef45075fd93baa7376840fb7f1bc9edfaddf4fa");
    std::ranges::copy(box, fixed.box.begin());
    const Result<Secret<32>> opened = open_with_passphrase(fixed, secret("correct horse"));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(hex(*opened), std::string(64, '1'));
}

TEST(SealedKey, Is_read_back_from_its_text) {
    const SealedKey given = sealed();
    const std::string text = sealed_key_text(given);
    EXPECT_TRUE(is_sealed_key(text));
    EXPECT_EQ(*parse_sealed_key(text), given);
    // A credential may have lost its last line end.
    EXPECT_EQ(*parse_sealed_key(text.substr(0, text.size() - 1)), given);
    EXPECT_EQ(text.find(hex(some_key())), std::string::npos);
}

TEST(SealedKey, Text_that_was_cut_or_lengthened_is_refused) {
    const std::string text = sealed_key_text(sealed());
    for (std::size_t length = 0; length + 1 < text.size(); ++length) {
        EXPECT_FALSE(parse_sealed_key(text.substr(0, length))) << length;
    }
    for (const char* more : {"0", " x", "\nx", "\n\nnoroshi"}) {
        EXPECT_FALSE(parse_sealed_key(text.substr(0, text.size() - 1) + more)) << more;
    }
    EXPECT_FALSE(is_sealed_key(std::string(64, '1')));
}

std::string with_cost(const std::string& cost) {
    std::string text = sealed_key_text(sealed());
    const std::string written = "passes=1 bytes=8192";
    return text.replace(text.find(written), written.size(), cost);
}

TEST(SealedKey, A_file_cannot_ask_for_absurd_work) {
    for (const char* cost : {"passes=17 bytes=8192", "passes=4294967295 bytes=8192", "passes=1 bytes=107374182400",
                             "passes=1 bytes=1073741825", "passes=1 bytes=8191"}) {
        const Result<SealedKey> read = parse_sealed_key(with_cost(cost));
        ASSERT_FALSE(read) << cost;
        EXPECT_EQ(read.error().code, Errc::limit) << cost;
    }
    for (const char* cost : {"passes=0 bytes=8192", "passes=-1 bytes=8192", "passes=1 bytes=0x2000", "passes= bytes=8192",
                             "passes=4294967296 bytes=8192", "passes=1 bytes=99999999999999999999"}) {
        const Result<SealedKey> read = parse_sealed_key(with_cost(cost));
        ASSERT_FALSE(read) << cost;
        EXPECT_EQ(read.error().code, Errc::parse) << cost;
    }
    EXPECT_TRUE(parse_sealed_key(with_cost("passes=16 bytes=1073741824")));
    SeededRandom random(1);
    EXPECT_EQ(seal_with_passphrase(some_key(), secret("p"), random, {1, 4096}).error().code, Errc::invalid_argument);
}

TEST(SealedKey, Another_version_is_named_as_such) {
    EXPECT_EQ(parse_sealed_key("noroshi sealed key 2\n").error().code, Errc::unsupported);
}

TEST(SecretBytes, Takes_no_more_than_its_room) {
    SecretBytes bytes(4);
    EXPECT_TRUE(bytes.append(as_bytes("abc")));
    EXPECT_FALSE(bytes.append(as_bytes("de")));
    EXPECT_TRUE(bytes.append(as_bytes("\n")));
    EXPECT_FALSE(bytes.append(as_bytes("e")));
    bytes.trim_end();
    EXPECT_EQ(bytes.expose_text(), "abc");
    bytes.drop_last();
    EXPECT_EQ(bytes.expose_text(), "ab");
}

TEST(SecretBytes, Leaves_nothing_where_it_was_moved_from) {
    SecretBytes from(8);
    ASSERT_TRUE(from.append(as_bytes("secret")));
    SecretBytes to(std::move(from));
    EXPECT_EQ(to.expose_text(), "secret");
    EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move): what is left is the point
    SecretBytes another(8);
    ASSERT_TRUE(another.append(as_bytes("x")));
    another = std::move(to);
    EXPECT_EQ(another.expose_text(), "secret");
}

}  // namespace
}  // namespace noroshi::crypto
