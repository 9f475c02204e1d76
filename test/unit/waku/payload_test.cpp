// test/unit/waku/payload_test.cpp - 26/WAKU-PAYLOAD version 1 against vectors that go-waku and js-waku opened.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "waku/payload.hpp"

namespace noroshi::waku {
namespace {

using crypto::SecretKey;

constexpr std::size_t ecies_overhead = 113;
constexpr std::size_t symmetric_overhead = 28;
constexpr std::string_view padding_of_signed_vector_end = "b0";

Bytes hex(std::string_view text) { return *from_hex(text); }
SecretKey key_of(std::uint8_t byte) { return *SecretKey::from_bytes(Bytes(32, byte)); }
SymmetricKey symmetric_key() { return SymmetricKey(std::span<const std::uint8_t>(Bytes(32, 0x66)).first<32>()); }

/// Byte i of padding is (i + 1) mod 256.
Bytes counting(std::size_t size) {
    Bytes out(size);
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = static_cast<std::uint8_t>(i + 1);
    }
    return out;
}

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

const ByteView hello = as_bytes("hello noroshi");

Bytes ecies_vector() {
    ListedRandom random({counting(176), Bytes(32, 0x33), Bytes(16, 0x44)});
    const SecretKey signer = key_of(0x22);
    return *seal_asymmetric(hello, key_of(0x11).public_key(), &signer, random);
}

Bytes symmetric_vector() {
    ListedRandom random({counting(176), Bytes(12, 0x55)});
    const SecretKey signer = key_of(0x22);
    return *seal_symmetric(hello, symmetric_key(), &signer, random);
}

/// The frame inside, by the primitives.
Bytes plain_frame(const Bytes& symmetric) {
    const ByteView sealed(symmetric);
    return *crypto::aes256_gcm_decrypt(symmetric_key().expose(), sealed.last<12>(), sealed.first(sealed.size() - 12));
}

/// A symmetric envelope around any frame.
Bytes seal_frame(const Bytes& frame) {
    const Bytes nonce(12, 1);
    Bytes out = crypto::aes256_gcm_encrypt(symmetric_key().expose(), std::span<const std::uint8_t>(nonce).first<12>(),
                                           frame);
    out.insert(out.end(), nonce.begin(), nonce.end());
    return out;
}

std::string reason(const Result<OpenedPayload>& opened) { return opened ? "opened" : opened.error().message; }

TEST(Payload_frame, Signed_frame_is_the_vector) {
    const Bytes frame = plain_frame(symmetric_vector());
    ASSERT_EQ(frame.size(), 256U);
    EXPECT_EQ(to_hex(ByteView(frame).first(15)), "050d68656c6c6f206e6f726f736869");
    EXPECT_EQ(to_hex(ByteView(frame).subspan(190, 1)), padding_of_signed_vector_end);
    EXPECT_EQ(to_hex(crypto::keccak256(ByteView(frame).first(191))),
              "a1086a7a23b9316f6c89b7c4c15727c5347210cdba36e81b683781408c7c6f3a");
    EXPECT_EQ(to_hex(ByteView(frame).last(65)),
              "4d3d718865fdc3d71c3b35e292d30a69dc38d40e4980567c2d1236149c5e676c41d7a084fafedbe863ed97352fd74bd3807217"
              "7f8df8ca7174010d283501955900");
}

TEST(Payload_asymmetric, Envelope_is_the_vector) {
    const Bytes sealed = ecies_vector();
    ASSERT_EQ(sealed.size(), 369U);
    const ByteView view(sealed);
    EXPECT_EQ(to_hex(view.first(65)),
              "043c72addb4fdf09af94f0c94d7fe92a386a7e70cf8a1d85916386bb2535c7b1b13b306b0fe085665d8fc1b28ae1676cd3ad6e"
              "08eaeda225fe38d0da4de55703e0");
    EXPECT_EQ(to_hex(view.subspan(65, 16)), "44444444444444444444444444444444");
    EXPECT_EQ(to_hex(view.subspan(81, 16)), "3deaf4c3ced9b73fc0d6430184441ffa");
    EXPECT_EQ(to_hex(view.last(32)), "32af2ed02f77ffa06108e3bf47030714432bd85bfbcd54459cd300022443f46a");
    EXPECT_EQ(to_hex(crypto::sha256(view)), "440dbdc2294fd785ded894522fb719efaf44255dda16dd47fcc01aa0684c625c");
}

TEST(Payload_asymmetric, Derived_keys_are_the_vector) {
    const auto shared = key_of(0x33).shared_x(key_of(0x11).public_key());
    const crypto::Digest both = crypto::sha256({hex("00000001"), shared.expose()});
    EXPECT_EQ(to_hex(both), "a138f5c0eb46ce34af68739548eac0fd71ad06f732d4cd160da6f4a0a3cc77e2");
    EXPECT_EQ(to_hex(crypto::sha256(ByteView(both).subspan(16))),
              "ea08c7156bb1123b000b9c802f1f0ab49a228c71bf6aeb03540751df72abb376");
}

TEST(Payload_asymmetric, Opens_the_vector_and_names_its_signer) {
    const Result<OpenedPayload> opened = open_asymmetric(ecies_vector(), key_of(0x11));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(as_text(opened->payload), "hello noroshi");
    EXPECT_EQ(to_hex(opened->signer->uncompressed()),
              "04466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f276728176c3c6431f8eeda4538dc37c865e278"
              "4f3a9e77d044f33e407797e1278a");
}

TEST(Payload_asymmetric, Another_key_does_not_open_it) {
    EXPECT_EQ(reason(open_asymmetric(ecies_vector(), key_of(0x12))), "wrong_key_or_tampered");
}

TEST(Payload_asymmetric, A_change_of_any_byte_is_seen) {
    Bytes sealed = ecies_vector();
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        sealed[i] ^= 0x01;
        const std::string said = reason(open_asymmetric(sealed, key_of(0x11)));
        EXPECT_EQ(said, i < 65 ? "bad_ephemeral_key" : "wrong_key_or_tampered") << "byte " << i;
        sealed[i] ^= 0x01;
    }
}

