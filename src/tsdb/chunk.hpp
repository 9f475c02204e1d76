// src/tsdb/chunk.hpp - Chunk: up to 120 samples of one series and one kind, compressed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bits.hpp"
#include "model/histogram.hpp"
#include "model/sample.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

/// How samples are encoded, in a segment (the kind of an entry) and in a block (of a chunk). Further kinds get further
/// numbers; a reader that does not know one leaves it out.
enum class Encoding : std::uint8_t { series = 1 /* an entry only: id and labels */, floats = 2, histograms = 3 };

/// Samples in order of time, as bits: timestamps as differences of differences, numbers as differences of bit patterns
/// (the scheme of the Gorilla paper, VLDB 2015), histograms as histogram_codec.hpp has it. A steady gauge costs about two
/// bits a sample. Append only.
class Chunk {
  public:
    static constexpr std::uint16_t capacity = 120;
    /// A chunk that is larger takes no more; 120 numbers never are.
    static constexpr std::size_t full_bytes = 16u << 10;

    /// Whether `value` may be appended: there is room, and it is of the chunk's kind.
    [[nodiscard]] bool takes(const Value& value) const {
        return count_ == 0 || (!full() && encoding_ == encoding_of(value));
    }
    [[nodiscard]] bool full() const { return count_ == capacity || bits_.size() > full_bytes * 8; }
    [[nodiscard]] Encoding encoding() const { return encoding_; }
    [[nodiscard]] std::uint16_t count() const { return count_; }
    [[nodiscard]] std::int64_t first_ms() const { return first_ms_; }
    [[nodiscard]] std::int64_t last_ms() const { return last_ms_; }
    [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + bits_.bytes_held(); }
    /// `at` must not be before `last_ms()`; the chunk must take `value`. `before` is the histogram appended last.
    void append(std::int64_t at_ms, const Value& value, const model::Histogram* before = nullptr);
    /// Gives back what growing had set aside; call it when the chunk is full.
    void shrink() { bits_.shrink(); }

    /// The bit stream for a file; encoding, count, first and last time are kept beside it.
    [[nodiscard]] std::string to_bytes() const { return bits_.to_bytes(); }
    /// A chunk to read from, of bytes that may be anything: its reader ends where they make no sense.
    [[nodiscard]] static Chunk from_bytes(Encoding encoding, std::string_view bytes, std::uint16_t count,
                                          std::int64_t first_ms, std::int64_t last_ms);

    /// Walks the samples from the first on. Valid until the chunk is appended to.
    class Reader {
      public:
        explicit Reader(const Chunk& chunk) : chunk_(&chunk) {}
        /// Beside a histogram the number is NaN, or the stale marker when the histogram is one.
        bool next(model::Sample& out);
        /// Of the sample read last, until the next; null in a chunk of numbers. The first one of a chunk knows nothing of
        /// resets: what it was compared with may be gone.
        [[nodiscard]] const model::Histogram* histogram() const {
            return chunk_->encoding_ == Encoding::histograms ? &histogram_ : nullptr;
        }

      private:
        void read_time();
        void read_value();
        void read_histogram();

        const Chunk* chunk_;
        BitReader in_;
        std::uint16_t read_{0};
        std::int64_t at_ms_{0};
        std::int64_t delta_ms_{0};
        std::uint64_t value_{0};
        unsigned leading_{0};
        unsigned significant_{0};
        model::Histogram histogram_;
    };

  private:
    static Encoding encoding_of(const Value& value) { return value.histogram ? Encoding::histograms : Encoding::floats; }
    void put_time(std::int64_t at_ms);
    void put_value(std::uint64_t bits);

    BitStream bits_;
    std::int64_t first_ms_{0};
    std::int64_t last_ms_{0};
    std::int64_t delta_ms_{0};
    std::uint64_t last_bits_{0};
    std::uint8_t leading_{0};
    std::uint8_t significant_{0};
    std::uint16_t count_{0};
    Encoding encoding_{Encoding::floats};
};

}  // namespace noroshi::tsdb
