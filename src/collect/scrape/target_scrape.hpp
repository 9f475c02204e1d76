// src/collect/scrape/target_scrape.hpp - TargetScrape: one target's scrapes, without their schedule.
#pragma once

#include "collect/collect.hpp"
#include "sample_writer.hpp"

namespace noroshi::collect {

/// What a scrape uses; all outlive it.
struct ScrapeServices {
    tsdb::Head& head;
    net::HttpClient& client;
    const Clock& clock;
    Metrics& metrics;
    CollectCounters& counters;
    const Log& log;
};

/// Fetches, parses and appends one target. A scrape that fails leaves nothing of itself but the report series and
/// stale markers. One scrape at a time. Thread: the I/O thread.
class TargetScrape {
  public:
    TargetScrape(Target target, const ScrapeServices& services);

    /// One scrape, whose samples are dated `at`. Does nothing when one is under way. When it is cancelled, or the
    /// target was ended meanwhile, nothing is written.
    [[nodiscard]] Task<void> scrape(TimestampMs at);
    /// While `why` is not empty, nothing is fetched and each scrape fails with it: the job has too many targets.
    void refuse(std::string why) { refusal_ = std::move(why); }
    /// No scrape writes any more.
    void end() { ended_ = true; }
    /// Stale markers to all series of the target.
    void mark_gone(TimestampMs at) { writer_.write_end(at); }

    [[nodiscard]] const Target& target() const { return health_.target; }
    [[nodiscard]] const TargetHealth& health() const { return health_; }

  private:
    /// Why a scrape failed: `reason` is the label of noroshi_scrape_failures_total.
    struct Failure {
        std::string_view reason;
        std::string message;
        std::size_t scraped{0};
    };
    /// What is to be written, and how many samples the body had.
    struct Prepared {
        std::vector<ScrapedSample> samples;
        std::size_t scraped{0};
    };
    Task<tl::expected<net::Response, Failure>> ask();
    tl::expected<std::vector<ScrapedSample>, Failure> read_answer(const net::Response& response);
    tl::expected<Prepared, Failure> prepare(const net::Response& response);
    [[nodiscard]] std::optional<Failure> over_limit(const std::vector<ScrapedSample>& samples) const;
    void note(bool up, std::string error);

    const ScrapeServices& services_;
    SampleWriter writer_;
    TargetHealth health_;
    std::string refusal_;
    bool busy_{false};
    bool ended_{false};
    bool fallback_noted_{false};
};

}  // namespace noroshi::collect
