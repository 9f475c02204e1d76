// src/tsdb/bits.hpp - BitStream and BitReader: numbers of any number of bits, one after the other.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace noroshi::tsdb {

/// The widths of a signed number: a unary class (0, 10, 110, ..) says which one follows.
inline constexpr std::array<unsigned, 6> signed_widths{0, 4, 8, 16, 32, 64};

/// Bits in the order in which they were put, the highest of each number first. Append only.
class BitStream {
  public:
    void put(std::uint64_t value, unsigned count);
    /// Small for small magnitudes of either sign.
    void put_signed(std::int64_t value);
    /// The difference of two doubles' bits: one bit when there is none.
    void put_change(double value, double base);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes_held() const { return words_.capacity() * sizeof(std::uint64_t); }
    void shrink() { words_.shrink_to_fit(); }
    /// Filled up with zeros to a whole byte.
    [[nodiscard]] std::string to_bytes() const;
    [[nodiscard]] static BitStream from_bytes(std::string_view bytes);

  private:
    friend class BitReader;
    std::vector<std::uint64_t> words_;
    std::size_t size_{0};
};

/// Reads what was put, from a stream that may hold anything. After its end every read gives 0, and `failed()` stays true.
/// The stream is given with each call, so that it may have moved.
class BitReader {
  public:
    /// `count` is 1 to 64.
    [[nodiscard]] std::uint64_t take(const BitStream& stream, unsigned count) {
        const std::uint64_t out = peek(stream) >> (64 - count);
        skip(stream, count);
        return failed_ ? 0 : out;
    }
    /// The next 64 bits, zeros where the stream has ended; nothing is taken.
    [[nodiscard]] std::uint64_t peek(const BitStream& stream) const {
        const std::size_t word = position_ / 64;
        const unsigned used = position_ % 64;
        if (word >= stream.words_.size()) {
            return 0;
        }
        std::uint64_t out = stream.words_[word] << used;
        if (used > 0 && word + 1 < stream.words_.size()) {
            out |= stream.words_[word + 1] >> (64 - used);
        }
        return out;
    }
    void skip(const BitStream& stream, unsigned count) {
        if (count > left(stream)) {
            failed_ = true;
            return;
        }
        position_ += count;
    }
    [[nodiscard]] std::int64_t take_signed(const BitStream& stream);
    [[nodiscard]] double take_change(const BitStream& stream, double base);
    [[nodiscard]] std::size_t left(const BitStream& stream) const { return stream.size_ - position_; }
    [[nodiscard]] bool failed() const { return failed_; }
    void fail() { failed_ = true; }

  private:
    std::size_t position_{0};
    bool failed_{false};
};

[[nodiscard]] inline std::int64_t sign_extended(std::uint64_t value, unsigned count) {
    const unsigned unused = 64 - count;
    return static_cast<std::int64_t>(value << unused) >> unused;
}

/// Bytes of a file may hold any differences.
[[nodiscard]] inline std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace noroshi::tsdb