TEST(Payload_asymmetric, Every_truncation_is_refused) {
    const Bytes sealed = ecies_vector();
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        const Result<OpenedPayload> opened = open_asymmetric(ByteView(sealed).first(size), key_of(0x11));
        EXPECT_EQ(reason(opened), size <= ecies_overhead ? "too_short" : "wrong_key_or_tampered") << size;
    }
}

TEST(Payload_asymmetric, Refuses_more_than_any_honest_envelope_without_work) {
    EXPECT_EQ(reason(open_asymmetric(Bytes(max_payload_bytes + 2048, 4), key_of(0x11))), "too_large");
}

TEST(Payload_asymmetric, Unsigned_opens_without_signer) {
    SeededRandom random(1);
    const Bytes sealed = *seal_asymmetric(hello, key_of(0x11).public_key(), nullptr, random);
    EXPECT_FALSE(open_asymmetric(sealed, key_of(0x11))->signer);
}

TEST(Payload_symmetric, Signed_envelope_is_the_vector) {
    const Bytes sealed = symmetric_vector();
    ASSERT_EQ(sealed.size(), 284U);
    EXPECT_EQ(to_hex(ByteView(sealed).first(16)), "fecf51be637ba76d593387703bede1c5");
    EXPECT_EQ(to_hex(ByteView(sealed).subspan(256, 16)), "8ead9b80b8ecacfe22b22ffc6dd0081e");
    EXPECT_EQ(to_hex(crypto::sha256(sealed)), "e31ffbb54e40387787cb9aafbe7e5c045e33d316604ebbded18f72feb8291f92");
}

TEST(Payload_symmetric, Unsigned_envelope_is_the_vector) {
    ListedRandom random({counting(241), Bytes(12, 0x55)});
    const Bytes sealed = *seal_symmetric(hello, symmetric_key(), nullptr, random);
    EXPECT_EQ(to_hex(crypto::sha256(sealed)), "aa0367b5763b616db0c366b928c3b67651eba7c51a07c7593e5853642c611470");
}

TEST(Payload_symmetric, Opens_the_vector_and_names_its_signer) {
    const Result<OpenedPayload> opened = open_symmetric(symmetric_vector(), symmetric_key());
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(as_text(opened->payload), "hello noroshi");
    EXPECT_EQ(*opened->signer, key_of(0x22).public_key());
}

TEST(Payload_symmetric, A_change_of_any_byte_is_seen) {
    Bytes sealed = symmetric_vector();
    for (std::uint8_t& byte : sealed) {
        byte ^= 0x80;
        EXPECT_EQ(reason(open_symmetric(sealed, symmetric_key())), "wrong_key_or_tampered");
        byte ^= 0x80;
    }
}

TEST(Payload_symmetric, Every_truncation_is_refused) {
    const Bytes sealed = symmetric_vector();
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        const Result<OpenedPayload> opened = open_symmetric(ByteView(sealed).first(size), symmetric_key());
        EXPECT_EQ(reason(opened), size <= symmetric_overhead ? "too_short" : "wrong_key_or_tampered") << size;
    }
}

