// src/tsdb/keeper.cpp - retention, cap, new blocks, merges.
#include "keeper.hpp"

#include <algorithm>
#include <array>

namespace noroshi::tsdb {
namespace {

/// So long after its end a span goes to a block: until then late scrapes and rule results still belong to it.
constexpr Milliseconds cut_delay = std::chrono::hours(1);
/// While blocks can't be written, memory holds no more than this.
constexpr Milliseconds head_limit = std::chrono::hours(6);
/// Blocks that lie within one of these spans are merged: three to one, three times.
constexpr std::array<Milliseconds, 3> merge_spans{3 * block_span, 9 * block_span, 27 * block_span};
/// A block goes when all of it is too old, so none may be long beside the retention.
constexpr int least_blocks_a_retention = 5;

std::int64_t floor_to(std::int64_t at, Milliseconds span) {
    const std::int64_t rest = at % span.count();
    return at - (rest < 0 ? rest + span.count() : rest);
}

}  // namespace

Keeper::Keeper(const Options& options, SeriesTable& table, Folder folder, Log log)
    : options_(options), table_(table), folder_(std::move(folder)), log_(std::move(log)),
      last_cut_ms_(std::numeric_limits<std::int64_t>::min()) {}

void Keeper::maintain(TimestampMs now) {
    worker_.collect();
    if (worker_.busy()) {
        return;
    }
    drop_old(to_unix_ms(now - options_.retention));
    if (failing_) {
        table_.drop_chunks(to_unix_ms(now - head_limit));
    }
    keep_to_cap(0);
    if (!cut(to_unix_ms(now))) {
        if (std::vector<BlockPtr> blocks = due_merge(); !blocks.empty()) {
            merge(std::move(blocks));
        }
    }
    table_.drop_empty();
    measure();
}

Result<void> Keeper::flush() {
    Result<void> out = wal_->flush();
    worker_.settle();
    measure();
    return out;
}

DiskStats Keeper::stats() const {
    DiskStats out = stats_;
    out.unlogged_samples = wal_->lost_samples();
    out.log_written_bytes = wal_->written_bytes();
    return out;
}

void Keeper::measure() {
    stats_.bytes = 0;
    for (const FileEntry& file : folder_.list()) {
        stats_.bytes += file.bytes;
    }
    stats_.blocks = blocks_.size();
    std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
    for (const auto& [number, block] : blocks_) {
        oldest = std::min(oldest, block->meta().min_ms);
    }
    for (const auto& [id, series] : table_.all()) {
        oldest = series.chunks.empty() ? oldest : std::min(oldest, series.chunks.front().first_ms());
    }
    const bool any = oldest != std::numeric_limits<std::int64_t>::max();
    stats_.oldest = any ? std::optional(from_unix_ms(oldest)) : std::nullopt;
}

void Keeper::drop_old(std::int64_t keep_from_ms) {
    std::vector<BlockPtr> old;
    for (const auto& [number, block] : blocks_) {
        if (block->meta().max_ms < keep_from_ms) {
            old.push_back(block);
        }
    }
    remove_blocks(old);
    table_.drop_chunks(keep_from_ms);
    std::vector<std::uint64_t> segments = wal_->take_before(std::numeric_limits<std::uint64_t>::max(), keep_from_ms);
    for (const auto& [number, block] : blocks_) {
        const auto covered = wal_->take_before(block->meta().cut_segment, block->meta().cut_ms);
        segments.insert(segments.end(), covered.begin(), covered.end());
    }
    remove_segments(segments);
    std::vector<std::string> damaged;
    for (const FileEntry& file : folder_.list()) {
        if (file.name.ends_with(".damaged") && to_unix_ms(file.changed) < keep_from_ms) {
            damaged.push_back(file.name);
        }
    }
    remove_files(std::move(damaged));
}

void Keeper::keep_to_cap(std::uint64_t extra_bytes) {
    std::uint64_t bytes = extra_bytes;
    std::vector<FileEntry> damaged;
    for (const FileEntry& file : folder_.list()) {
        bytes += file.bytes;
        if (file.name.ends_with(".damaged")) {
            damaged.push_back(file);
        }
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < damaged.size() && bytes > options_.max_bytes; ++i) {
        bytes -= damaged[i].bytes;
        names.push_back(damaged[i].name);
    }
    remove_files(std::move(names));
    std::vector<BlockPtr> oldest;
    for (const auto& [number, block] : blocks_) {
        oldest.push_back(block);
    }
    std::ranges::sort(oldest, {}, [](const BlockPtr& block) { return block->meta().max_ms; });
    std::size_t gone = 0;
    for (; gone < oldest.size() && bytes > options_.max_bytes; ++gone) {
        bytes -= oldest[gone]->bytes();
    }
    oldest.resize(gone);
    if (gone > 0) {
        log_.warn("blocks_dropped", {{"count", gone}, {"reason", "storage.max_bytes is reached"}});
        remove_blocks(oldest);
    }
    std::vector<std::uint64_t> segments;
    while (bytes > options_.max_bytes) {
        const std::optional<std::uint64_t> segment = wal_->take_oldest();
        if (!segment) {
            break;
        }
        std::error_code ignored;
        bytes -= std::min<std::uint64_t>(bytes, std::filesystem::file_size(folder_ / Wal::file_name(*segment), ignored));
        segments.push_back(*segment);
    }
    remove_segments(segments);
}

bool Keeper::cut(std::int64_t now_ms) {
    const std::int64_t cut_ms = floor_to(now_ms - cut_delay.count(), block_span);
    if (cut_ms == last_cut_ms_) {
        return false;
    }
    std::vector<SealedSeries> sealed;
    std::uint64_t bytes = 0;
    table_.each([&](Series& series) {
        const auto end = std::ranges::partition_point(series.chunks,
                                                      [cut_ms](const Chunk& chunk) { return chunk.last_ms() < cut_ms; });
        if (end == series.chunks.begin()) {
            return;
        }
        series.sealed = static_cast<std::uint32_t>(end - series.chunks.begin());
        sealed.push_back({series.labels, {series.chunks.begin(), end}});
        for (const Chunk& chunk : sealed.back().chunks) {
            bytes += chunk.bytes();
        }
    });
    if (sealed.empty()) {
        last_cut_ms_ = cut_ms;
        return false;
    }
    keep_to_cap(bytes);
    BlockMeta meta;
    meta.cut_ms = cut_ms;
    meta.cut_segment = wal_->rotate();
    worker_.post([this, cut_ms, meta, number = next_block_++,
                  series = std::make_shared<std::vector<SealedSeries>>(std::move(sealed))]() -> Worker::Completion {
        // shared: a std::function wants to be copied
        auto built = std::make_shared<Built>(write_block(folder_, number, std::move(*series), meta));
        return [this, cut_ms, built] { cut_done(cut_ms, *built); };
    });
    return true;
}

void Keeper::cut_done(std::int64_t cut_ms, const Built& built) {
    if (built) {
        take_over(*built);
        last_cut_ms_ = cut_ms;
    } else if (!failing_) {
        log_.error("block_not_written", {{"reason", built.error().to_string()}, {"effect", "tried again each minute"}});
    }
    failing_ = !built;
    const bool written = built.has_value();
    table_.each([written](Series& series) {
        if (written) {
            series.chunks.erase(series.chunks.begin(), series.chunks.begin() + series.sealed);
        }
        series.sealed = 0;
    });
    table_.drop_empty();
}

void Keeper::take_over(const BuiltBlock& built) {
    if (built.block) {
        blocks_[built.block->number()] = built.block;
        table_.attach(built.block, built.entries);
    }
}

std::vector<BlockPtr> Keeper::due_merge() const {
    for (const auto& [number, block] : blocks_) {
        if (block->damaged()) {
            return {block};
        }
    }
    for (const Milliseconds span : merge_spans) {
        if (span > options_.retention / least_blocks_a_retention) {
            break;
        }
        std::map<std::int64_t, std::vector<BlockPtr>> together;
        for (const auto& [number, block] : blocks_) {
            const std::int64_t begin = floor_to(block->meta().min_ms, span);
            if (begin == floor_to(block->meta().max_ms, span) && begin + span.count() <= last_cut_ms_) {
                together[begin].push_back(block);
            }
        }
        for (auto& [begin, blocks] : together) {
            std::uint64_t bytes = stats_.bytes;
            for (const BlockPtr& block : blocks) {
                bytes += block->bytes();
            }
            if (blocks.size() > 1 && bytes <= options_.max_bytes) {
                return std::move(blocks);
            }
        }
    }
    return {};
}

void Keeper::merge(std::vector<BlockPtr> blocks) {
    worker_.post([this, blocks = std::move(blocks), number = next_block_++]() -> Worker::Completion {
        auto built = std::make_shared<Built>(merge_blocks(folder_, number, blocks));
        return [this, blocks, built] { merge_done(blocks, *built); };
    });
}

void Keeper::merge_done(const std::vector<BlockPtr>& blocks, const Built& built) {
    if (!built) {
        if (!merge_failing_) {
            log_.error("blocks_not_merged", {{"reason", built.error().to_string()}, {"effect", "they stay as they are"}});
        }
        merge_failing_ = true;
        return;
    }
    merge_failing_ = false;
    for (const BlockPtr& block : blocks) {
        if (block->damaged()) {
            ++stats_.damaged_parts;
            const std::string name = BlockFile::file_name(block->number());
            log_.error("file_damaged", {{"file", name}, {"reason", "a chunk"}, {"kept_as", name + ".damaged"}});
        }
    }
    remove_blocks(blocks);
    take_over(*built);
    table_.drop_empty();
}

void Keeper::remove_blocks(const std::vector<BlockPtr>& blocks) {
    if (blocks.empty()) {
        return;
    }
    table_.detach(blocks);
    std::vector<std::string> names;
    for (const BlockPtr& block : blocks) {
        blocks_.erase(block->number());
        names.push_back(BlockFile::file_name(block->number()));
    }
    remove_files(std::move(names));
}

void Keeper::remove_segments(const std::vector<std::uint64_t>& segments) {
    std::vector<std::string> names;
    for (const std::uint64_t segment : segments) {
        names.push_back(Wal::file_name(segment));
    }
    remove_files(std::move(names));
}

void Keeper::remove_files(std::vector<std::string> names) {
    if (names.empty()) {
        return;
    }
    worker_.post([this, names = std::move(names)]() -> Worker::Completion {
        for (const std::string& name : names) {
            if (const Result<void> removed = folder_.remove(name); !removed) {
                log_.warn("file_not_removed", {{"reason", removed.error().to_string()}});
            }
        }
        return {};
    });
}

}  // namespace noroshi::tsdb
