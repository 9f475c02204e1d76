// src/tsdb/histogram_shelf.cpp - native histograms by series.
#include "histogram_shelf.hpp"

#include <algorithm>
#include <memory>

#include "model/histogram_layout.hpp"

namespace noroshi::tsdb {

namespace {

/// What is known about resets by what is stored before.
model::HistogramSample hinted(const std::vector<model::HistogramSample>& before, model::HistogramSample sample) {
    using model::ResetHint;
    if (sample.value->hint == ResetHint::gauge || sample.value->is_stale()) {
        return sample;
    }
    ResetHint hint = ResetHint::unknown;
    if (!before.empty() && !before.back().value->is_stale()) {
        // After a reset nothing is said, as Prometheus's store says nothing at the start of a chunk.
        hint = model::is_reset(*sample.value, *before.back().value) ? ResetHint::unknown : ResetHint::not_reset;
    }
    if (hint != sample.value->hint) {
        auto changed = std::make_shared<model::Histogram>(*sample.value);
        changed->hint = hint;
        sample.value = std::move(changed);
    }
    return sample;
}

}  // namespace

Result<void> HistogramShelf::append(const model::Labels& labels, model::HistogramSample sample) {
    std::vector<model::HistogramSample>& samples = series_[labels];
    if (!samples.empty() && sample.at <= samples.back().at) {
        const bool same = sample.at == samples.back().at && *sample.value == *samples.back().value;
        return same ? Result<void>{} : fail(Errc::conflict, "out of order histogram");
    }
    samples.push_back(hinted(samples, std::move(sample)));
    return {};
}

void HistogramShelf::add_to(std::vector<SelectedSeries>& series, std::span<const model::Matcher> matchers,
                            TimestampMs from, TimestampMs to) const {
    const auto labels_of = [](const SelectedSeries& selected) -> const model::Labels& { return *selected.labels; };
    for (const auto& [labels, samples] : series_) {
        const bool matches = std::ranges::all_of(
            matchers, [&labels](const model::Matcher& m) { return m.matches(labels.get(m.name())); });
        const auto first = std::ranges::upper_bound(samples, from, {}, &model::HistogramSample::at);
        const auto last = std::ranges::upper_bound(samples, to, {}, &model::HistogramSample::at);
        if (!matches || first == last) {
            continue;
        }
        auto place = std::ranges::lower_bound(series, labels, {}, labels_of);
        if (place == series.end() || *place->labels != labels) {
            place = series.insert(place, SelectedSeries{SeriesId{0}, &labels, nullptr, {}});
        }
        place->histograms = {first, last};
    }
}

void HistogramShelf::drop_before(TimestampMs keep_from) {
    for (auto& [labels, samples] : series_) {
        samples.erase(samples.begin(), std::ranges::lower_bound(samples, keep_from, {}, &model::HistogramSample::at));
    }
    std::erase_if(series_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace noroshi::tsdb