TEST(Payload_symmetric, Refuses_the_zero_key) {
    SeededRandom random(1);
    EXPECT_EQ(seal_symmetric(hello, SymmetricKey(), nullptr, random).error().code, Errc::invalid_argument);
}

TEST(Payload_frame, Recovery_byte_27_and_28_are_read_too) {
    Bytes frame = plain_frame(symmetric_vector());
    frame.back() = static_cast<std::uint8_t>(frame.back() + 27);
    EXPECT_EQ(*open_symmetric(seal_frame(frame), symmetric_key())->signer, key_of(0x22).public_key());
}

TEST(Payload_frame, An_impossible_signature_is_refused) {
    Bytes frame = plain_frame(symmetric_vector());
    frame.back() = 9;
    EXPECT_EQ(reason(open_symmetric(seal_frame(frame), symmetric_key())), "bad_signature");
}

TEST(Payload_frame, A_change_under_the_signature_changes_the_signer) {
    Bytes frame = plain_frame(symmetric_vector());
    frame[3] ^= 1;
    const Result<OpenedPayload> opened = open_symmetric(seal_frame(frame), symmetric_key());
    EXPECT_TRUE(!opened || *opened->signer != key_of(0x22).public_key());
}

TEST(Payload_frame, A_frame_without_length_is_refused) {
    EXPECT_EQ(reason(open_symmetric(seal_frame(Bytes(256, 0)), symmetric_key())), "no_length");
}

TEST(Payload_frame, A_length_beyond_the_frame_is_refused) {
    Bytes frame(256, 0);
    frame[0] = 3;
    frame[1] = frame[2] = frame[3] = 0xff;
    EXPECT_EQ(reason(open_symmetric(seal_frame(frame), symmetric_key())), "truncated");
    EXPECT_EQ(reason(open_symmetric(seal_frame({1}), symmetric_key())), "truncated");
    EXPECT_EQ(reason(open_symmetric(seal_frame({5, 1, 65}), symmetric_key())), "truncated");
}

TEST(Payload_frame, A_length_into_the_signature_is_refused) {
    Bytes frame = plain_frame(symmetric_vector());
    frame[1] = 190;
    EXPECT_EQ(reason(open_symmetric(seal_frame(frame), symmetric_key())), "truncated");
}

class Payload_sizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Payload_sizes, Read_back_and_fill_whole_blocks) {
    SeededRandom random(GetParam());
    const Bytes payload = counting(GetParam());
    const SecretKey signer = key_of(0x22);
    const Bytes sealed = *seal_asymmetric(payload, key_of(0x11).public_key(), &signer, random);
    EXPECT_EQ((sealed.size() - ecies_overhead) % 256, 0U);
    const Result<OpenedPayload> opened = open_asymmetric(sealed, key_of(0x11));
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->payload, payload);
}

// 189: one byte short of a block with its signature; 190 exactly fills it; 255/256 and 65535/65536 change the length's width.
INSTANTIATE_TEST_SUITE_P(Borders, Payload_sizes,
                         ::testing::Values(1, 188, 189, 190, 255, 256, 257, 65535, 65536, max_payload_bytes));

TEST(Payload_frame, A_whole_block_of_padding_is_added_when_it_fits_already) {
    SeededRandom random(1);
    const Bytes payload(254, 1);  // flags, one byte of length, payload: 256
    EXPECT_EQ(seal_symmetric(payload, symmetric_key(), nullptr, random)->size(), 512 + symmetric_overhead);
}

TEST(Payload_frame, Padding_is_never_all_zero) {
    ListedRandom random({Bytes{0}, Bytes{0}, Bytes{7}, Bytes(12, 0x55)});
    const Bytes sealed = *seal_symmetric(Bytes(253, 1), symmetric_key(), nullptr, random);
    EXPECT_EQ(plain_frame(sealed).back(), 7);
}

TEST(Payload_frame, Refuses_an_empty_and_an_oversize_payload) {
    SeededRandom random(1);
    const crypto::PublicKey to = key_of(0x11).public_key();
    EXPECT_EQ(seal_asymmetric({}, to, nullptr, random).error().code, Errc::invalid_argument);
    EXPECT_EQ(seal_asymmetric(Bytes(max_payload_bytes + 1, 1), to, nullptr, random).error().code, Errc::limit);
}

}  // namespace
}  // namespace noroshi::waku
