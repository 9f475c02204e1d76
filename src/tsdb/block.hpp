// src/tsdb/block.hpp - BlockFile and BlockWriter: an immutable file of chunks with the index of their series.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chunk.hpp"
#include "files.hpp"
#include "model/labels.hpp"
#include "wal_format.hpp"

namespace noroshi::tsdb {

/// What a block says of itself.
struct BlockMeta {
    std::int64_t min_ms{std::numeric_limits<std::int64_t>::max()};
    std::int64_t max_ms{std::numeric_limits<std::int64_t>::min()};
    std::uint64_t samples{0};
    /// Everything before `cut_ms` that stands in segments of the log before `cut_segment` is in this block, or in one that
    /// is as old.
    std::int64_t cut_ms{std::numeric_limits<std::int64_t>::min()};
    std::uint64_t cut_segment{0};
    std::vector<std::uint64_t> replaces;  ///< blocks that were merged into this one, and go when it is there
};

/// Where a series stands in a block.
struct SeriesPlace {
    std::uint64_t offset{0};
    std::uint32_t directory_bytes{0};
    std::int64_t min_ms{0};
    std::int64_t max_ms{0};
};

struct IndexEntry {
    model::Labels labels;
    SeriesPlace place;
};

/// Where a chunk stands in a block.
struct ChunkPlace {
    Encoding encoding{Encoding::floats};
    std::uint16_t count{0};
    std::int64_t first_ms{0};
    std::int64_t last_ms{0};
    std::uint64_t offset{0};
    std::uint32_t bytes{0};  ///< without the checksum behind them
};

/// The entries of an index and the block's description, in order of labels. `bytes` may be anything; `chunk_bytes` is
/// what the file has before its index. Errors: corrupt.
[[nodiscard]] Result<std::vector<IndexEntry>> read_index(std::string_view bytes, std::uint64_t chunk_bytes, BlockMeta& meta);
/// The chunks of a series; `offset` is where the directory stands in the file. Errors: corrupt.
[[nodiscard]] Result<std::vector<ChunkPlace>> read_directory(std::string_view bytes, std::uint64_t offset);

/// An open block. Immutable but for `damaged`. Thread: any.
class BlockFile {
  public:
    /// Reads and checks the index. Errors: corrupt, io, not_found.
    [[nodiscard]] static Result<std::shared_ptr<BlockFile>> open(const Folder& folder, std::uint64_t number,
                                                                 std::vector<IndexEntry>& entries);
    [[nodiscard]] static std::string file_name(std::uint64_t number);

    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] const BlockMeta& meta() const { return meta_; }
    [[nodiscard]] std::uint64_t bytes() const { return file_.size(); }
    /// The index again, for a merge. Errors: corrupt, io.
    [[nodiscard]] Result<std::vector<IndexEntry>> entries() const;
    /// Both remember damage. Errors: corrupt, io.
    [[nodiscard]] Result<std::vector<ChunkPlace>> directory(const SeriesPlace& series) const;
    [[nodiscard]] Result<Chunk> chunk(const ChunkPlace& place) const;
    /// Some part could not be read since it was opened.
    [[nodiscard]] bool damaged() const { return damaged_; }

  private:
    BlockFile(InFile file, std::uint64_t number) : file_(std::move(file)), number_(number) {}
    InFile file_;
    std::uint64_t number_;
    BlockMeta meta_;
    mutable std::atomic<bool> damaged_{false};
};

/// Shared: a cursor that is open reads on while the block is replaced.
using BlockPtr = std::shared_ptr<const BlockFile>;

/// Writes a block under a temporary name, series by series in order of labels. Thread: one.
class BlockWriter {
  public:
    [[nodiscard]] static Result<BlockWriter> create(const Folder& folder, std::uint64_t number);
    /// `chunks` in order of time, not empty, none overlapping. Errors: io.
    [[nodiscard]] Result<void> add(const model::Labels& labels, const std::vector<const Chunk*>& chunks);
    [[nodiscard]] bool empty() const { return series_.empty(); }
    /// Syncs and gives the file its name. `meta`: cut and replaces; the rest is known here. Errors: io.
    [[nodiscard]] Result<void> finish(BlockMeta meta);

  private:
    BlockWriter(const Folder& folder, std::uint64_t number, OutFile file)
        : folder_(&folder), number_(number), file_(std::move(file)) {}
    [[nodiscard]] std::uint64_t symbol(const std::string& text);

    struct Entry {
        std::vector<std::uint64_t> symbols;
        SeriesPlace place;
    };
    const Folder* folder_;
    std::uint64_t number_;
    OutFile file_;
    std::string buffer_;  // not in the file yet
    std::map<std::string, std::uint64_t, std::less<>> symbols_;
    std::vector<const std::string*> symbol_texts_;
    std::vector<Entry> series_;
    BlockMeta meta_;
};

}  // namespace noroshi::tsdb
