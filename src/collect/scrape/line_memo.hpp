// src/collect/scrape/line_memo.hpp - LineMemo: what became of the lines of a target's last reading.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tsdb/tsdb.hpp"

namespace noroshi::collect {

struct SeenSeries;  // the writer's note of a series, see sample_writer.hpp

/// A line's part before the value seldom changes between two readings: then its series is known by that text's hash, and no
/// label is parsed. Lines are expected in the order of the reading before; others are looked up. Thread: one at a time.
class LineMemo {
  public:
    /// A line of the current reading.
    struct Line {
        std::uint64_t hash{0};
        tsdb::SeriesId series{};        ///< 0: not known (yet)
        SeenSeries* seen{nullptr};      ///< of the writer, which keeps it as long as the line is known
        std::uint32_t text_bytes{0};
        std::uint16_t labels{0};
        bool dropped{false};            ///< by relabelling

        [[nodiscard]] bool is_known() const { return dropped || series != tsdb::SeriesId{}; }
    };

    LineMemo();
    /// A new reading begins.
    void begin();
    /// `context`: what else the meaning of a text depends on, as a number. The known line whose series part begins `text`,
    /// or null; it is then the current reading's next line.
    [[nodiscard]] const Line* find(std::string_view text, std::uint64_t context);
    /// The next line of the current reading is new; `series` is its part before the value, without blanks at its end.
    void add(std::string_view series, std::size_t labels, std::uint64_t context);
    /// Of the current reading, up to now.
    [[nodiscard]] std::uint32_t size() const { return next_; }
    [[nodiscard]] Line& operator[](std::uint32_t i) { return lines_[i]; }
    [[nodiscard]] const Line& operator[](std::uint32_t i) const { return lines_[i]; }
    /// All that followed was read; lines of the reading before that were not found again are forgotten.
    void end();
    void clear();

  private:
    [[nodiscard]] bool fits(const Line& line, std::string_view text, std::uint64_t context) const;
    void put(const Line& line);

    std::uint64_t seed_;
    std::vector<Line> lines_;    // up to next_: of the current reading; behind it: of the one before, as long as they come in order
    std::uint32_t next_{0};
    bool in_order_{true};
    std::vector<Line> before_;   // not in order: the rest of the reading before
    std::unordered_map<std::uint64_t, std::uint32_t> places_;  // in before_, by hash
};

}  // namespace noroshi::collect
