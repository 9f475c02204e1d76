// src/waku/message.cpp - WakuMessage to and from protobuf, and its deterministic hash.
#include "waku/message.hpp"

#include <waku.pb.h>

#include <array>

namespace noroshi::waku {
namespace {

// Longer than any deployed application uses; a content topic is copied into logs and queues.
constexpr std::size_t max_content_topic_bytes = 1024;

std::string to_field(ByteView bytes) { return std::string(as_text(bytes)); }
Bytes from_field(const std::string& field) { return {field.begin(), field.end()}; }

}  // namespace

Result<Bytes> encode_message(const WakuMessage& message) {
    if (message.payload.empty()) {
        return fail(Errc::invalid_argument, "missing_payload");
    }
    if (message.content_topic.empty()) {
        return fail(Errc::invalid_argument, "missing_content_topic");
    }
    if (!is_utf8(message.content_topic)) {
        return fail(Errc::invalid_argument, "content_topic_not_utf8");
    }
    if (message.content_topic.size() > max_content_topic_bytes) {
        return fail(Errc::limit, "content_topic_too_long");
    }
    if (message.meta && message.meta->size() > max_meta_bytes) {
        return fail(Errc::limit, "meta_too_long");
    }
    wire::Message out;
    out.set_payload(to_field(message.payload));
    out.set_content_topic(message.content_topic);
    if (message.version) {
        out.set_version(*message.version);
    }
    if (message.timestamp_ns) {
        out.set_timestamp(*message.timestamp_ns);
    }
    if (message.meta) {
        out.set_meta(to_field(*message.meta));
    }
    if (message.rate_limit_proof) {
        out.set_rate_limit_proof(to_field(*message.rate_limit_proof));
    }
    if (message.ephemeral) {
        out.set_ephemeral(*message.ephemeral);
    }
    if (out.ByteSizeLong() > max_message_bytes) {
        return fail(Errc::limit, "too_large");
    }
    const std::string bytes = out.SerializeAsString();
    return from_field(bytes);
}

Result<WakuMessage> decode_message(ByteView bytes) {
    if (bytes.size() > max_message_bytes) {
        return fail(Errc::parse, "too_large");
    }
    wire::Message in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(Errc::parse, "malformed");
    }
    if (in.payload().empty()) {
        return fail(Errc::parse, "missing_payload");
    }
    if (in.content_topic().empty()) {
        return fail(Errc::parse, "missing_content_topic");
    }
    if (in.content_topic().size() > max_content_topic_bytes) {
        return fail(Errc::parse, "content_topic_too_long");
    }
    if (!is_utf8(in.content_topic())) {
        return fail(Errc::parse, "content_topic_not_utf8");
    }
    if (in.meta().size() > max_meta_bytes) {
        return fail(Errc::parse, "meta_too_long");
    }
    WakuMessage out;
    out.payload = from_field(in.payload());
    out.content_topic = in.content_topic();
    if (in.has_version()) {
        out.version = in.version();
    }
    if (in.has_timestamp()) {
        out.timestamp_ns = in.timestamp();
    }
    if (in.has_meta()) {
        out.meta = from_field(in.meta());
    }
    if (in.has_rate_limit_proof()) {
        out.rate_limit_proof = from_field(in.rate_limit_proof());
    }
    if (in.has_ephemeral()) {
        out.ephemeral = in.ephemeral();
    }
    return out;
}

crypto::Digest message_hash(std::string_view pubsub_topic, const WakuMessage& message) {
    // Two's complement here, although the message itself carries the timestamp in zigzag form.
    const auto timestamp = static_cast<std::uint64_t>(message.timestamp_ns.value_or(0));
    std::array<std::uint8_t, 8> big_endian{};
    for (std::size_t i = 0; i < big_endian.size(); ++i) {
        big_endian[i] = static_cast<std::uint8_t>(timestamp >> (8 * (7 - i)));
    }
    const ByteView meta = message.meta ? ByteView(*message.meta) : ByteView();
    return crypto::sha256({as_bytes(pubsub_topic), message.payload, as_bytes(message.content_topic), meta, big_endian});
}

}  // namespace noroshi::waku
