// src/tsdb/chunk.hpp - Chunk: up to 120 samples of one series, compressed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/sample.hpp"

namespace noroshi::tsdb {

/// Samples in order of time, as bits: timestamps as differences of differences, values as differences of bit patterns
/// (the scheme of the Gorilla paper, VLDB 2015). A steady gauge costs about two bits a sample. Append only.
class Chunk {
  public:
    static constexpr std::uint16_t capacity = 120;

    [[nodiscard]] bool full() const { return count_ == capacity; }
    [[nodiscard]] std::uint16_t count() const { return count_; }
    [[nodiscard]] std::int64_t first_ms() const { return first_ms_; }
    [[nodiscard]] std::int64_t last_ms() const { return last_ms_; }
    [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + words_.capacity() * sizeof(std::uint64_t); }
    /// `at` must not be before `last_ms()`; the chunk must not be full.
    void append(std::int64_t at_ms, double value);
    /// Gives back what growing had set aside; call it when the chunk is full.
    void shrink() { words_.shrink_to_fit(); }

    /// The bit stream for a file; count, first and last time are kept beside it.
    [[nodiscard]] std::string to_bytes() const;
    /// A chunk to read from, of bytes that may be anything: its reader ends where they make no sense.
    [[nodiscard]] static Chunk from_bytes(std::string_view bytes, std::uint16_t count, std::int64_t first_ms,
                                          std::int64_t last_ms);

    /// Walks the samples from the first on. Valid until the chunk is appended to.
    class Reader {
      public:
        explicit Reader(const Chunk& chunk) : chunk_(&chunk) {}
        bool next(model::Sample& out);

      private:
        [[nodiscard]] std::uint64_t peek() const;
        void skip(unsigned count);
        [[nodiscard]] std::uint64_t bits(unsigned count);  // 1 to 64
        void read_time();
        void read_value();

        const Chunk* chunk_;
        std::uint16_t read_{0};
        std::size_t position_{0};
        std::int64_t at_ms_{0};
        std::int64_t delta_ms_{0};
        std::uint64_t value_{0};
        unsigned leading_{0};
        unsigned significant_{0};
        bool failed_{false};
    };

  private:
    void put(std::uint64_t value, unsigned count);
    void put_time(std::int64_t at_ms);
    void put_value(std::uint64_t bits);

    std::vector<std::uint64_t> words_;
    std::size_t size_bits_{0};
    std::int64_t first_ms_{0};
    std::int64_t last_ms_{0};
    std::int64_t delta_ms_{0};
    std::uint64_t last_bits_{0};
    std::uint8_t leading_{0};
    std::uint8_t significant_{0};
    std::uint16_t count_{0};
};

}  // namespace noroshi::tsdb
