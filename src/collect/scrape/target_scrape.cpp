// src/collect/scrape/target_scrape.cpp - implements TargetScrape.
#include "scrape/target_scrape.hpp"

#include <utility>

#include "scrape/line_reader.hpp"
#include "scrape/negotiation.hpp"
#include "scrape/protobuf.hpp"

namespace noroshi::collect {

namespace {

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
        case Errc::io:
        case Errc::cancelled:
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
    net::Request request = make_request(target());
    const Result<net::Response> response = co_await services_.client.send(std::move(request));
    busy_ = false;
    if (ended_ || (!response && response.error().code == Errc::cancelled)) {
        co_return;
    }
    const auto samples = prepare(response);
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

tl::expected<std::vector<ScrapedSample>, TargetScrape::Failure> TargetScrape::read_answer(
    const Result<net::Response>& response) {
    if (!response) {
        return tl::unexpected(Failure{request_reason(response.error().code), response.error().to_string()});
    }
    if (response->status != 200) {
        return tl::unexpected(Failure{"status", fmt::format("server returned HTTP status {}", response->status)});
    }
    if (response->body.size() > target().body_size_limit) {
        return tl::unexpected(Failure{"body_size", fmt::format("body over {} bytes", target().body_size_limit)});
    }
    const auto header = response->headers.find("Content-Type");
    const std::string content_type = header == response->headers.end() ? std::string() : header->second;
    const Result<ExpositionFormat> format = choose_format(content_type, target().fallback);
    if (!format) {
        return tl::unexpected(Failure{"content_type", format.error().message});
    }
    if (!choose_format(content_type, std::nullopt) && !std::exchange(fallback_noted_, true)) {
        services_.log.info("scrape_format_fallback", {{"job", target().job},
                                                      {"instance", target().labels.get("instance")},
                                                      {"content_type", content_type}});
    }
    Result<std::vector<ScrapedSample>> samples = parse_exposition(response->body, *format, {}, target().histograms);
    if (!samples) {
        const bool limit = samples.error().code == Errc::limit;
        return tl::unexpected(Failure{limit ? "parse_limit" : "parse", samples.error().to_string()});
    }
    return std::move(*samples);
}

tl::expected<TargetScrape::Prepared, TargetScrape::Failure> TargetScrape::prepare(const Result<net::Response>& response) {
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
    const auto over = [](std::size_t value, std::size_t limit) { return limit != 0 && value > limit; };
    if (t.label_limit == 0 && t.label_name_length_limit == 0 && t.label_value_length_limit == 0) {
        return std::nullopt;
    }
    for (const ScrapedSample& sample : samples) {
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
    if (!up && (health_.up || health_.last_error.empty())) {
        services_.log.warn("target_down", {{"job", target().job}, {"instance", instance}, {"error", error}});
    } else if (up && !health_.last_error.empty()) {
        services_.log.info("target_up", {{"job", target().job}, {"instance", instance}});
    }
    health_.up = up;
    health_.last_error = std::move(error);
}

}  // namespace noroshi::collect
