// test/unit/status/protocol_message_test.cpp - the frame of the encryption layer: bytes of status-go, hostile bytes.
#include <gtest/gtest.h>

#include "fields.hpp"
#include "status/protocol_message.hpp"
#include "vectors.hpp"

namespace noroshi::status {
namespace {

using crypto::SecretKey;
using test::field;
using test::key_of;
using test::vector_bytes;
using test::vector_text;
using test::operator+;

constexpr std::string_view alice_device = "a11ce000-0000-4000-8000-000000000001";
constexpr std::string_view bob_device = "b0b00000-0000-4000-8000-000000000001";
constexpr std::int64_t vector_time_ns = 1'700'000'000'123'456'789;

Bytes hex(std::string_view text) { return *from_hex(text); }
CompressedKey compressed(std::uint8_t byte) { return key_of(byte).public_key().compressed(); }

Bundle bundle_of(std::uint8_t identity, std::string_view device, std::uint8_t prekey) {
    Bundle bundle;
    bundle.identity = compressed(identity);
    bundle.prekeys[std::string(device)] = {compressed(prekey), 1, bundle_protocol_version};
    bundle.timestamp_ns = vector_time_ns;
    sign_bundle(bundle, key_of(identity));
    return bundle;
}
Bundle bobs_bundle() { return bundle_of(0x22, bob_device, 0x44); }

std::string reason(const Result<ProtocolMessage>& decoded) { return decoded ? "decoded" : decoded.error().message; }

Bytes repeated(const Bytes& what, std::size_t times) {
    Bytes out;
    for (std::size_t i = 0; i < times; ++i) {
        out.insert(out.end(), what.begin(), what.end());
    }
    return out;
}

TEST(Bundle, Signature_is_the_vector) {
    const Bundle bundle = bobs_bundle();
    EXPECT_EQ(to_hex(bundle.signature), vector_text("bundle_signature"));
    const auto signer =
        crypto::recover(crypto::keccak256(vector_bytes("bundle_material")), vector_bytes("bundle_signature"));
    EXPECT_EQ(signer->compressed(), compressed(0x22));
}

TEST(Bundle, Encoding_is_the_vector) {
    ProtocolMessage message;
    message.bundles.push_back(bobs_bundle());
    EXPECT_EQ(encode_protocol_message(message), field(3, vector_bytes("bob.bundle")));
}

TEST(Bundle, Names_its_signer) {
    EXPECT_EQ(verify_bundle(bobs_bundle())->compressed(), compressed(0x22));
}

TEST(Bundle, Each_signed_part_counts) {
    const auto refused = [](auto change) {
        Bundle bundle = bobs_bundle();
        change(bundle);
        const auto signer = verify_bundle(bundle);
        return !signer && signer.error().message == "bad_bundle_signature";
    };
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.identity = compressed(0x11); }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.prekeys.begin()->second.key = compressed(0x66); }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.prekeys.begin()->second.version = 2; }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.prekeys["another"] = {compressed(0x66), 1, 1}; }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.prekeys.clear(); }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.timestamp_ns += 1; }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.signature[3] ^= 1; }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.signature.pop_back(); }));
    EXPECT_TRUE(refused([](Bundle& bundle) { bundle.signature.clear(); }));
    EXPECT_FALSE(refused([](Bundle& bundle) { bundle.prekeys.begin()->second.protocol_version = 9; }));  // not covered
}

TEST(Bundle, Material_is_in_order_of_the_ids_and_leaves_out_a_zero_time) {
    Bundle bundle;
    bundle.identity = compressed(0x22);
    bundle.prekeys["b"] = {compressed(0x44), 10, 1};
    bundle.prekeys["B"] = {compressed(0x66), 2, 1};
    sign_bundle(bundle, key_of(0x22));
    const std::string material = "B" + std::string(as_text(compressed(0x66))) + "2" + "b" +
                                 std::string(as_text(compressed(0x44))) + "10";
    const auto signer = crypto::recover(crypto::keccak256(as_bytes(material)), bundle.signature);
    EXPECT_EQ(signer->compressed(), compressed(0x22));
}

TEST(Protocol_message, Decodes_the_vector_and_gives_its_bytes_again) {
    const Bytes bytes = vector_bytes("protocol_message_dh");
    const Result<ProtocolMessage> message = decode_protocol_message(bytes);
    ASSERT_TRUE(message) << message.error().message;
    EXPECT_EQ(message->installation_id, alice_device);
    ASSERT_EQ(message->bundles.size(), 1U);
    EXPECT_EQ(message->bundles[0], bundle_of(0x11, alice_device, 0x66));
    ASSERT_EQ(message->encrypted.size(), 1U);
    const EncryptedMessage& entry = message->encrypted.at(any_device);
    EXPECT_EQ(*entry.dh, compressed(0x33));
    EXPECT_FALSE(entry.x3dh || entry.ratchet);
    EXPECT_EQ(encode_protocol_message(*message), bytes);
}

