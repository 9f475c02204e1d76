// src/tsdb/compact.hpp - makes a block of the head's old chunks, or one of several blocks.
#pragma once

#include <memory>
#include <vector>

#include "block.hpp"

namespace noroshi::tsdb {

/// A series' chunks on their way to a block: a copy, so that another thread may write them.
struct SealedSeries {
    model::Labels labels;
    std::vector<Chunk> chunks;
};

/// A block that is on disk and open. `block` is null when there was nothing to write.
struct BuiltBlock {
    BlockPtr block;
    std::vector<IndexEntry> entries;
};

/// Leaves nothing behind when it fails. Errors: io.
[[nodiscard]] Result<BuiltBlock> write_block(const Folder& folder, std::uint64_t number, std::vector<SealedSeries> series,
                                             BlockMeta meta);
/// Chunks that are damaged are left out, and their block is kept under a second name as damaged; the caller removes
/// `blocks`. Errors: io, unsupported.
[[nodiscard]] Result<BuiltBlock> merge_blocks(const Folder& folder, std::uint64_t number,
                                              const std::vector<BlockPtr>& blocks);

}  // namespace noroshi::tsdb
