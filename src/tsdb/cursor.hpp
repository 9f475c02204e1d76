// src/tsdb/cursor.hpp - cursors over chunks in memory, over a block, and over several of these joined in time.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "block.hpp"
#include "chunk.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

/// The half-open interval (from, to].
struct Interval {
    std::int64_t from_ms{0};
    std::int64_t to_ms{0};
    [[nodiscard]] bool meets(std::int64_t min_ms, std::int64_t max_ms) const { return max_ms > from_ms && min_ms <= to_ms; }
};

/// A part of a series that has samples in an interval.
struct CursorPart {
    std::int64_t min_ms{0};
    std::unique_ptr<Cursor> cursor;
};

/// `chunks` from index `first` on; they outlive the cursor.
[[nodiscard]] std::unique_ptr<Cursor> make_head_cursor(const std::vector<Chunk>& chunks, std::size_t first, Interval wanted);
/// Reads nothing before the first `next`. What is damaged is left out, and the block remembers it.
[[nodiscard]] std::unique_ptr<Cursor> make_block_cursor(BlockPtr block, SeriesPlace place, Interval wanted);
/// `parts` in order of min_ms; they may overlap, and at the same time the earlier part counts.
[[nodiscard]] std::unique_ptr<Cursor> join_cursors(std::vector<CursorPart> parts);

}  // namespace noroshi::tsdb
