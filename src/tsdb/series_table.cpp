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

/// Answers that are remembered have no more series than this together: some megabytes.
constexpr std::size_t most_answered_series = 256 * 1024;

std::string text_of(std::span<const model::Matcher> matchers) {
    std::string out;
    for (const model::Matcher& matcher : matchers) {
        out += static_cast<char>(matcher.op());
        for (const std::string_view part : {std::string_view(matcher.name()), std::string_view(matcher.value())}) {
            out += std::to_string(part.size());
            out += ':';
            out += part;
        }
    }
    return out;
}

}  // namespace

SeriesId SeriesTable::known(model::Labels labels) {
    const auto found = ids_.find(labels);
    if (found != ids_.end()) {
        return found->second;
    }
    NOROSHI_ASSERT(next_id_ <= std::numeric_limits<std::uint32_t>::max(), "ids begin anew at each start");
    const SeriesId id{next_id_++};
    Series& series = series_[static_cast<std::uint64_t>(id)];
    series.labels = std::move(labels);
    ids_.emplace(series.labels, id);
    postings_.add(id, series.labels);
    forget_answers();
    return id;
}

void SeriesTable::set_live(Series& series, bool live) {
    if (series.live != live) {
        series.live = live;
        live_ += live ? 1 : static_cast<std::size_t>(-1);
    }
}

Result<SeriesId> SeriesTable::open(const model::Labels& labels) {
    const auto found = ids_.find(labels);
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

bool SeriesTable::in_one_span(std::int64_t a_ms, std::int64_t b_ms) {
    if (chunk_span_ == 0) {
        return true;
    }
    // Nearly all appends are near one another in time: a division is rarely needed.
    if (b_ms < span_.from_ms || b_ms >= span_.to_ms) {
        span_.from_ms = floor_to(b_ms, chunk_span_);
        span_.to_ms = span_.from_ms + chunk_span_;
    }
    return a_ms >= span_.from_ms && a_ms < span_.to_ms;
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
                      in_one_span(chunks.back().first_ms(), at_ms);
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

bool SeriesTable::has_samples(const Series& series, Interval wanted) {
    const std::size_t first = first_chunk(series, wanted.from_ms);
    if (first < series.chunks.size() && series.chunks[first].first_ms() <= wanted.to_ms) {
        return true;
    }
    return std::ranges::any_of(series.blocks, [wanted](const BlockPart& part) {
        return wanted.meets(part.place.min_ms, part.place.max_ms);
    });
}

void SeriesTable::visit_matching(std::span<const model::Matcher> matchers,
                                 const std::function<void(SeriesId, const Series&)>& visit) const {
    // The postings have judged those that want a value.
    std::vector<const model::Matcher*> rest;
    for (const model::Matcher& matcher : matchers) {
        if (matcher.matches_empty()) {
            rest.push_back(&matcher);
        }
    }
    const auto matches = [&rest](const Series& series) {
        return std::ranges::all_of(rest, [&series](const model::Matcher* matcher) {
            return matcher->matches(series.labels.get(matcher->name()));
        });
    };
    std::vector<SeriesId> ids;
    if (postings_.candidates(matchers, ids)) {
        for (const SeriesId id : ids) {
            if (const Series& series = series_.at(static_cast<std::uint64_t>(id)); matches(series)) {
                visit(id, series);
            }
        }
        return;
    }
    for (const auto& [id, series] : series_) {
        if (matches(series)) {
            visit(SeriesId{id}, series);
        }
    }
}

void SeriesTable::each_matching(std::span<const model::Matcher> matchers, Interval wanted,
                                const std::function<void(SeriesId, const Series&)>& visit) const {
    visit_matching(matchers, [&](SeriesId id, const Series& series) {
        if (has_samples(series, wanted)) {
            visit(id, series);
        }
    });
}

const std::vector<SeriesTable::Match>& SeriesTable::matching(std::span<const model::Matcher> matchers) const {
    std::string text = text_of(matchers);
    if (const auto known = answers_.find(text); known != answers_.end()) {
        return known->second;
    }
    std::vector<Match> out;
    visit_matching(matchers, [&out](SeriesId id, const Series& series) { out.push_back({id, &series}); });
    std::ranges::sort(out, [](const Match& a, const Match& b) { return a.series->labels < b.series->labels; });
    const std::size_t cost = out.size() + 16;
    if (cost > most_answered_series / 4) {
        large_answer_ = std::move(out);
        return large_answer_;
    }
    if (answered_series_ + cost > most_answered_series) {
        answers_.clear();
        answered_series_ = 0;
    }
    answered_series_ += cost;
    return answers_.emplace(std::move(text), std::move(out)).first->second;
}

void SeriesTable::forget_answers() {
    if (answered_series_ > 0) {
        answers_.clear();
        answered_series_ = 0;
    }
    large_answer_.clear();
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
        postings_.remove(SeriesId{entry->first}, series.labels);
        ids_.erase(series.labels);
        forget_answers();
        entry = series_.erase(entry);
    }
}

void SeriesTable::each(const std::function<void(Series&)>& visit) {
    for (auto& [id, series] : series_) {
        visit(series);
    }
}

}  // namespace noroshi::tsdb
