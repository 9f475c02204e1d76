// src/tsdb/compact.cpp - implements write_block and merge_blocks.
#include "compact.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "cursor.hpp"

namespace noroshi::tsdb {
namespace {

/// `fill` adds the series. On any fault the temporary file goes.
template <class Fill>
Result<BuiltBlock> build(const Folder& folder, std::uint64_t number, BlockMeta meta, Fill fill) {
    const auto write = [&]() -> Result<bool> {
        NOROSHI_TRY(BlockWriter writer, BlockWriter::create(folder, number));
        NOROSHI_TRY_VOID(fill(writer));
        if (writer.empty()) {
            return false;
        }
        NOROSHI_TRY_VOID(writer.finish(std::move(meta)));
        return true;
    };
    const Result<bool> written = write();
    if (!written || !*written) {
        static_cast<void>(folder.remove(BlockFile::file_name(number) + ".tmp"));
        return written ? Result<BuiltBlock>(BuiltBlock{}) : fail(written.error());
    }
    BuiltBlock out;
    NOROSHI_TRY(out.block, BlockFile::open(folder, number, out.entries));
    return out;
}

/// All chunks of a series, or, where some overlap in time, new ones of all its samples. Errors: unsupported (a chunk that
/// a newer noroshi wrote must not be lost).
Result<std::vector<Chunk>> gather(const std::vector<std::pair<BlockPtr, SeriesPlace>>& parts) {
    std::vector<Chunk> chunks;
    for (const auto& [block, place] : parts) {
        const std::vector<ChunkPlace> places = block->directory(place).value_or(std::vector<ChunkPlace>());
        for (const ChunkPlace& at : places) {
            Result<Chunk> chunk = block->chunk(at);
            if (chunk) {
                chunks.push_back(std::move(*chunk));
            } else if (chunk.error().code == Errc::unsupported) {
                return fail(chunk.error());
            }
        }
    }
    std::ranges::stable_sort(chunks, {}, &Chunk::first_ms);
    const auto overlap = std::ranges::adjacent_find(
        chunks, [](const Chunk& a, const Chunk& b) { return a.last_ms() >= b.first_ms(); });
    if (overlap == chunks.end()) {
        return chunks;
    }
    constexpr Interval all{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    std::vector<CursorPart> cursors;
    for (const auto& [block, place] : parts) {
        cursors.push_back({place.min_ms, make_block_cursor(block, place, all)});
    }
    std::ranges::stable_sort(cursors, {}, &CursorPart::min_ms);
    const std::unique_ptr<Cursor> samples = join_cursors(std::move(cursors));
    std::vector<Chunk> out;
    model::Sample sample{};
    model::HistogramPtr before;
    while (samples->next(sample)) {
        const Value value = samples->histogram() ? Value(samples->histogram()) : Value(sample.value);
        if (out.empty() || !out.back().takes(value)) {
            out.emplace_back();
        }
        out.back().append(to_unix_ms(sample.at), value, before.get());
        before = value.histogram;
    }
    return out;
}

std::vector<const Chunk*> pointers(const std::vector<Chunk>& chunks) {
    std::vector<const Chunk*> out;
    for (const Chunk& chunk : chunks) {
        out.push_back(&chunk);
    }
    return out;
}

}  // namespace

Result<BuiltBlock> write_block(const Folder& folder, std::uint64_t number, std::vector<SealedSeries> series,
                               BlockMeta meta) {
    std::ranges::sort(series, [](const SealedSeries& a, const SealedSeries& b) { return a.labels < b.labels; });
    return build(folder, number, std::move(meta), [&series](BlockWriter& writer) -> Result<void> {
        for (const SealedSeries& one : series) {
            NOROSHI_TRY_VOID(writer.add(one.labels, pointers(one.chunks)));
        }
        return {};
    });
}

Result<BuiltBlock> merge_blocks(const Folder& folder, std::uint64_t number, const std::vector<BlockPtr>& blocks) {
    BlockMeta meta;
    std::map<model::Labels, std::vector<std::pair<BlockPtr, SeriesPlace>>> series;
    for (const BlockPtr& block : blocks) {
        meta.replaces.push_back(block->number());
        if (block->meta().cut_segment > meta.cut_segment) {
            meta.cut_segment = block->meta().cut_segment;
            meta.cut_ms = block->meta().cut_ms;
        }
        NOROSHI_TRY(std::vector<IndexEntry> entries, block->entries());
        for (IndexEntry& entry : entries) {
            series[std::move(entry.labels)].emplace_back(block, entry.place);
        }
    }
    const auto fill = [&](BlockWriter& writer) -> Result<void> {
        for (const auto& [labels, parts] : series) {
            NOROSHI_TRY(const std::vector<Chunk> chunks, gather(parts));
            if (!chunks.empty()) {
                NOROSHI_TRY_VOID(writer.add(labels, pointers(chunks)));
            }
        }
        // Before the new block has its name: once it has, the old ones are removed at any start.
        for (const BlockPtr& block : blocks) {
            if (block->damaged()) {
                NOROSHI_TRY_VOID(folder.keep_as_damaged(BlockFile::file_name(block->number())));
            }
        }
        return {};
    };
    return build(folder, number, std::move(meta), fill);
}

}  // namespace noroshi::tsdb
