// src/waku/rpc.cpp - framing, metadata and lightpush codecs.
#include "rpc.hpp"

#include <waku.pb.h>

#include <algorithm>

namespace noroshi::waku {
namespace {

constexpr int max_shard_entries = 2048;
constexpr std::uint32_t max_shard = 1023;
constexpr std::size_t max_info_bytes = 200;
constexpr std::size_t max_request_id_bytes = 128;

Bytes to_bytes(const google::protobuf::MessageLite& message) {
    Bytes out(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(out.data());
    return out;
}

bool parse(google::protobuf::MessageLite& message, ByteView bytes) {
    return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

Bytes frame(ByteView body) {
    Bytes out;
    out.reserve(body.size() + max_prefix_bytes);
    std::size_t rest = body.size();
    while (rest >= 0x80) {
        out.push_back(static_cast<std::uint8_t>(rest | 0x80));
        rest >>= 7;
    }
    out.push_back(static_cast<std::uint8_t>(rest));
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

Result<void> FrameReader::take_prefix(ByteView& piece) {
    while (!prefix_done_ && !piece.empty()) {
        const std::uint8_t byte = piece.front();
        piece = piece.subspan(1);
        if (prefix_bytes_ == max_prefix_bytes - 1 && byte > 1) {
            return fail(Errc::parse, "bad_length");  // would not fit in 64 bits
        }
        length_ |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * prefix_bytes_);
        ++prefix_bytes_;
        prefix_done_ = (byte & 0x80) == 0;
    }
    if (prefix_done_ && length_ > cap_) {
        return fail(Errc::parse, "frame_too_large");
    }
    return {};
}

Result<std::optional<Bytes>> FrameReader::feed(ByteView piece) {
    if (done_) {
        if (piece.empty()) {
            return std::nullopt;
        }
        return fail(Errc::parse, "trailing_bytes");
    }
    NOROSHI_TRY_VOID(take_prefix(piece));
    if (!prefix_done_) {
        return std::nullopt;
    }
    const std::size_t missing = static_cast<std::size_t>(length_) - body_.size();
    if (piece.size() > missing) {
        return fail(Errc::parse, "trailing_bytes");
    }
    body_.insert(body_.end(), piece.begin(), piece.end());
    if (body_.size() < length_) {
        return std::nullopt;
    }
    done_ = true;
    return std::optional<Bytes>(std::move(body_));
}

Bytes encode_metadata(const Metadata& metadata) {
    wire::Metadata out;
    if (metadata.cluster) {
        out.set_cluster_id(*metadata.cluster);
    }
    for (const std::uint16_t shard : metadata.shards) {
        out.add_shards_deprecated(shard);
        out.add_shards(shard);
    }
    return to_bytes(out);
}

Result<Metadata> decode_metadata(ByteView bytes) {
    wire::Metadata in;
    if (bytes.size() > max_small_frame_bytes || !parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    const auto& shards = in.shards().empty() ? in.shards_deprecated() : in.shards();
    if (shards.size() > max_shard_entries) {
        return fail(Errc::parse, "too_many_shards");
    }
    Metadata out;
    if (in.has_cluster_id()) {
        out.cluster = in.cluster_id();
    }
    for (const std::uint32_t shard : shards) {
        if (shard <= max_shard) {
            out.shards.push_back(static_cast<std::uint16_t>(shard));
        }
    }
    return out;
}

Bytes encode_push(std::string_view request_id, std::string_view pubsub_topic, ByteView message) {
    wire::PushRpc out;
    out.set_request_id(std::string(request_id));
    out.mutable_request()->set_pubsub_topic(std::string(pubsub_topic));
    out.mutable_request()->set_message(std::string(as_text(message)));
    return to_bytes(out);
}

bool PushAnswer::rate_limited() const {
    return !success && (request_id == "N/A" || info.find("rate limit") != std::string::npos ||
                        info.find("TOO_MANY_REQUESTS") != std::string::npos);
}

Result<PushAnswer> decode_push_answer(ByteView bytes) {
    wire::PushRpc in;
    if (bytes.size() > max_small_frame_bytes || !parse(in, bytes)) {
        return fail(Errc::parse, "malformed");
    }
    if (!in.has_response()) {
        return fail(Errc::parse, "no_response");
    }
    return PushAnswer{printable(in.request_id(), max_request_id_bytes), in.response().is_success(),
                      printable(in.response().info(), max_info_bytes)};
}

std::string printable(std::string_view text, std::size_t max) {
    std::string out(text.substr(0, max));
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

}  // namespace noroshi::waku
