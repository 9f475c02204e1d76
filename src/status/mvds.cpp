// src/status/mvds.cpp - MVDS ids, payloads and pauses.
#include "mvds.hpp"

#include <status.pb.h>

#include <algorithm>

#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr int most_acks = 1000;
constexpr int most_messages = 100;
constexpr Milliseconds first_pause{27'000};
constexpr std::uint64_t jitter_ms = 9'000;

tl::unexpected<Error> refused(const char* word) { return fail(Errc::parse, word); }

}  // namespace

MvdsId MvdsMessage::id() const {
    std::array<std::uint8_t, 8> time{};
    for (std::size_t i = 0; i < time.size(); ++i) {
        time[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(timestamp_s) >> (8 * i));
    }
    return crypto::sha256({as_bytes("MESSAGE_ID"), group, time, body});
}

MvdsId mvds_group(const crypto::PublicKey& a, const crypto::PublicKey& b) {
    // Ordered by X alone, without the first byte, which says which Y.
    const auto first_is_smaller = [](const auto& one, const auto& other) {
        return std::ranges::lexicographical_compare(ByteView(one).subspan(1), ByteView(other).subspan(1));
    };
    auto first = a.compressed();
    auto second = b.compressed();
    if (first_is_smaller(second, first)) {
        std::swap(first, second);
    }
    Bytes both(first.begin(), first.end());
    both.insert(both.end(), second.begin(), second.end());
    return crypto::keccak256(both);
}

Bytes encode_mvds(const MvdsPayload& payload) {
    wire::MvdsPayload out;
    for (const MvdsId& ack : payload.acks) {
        out.add_acks(wire::text(ack));
    }
    for (const MvdsMessage& message : payload.messages) {
        wire::MvdsMessage& one = *out.add_messages();
        one.set_group_id(wire::text(message.group));
        one.set_timestamp(message.timestamp_s);
        one.set_body(wire::text(message.body));
    }
    return wire::to_bytes(out);
}

Result<MvdsPayload> decode_mvds(ByteView bytes) {
    wire::MvdsPayload in;
    if (!wire::parse(in, bytes)) {
        return refused("malformed");
    }
    if (in.acks_size() > most_acks || in.messages_size() > most_messages) {
        return refused("too_many");
    }
    MvdsPayload out;
    for (const std::string& ack : in.acks()) {
        const auto id = wire::fixed<32>(ack);
        if (!id) {
            return refused("malformed");
        }
        out.acks.push_back(*id);
    }
    for (const wire::MvdsMessage& message : in.messages()) {
        const auto group = wire::fixed<32>(message.group_id());
        if (!group) {
            return refused("malformed");
        }
        out.messages.push_back({*group, message.timestamp(), wire::bytes(message.body())});
    }
    return out.empty() ? Result<MvdsPayload>(refused("empty")) : out;
}

Milliseconds mvds_pause(std::uint32_t sends, Random& random) {
    const std::uint32_t doublings = std::clamp(sends, 1U, mvds_most_sends) - 1;
    return first_pause * (std::int64_t{1} << doublings) + Milliseconds(static_cast<std::int64_t>(random.below(jitter_ms + 1)));
}

}  // namespace noroshi::status
