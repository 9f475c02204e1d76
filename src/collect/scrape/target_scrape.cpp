// src/collect/scrape/target_scrape.cpp - implements TargetScrape.
#include "scrape/target_scrape.hpp"

#include <algorithm>
#include <utility>

#include "scrape/line_reader.hpp"
#include "scrape/negotiation.hpp"
#include "scrape/protobuf.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {

namespace {

constexpr std::string_view cancelled = "cancelled";

bool has_legacy_names(const model::Labels& labels) {
    return model::is_legacy_metric_name(labels.metric_name()) &&
           std::ranges::all_of(labels, [](model::LabelView label) { return model::is_legacy_label_name(label.name); });
}

/// The stable name of a failed request.
std::string_view request_reason(Errc code) {
    switch (code) {
        case Errc::timeout:
            return "timeout";
        case Errc::refused:
        case Errc::not_found:
            return "connect";
        case Errc::limit:
            return "body_size";
        case Errc::parse:
            return "http";
        case Errc::unsupported:
            return "unsupported";
        case Errc::cancelled:
            return cancelled;
        case Errc::io:
        case Errc::invalid_argument:
        case Errc::corrupt:
        case Errc::conflict:
        case Errc::internal:
            return "io";
    }
    return "io";
}

}  // namespace

TargetScrape::TargetScrape(Target target, const ScrapeServices& services)
    : services_(services),
      writer_(services.head, services.counters,
              {.labels = target.labels, .honor_labels = target.honor_labels, .honor_timestamps = target.honor_timestamps,
               .track_timestamps_staleness = target.track_timestamps_staleness, .relabel = target.metric_relabel}) {
    health_.target = std::move(target);
}

Task<void> TargetScrape::scrape(TimestampMs at) {
    if (std::exchange(busy_, true)) {
        co_return;
    }
    const SteadyMs begin = services_.clock.steady();
    const tl::expected<net::Response, Failure> response = co_await ask();
    busy_ = false;
    if (ended_ || (!response && response.error().reason == cancelled)) {
        co_return;
    }
    const tl::expected<Prepared, Failure> samples = response ? prepare(*response) : tl::unexpected(response.error());
    ScrapeReport report;
    if (samples) {
        report.up = true;
        report.scraped = samples->scraped;
        report.post_relabeling = samples->samples.size();
        report.added = writer_.write_prepared(samples->samples, at);
    } else {
        report.scraped = report.post_relabeling = samples.error().scraped;
        writer_.write_failure(at);
        services_.metrics
            .counter("noroshi_scrape_failures_total", "Scrapes that failed, by reason.",
                     {{"reason", std::string(samples.error().reason)}})
            .add();
    }
    report.duration = services_.clock.steady() - begin;
    writer_.write_report(report, at);
    health_.last_scrape = at;
    health_.last_duration = report.duration;
    health_.last_samples = report.scraped;
    note(report.up, samples ? std::string() : fmt::format("{}: {}", samples.error().reason, samples.error().message));
}

Task<tl::expected<net::Response, TargetScrape::Failure>> TargetScrape::ask() {
    if (!refusal_.empty()) {
        co_return tl::unexpected(Failure{"target_limit", refusal_});
    }
    net::Request request = make_request(target());
    if (target().client) {
        const Result<void> applied = target().client->apply(request);
        if (!applied) {
            co_return tl::unexpected(Failure{"credentials", applied.error().to_string()});
        }
    }
    Result<net::Response> response = co_await services_.client.send(std::move(request));
    if (!response) {
        co_return tl::unexpected(Failure{request_reason(response.error().code), response.error().to_string()});
    }
    co_return std::move(*response);
}

tl::expected<std::vector<ScrapedSample>, TargetScrape::Failure> TargetScrape::read_answer(const net::Response& response) {
    if (response.status != 200) {
        return tl::unexpected(Failure{"status", fmt::format("server returned HTTP status {}", response.status)});
    }
    if (response.body.size() > target().body_size_limit) {
        return tl::unexpected(Failure{"body_size", fmt::format("body over {} bytes", target().body_size_limit)});
    }
    const auto header = response.headers.find("Content-Type");
    const std::string content_type = header == response.headers.end() ? std::string() : header->second;
    const Result<ExpositionFormat> format = choose_format(content_type, target().fallback);
    if (!format) {
        return tl::unexpected(Failure{"content_type", format.error().message});
    }
    if (!choose_format(content_type, std::nullopt) && !std::exchange(fallback_noted_, true)) {
        services_.log.info("scrape_format_fallback", {{"job", target().job},
                                                      {"instance", target().labels.get("instance")},
                                                      {"content_type", content_type}});
    }
    ParseLimits limits;
    if (target().series_limit != 0 && target().metric_relabel.empty()) {  // else relabelling may yet drop what is too much
        limits.max_series = std::min(limits.max_series, target().series_limit);
    }
    std::vector<FamilyMetadata> metadata;
    // OpenMetrics is not remembered: its lines are judged by their families, and by one another.
    Result<std::vector<ScrapedSample>> samples = *format == ExpositionFormat::text_0_0_4
                                                     ? parse_text(response.body, limits, &metadata, &writer_.memo())
                                                     : parse_exposition(response.body, *format, limits, &metadata, target().histograms);
    if (!samples) {
        const bool limit = samples.error().code == Errc::limit;
        const bool series = limit && samples.error().message.starts_with("series_limit");
        return tl::unexpected(Failure{series ? "series_limit" : limit ? "parse_limit" : "parse", samples.error().to_string()});
    }
    if (!health_.metadata || *health_.metadata != metadata) {
        health_.metadata = std::make_shared<const std::vector<FamilyMetadata>>(std::move(metadata));
    }
    return std::move(*samples);
}

