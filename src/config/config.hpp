// src/config/config.hpp - noroshi.yml as a typed, validated value; the only public header here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/net/client_options.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"
#include "model/relabel.hpp"

namespace noroshi::config {

/// A target group: of static_configs, or discovered.
struct StaticConfig {
    std::vector<std::string> targets;  ///< "host:port"
    model::Labels labels;
    bool operator==(const StaticConfig&) const = default;
};

/// Files with target groups; patterns, absolute.
struct FileSdConfig {
    std::vector<std::string> files;
    Milliseconds refresh_interval{std::chrono::minutes(5)};
    bool operator==(const FileSdConfig&) const = default;
};

/// A URL that answers with target groups.
struct HttpSdConfig {
    net::Url url;
    std::string url_text;  ///< as written
    Milliseconds refresh_interval{std::chrono::minutes(1)};
    net::ClientOptions client;
    bool operator==(const HttpSdConfig&) const = default;
};

/// Prometheus's scrape_config, the keys of this version.
struct ScrapeConfig {
    std::string job_name;
    Milliseconds scrape_interval{0};  ///< filled in from global
    Milliseconds scrape_timeout{0};
    std::string metrics_path{"/metrics"};
    std::string scheme{"http"};
    std::map<std::string, std::vector<std::string>> params;
    bool honor_labels{false};
    bool honor_timestamps{true};
    bool enable_compression{true};
    std::optional<std::string> fallback_scrape_protocol;
    std::size_t body_size_limit{0};  ///< bytes; 0: none beside the built-in 64 MiB
    std::size_t sample_limit{0};
    std::size_t series_limit{100'000};        ///< series of a target within an hour; 0: none
    std::size_t target_limit{0};              ///< targets of the job; 0: none
    std::size_t label_limit{0};               ///< labels of a sample; 0: none
    std::size_t label_name_length_limit{0};   ///< bytes; 0: none
    std::size_t label_value_length_limit{0};  ///< bytes; 0: none
    std::vector<std::string> scrape_protocols;             ///< Prometheus's names, the dearest first; filled in from global
    std::optional<bool> scrape_native_histograms;          ///< filled in from global
    std::optional<bool> always_scrape_classic_histograms;  ///< filled in from global
    std::size_t native_histogram_bucket_limit{0};          ///< 0: none
    double native_histogram_min_bucket_factor{0};
    bool track_timestamps_staleness{false};
    std::vector<model::RelabelRule> relabel_configs;         ///< of targets
    std::vector<model::RelabelRule> metric_relabel_configs;  ///< of samples
    std::vector<StaticConfig> static_configs;
    std::string metric_name_validation_scheme{};  ///< utf8 or legacy; filled in from global
    std::string metric_name_escaping_scheme{};    ///< allow-utf-8, underscores, dots or values; filled in
    std::vector<FileSdConfig> file_sd_configs;
    std::vector<HttpSdConfig> http_sd_configs;
    net::ClientOptions client;  ///< credentials, TLS, headers, redirects
    SourcePos where;
};

struct Global {
    Milliseconds scrape_interval{std::chrono::minutes(1)};
    Milliseconds scrape_timeout{std::chrono::seconds(10)};
    Milliseconds evaluation_interval{std::chrono::minutes(1)};
    model::Labels external_labels;
    std::string metric_name_validation_scheme{"utf8"};
    std::string metric_name_escaping_scheme{};  ///< "": by the validation scheme
    std::vector<std::string> scrape_protocols;
    std::optional<bool> scrape_native_histograms;
    std::optional<bool> always_scrape_classic_histograms;
};

/// The root route, Alertmanager's keys and defaults.
struct RouteConfig {
    std::string receiver;
    std::vector<std::string> group_by;
    Milliseconds group_wait{std::chrono::seconds(30)};
    Milliseconds group_interval{std::chrono::minutes(5)};
    Milliseconds repeat_interval{std::chrono::hours(4)};
};

/// One Waku identity to write to.
struct WakuReceiver {
    crypto::PublicKey to;         ///< hex, 33 or 65 bytes, as `noroshi id` prints it
    std::string content_topic;    ///< default: noroshi's own
    SourcePos where;
};

/// One Status user to write to.
struct StatusReceiver {
    std::string to;   ///< as written: zQ3sh.., 0x04.. or a share URL; daemon/status_plan reads it (decision 015)
    SourcePos where;  ///< of `to`
};

/// Exactly one of the two lists has entries.
struct Receiver {
    std::string name;
    std::vector<WakuReceiver> waku_configs;
    std::vector<StatusReceiver> status_configs;
    SourcePos where;
};

/// rest: another program is the node, driven through its REST API.
enum class WakuMode { relay, light, rest };

/// Where other peers are looked for; nowhere unless it is named.
struct WakuDiscovery {
    std::vector<std::string> dns;  ///< enrtree://..
    std::string resolver;          ///< ip:port; empty: the system's
    bool discv5{false};
    std::string discv5_address{"0.0.0.0"};
    std::uint16_t discv5_port{9000};
    std::vector<std::string> bootstrap;  ///< enr:..
    bool peer_exchange{false};
    [[nodiscard]] bool any() const { return !dns.empty() || discv5 || peer_exchange; }
};

/// PEM files; relative paths start at the folder of the configuration.
struct WakuTls {
    std::string cert_file;  ///< for listening at /wss; with key_file or not at all
    std::string key_file;
    std::string ca_file;    ///< roots that dialled /wss are believed for, beside the system's
};

struct WakuConfig {
    WakuMode mode{WakuMode::relay};
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};
    std::vector<std::string> listen;  ///< multiaddrs; empty: outbound connections only
    std::vector<std::string> peers;   ///< multiaddrs with /p2p/<id>
    std::optional<std::uint16_t> autosharding;  ///< shards of a network where the content topic decides; `shards` is not used
    WakuTls tls;
    std::vector<std::string> announce;  ///< multiaddrs under which others reach us; empty: those of listen
    WakuDiscovery discovery;
    std::string rest;                 ///< URL of the API; set in mode rest only
};

/// Who noroshi is in Status. Name and picture are judged by daemon/status_plan.
struct StatusConfig {
    std::string display_name{"noroshi"};
    SourcePos display_name_where;
    std::string picture;  ///< PNG, JPEG or WebP file, absolute; empty: none
    SourcePos picture_where;
    bool ratchet{false};  ///< forward secrecy: publish bundles, for ever after (status/encryption.hpp)
    bool push{false};     ///< ask the owner's push servers beside the message itself
};

/// The built-in collector of this machine.
struct HostConfig {
    bool enabled{true};
    Milliseconds interval{std::chrono::seconds(15)};
};

/// noroshi's own HTTP endpoint (/metrics, /healthz).
struct HttpConfig {
    std::string address{"127.0.0.1"};
    std::uint16_t port{9596};
    bool remote_write{false};  ///< POST /api/v1/write is served
    bool otlp{false};          ///< POST /api/v1/otlp/v1/metrics is served
};

/// The series on disk, under "tsdb" in the data folder.
struct StorageConfig {
    Milliseconds retention{std::chrono::hours(24 * 15)};
    std::size_t max_bytes{10u * (std::size_t{1} << 30)};  ///< of all files
};

/// Experimental parts of PromQL, off as in a Prometheus without flags.
struct PromqlConfig {
    bool experimental_functions{false};
    bool fill_modifiers{false};
    bool unquoted_names{false};
    bool delayed_name_removal{false};
};

struct Config {
    Global global;
    std::vector<ScrapeConfig> scrape_configs;
    std::vector<std::filesystem::path> rule_files;  ///< patterns, made absolute against the file's folder
    RouteConfig route;
    std::vector<Receiver> receivers;
    WakuConfig waku;
    StatusConfig status;
    HostConfig host;
    HttpConfig http;
    StorageConfig storage;
    PromqlConfig promql;
};

/// A configuration, or every fault found in it.
struct Loaded {
    std::optional<Config> config;  ///< set when `errors` is empty
    std::vector<Error> errors;     ///< each with file:line:column, the key, what was expected, and the nearest valid key
    std::vector<std::string> warnings;
};

/// Reads and validates `path`, at most 4 MiB. Rule files are matched but not read. Errors are never thrown.
[[nodiscard]] Loaded load(const std::filesystem::path& path);
/// The same for a text; `file` is named in errors and gives the folder of relative paths.
[[nodiscard]] Loaded parse(const std::filesystem::path& file, std::string_view text);

}  // namespace noroshi::config
