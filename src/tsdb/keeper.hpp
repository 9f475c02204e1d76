// src/tsdb/keeper.hpp - Keeper: keeps the series of a table on disk, and the disk within its bounds.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "compact.hpp"
#include "files.hpp"
#include "series_table.hpp"
#include "tsdb/tsdb.hpp"
#include "wal.hpp"
#include "worker.hpp"

namespace noroshi::tsdb {

/// A block holds a multiple of this from the start, and no chunk reaches over one: what goes to a block is whole chunks.
inline constexpr Milliseconds block_span = std::chrono::hours(2);

/// Log, blocks, and what moves between them. Owner's thread, like the table, but for the two threads inside.
class Keeper {
  public:
    /// Opens the folder and fills `table`, which outlives the keeper, from blocks and log. What is damaged is set aside
    /// and logged. Errors: io, refused (the folder can't be made).
    [[nodiscard]] static Result<std::unique_ptr<Keeper>> open(const Options& options, SeriesTable& table, TimestampMs now,
                                                              Log log);

    /// The sample that `series` took last.
    void log_sample(SeriesId id, Series& series) {
        wal_->append(static_cast<std::uint64_t>(id), series.labels, series.defined_in, series.last_ms, series.last);
    }
    /// Takes over what was written, and sets going what is due: one of retention, cap, a new block, a merge.
    void maintain(TimestampMs now);
    /// Log synced, and what `maintain` set going finished and taken over. Errors: io.
    [[nodiscard]] Result<void> flush();
    [[nodiscard]] DiskStats stats() const;

  private:
    Keeper(const Options& options, SeriesTable& table, Folder folder, Log log);

    // keeper_start.cpp
    void clear_temporary();
    void load_blocks();
    void set_aside(const std::string& name, const std::string& reason);
    [[nodiscard]] std::map<std::uint64_t, std::int64_t> replay(TimestampMs now);
    void keep_salvage(const std::string& name, const std::string& content);

    // keeper.cpp
    using Built = Result<BuiltBlock>;
    void drop_old(std::int64_t keep_from_ms);
    void keep_to_cap(std::uint64_t extra_bytes);
    [[nodiscard]] bool cut(std::int64_t now_ms);
    void cut_done(std::int64_t cut_ms, const Built& built);
    [[nodiscard]] std::vector<BlockPtr> due_merge() const;
    void merge(std::vector<BlockPtr> blocks);
    void merge_done(const std::vector<BlockPtr>& blocks, const Built& built);
    void take_over(const BuiltBlock& built);
    void remove_files(std::vector<std::string> names);
    void remove_segments(const std::vector<std::uint64_t>& segments);
    void remove_blocks(const std::vector<BlockPtr>& blocks);
    void measure();

    const Options options_;
    SeriesTable& table_;
    const Folder folder_;
    Log log_;
    std::map<std::uint64_t, BlockPtr> blocks_;  // by number
    std::uint64_t next_block_{1};
    std::int64_t last_cut_ms_;
    bool failing_{false};        // the last block could not be written
    bool merge_failing_{false};  // the last merge failed
    DiskStats stats_;
    std::unique_ptr<Wal> wal_;
    Worker worker_;
};

}  // namespace noroshi::tsdb