tl::expected<TargetScrape::Prepared, TargetScrape::Failure> TargetScrape::prepare(const net::Response& response) {
    auto samples = read_answer(response);
    if (!samples) {
        return tl::unexpected(std::move(samples).error());
    }
    const std::size_t scraped = samples->size();
    Result<std::vector<ScrapedSample>> prepared = writer_.prepare(std::move(*samples));
    if (!prepared) {
        return tl::unexpected(Failure{"relabel", prepared.error().message, scraped});
    }
    for (ScrapedSample& sample : *prepared) {
        const Result<void> fits = sample.histogram ? limit_histogram(sample.histogram, target().histograms) : Result<void>{};
        if (!fits) {
            return tl::unexpected(Failure{"native_histogram_bucket_limit", fits.error().message, scraped});
        }
    }
    if (std::optional<Failure> failure = over_limit(*prepared)) {
        writer_.forget_prepared();
        failure->scraped = scraped;
        return tl::unexpected(std::move(*failure));
    }
    return Prepared{std::move(*prepared), scraped};
}

std::optional<TargetScrape::Failure> TargetScrape::over_limit(const std::vector<ScrapedSample>& samples) const {
    const Target& t = target();
    if (t.sample_limit != 0 && samples.size() > t.sample_limit) {
        return Failure{"sample_limit", fmt::format("{} samples, {} allowed", samples.size(), t.sample_limit)};
    }
    if (t.series_limit != 0) {
        if (const std::size_t series = writer_.series_with(samples); series > t.series_limit) {
            return Failure{"series_limit", fmt::format("{} series within an hour, {} allowed", series, t.series_limit)};
        }
    }
    const auto over = [](std::size_t value, std::size_t limit) { return limit != 0 && value > limit; };
    if (t.label_limit == 0 && t.label_name_length_limit == 0 && t.label_value_length_limit == 0 && !t.legacy_names) {
        return std::nullopt;
    }
    for (const ScrapedSample& sample : samples) {
        if (sample.labels.empty()) {
            continue;  // of a known line: it was within the limits before
        }
        if (t.legacy_names && !has_legacy_names(sample.labels)) {
            return Failure{"invalid_name", fmt::format("metric_name_validation_scheme is legacy, and {} has a name that is not",
                                                       shown(sample.labels.to_string()))};
        }
        const auto name = [&sample] { return shown(sample.labels.metric_name()); };
        if (over(sample.labels.size(), t.label_limit)) {
            return Failure{"label_limit", fmt::format("{} has {} labels, {} allowed", name(), sample.labels.size(), t.label_limit)};
        }
        for (const model::Label& label : sample.labels) {
            if (over(label.name.size(), t.label_name_length_limit)) {
                return Failure{"label_name_length_limit", fmt::format("label {} of {} is longer than {} bytes",
                                                                      shown(label.name), name(), t.label_name_length_limit)};
            }
            if (over(label.value.size(), t.label_value_length_limit)) {
                return Failure{"label_value_length_limit",
                               fmt::format("the value of label {} of {} is longer than {} bytes", shown(label.name), name(),
                                           t.label_value_length_limit)};
            }
        }
    }
    return std::nullopt;
}

void TargetScrape::note(bool up, std::string error) {
    const std::string_view instance = target().labels.get("instance");
    if (!up && first_word(error) != first_word(health_.last_error)) {
        services_.log.warn("target_down", {{"job", target().job}, {"instance", instance}, {"error", error}});
    } else if (up && !health_.last_error.empty()) {
        services_.log.info("target_up", {{"job", target().job}, {"instance", instance}});
    }
    health_.up = up;
    health_.last_error = std::move(error);
}

}  // namespace noroshi::collect
