// test/unit/base/crypto_primitives_test.cpp - published vectors of every primitive, and what each refuses.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/crypto/crypto.hpp"
#include "base/crypto/shake.hpp"

namespace noroshi::crypto {
namespace {

Bytes hex(std::string_view text) { return *from_hex(text); }

std::span<const std::uint8_t, 16> key16(const Bytes& bytes) { return std::span<const std::uint8_t>(bytes).first<16>(); }
std::span<const std::uint8_t, 32> key32(const Bytes& bytes) { return std::span<const std::uint8_t>(bytes).first<32>(); }
std::span<const std::uint8_t, 12> nonce12(const Bytes& bytes) {
    return std::span<const std::uint8_t>(bytes).first<12>();
}

SecretKey key_of(std::uint8_t byte) { return *SecretKey::from_bytes(Bytes(32, byte)); }

/// Gives out prepared bytes, one list a call.
class ListedRandom final : public Random {
  public:
    explicit ListedRandom(std::deque<Bytes> lists) : lists_(std::move(lists)) {}
    void fill(std::span<std::uint8_t> out) override {
        ASSERT_FALSE(lists_.empty());
        ASSERT_EQ(lists_.front().size(), out.size());
        std::ranges::copy(lists_.front(), out.begin());
        lists_.pop_front();
    }

