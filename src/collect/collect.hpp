// src/collect/collect.hpp - sources of samples: scrape targets and this host; the only public header here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/net/client_options.hpp"
#include "base/net/http_client.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"
#include "model/relabel.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::collect {

/// One line of an exposition: labels include the metric name.
struct ScrapedSample {
    model::Labels labels;
    double value{0};
    std::optional<TimestampMs> at;  ///< only when the line says so
    /// Labels given with an empty value. They are absent from `labels`, but keep a target's label of that name away
    /// when labels are honoured (a push gateway relies on it).
    std::vector<std::string> emptied{};
    /// Of a reading with a memo of lines: one more than its line there. When that is known, `labels` are not set.
    std::uint32_t line{0};
    model::HistogramPtr histogram{};  ///< a native histogram in place of `value`; protobuf only
};

/// What an exposition says of a family of metrics; "" for what it does not say.
struct FamilyMetadata {
    std::string name;  ///< without the suffixes of its samples
    std::string type{"unknown"};
    std::string help{};
    std::string unit{};
    bool operator==(const FamilyMetadata&) const = default;
};

enum class ExpositionFormat { text_0_0_4, openmetrics_1_0, protobuf };

/// What becomes of the histograms of a target; Prometheus's keys scrape_native_histograms,
/// always_scrape_classic_histograms, native_histogram_bucket_limit, native_histogram_min_bucket_factor.
struct HistogramOptions {
    bool native{false};            ///< read native histograms; else their classic buckets, if any
    bool classic_too{false};       ///< the classic buckets beside a native one
    std::size_t bucket_limit{0};   ///< of one histogram; 0: none. Over it the resolution falls, and then the scrape fails
    double min_bucket_factor{0};   ///< finer buckets are merged until each is this much wider than the one before
    bool operator==(const HistogramOptions&) const = default;
};

/// Limits on one exposition; together they bound the memory of its samples.
struct ParseLimits {
    std::size_t max_line_bytes{1u << 20};
    std::size_t max_labels{1'000};          ///< of one sample
    std::size_t max_samples{500'000};
    std::size_t max_all_labels{5'000'000};  ///< of all samples, names included
    std::size_t max_series{500'000};        ///< samples without a time of their own: each is a series
    // Of protobuf, where a few bytes may stand for many; `max_line_bytes` is the size of a metric there.
    std::size_t max_all_label_bytes{256u << 20};
    std::size_t max_all_buckets{4'000'000};  ///< and spans of native histograms
};

/// Parses a whole exposition. A fault anywhere fails all, with line and column (bytes, from 1).
/// Text 0.0.4 also reads 1.0.0 (quoted UTF-8 names). OpenMetrics 1.0 is held to its grammar, to contiguous families and
/// metrics, to the sample names and values of each type (an info of 1, cumulative buckets) and to unique series.
/// HELP, TYPE and UNIT go to `metadata`, where given: at most 5,000 families, a help of at most 1 KiB.
/// A fault of protobuf names the family; `histograms` matters there only.
/// Pure. Errors: parse, limit.
[[nodiscard]] Result<std::vector<ScrapedSample>> parse_exposition(std::string_view body, ExpositionFormat format,
                                                                  const ParseLimits& limits = {},
                                                                  std::vector<FamilyMetadata>* metadata = nullptr,
                                                                  const HistogramOptions& histograms = {});

/// One target to scrape.
struct Target {
    std::string job;
    net::Url url;
    model::Labels labels;  ///< job, instance and static labels
    Milliseconds interval{std::chrono::minutes(1)};
    Milliseconds timeout{std::chrono::seconds(10)};
    std::size_t body_size_limit{64u << 20};  ///< uncompressed
    std::size_t sample_limit{0};             ///< after relabelling; 0: none
    std::size_t series_limit{100'000};       ///< series within an hour; 0: none
    std::size_t target_limit{0};             ///< targets of its job; with more, none of them is scraped; 0: none
    std::size_t label_limit{0};              ///< labels of a sample as stored; 0: none
    std::size_t label_name_length_limit{0};  ///< bytes; 0: none
    std::size_t label_value_length_limit{0};
    std::vector<model::RelabelRule> metric_relabel;
    bool track_timestamps_staleness{false};
    bool honor_labels{false};
    bool honor_timestamps{true};
    bool enable_compression{true};
    bool legacy_names{false};                ///< a name that is not [a-zA-Z_:][a-zA-Z0-9_:]* makes the target down
    std::string escaping{"allow-utf-8"};     ///< asked for: allow-utf-8, underscores, dots or values
    std::shared_ptr<net::ClientSetup> client{};  ///< shared by the targets of a job; null: none of its options
    std::vector<std::string> protocols;  ///< to ask for, by Prometheus's names, the dearest first; empty: its default ones
    HistogramOptions histograms;
    std::optional<ExpositionFormat> fallback;  ///< for an answer with a missing or unknown Content-Type
    bool operator==(const Target& other) const;
};

/// How a target does, for people and /metrics.
struct TargetHealth {
    Target target;
    bool up{false};
    std::string last_error;  ///< named reason, "" when up
    TimestampMs last_scrape{};
    Milliseconds last_duration{0};
    std::size_t last_samples{0};
    std::shared_ptr<const std::vector<FamilyMetadata>> metadata{};  ///< of the last good scrape; shared, null before it
};

/// Scrapes targets at their interval, spread by hash, and appends to the store with `up` and the scrape_* series and
/// staleness as Prometheus writes them. A target that hangs, floods or breaks disturbs no other. Thread: I/O thread.
class Scraper {
  public:
    Scraper(tsdb::Head& head, net::HttpClient& client, Timers& timers, const Clock& clock, const Executor& executor,
            Metrics& metrics, Log log);
    ~Scraper();
    /// Replaces the targets; unchanged ones go on undisturbed; series of removed ones get stale markers.
    void set_targets(std::vector<Target> targets);
    [[nodiscard]] Task<void> stop();
    [[nodiscard]] std::vector<TargetHealth> health() const;
    /// Scrapes one target now, outside its schedule, and appends; for tests and `doctor`.
    [[nodiscard]] Task<void> scrape_once(Target target);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

class CpuTimes;

/// This machine as a source, with node_exporter's series names. Reads /proc, /sys, statvfs, uname and adjtimex only.
/// Network file systems (nfs, cifs, fuse.sshfs and the like) are left out: asking a hung one would block the caller.
class HostCollector {
  public:
    /// `root` is "/" but in tests.
    HostCollector(std::string root, const Clock& clock);
    ~HostCollector();
    HostCollector(HostCollector&&) noexcept;
    HostCollector& operator=(HostCollector&&) noexcept;
    /// All samples now, without timestamps. A part that can't be read is left out and named in `problems`.
    struct Reading {
        std::vector<ScrapedSample> samples;
        std::vector<std::string> problems;
    };
    /// Not const: CPU times are kept from going back between readings, as node_exporter does.
    [[nodiscard]] Reading read();

  private:
    std::string root_;
    const Clock* clock_;  // never null
    std::unique_ptr<CpuTimes> cpu_;
};

/// Runs the host collector at `interval` and appends its samples with `labels` (job="host", instance=host name) and `up`.
class HostSource {
  public:
    HostSource(tsdb::Head& head, HostCollector collector, model::Labels labels, Milliseconds interval, Timers& timers,
               const Clock& clock, const Executor& executor, Metrics& metrics, Log log);
    ~HostSource();
    void start();
    [[nodiscard]] Task<void> stop();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::collect
