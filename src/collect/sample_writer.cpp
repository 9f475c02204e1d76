// src/collect/sample_writer.cpp - implements SampleWriter.
#include "sample_writer.hpp"

#include <algorithm>

#include "label_merge.hpp"
#include "model/sample.hpp"

namespace noroshi::collect {

namespace {

/// A sample's own time may be this far ahead of the scrape; Prometheus's limit too.
constexpr Milliseconds max_ahead = std::chrono::minutes(10);

constexpr std::array<std::string_view, 5> report_names{"up", "scrape_duration_seconds", "scrape_samples_scraped",
                                                       "scrape_samples_post_metric_relabeling", "scrape_series_added"};

Counter& dropped(Metrics& metrics, std::string reason) {
    return metrics.counter("noroshi_scrape_samples_dropped_total", "Samples that were read but not stored, by reason.",
                           {{"reason", std::move(reason)}});
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
    for (std::size_t i = 0; i < report_count; ++i) {
        report_labels_[i] = options_.labels.with(model::metric_name_label, report_names[i]);
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
    std::vector<ScrapedSample> out;
    out.reserve(samples.size());
    for (ScrapedSample& sample : samples) {
        if (options_.relabel.empty() || !sample.emptied.empty()) {
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
    std::size_t added = 0;
    for (const ScrapedSample& sample : samples) {
        write_sample(sample, at, added);
    }
    mark_missing(at);
    return added;
}

void SampleWriter::write_sample(const ScrapedSample& sample, TimestampMs at, std::size_t& added) {
    const bool own_time = sample.at.has_value() && options_.honor_timestamps;
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
    if (own_time) {
        if (options_.track_timestamps_staleness) {
            const auto [entry, is_new] = seen_.insert_or_assign(*series, reading_);
            added += is_new ? 1 : 0;
        }
        append(*series, *sample.at, value_of(sample));
        return;
    }
    const auto [entry, is_new] = seen_.try_emplace(*series, reading_);
    if (is_new) {
        ++added;
    } else if (entry->second == reading_) {
        counters_.duplicate.add();
        return;
    }
    entry->second = reading_;
    append(*series, at, value_of(sample));
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
    for (auto entry = seen_.begin(); entry != seen_.end();) {
        if (entry->second == reading_) {
            ++entry;
            continue;
        }
        // Refused when the series was dropped by retention or has a newer sample: then there is nothing to end.
        static_cast<void>(head_.append(entry->first, at, model::stale_marker()));
        entry = seen_.erase(entry);
    }
}

void SampleWriter::write_failure(TimestampMs at) {
    ++reading_;
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
