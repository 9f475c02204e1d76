// src/status/segments.hpp - messages too large for one envelope: cut into segments, put together again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace noroshi::status {

/// Largest message in one envelope of Status's network, and the size of a segment: three quarters of 1 MiB.
inline constexpr std::size_t segment_bytes = 786'432;

/// One SegmentMessage for each `most` bytes of `whole`, without parity; `whole` itself when it fits. Errors: limit (more
/// than 256 segments).
[[nodiscard]] Result<std::vector<Bytes>> cut_into_segments(ByteView whole, std::size_t most = segment_bytes);

/// Bounds of what waits for missing segments, over all senders.
struct SegmentLimits {
    std::size_t bytes{16 * 1024 * 1024};
    std::size_t per_sender_bytes{8 * 1024 * 1024};
    std::size_t most_segments{256};  ///< of one message
    Milliseconds age{3'600'000};
};

/// Puts segments together; parity segments are passed over. The oldest unfinished message of the sender that is over its
/// bound is forgotten first. Thread: one.
class SegmentJoiner {
  public:
    explicit SegmentJoiner(SegmentLimits limits = {}) : limits_(limits) {}
    /// What a message of `sender` is: a whole one (`bytes` themselves, or the last missing segment's whole), or nothing
    /// yet. Errors: corrupt (bad_hash: the parts do not make the whole that was promised), parse (bad_segment).
    [[nodiscard]] Result<std::optional<Bytes>> take(const crypto::PublicKey& sender, Bytes bytes, SteadyMs now);
    [[nodiscard]] std::size_t held_bytes() const { return held_; }

  private:
    struct Unfinished;
    struct Key {
        std::array<std::uint8_t, 33> sender{};
        crypto::Digest hash{};
        auto operator<=>(const Key&) const = default;
    };
    void forget(const Key& key);
    void forget_old(SteadyMs now);

    struct Unfinished {
        std::map<std::uint32_t, Bytes> parts;
        std::uint32_t count{0};
        std::size_t bytes{0};
        SteadyMs since{};
    };
    SegmentLimits limits_;
    std::map<Key, Unfinished> unfinished_;
    std::size_t held_{0};
};

}  // namespace noroshi::status
