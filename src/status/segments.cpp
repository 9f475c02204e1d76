// src/status/segments.cpp - cutting and joining.
#include "segments.hpp"

#include <status.pb.h>

#include <algorithm>

#include "wire.hpp"

namespace noroshi::status {
namespace {

/// What one kept part costs beside its bytes, so that many tiny ones are not free.
constexpr std::size_t part_overhead = 256;

/// A segment names the whole's hash and says of how many it is one; anything else is a message by itself.
bool is_segment(const wire::SegmentMessage& in) {
    return in.entire_message_hash().size() == crypto::Digest{}.size() &&
           (in.segments_count() >= 2 || in.parity_segments_count() > 0);
}

Bytes join(const std::map<std::uint32_t, Bytes>& parts) {
    Bytes whole;
    for (const auto& [index, part] : parts) {
        whole.insert(whole.end(), part.begin(), part.end());
    }
    return whole;
}

}  // namespace

Result<std::vector<Bytes>> cut_into_segments(ByteView whole, std::size_t most) {
    NOROSHI_ASSERT(most > 0, "a segment holds something");
    if (whole.size() <= most) {
        return std::vector<Bytes>{Bytes(whole.begin(), whole.end())};
    }
    const std::size_t count = (whole.size() - 1) / most + 1;
    if (count > SegmentLimits{}.most_segments) {
        return fail(Errc::limit, "message needs more than 256 segments");
    }
    const crypto::Digest hash = crypto::keccak256(whole);
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < count; ++i) {
        wire::SegmentMessage segment;
        segment.set_entire_message_hash(wire::text(hash));
        segment.set_index(static_cast<std::uint32_t>(i));
        segment.set_segments_count(static_cast<std::uint32_t>(count));
        segment.set_payload(wire::text(whole.subspan(i * most, std::min(most, whole.size() - i * most))));
        out.push_back(wire::to_bytes(segment));
    }
    return out;
}

Result<std::optional<Bytes>> SegmentJoiner::take(const crypto::PublicKey& sender, Bytes bytes, SteadyMs now) {
    wire::SegmentMessage in;
    if (!wire::parse(in, bytes) || !is_segment(in)) {
        return std::optional<Bytes>(std::move(bytes));
    }
    if (in.segments_count() == 0) {
        return std::optional<Bytes>();  // parity
    }
    if (in.index() >= in.segments_count() || in.segments_count() > limits_.most_segments || in.payload().empty()) {
        return fail(Errc::parse, "bad_segment");
    }
    forget_old(now);
    const Key key{sender.compressed(), *wire::fixed<32>(in.entire_message_hash())};
    const auto [at, is_new] = unfinished_.try_emplace(key);
    Unfinished& message = at->second;
    if (is_new) {
        message.count = in.segments_count();
        message.since = now;
        message.order = next_order_++;
        by_order_.emplace(message.order, key);
    }
    if (message.count != in.segments_count()) {
        return fail(Errc::parse, "bad_segment");
    }
    if (message.parts.contains(in.index())) {
        return std::optional<Bytes>();
    }
    const std::size_t cost = in.payload().size() + part_overhead;
    message.parts.emplace(in.index(), wire::bytes(in.payload()));
    message.held += cost;
    held_ += cost;
    if (message.held > limits_.per_sender_bytes) {
        forget(key);
        return fail(Errc::limit, "segments_too_large");
    }
    if (message.parts.size() < message.count) {
        make_room(key);
        return std::optional<Bytes>();
    }
    Bytes whole = join(message.parts);
    forget(key);
    if (crypto::keccak256(whole) != key.hash) {
        return fail(Errc::corrupt, "bad_hash");
    }
    return std::optional<Bytes>(std::move(whole));
}

void SegmentJoiner::forget(Key key) {
    const auto at = unfinished_.find(key);
    held_ -= at->second.held;
    by_order_.erase(at->second.order);
    unfinished_.erase(at);
}

void SegmentJoiner::forget_old(SteadyMs now) {
    while (!by_order_.empty() && now - unfinished_.at(by_order_.begin()->second).since > limits_.age) {
        forget(by_order_.begin()->second);
    }
}

bool SegmentJoiner::over_bound_of_sender(const Sender& sender) const {
    std::size_t held = 0;
    std::size_t messages = 0;
    for (auto at = unfinished_.lower_bound(Key{sender, {}}); at != unfinished_.end() && at->first.sender == sender; ++at) {
        held += at->second.held;
        ++messages;
    }
    return held > limits_.per_sender_bytes || messages > limits_.most_unfinished;
}

std::optional<SegmentJoiner::Key> SegmentJoiner::oldest_other(const Key& current, bool same_sender) const {
    for (const auto& [order, key] : by_order_) {
        if (key != current && (!same_sender || key.sender == current.sender)) {
            return key;
        }
    }
    return std::nullopt;
}

void SegmentJoiner::make_room(const Key& current) {
    const auto over = [&](bool same_sender) {
        return same_sender ? over_bound_of_sender(current.sender) : held_ > limits_.bytes;
    };
    for (const bool same_sender : {true, false}) {
        while (over(same_sender)) {
            const std::optional<Key> other = oldest_other(current, same_sender);
            if (!other) {
                break;
            }
            forget(*other);
        }
    }
}

}  // namespace noroshi::status
