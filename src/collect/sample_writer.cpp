// src/collect/sample_writer.cpp - implements SampleWriter.
#include "sample_writer.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "label_merge.hpp"
#include "model/sample.hpp"

namespace noroshi::collect {

namespace {

/// A sample's own time may be this far ahead of the scrape; Prometheus's limit too.
constexpr Milliseconds max_ahead = std::chrono::minutes(10);

/// So long a series that ended counts for its source: as long as the store may keep it in memory, about.
constexpr Milliseconds remembered = std::chrono::hours(1);
constexpr Milliseconds look_again = std::chrono::minutes(1);

constexpr std::array<std::string_view, 5> report_names{"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                                       "scrape_samples_post_metric_relabeling", "scrape_series_added"};

Counter& dropped(Metrics& metrics, std::string reason) {
    return metrics.counter("noroshi_scrape_samples_dropped_total", "Samples that were read but not stored, by reason.",
                           {{"reason", std::move(reason)}});
}

/// As Prometheus makes them: each label of the target clears what "exported_" before its name says, so that such a label
/// is left only when it comes later in order.
model::Labels report_labels(const model::Labels& target) {
    constexpr std::string_view prefix = "exported_";
    model::Labels out = target;
    for (const model::Label& label : target) {
        if (label.name.starts_with(prefix) && target.has(label.name.substr(prefix.size())) &&
            label.name < label.name.substr(prefix.size())) {
            out = out.without(label.name);
        }
    }
    return out;
}

tsdb::Value value_of(const ScrapedSample& sample) {
    return sample.histogram ? tsdb::Value(sample.histogram) : tsdb::Value(sample.value);
}

}  // namespace

CollectCounters::CollectCounters(Metrics& metrics)
    : duplicate(dropped(metrics, "duplicate")),
      out_of_order(dropped(metrics, "out_of_order")),
      out_of_bounds(dropped(metrics, "out_of_bounds")),
      series_limit(dropped(metrics, "series_limit")) {}

SampleWriter::SampleWriter(tsdb::Head& head, CollectCounters& counters, WriterOptions options)
    : head_(head), counters_(counters), options_(std::move(options)) {
    const model::Labels labels = report_labels(options_.labels);
    for (std::size_t i = 0; i < report_count; ++i) {
        report_labels_[i] = labels.with(model::metric_name_label, report_names[i]);
    }
}

model::Labels SampleWriter::relabelled(const ScrapedSample& sample) const {
    const model::Labels merged = merge_labels(sample, options_.labels, options_.honor_labels);
    if (options_.relabel.empty()) {
        return merged;
    }
    model::LabelMap map;
    for (const model::Label& label : merged) {
        map.emplace(label.name, label.value);
    }
    if (!model::relabel(options_.relabel, map)) {
        return {};
    }
    std::vector<model::Label> out;
    for (const auto& [name, value] : map) {
        out.push_back({name, value});
    }
    return model::Labels(std::move(out));
}

Result<std::vector<ScrapedSample>> SampleWriter::prepare(std::vector<ScrapedSample> samples) {
    ++round_;
    const auto is_ready = [this](const ScrapedSample& sample) {
        return sample.line != 0 && memo_[sample.line - 1].is_known() && !memo_[sample.line - 1].dropped;
    };
    if (known_.empty() && std::ranges::all_of(samples, is_ready)) {
        return samples;
    }
    std::vector<ScrapedSample> out;
    out.reserve(samples.size());
    for (ScrapedSample& sample : samples) {
        if (sample.line != 0 && memo_[sample.line - 1].is_known()) {
            if (!memo_[sample.line - 1].dropped) {
                out.push_back(std::move(sample));
            }
            continue;
        }
        if (options_.relabel.empty() || !sample.emptied.empty() || sample.line != 0) {
            sample.labels = relabelled(sample);
        } else if (const auto known = known_.find(sample.labels); known != known_.end()) {
            known->second.round = round_;
            sample.labels = known->second.labels;
        } else {
            model::Labels labels = relabelled(sample);
            known_.emplace(std::move(sample.labels), Known{labels, round_});
            sample.labels = std::move(labels);
        }
        if (sample.labels.empty()) {
            if (sample.line != 0) {
                memo_[sample.line - 1].dropped = true;
            }
            continue;
        }
        if (sample.labels.metric_name().empty()) {
            known_.clear();  // else a target that always fails here with other series each time would fill it
            return fail(Errc::invalid_argument, "metric_relabel_configs leave a sample without a metric name: " +
                                                    sample.labels.to_string());
        }
        out.push_back(std::move(sample));
    }
    std::erase_if(known_, [this](const auto& entry) { return entry.second.round != round_; });
    return out;
}

std::size_t SampleWriter::write(std::span<const ScrapedSample> samples, TimestampMs at) {
    const auto prepared = prepare({samples.begin(), samples.end()});
    return prepared ? write_prepared(*prepared, at) : 0;
}

std::size_t SampleWriter::write_prepared(std::span<const ScrapedSample> samples, TimestampMs at) {
    ++reading_;
    read_ = 0;
    std::size_t added = 0;
    for (const ScrapedSample& sample : samples) {
        write_sample(sample, at, added);
    }
    mark_missing(at);
    return added;
}

void SampleWriter::write_sample(const ScrapedSample& sample, TimestampMs at, std::size_t& added) {
    const bool own_time = sample.at.has_value() && options_.honor_timestamps;
    LineMemo::Line* const line = sample.line == 0 ? nullptr : &memo_[sample.line - 1];
    if (line != nullptr && line->is_known()) {
        return write_known(*line, sample, at);
    }
    if (own_time && (*sample.at > at + max_ahead || *sample.at < TimestampMs{})) {
        counters_.out_of_bounds.add();
        return;
    }
    const model::Labels& labels = sample.labels;
    if (is_report(labels)) {  // a target must not say of itself that it is up
        counters_.duplicate.add();
        return;
    }
    const Result<tsdb::SeriesId> series = head_.open_series(labels);
    if (!series) {
        counters_.series_limit.add();
        return;
    }
    SeenSeries& seen = seen_[labels.hash()];
    const bool is_new = seen.reading == 0 || seen.ended;
    if (!mark_seen(seen) && !own_time) {
        counters_.duplicate.add();
        return;
    }
    added += is_new ? 1 : 0;
    seen.series = *series;
    seen.tracked = !own_time || options_.track_timestamps_staleness;
    append(*series, own_time ? *sample.at : at, value_of(sample));
    if (line != nullptr && !own_time) {
        line->series = *series;
        line->seen = &seen;
    }
}

void SampleWriter::write_known(LineMemo::Line& line, const ScrapedSample& sample, TimestampMs at) {
    const tsdb::SeriesId series = line.series;
    if (sample.at.has_value() && options_.honor_timestamps) {
        line.series = {};  // lines with a time of their own are not remembered: they come and go as series do
        if (*sample.at > at + max_ahead || *sample.at < TimestampMs{}) {
            counters_.out_of_bounds.add();
            return;
        }
        static_cast<void>(mark_seen(*line.seen));
        line.seen->tracked = options_.track_timestamps_staleness;
        append(series, *sample.at, sample.value);
        return;
    }
    if (!mark_seen(*line.seen)) {
        counters_.duplicate.add();
        return;
    }
    line.seen->tracked = true;
    const Result<void> stored = head_.append(series, at, sample.value);
    if (!stored) {
        counters_.out_of_order.add();
        if (stored.error().code == Errc::not_found) {
            line.series = {};  // dropped by retention: to be opened again
        }
    }
}

std::size_t SampleWriter::series_with(std::span<const ScrapedSample> prepared) const {
    std::unordered_set<std::uint64_t> fresh;
    for (const ScrapedSample& sample : prepared) {
        if (sample.line != 0 && memo_[sample.line - 1].is_known()) {
            continue;
        }
        if (const std::uint64_t hash = sample.labels.hash(); !seen_.contains(hash)) {
            fresh.insert(hash);
        }
    }
    return seen_.size() + fresh.size();
}

bool SampleWriter::mark_seen(SeenSeries& seen) {
    if (std::exchange(seen.reading, reading_) == reading_) {
        return false;
    }
    ++read_;
    if (seen.ended) {
        seen.ended.reset();
        --ended_;
    }
    return true;
}

void SampleWriter::append(tsdb::SeriesId series, TimestampMs at, tsdb::Value value) {
    if (!head_.append(series, at, std::move(value))) {
        counters_.out_of_order.add();
    }
}

bool SampleWriter::is_report(const model::Labels& labels) const {
    return std::ranges::find(report_names, labels.metric_name()) != report_names.end() &&
           std::ranges::find(report_labels_, labels) != report_labels_.end();
}

void SampleWriter::mark_missing(TimestampMs at) {
    if (read_ + ended_ == seen_.size() && (ended_ == 0 || at < next_look_)) {
        return;
    }
    next_look_ = at + look_again;
    for (auto entry = seen_.begin(); entry != seen_.end();) {
        SeenSeries& seen = entry->second;
        if (seen.reading != reading_ && !seen.ended) {
            seen.ended = at;
            ++ended_;
            if (seen.tracked) {
                // Refused when the series was dropped by retention or has a newer sample: then there is nothing to end.
                static_cast<void>(head_.append(seen.series, at, model::stale_marker()));
            }
        }
        if (seen.ended && at - *seen.ended > remembered) {
            --ended_;
            entry = seen_.erase(entry);
        } else {
            ++entry;
        }
    }
}

void SampleWriter::write_failure(TimestampMs at) {
    memo_.clear();
    ++reading_;
    read_ = 0;
    mark_missing(at);
}

void SampleWriter::write_report(const ScrapeReport& report, TimestampMs at) {
    const std::array<double, report_count> values{
        report.up ? 1.0 : 0.0, static_cast<double>(report.duration.count()) / 1000.0,
        static_cast<double>(report.scraped), static_cast<double>(report.post_relabeling),
        static_cast<double>(report.added)};
    for (std::size_t i = 0; i < report_count; ++i) {
        const Result<tsdb::SeriesId> series = head_.open_series(report_labels_[i]);
        if (series) {
            append(*series, at, values[i]);
        } else {
            counters_.series_limit.add();
        }
    }
    reported_ = true;
}

void SampleWriter::write_end(TimestampMs at) {
    write_failure(at);
    if (!reported_) {
        return;
    }
    for (const model::Labels& labels : report_labels_) {
        if (const Result<tsdb::SeriesId> series = head_.open_series(labels)) {
            static_cast<void>(head_.append(*series, at, model::stale_marker()));
        }
    }
}

}  // namespace noroshi::collect
