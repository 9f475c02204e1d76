// src/tsdb/head.cpp - series in memory.
#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <optional>
#include <unordered_map>

#include "chunk.hpp"
#include "histogram_shelf.hpp"
#include "postings.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {
namespace {

struct Series {
    model::Labels labels;
    std::vector<Chunk> chunks;
    double last_value{0};
};

class SeriesCursor final : public Cursor {
  public:
    SeriesCursor(const std::vector<Chunk>& chunks, std::size_t first, std::int64_t from_ms, std::int64_t to_ms)
        : chunks_(chunks), next_chunk_(first), from_ms_(from_ms), to_ms_(to_ms) {}

    bool next(model::Sample& out) override {
        while (true) {
            model::Sample sample{};
            if (reader_ && reader_->next(sample)) {
                const std::int64_t at = to_unix_ms(sample.at);
                if (at > to_ms_) {
                    return false;
                }
                if (at > from_ms_) {
                    out = sample;
                    return true;
                }
                continue;
            }
            if (next_chunk_ == chunks_.size() || chunks_[next_chunk_].first_ms() > to_ms_) {
                return false;
            }
            reader_.emplace(chunks_[next_chunk_++]);
        }
    }

  private:
    const std::vector<Chunk>& chunks_;
    std::size_t next_chunk_;
    std::int64_t from_ms_;
    std::int64_t to_ms_;
    std::optional<Chunk::Reader> reader_;
};

}  // namespace

struct Head::State {
    explicit State(Options o) : options(o) {}

    Options options;
    std::uint64_t next_id{1};
    std::unordered_map<std::uint64_t, Series> series;  // by id
    std::unordered_map<model::Labels, SeriesId, model::LabelsHash> ids;
    Postings postings;
    HistogramShelf histograms;

    [[nodiscard]] std::vector<SeriesId> all() const {
        std::vector<SeriesId> out;
        out.reserve(series.size());
        for (const auto& [id, unused] : series) {
            out.push_back(SeriesId{id});
        }
        return out;
    }

    void drop(std::uint64_t id) {
        const auto found = series.find(id);
        postings.remove(SeriesId{id}, found->second.labels);
        ids.erase(found->second.labels);
        series.erase(found);
    }
};

Head::Head(Options options) : state_(std::make_unique<State>(options)) {}
Head::~Head() = default;

Result<SeriesId> Head::open_series(const model::Labels& labels) {
    const auto known = state_->ids.find(labels);
    if (known != state_->ids.end()) {
        return known->second;
    }
    if (state_->series.size() >= state_->options.max_series) {
        return fail(Errc::limit, fmt::format("the store holds its limit of {} series", state_->options.max_series));
    }
    const SeriesId id{state_->next_id++};
    state_->ids.emplace(labels, id);
    state_->postings.add(id, labels);
    state_->series[static_cast<std::uint64_t>(id)].labels = labels;
    return id;
}

Result<void> Head::append(SeriesId id, TimestampMs at, double value) {
    const auto found = state_->series.find(static_cast<std::uint64_t>(id));
    if (found == state_->series.end()) {
        return fail(Errc::not_found, "the series was dropped by retention");
    }
    Series& series = found->second;
    const std::int64_t at_ms = to_unix_ms(at);
    if (!series.chunks.empty()) {
        const std::int64_t last = series.chunks.back().last_ms();
        if (at_ms < last) {
            return fail(Errc::conflict, "out of order sample");
        }
        if (at_ms == last) {
            // By bits: a NaN equals itself here, and the stale marker is no other NaN.
            const bool same = std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(series.last_value);
            return same ? Result<void>{} : fail(Errc::conflict, "duplicate sample with another value");
        }
    }
    if (series.chunks.empty() || series.chunks.back().full()) {
        if (!series.chunks.empty()) {
            series.chunks.back().shrink();
        }
        series.chunks.emplace_back();
    }
    series.chunks.back().append(at_ms, value);
    series.last_value = value;
    return {};
}

std::vector<SelectedSeries> Head::select(std::span<const model::Matcher> matchers, TimestampMs from,
                                         TimestampMs to) const {
    std::vector<SeriesId> ids;
    if (!state_->postings.candidates(matchers, ids)) {
        ids = state_->all();
    }
    const std::int64_t from_ms = to_unix_ms(from);
    const std::int64_t to_ms = to_unix_ms(to);
    std::vector<SelectedSeries> out;
    for (const SeriesId id : ids) {
        const Series& series = state_->series.at(static_cast<std::uint64_t>(id));
        const bool matches = std::ranges::all_of(matchers, [&series](const model::Matcher& matcher) {
            return matcher.matches(series.labels.get(matcher.name()));
        });
        const auto first = std::ranges::partition_point(
            series.chunks, [from_ms](const Chunk& chunk) { return chunk.last_ms() <= from_ms; });
        if (!matches || first == series.chunks.end() || first->first_ms() > to_ms) {
            continue;
        }
        const auto index = static_cast<std::size_t>(first - series.chunks.begin());
        out.push_back({id, &series.labels, std::make_unique<SeriesCursor>(series.chunks, index, from_ms, to_ms)});
    }
    std::ranges::sort(out, [](const SelectedSeries& a, const SelectedSeries& b) { return *a.labels < *b.labels; });
    state_->histograms.add_to(out, matchers, from, to);
    return out;
}

Result<void> Head::append(const model::Labels& labels, model::HistogramSample sample) {
    return state_->histograms.append(labels, std::move(sample));
}

void Head::drop_expired(TimestampMs now) {
    state_->histograms.drop_before(now - state_->options.retention);
    const std::int64_t keep_from = to_unix_ms(now - state_->options.retention);
    std::vector<std::uint64_t> empty;
    for (auto& [id, series] : state_->series) {
        const auto kept = std::ranges::partition_point(
            series.chunks, [keep_from](const Chunk& chunk) { return chunk.last_ms() < keep_from; });
        series.chunks.erase(series.chunks.begin(), kept);
        if (series.chunks.empty()) {
            empty.push_back(id);
        }
    }
    for (const std::uint64_t id : empty) {
        state_->drop(id);
    }
}

Stats Head::stats() const {
    Stats out;
    out.series = state_->series.size();
    for (const auto& [id, series] : state_->series) {
        for (const Chunk& chunk : series.chunks) {
            out.samples += chunk.count();
            out.bytes += chunk.bytes();
        }
    }
    return out;
}

}  // namespace noroshi::tsdb
