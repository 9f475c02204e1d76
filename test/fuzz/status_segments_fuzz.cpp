// test/fuzz/status_segments_fuzz.cpp - any bytes as segments of three senders within small bounds; and any bytes cut and joined.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "segments.hpp"

namespace {

using namespace noroshi;
using namespace noroshi::status;

const std::vector<crypto::PublicKey>& senders() {
    static const std::vector<crypto::PublicKey> keys = [] {
        std::vector<crypto::PublicKey> out;
        for (std::uint8_t i = 1; i <= 3; ++i) {
            out.push_back(crypto::SecretKey::from_bytes(Bytes(32, i))->public_key());
        }
        return out;
    }();
    return keys;
}

/// Pieces of the input, each behind a byte that names its sender and a byte of length, as they come from the network.
void take_pieces(ByteView input) {
    const SegmentLimits limits{.bytes = 3000, .per_sender_bytes = 2000, .most_unfinished = 3, .most_segments = 8,
                               .age = Milliseconds(50)};
    SegmentJoiner joiner(limits);
    SteadyMs now{Milliseconds(1000)};
    while (input.size() >= 2) {
        const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
        const ByteView piece = input.subspan(2, length);
        const auto taken = joiner.take(senders()[input[0] % 3], Bytes(piece.begin(), piece.end()), now);
        if (joiner.held_bytes() > limits.bytes || (taken && *taken && (*taken)->size() > limits.per_sender_bytes)) {
            std::abort();
        }
        now += Milliseconds(input[0] / 3);
        input = input.subspan(2 + length);
    }
}

/// The first byte is the size of the parts, the second where they begin to come.
void cut_and_join(ByteView input) {
    if (input.size() < 3 || input[0] == 0) {
        return;
    }
    const ByteView whole = input.subspan(2);
    const auto segments = cut_into_segments(whole, input[0]);
    if (!segments || segments->size() < 2) {
        return;
    }
    SegmentJoiner joiner;
    std::optional<Bytes> joined;
    for (std::size_t i = 0; i < segments->size(); ++i) {
        if (joined) {
            std::abort();
        }
        auto taken = joiner.take(senders()[0], (*segments)[(i + input[1]) % segments->size()], SteadyMs{});
        if (!taken) {
            std::abort();
        }
        joined = std::move(*taken);
    }
    if (!joined || !std::ranges::equal(*joined, whole) || joiner.held_bytes() != 0) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    take_pieces(ByteView(data, size));
    cut_and_join(ByteView(data, size));
    return 0;
}
