// src/tsdb/head.cpp - the store as others see it: a table of series, and a keeper when it is on disk.
#include <algorithm>
#include <bit>
#include <set>

#include "keeper.hpp"
#include "series_table.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {

bool Value::operator==(const Value& other) const {
    if (histogram && other.histogram) {
        return *histogram == *other.histogram;
    }
    return !histogram && !other.histogram &&
           std::bit_cast<std::uint64_t>(number) == std::bit_cast<std::uint64_t>(other.number);
}

struct Head::State {
    State(Options o, Milliseconds chunk_span) : options(std::move(o)), table(options.max_series, chunk_span) {}

    Options options;
    SeriesTable table;
    std::unique_ptr<Keeper> keeper;  // null: in memory only
};

Head::Head(Options options) : state_(std::make_unique<State>(std::move(options), Milliseconds(0))) {}
Head::~Head() = default;

Result<std::unique_ptr<Head>> Head::open(Options options, TimestampMs now, Log log) {
    auto head = std::make_unique<Head>(Options{});
    head->state_ = std::make_unique<State>(std::move(options), block_span);
    State& state = *head->state_;
    NOROSHI_TRY(state.keeper, Keeper::open(state.options, state.table, now, std::move(log)));
    return head;
}

Result<SeriesId> Head::open_series(const model::Labels& labels) { return state_->table.open(labels); }

Result<void> Head::append(SeriesId id, TimestampMs at, Value value) {
    if (value.histogram) {
        NOROSHI_TRY_VOID(model::validate_layout(*value.histogram));
    }
    Series* series = state_->table.find(id);
    if (series == nullptr) {
        return fail(Errc::not_found, "the series was dropped by retention");
    }
    NOROSHI_TRY(const bool stored, state_->table.append(*series, to_unix_ms(at), std::move(value)));
    if (stored && state_->keeper) {
        state_->keeper->log_sample(id, *series);
    }
    return {};
}

std::vector<SelectedSeries> Head::select(std::span<const model::Matcher> matchers, TimestampMs from,
                                         TimestampMs to) const {
    const Interval wanted{to_unix_ms(from), to_unix_ms(to)};
    std::vector<SelectedSeries> out;
    const std::vector<SeriesTable::Match>& matching = state_->table.matching(matchers);
    out.reserve(matching.size());
    for (const auto& [id, series] : matching) {
        if (SeriesTable::has_samples(*series, wanted)) {
            out.push_back({id, &series->labels, SeriesTable::cursor(*series, wanted)});
        }
    }
    return out;
}

std::vector<std::string> Head::label_names(std::span<const model::Matcher> matchers, TimestampMs from,
                                           TimestampMs to) const {
    std::set<std::string_view> names;
    state_->table.each_matching(matchers, {to_unix_ms(from), to_unix_ms(to)}, [&](SeriesId, const Series& series) {
        for (const model::LabelView label : series.labels) {
            names.insert(label.name);
        }
    });
    return {names.begin(), names.end()};
}

std::vector<std::string> Head::label_values(std::string_view name, std::span<const model::Matcher> matchers,
                                            TimestampMs from, TimestampMs to) const {
    std::set<std::string_view> values;
    state_->table.each_matching(matchers, {to_unix_ms(from), to_unix_ms(to)}, [&](SeriesId, const Series& series) {
        if (const std::string_view value = series.labels.get(name); !value.empty()) {
            values.insert(value);
        }
    });
    return {values.begin(), values.end()};
}

void Head::drop_expired(TimestampMs now) {
    if (state_->keeper) {
        state_->keeper->maintain(now);
        return;
    }
    state_->table.drop_chunks(to_unix_ms(now - state_->options.retention));
    state_->table.drop_empty();
}

Result<void> Head::flush() { return state_->keeper ? state_->keeper->flush() : Result<void>{}; }

Stats Head::stats() const {
    Stats out;
    out.series = state_->table.live();
    for (const auto& [id, series] : state_->table.all()) {
        for (const Chunk& chunk : series.chunks) {
            out.samples += chunk.count();
            out.bytes += chunk.bytes();
        }
    }
    return out;
}

std::size_t Head::live_series() const { return state_->table.live(); }

DiskStats Head::disk_stats() const { return state_->keeper ? state_->keeper->stats() : DiskStats{}; }

}  // namespace noroshi::tsdb