  private:
    std::deque<Bytes> lists_;
};

TEST(Crypto_hash, Sha256_of_abc) {
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Crypto_hash, Sha256_of_parts_is_that_of_the_whole) {
    EXPECT_EQ(sha256({as_bytes("a"), as_bytes(""), as_bytes("bc")}), sha256(as_bytes("abc")));
}

TEST(Crypto_hash, Shake256_fills_what_it_is_given) {
    Bytes out(64);
    shake256({}, out);
    EXPECT_EQ(to_hex(out), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
                           "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be");
    out.resize(20);
    shake256(as_bytes("abc"), out);
    EXPECT_EQ(to_hex(out), "483366601360a8771c6863080cc4114d8db44530");
}

TEST(Crypto_hash, Keccak256_of_nothing_has_the_original_padding) {
    EXPECT_EQ(to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
}

TEST(Crypto_hash, Hmac_sha256_of_rfc_4231_case_2) {
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Crypto_hash, Hmac_takes_an_empty_key) {
    EXPECT_EQ(to_hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Crypto_hash, Pbkdf2_of_rfc_7914) {
    EXPECT_EQ(to_hex(pbkdf2_hmac_sha256(as_bytes("passwd"), as_bytes("salt"), 1).expose()),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    EXPECT_EQ(to_hex(pbkdf2_hmac_sha256(as_bytes("Password"), as_bytes("NaCl"), 80'000).expose()),
              "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

std::string hkdf(const Bytes& key, const Bytes& salt, const Bytes& info, std::size_t size) {
    Bytes out(size);
    hkdf_sha256(key, salt, info, out);
    return to_hex(out);
}

TEST(Crypto_hash, Hkdf_sha256_of_rfc_5869) {
    EXPECT_EQ(hkdf(Bytes(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    EXPECT_EQ(hkdf(Bytes(22, 0x0b), {}, {}, 42),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Crypto_hash, Constant_time_comparison_sees_length_and_content) {
    EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
    EXPECT_TRUE(equal_constant_time({}, {}));
}

TEST(Crypto_aes, Ctr_128_of_sp_800_38a) {
    const Bytes key = hex("2b7e151628aed2a6abf7158809cf4f3c");
    const Bytes iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    const Bytes plain = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    const Bytes cipher = aes128_ctr(key16(key), key16(iv), plain);
    EXPECT_EQ(to_hex(cipher), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    EXPECT_EQ(aes128_ctr(key16(key), key16(iv), cipher), plain);
}

TEST(Crypto_aes, Ctr_256_of_sp_800_38a) {
    const Bytes key = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    const Bytes iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    const Bytes plain = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    const Bytes cipher = aes256_ctr(key32(key), key16(iv), plain);
    EXPECT_EQ(to_hex(cipher), "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
    EXPECT_EQ(aes256_ctr(key32(key), key16(iv), cipher), plain);
    EXPECT_TRUE(aes256_ctr(key32(key), key16(iv), {}).empty());
}

TEST(Crypto_aes, Ctr_counter_carries_over_all_16_bytes) {
    const Bytes key(16, 0x42);
    const Bytes last(16, 0xff);
    const Bytes zero(16, 0);
    const Bytes two_blocks = aes128_ctr(key16(key), key16(last), Bytes(32, 0));
    const Bytes wrapped = aes128_ctr(key16(key), key16(zero), Bytes(16, 0));
    EXPECT_TRUE(std::equal(wrapped.begin(), wrapped.end(), two_blocks.begin() + 16));
}

TEST(Crypto_aes, Gcm_256_of_the_gcm_specification_case_14) {
    const Bytes key(32, 0);
    const Bytes nonce(12, 0);
    EXPECT_EQ(to_hex(aes256_gcm_encrypt(key32(key), nonce12(nonce), Bytes(16, 0))),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(Crypto_aes, Gcm_opens_what_it_sealed_and_nothing_else) {
    const Bytes key(32, 7);
    const Bytes nonce(12, 9);
    Bytes sealed = aes256_gcm_encrypt(key32(key), nonce12(nonce), as_bytes("secret"));
    EXPECT_EQ(as_text(*aes256_gcm_decrypt(key32(key), nonce12(nonce), sealed)), "secret");
    for (std::uint8_t& byte : sealed) {
        byte ^= 1;
        EXPECT_EQ(aes256_gcm_decrypt(key32(key), nonce12(nonce), sealed).error().code, Errc::corrupt);
        byte ^= 1;
    }
    sealed.resize(15);
    EXPECT_EQ(aes256_gcm_decrypt(key32(key), nonce12(nonce), sealed).error().code, Errc::corrupt);
}

TEST(Crypto_secp256k1, Public_key_of_one_gives_the_known_ethereum_address) {
    Bytes one(32, 0);
    one[31] = 1;
    const PublicKey key = SecretKey::from_bytes(one)->public_key();
    const auto point = key.uncompressed();
    EXPECT_EQ(to_hex(ByteView(keccak256(ByteView(point).subspan(1))).last(20)),
              "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
}

TEST(Crypto_secp256k1, Public_key_reads_back_from_each_form) {
    const PublicKey key = key_of(0x11).public_key();
    EXPECT_EQ(key.to_string(), "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa");
    EXPECT_EQ(*PublicKey::from_hex("0x" + key.to_string()), key);
    EXPECT_EQ(*PublicKey::from_bytes(key.uncompressed()), key);
}

TEST(Crypto_secp256k1, Public_key_refuses_what_is_no_point) {
    const auto point = key_of(0x11).public_key().uncompressed();
    Bytes hybrid(point.begin(), point.end());
    hybrid[0] = 0x06;
    for (const Bytes& bytes : {Bytes{}, Bytes(32, 2), Bytes(33, 0), Bytes(33, 0xff), Bytes(65, 4), hybrid}) {
        EXPECT_EQ(PublicKey::from_bytes(bytes).error().code, Errc::parse) << to_hex(bytes);
    }
    EXPECT_EQ(PublicKey::from_hex("xyz").error().code, Errc::parse);
}

TEST(Crypto_secp256k1, Secret_key_refuses_zero_the_group_order_and_other_lengths) {
    const Bytes order = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (const Bytes& bytes : {Bytes(32, 0), order, Bytes(31, 1), Bytes(33, 1), Bytes{}}) {
        EXPECT_EQ(SecretKey::from_bytes(bytes).error().code, Errc::invalid_argument);
    }
}

TEST(Crypto_secp256k1, Generation_draws_again_when_the_bytes_are_no_key) {
    ListedRandom random({Bytes(32, 0), Bytes(32, 0xff), Bytes(32, 0x33)});
    const SecretKey key = SecretKey::generate(random);
    EXPECT_TRUE(std::ranges::equal(key.expose(), Bytes(32, 0x33)));
}

TEST(Crypto_secp256k1, Signature_is_deterministic_and_names_its_key) {
    const Digest digest = sha256(as_bytes("message"));
    const SecretKey key = key_of(0x22);
    RecoverableSignature signature = key.sign(digest);
    EXPECT_EQ(signature, key.sign(digest));
    EXPECT_EQ(*recover(digest, signature), key.public_key());
    signature[64] = static_cast<std::uint8_t>(signature[64] + 27);
    EXPECT_EQ(*recover(digest, signature), key.public_key());
}

TEST(Crypto_secp256k1, Recovery_refuses_impossible_signatures) {
    const Digest digest = sha256(as_bytes("message"));
    RecoverableSignature signature = key_of(0x22).sign(digest);
    for (const std::uint8_t v : {std::uint8_t{4}, std::uint8_t{26}, std::uint8_t{31}, std::uint8_t{255}}) {
        signature[64] = v;
        EXPECT_EQ(recover(digest, signature).error().code, Errc::corrupt);
    }
    EXPECT_EQ(recover(digest, Bytes(65, 0)).error().code, Errc::corrupt);
    EXPECT_EQ(recover(digest, Bytes(64, 1)).error().code, Errc::corrupt);
}

TEST(Crypto_secp256k1, Recovered_key_differs_for_another_message) {
    const RecoverableSignature signature = key_of(0x22).sign(sha256(as_bytes("message")));
    const Result<PublicKey> other = recover(sha256(as_bytes("another")), signature);
    EXPECT_TRUE(!other || *other != key_of(0x22).public_key());
}

TEST(Crypto_secp256k1, Shared_secret_is_the_bare_x_coordinate_on_both_sides) {
    const SecretKey a = key_of(0x11);
    const SecretKey b = key_of(0x33);
    EXPECT_EQ(to_hex(b.shared_x(a.public_key()).expose()),
              "6fb9be77954b3865de09320cf5f772c6b3492d575da4b656622167fb316fac22");
    EXPECT_TRUE(std::ranges::equal(a.shared_x(b.public_key()).expose(), b.shared_x(a.public_key()).expose()));
}

}  // namespace
}  // namespace noroshi::crypto
