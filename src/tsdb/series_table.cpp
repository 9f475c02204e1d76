// src/tsdb/series_table.cpp - implements SeriesTable.
#include "series_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace noroshi::tsdb {
namespace {

std::int64_t floor_to(std::int64_t at, std::int64_t span) {
    const std::int64_t rest = at % span;
    return at - (rest < 0 ? rest + span : rest);
}

/// The first chunk that may have a sample after `from_ms`.
std::size_t first_chunk(const Series& series, std::int64_t from_ms) {
    const auto first =
        std::ranges::partition_point(series.chunks, [from_ms](const Chunk& chunk) { return chunk.last_ms() <= from_ms; });
    return static_cast<std::size_t>(first - series.chunks.begin());
}

bool has_samples(const Series& series, Interval wanted) {
    const std::size_t first = first_chunk(series, wanted.from_ms);
    if (first < series.chunks.size() && series.chunks[first].first_ms() <= wanted.to_ms) {
        return true;
    }
    return std::ranges::any_of(series.blocks, [wanted](const BlockPart& part) {
        return wanted.meets(part.place.min_ms, part.place.max_ms);
    });
}

}  // namespace

SeriesId SeriesTable::known(model::Labels labels) {
    const auto found = ids_.find(&labels);
    if (found != ids_.end()) {
        return found->second;
    }
    const SeriesId id{next_id_++};
    Series& series = series_[static_cast<std::uint64_t>(id)];
    series.labels = std::make_shared<const model::Labels>(std::move(labels));
    ids_.emplace(series.labels.get(), id);
    postings_.add(id, *series.labels);
    return id;
}

void SeriesTable::set_live(Series& series, bool live) {
    if (series.live != live) {
        series.live = live;
        live_ += live ? 1 : static_cast<std::size_t>(-1);
    }
}

Result<SeriesId> SeriesTable::open(const model::Labels& labels) {
    const auto found = ids_.find(&labels);
    Series* series = found == ids_.end() ? nullptr : find(found->second);
    if (series != nullptr && series->live) {
        return found->second;
    }
    if (live_ >= max_series_) {
        return fail(Errc::limit, fmt::format("the store holds its limit of {} series", max_series_));
    }
    const SeriesId id = series != nullptr ? found->second : known(labels);
    set_live(*find(id), true);
    return id;
}

Series* SeriesTable::find(SeriesId id) {
    const auto found = series_.find(static_cast<std::uint64_t>(id));
    return found == series_.end() ? nullptr : &found->second;
}

Result<bool> SeriesTable::append(Series& series, std::int64_t at_ms, Value value) {
    if (series.last.histogram && model::is_stale_marker(value.number)) {
        auto marker = std::make_shared<model::Histogram>();
        marker->sum = model::stale_marker();
        value = Value(std::move(marker));
    }
    if (at_ms < series.last_ms) {
        return fail(Errc::conflict, "out of order sample");
    }
    if (at_ms == series.last_ms) {
        return value == series.last ? Result<bool>(false) : fail(Errc::conflict, "duplicate sample with another value");
    }
    std::vector<Chunk>& chunks = series.chunks;
    const bool fits = chunks.size() > series.sealed && chunks.back().takes(value) &&
                      (chunk_span_ == 0 || floor_to(chunks.back().first_ms(), chunk_span_) == floor_to(at_ms, chunk_span_));
    if (!fits) {
        if (!chunks.empty()) {
            chunks.back().shrink();
        }
        chunks.emplace_back();
    }
    chunks.back().append(at_ms, value, fits ? series.last.histogram.get() : nullptr);
    series.last_ms = at_ms;
    series.last = std::move(value);
    set_live(series, true);
    return true;
}

void SeriesTable::each_matching(std::span<const model::Matcher> matchers, Interval wanted,
                                const std::function<void(SeriesId, const Series&)>& visit) const {
    const auto look = [&](SeriesId id, const Series& series) {
        const bool matches = std::ranges::all_of(matchers, [&series](const model::Matcher& matcher) {
            return matcher.matches(series.labels->get(matcher.name()));
        });
        if (matches && has_samples(series, wanted)) {
            visit(id, series);
        }
    };
    std::vector<SeriesId> ids;
    if (postings_.candidates(matchers, ids)) {
        for (const SeriesId id : ids) {
            look(id, series_.at(static_cast<std::uint64_t>(id)));
        }
        return;
    }
    for (const auto& [id, series] : series_) {
        look(SeriesId{id}, series);
    }
}

std::unique_ptr<Cursor> SeriesTable::cursor(const Series& series, Interval wanted) {
    std::vector<CursorPart> parts;
    for (const BlockPart& part : series.blocks) {
        if (wanted.meets(part.place.min_ms, part.place.max_ms)) {
            parts.push_back({part.place.min_ms, make_block_cursor(part.block, part.place, wanted)});
        }
    }
    const std::size_t first = first_chunk(series, wanted.from_ms);
    if (first < series.chunks.size() || parts.empty()) {
        const std::int64_t min_ms = first < series.chunks.size() ? series.chunks[first].first_ms() : 0;
        parts.push_back({min_ms, make_head_cursor(series.chunks, first, wanted)});
        std::ranges::stable_sort(parts, {}, &CursorPart::min_ms);
    }
    return join_cursors(std::move(parts));
}

void SeriesTable::attach(const BlockPtr& block, std::vector<IndexEntry> entries) {
    for (IndexEntry& entry : entries) {
        std::vector<BlockPart>& parts = find(known(std::move(entry.labels)))->blocks;
        const auto place = std::ranges::upper_bound(parts, entry.place.min_ms, {},
                                                    [](const BlockPart& part) { return part.place.min_ms; });
        parts.insert(place, {block, entry.place});
    }
}

void SeriesTable::detach(std::span<const BlockPtr> blocks) {
    for (auto& [id, series] : series_) {
        std::erase_if(series.blocks,
                      [blocks](const BlockPart& part) { return std::ranges::find(blocks, part.block) != blocks.end(); });
    }
}

void SeriesTable::drop_chunks(std::int64_t before_ms) {
    for (auto& [id, series] : series_) {
        const auto kept = std::ranges::partition_point(
            series.chunks, [before_ms](const Chunk& chunk) { return chunk.last_ms() < before_ms; });
        series.chunks.erase(series.chunks.begin(), kept);
    }
}

void SeriesTable::drop_empty() {
    for (auto entry = series_.begin(); entry != series_.end();) {
        Series& series = entry->second;
        if (series.chunks.empty()) {
            set_live(series, false);
        }
        if (!series.empty()) {
            ++entry;
            continue;
        }
        postings_.remove(SeriesId{entry->first}, *series.labels);
        ids_.erase(series.labels.get());
        entry = series_.erase(entry);
    }
}

void SeriesTable::each(const std::function<void(Series&)>& visit) {
    for (auto& [id, series] : series_) {
        visit(series);
    }
}

}  // namespace noroshi::tsdb
