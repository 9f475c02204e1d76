// src/collect/scrape/line_reader.hpp - LineReader: a cursor over one line of an exposition that knows where it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi::collect {

/// How fields of a line are set apart: the text format takes any run of spaces and tabs between any two tokens,
/// OpenMetrics exactly one space where its grammar has one and nothing elsewhere.
enum class Blanks { any, single };

/// Reads one line left to right. Views point into the line. Errors are `parse` and carry line and column (bytes).
class LineReader {
  public:
    LineReader(std::string_view line, std::uint32_t number, Blanks blanks)
        : line_(line), number_(number), blanks_(blanks) {}

    [[nodiscard]] bool at_end() const { return at_ >= line_.size(); }
    /// The next byte, NUL at the end.
    [[nodiscard]] char peek() const { return at_end() ? '\0' : line_[at_]; }
    [[nodiscard]] std::size_t column() const { return at_ + 1; }
    [[nodiscard]] std::uint32_t line_number() const { return number_; }

    /// Goes on `bytes` further, which are there.
    void skip(std::size_t bytes) { at_ += bytes; }
    /// Takes `text` when it comes next.
    [[nodiscard]] bool take(std::string_view text);
    /// Blanks that mean nothing: skipped in the text format, never taken in OpenMetrics.
    void skip_gap();
    /// What stands between two fields: any blanks, or exactly one space. Errors: parse.
    [[nodiscard]] Result<void> separator(std::string_view before);
    /// The bytes up to the next blank or the end; may be empty.
    [[nodiscard]] std::string_view word();
    /// [a-zA-Z_][a-zA-Z0-9_]*, with ':' too when `colons`; empty when none comes next.
    [[nodiscard]] std::string_view identifier(bool colons);
    /// A string in double quotes with its escapes \\ \" \n undone; any other escape stays as it is. Errors: parse.
    [[nodiscard]] Result<std::string> quoted();
    /// All that is left of the line.
    [[nodiscard]] std::string_view rest();

    /// An error at the cursor, or at `column` (from 1) when given.
    [[nodiscard]] tl::unexpected<Error> fault(std::string message, std::size_t column = 0) const;

  private:
    std::string_view line_;
    std::size_t at_{0};
    std::uint32_t number_;
    Blanks blanks_;
};

/// `text` as it may stand in an error: quoted, cut after 40 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace noroshi::collect
