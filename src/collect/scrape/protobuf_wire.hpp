// src/collect/scrape/protobuf_wire.hpp - the fields of a protobuf message, as views and without a copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace noroshi::collect {

/// Walks over the fields of one message, whatever they are; `bytes` may be anything and must outlive it.
class WireReader {
  public:
    explicit WireReader(std::string_view bytes) : left_(bytes) {}
    /// Goes to the next field. False: the end, or what is left makes no sense.
    [[nodiscard]] bool next();
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool is_text(std::uint64_t field) const { return field_ == field && wire_ == 2; }
    [[nodiscard]] bool is_number(std::uint64_t field) const { return field_ == field && wire_ == 0; }
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::uint64_t number() const { return number_; }

  private:
    std::string_view left_;
    std::uint64_t field_{0};
    std::uint64_t wire_{0};
    std::string_view text_;
    std::uint64_t number_{0};
    bool failed_{false};
};

/// Takes a length and so many bytes off the front. Nothing: there are fewer.
[[nodiscard]] std::optional<std::string_view> take_delimited(std::string_view& bytes);

}  // namespace noroshi::collect
