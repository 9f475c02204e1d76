// src/waku/rpc.cpp - framing and metadata.
#include "rpc.hpp"

#include <waku.pb.h>

#include <algorithm>

#include "protobuf.hpp"

namespace noroshi::waku {
namespace {

constexpr int max_shard_entries = 2048;
constexpr std::uint32_t max_shard = 1023;

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

Result<std::optional<Bytes>> FrameReader::next(ByteView& piece) {
    if (done_) {
        *this = FrameReader(cap_);
    }
    NOROSHI_TRY_VOID(take_prefix(piece));
    if (!prefix_done_) {
        return std::nullopt;
    }
    const ByteView mine = piece.first(std::min(piece.size(), static_cast<std::size_t>(length_) - body_.size()));
    piece = piece.subspan(mine.size());
    body_.insert(body_.end(), mine.begin(), mine.end());
    if (body_.size() < length_) {
        return std::nullopt;
    }
    done_ = true;
    return std::optional<Bytes>(std::move(body_));
}

Result<std::optional<Bytes>> FrameReader::feed(ByteView piece) {
    if (done_) {
        if (piece.empty()) {
            return std::nullopt;
        }
        return fail(Errc::parse, "trailing_bytes");
    }
    NOROSHI_TRY(std::optional<Bytes> body, next(piece));
    if (!piece.empty()) {
        return fail(Errc::parse, "trailing_bytes");
    }
    return body;
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
    return wire::to_bytes(out);
}

Result<Metadata> decode_metadata(ByteView bytes) {
    wire::Metadata in;
    if (bytes.size() > max_small_frame_bytes || !wire::parse(in, bytes)) {
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

std::string printable(std::string_view text, std::size_t max) {
    std::string out(text.substr(0, max));
    std::ranges::replace_if(
        out, [](char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

}  // namespace noroshi::waku
