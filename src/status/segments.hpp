// src/status/segments.hpp - messages too large for one envelope: cut into segments, put together again.
#pragma once

#include <array>
#include <cstdint>
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

/// Bounds of what waits for missing segments.
struct SegmentLimits {
    std::size_t bytes{16 * 1024 * 1024};            ///< of all senders
    std::size_t per_sender_bytes{8 * 1024 * 1024};  ///< at most `bytes`
    std::size_t most_unfinished{16};                ///< messages of one sender
    std::size_t most_segments{256};                 ///< of one message
    Milliseconds age{3'600'000};
};

/// Puts segments together; parity segments are passed over. Of the sender that is over its bound the oldest unfinished
/// message is forgotten first; over the bound of all, the oldest of all. Who may take that place at all is for the caller to
/// decide: anybody can sign. Thread: one.
class SegmentJoiner {
  public:
    explicit SegmentJoiner(SegmentLimits limits = {}) : limits_(limits) {}
    /// What a message of `sender` is: a whole one (`bytes` themselves, or the last missing segment's whole), or nothing
    /// yet. Errors: corrupt (bad_hash: the parts do not make the whole that was promised), parse (bad_segment), limit
    /// (segments_too_large: more than one sender may hold).
    [[nodiscard]] Result<std::optional<Bytes>> take(const crypto::PublicKey& sender, Bytes bytes, SteadyMs now);
    /// Memory of the parts, with what keeping them costs.
    [[nodiscard]] std::size_t held_bytes() const { return held_; }

  private:
    using Sender = std::array<std::uint8_t, 33>;
    struct Key {
        Sender sender{};
        crypto::Digest hash{};
        auto operator<=>(const Key&) const = default;
    };
    struct Unfinished {
        std::map<std::uint32_t, Bytes> parts;  // by index
        std::uint32_t count{0};
        std::size_t held{0};
        std::uint64_t order{0};
        SteadyMs since{};
    };
    void forget(Key key);
    void forget_old(SteadyMs now);
    void make_room(const Key& current);
    [[nodiscard]] bool over_bound_of_sender(const Sender& sender) const;
    [[nodiscard]] std::optional<Key> oldest_other(const Key& current, bool same_sender) const;

    SegmentLimits limits_;
    std::map<Key, Unfinished> unfinished_;
    std::map<std::uint64_t, Key> by_order_;  // oldest first
    std::uint64_t next_order_{0};
    std::size_t held_{0};
};

}  // namespace noroshi::status
