// src/status/topics.cpp - chat ids, content topics, topic keys.
#include "topics.hpp"

#include <fmt/format.h>

#include "status/identity.hpp"

namespace noroshi::status {
namespace {

constexpr std::uint32_t partitions = 5000;
constexpr std::uint32_t topic_key_rounds = 65'356;  // so in the network, not 65,536

}  // namespace

std::string content_topic(std::string_view chat_id) {
    const crypto::Digest digest = crypto::keccak256(as_bytes(chat_id));
    return fmt::format("/waku/1/0x{}/rfc26", to_hex(ByteView(digest).first(4)));
}

std::string partitioned_chat_id(const crypto::PublicKey& key) {
    const auto point = key.uncompressed();
    std::uint32_t rest = 0;
    for (const std::uint8_t byte : ByteView(point).subspan(1, 32)) {
        rest = (rest * 256 + byte) % partitions;
    }
    return fmt::format("contact-discovery-{}", rest);
}

std::string personal_chat_id(const crypto::PublicKey& key) {
    return "contact-discovery-" + to_hex(key.uncompressed());
}

std::string contact_code_chat_id(const crypto::PublicKey& key) { return contact_id(key) + "-contact-code"; }

std::string negotiated_chat_id(const crypto::SecretKey& own, const crypto::PublicKey& other) {
    return to_hex(own.shared_x(other).expose());
}

waku::SymmetricKey topic_key(std::string_view chat_id) {
    return crypto::pbkdf2_hmac_sha256(as_bytes(chat_id), {}, topic_key_rounds);
}

}  // namespace noroshi::status
