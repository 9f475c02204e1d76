// src/tsdb/codec.hpp - the bytes of the files: little-endian numbers, varints, texts, label sets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "model/labels.hpp"

namespace noroshi::tsdb {

/// Appends values to a byte string.
class Encoder {
  public:
    void u8(std::uint8_t value) { out_ += static_cast<char>(value); }
    void u32(std::uint32_t value) { fixed(value, 4); }
    void u64(std::uint64_t value) { fixed(value, 8); }
    /// Seven bits a byte, lowest first (as in protobuf).
    void varint(std::uint64_t value);
    /// Small for small magnitudes of either sign.
    void signed_varint(std::int64_t value);
    /// A varint length and the bytes.
    void text(std::string_view value);
    void raw(std::string_view value) { out_ += value; }
    void labels(const model::Labels& labels);

    [[nodiscard]] const std::string& bytes() const { return out_; }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    /// Hands the bytes over and starts anew.
    [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

  private:
    void fixed(std::uint64_t value, int bytes);
    std::string out_;
};

/// Reads what Encoder wrote from bytes that may be anything. After the first fault every read gives 0 or nothing, and
/// `failed()` stays true.
class Decoder {
  public:
    explicit Decoder(std::string_view bytes) : left_(bytes) {}
    [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
    [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
    [[nodiscard]] std::uint64_t u64() { return fixed(8); }
    [[nodiscard]] std::uint64_t varint();
    [[nodiscard]] std::int64_t signed_varint();
    [[nodiscard]] std::string_view text();
    /// A count of things of which each takes at least `least_bytes`: more than fit is a fault.
    [[nodiscard]] std::size_t count(std::size_t least_bytes);
    /// Names must ascend and no value may be empty, as Encoder writes them.
    [[nodiscard]] model::Labels labels();

    void fail() {
        failed_ = true;
        left_ = {};
    }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool at_end() const { return left_.empty(); }
    [[nodiscard]] std::size_t left() const { return left_.size(); }

  private:
    [[nodiscard]] std::uint64_t fixed(std::size_t bytes);
    std::string_view left_;
    bool failed_{false};
};

}  // namespace noroshi::tsdb