TEST(Protocol_message, Entry_of_the_vector_opens_with_the_key_of_the_vector) {
    const auto message = decode_protocol_message(vector_bytes("protocol_message_dh"));
    const EncryptedMessage& entry = message->encrypted.at(any_device);
    const Secret<32> key = key_of(0x22).shared_x(*crypto::PublicKey::from_bytes(*entry.dh));
    EXPECT_EQ(to_hex(key.expose()), vector_text("dh_key"));
    const ByteView sealed(entry.payload);
    EXPECT_EQ(to_hex(*crypto::aes256_gcm_decrypt(key.expose(), sealed.last<12>(), sealed.first(sealed.size() - 12))),
              vector_text("mvds_payload"));
}

TEST(Protocol_message, Contact_code_is_the_vector) {
    const auto decoded = decode_protocol_message(vector_bytes("protocol_message_contact_code"));
    ASSERT_TRUE(decoded);
    ProtocolMessage message;
    message.installation_id = alice_device;
    message.bundles.push_back(bundle_of(0x11, alice_device, 0x66));
    message.public_message = decoded->public_message;  // signed by status-go's application layer
    EXPECT_EQ(*decoded, message);
    EXPECT_EQ(to_hex(encode_protocol_message(message)), vector_text("protocol_message_contact_code"));
}

TEST(Protocol_message, Every_kind_of_entry_comes_back) {
    ProtocolMessage message;
    message.installation_id = "device";
    EncryptedMessage& first = message.encrypted["first"];
    first.x3dh = EncryptedMessage::X3dh{compressed(0x33), compressed(0x44)};
    first.ratchet = EncryptedMessage::Dr{{compressed(0x55), 7, 4'000'000'000}, hex("0102")};
    first.payload = hex("00ff00");
    message.encrypted["second"].ratchet = EncryptedMessage::Dr{{compressed(0x66), 0, 0}, {}};
    message.encrypted["third"].dh = compressed(0x77);
    const auto decoded = decode_protocol_message(encode_protocol_message(message));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, message);
}

TEST(Protocol_message, Other_messages_are_told_apart) {
    EXPECT_EQ(reason(decode_protocol_message(vector_bytes("mvds_payload"))), "empty");
    EXPECT_EQ(reason(decode_protocol_message({})), "empty");
    const Bytes application = field(1, Bytes(65, 1)) + field(2, Bytes(300, 2)) + field(3, 1);
    EXPECT_EQ(reason(decode_protocol_message(application)), "empty");
    EXPECT_EQ(reason(decode_protocol_message(Bytes{0x1a, 0x05, 0x00})), "malformed");
}

TEST(Protocol_message, Bounds_hold) {
    const Bytes bundle = field(3, vector_bytes("bob.bundle"));
    EXPECT_EQ(reason(decode_protocol_message(repeated(bundle, 16))), "decoded");
    EXPECT_EQ(reason(decode_protocol_message(repeated(bundle, 17))), "too_many");
    const Bytes entry = field(101, field(1, as_bytes("id")));
    EXPECT_EQ(reason(decode_protocol_message(repeated(entry, 64))), "decoded");
    EXPECT_EQ(reason(decode_protocol_message(repeated(entry, 65))), "too_many");
    EXPECT_EQ(reason(decode_protocol_message(field(3, repeated(field(2, ByteView()), 17)))), "too_many");
    EXPECT_EQ(reason(decode_protocol_message(repeated(field(101, ByteView()), 300'000))), "too_many");
    EXPECT_EQ(reason(decode_protocol_message(field(3, repeated(field(2, ByteView()), 500'000)))), "too_many");
    const Bytes public_message = field(102, as_bytes("x"));
    EXPECT_EQ(reason(decode_protocol_message(field(2, Bytes(128, 'i')) + public_message)), "decoded");
    EXPECT_EQ(reason(decode_protocol_message(field(2, Bytes(129, 'i')) + public_message)), "bad_installation");
    EXPECT_EQ(reason(decode_protocol_message(field(101, field(1, Bytes(129, 'i'))))), "bad_installation");
}

TEST(Protocol_message, Keys_have_33_bytes) {
    const auto entry_with = [](std::uint32_t header, std::uint32_t key, std::size_t size) {
        const Bytes value = field(header, field(key, Bytes(size, 2)));
        return reason(decode_protocol_message(field(101, field(2, value))));
    };
    for (const std::size_t size : {0U, 32U, 34U, 65U}) {
        EXPECT_EQ(entry_with(101, 1, size), "bad_key");
        EXPECT_EQ(entry_with(2, 1, size), "bad_key");
        EXPECT_EQ(entry_with(1, 1, size), "bad_key");
        EXPECT_EQ(reason(decode_protocol_message(field(3, field(1, Bytes(size, 2))))), "bad_key");
    }
    EXPECT_EQ(entry_with(101, 1, 33), "decoded");
    EXPECT_EQ(entry_with(2, 1, 33), "decoded");
    EXPECT_EQ(entry_with(1, 1, 33), "bad_key");  // and the prekey is missing
}

TEST(Protocol_message, Cut_anywhere_it_does_no_harm) {
    const Bytes whole = vector_bytes("protocol_message_dh");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto decoded = decode_protocol_message(ByteView(whole).first(size));
        EXPECT_TRUE(!decoded || decoded->encrypted.empty()) << size;
    }
}

}  // namespace
}  // namespace noroshi::status
