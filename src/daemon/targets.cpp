// src/daemon/targets.cpp - target groups to targets: labels as discovered, relabelled, checked.
#include "targets.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.hpp"

namespace noroshi::daemon {
namespace {

constexpr std::size_t default_body_limit = 64u << 20;

/// `__param_<name>` stands for the first value of a parameter.
std::string query_of(const config::ScrapeConfig& scrape, const model::LabelMap& labels) {
    constexpr std::string_view prefix = "__param_";
    std::map<std::string, std::vector<std::string>> params = scrape.params;
    for (const auto& [name, value] : labels) {
        if (name.starts_with(prefix)) {
            std::vector<std::string>& values = params[name.substr(prefix.size())];
            values.resize(std::max<std::size_t>(values.size(), 1));
            values[0] = value;
        }
    }
    std::string query;
    for (const auto& [name, values] : params) {
        for (const std::string& value : values) {
            query += (query.empty() ? '?' : '&') + net::percent_encoded(name) + "=" + net::percent_encoded(value);
        }
    }
    return query;
}

constexpr const char* native_label = "__scrape_native_histograms__";
constexpr const char* classic_label = "__always_scrape_classic_histograms__";

/// A label that relabelling may have changed; what is no truth value changes nothing, as in Prometheus.
bool flag_of(const model::LabelMap& labels, const char* name, bool otherwise) {
    constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array<std::string_view, 6> no{"0", "f", "F", "false", "FALSE", "False"};
    const auto label = labels.find(name);
    const auto is_one_of = [&](const auto& texts) {
        return label != labels.end() && std::ranges::find(texts, label->second) != texts.end();
    };
    return is_one_of(yes) || (otherwise && !is_one_of(no));
}

/// What relabel_configs see of a target, as in Prometheus.
model::LabelMap discovered(const config::ScrapeConfig& scrape, const config::StaticConfig& group,
                           const std::string& address) {
    model::LabelMap labels;
    for (const model::Label& label : group.labels) {
        labels.emplace(label.name, label.value);
    }
    labels.insert_or_assign("__address__", address);
    labels.emplace("job", scrape.job_name);
    labels.emplace("__scheme__", scrape.scheme);
    labels.emplace("__metrics_path__", scrape.metrics_path);
    labels.emplace("__scrape_interval__", format_duration(scrape.scrape_interval));
    labels.emplace("__scrape_timeout__", format_duration(scrape.scrape_timeout));
    labels.emplace(native_label, scrape.scrape_native_histograms.value_or(false) ? "true" : "false");
    labels.emplace(classic_label, scrape.always_scrape_classic_histograms.value_or(false) ? "true" : "false");
    for (const auto& [name, values] : scrape.params) {
        if (!values.empty() && !values[0].empty()) {
            labels.emplace("__param_" + name, values[0]);
        }
    }
    return labels;
}

std::string text_of(const model::LabelMap& labels, std::string_view name) {
    const auto found = labels.find(name);
    return found == labels.end() ? std::string() : found->second;
}

Result<void> set_times(collect::Target& target, const model::LabelMap& labels) {
    NOROSHI_TRY(target.interval, parse_duration(text_of(labels, "__scrape_interval__")));
    NOROSHI_TRY(target.timeout, parse_duration(text_of(labels, "__scrape_timeout__")));
    if (target.timeout <= Milliseconds(0) || target.timeout > target.interval) {
        return fail(Errc::invalid_argument,
                    fmt::format("expected 0 < __scrape_timeout__ <= __scrape_interval__, got {} and {}",
                                format_duration(target.timeout), format_duration(target.interval)));
    }
    return {};
}

/// Nothing when relabel_configs drop the target.
Result<std::optional<collect::Target>> make_target(const config::ScrapeConfig& scrape, const config::StaticConfig& group,
                                                   const std::string& address,
                                                   const std::shared_ptr<net::ClientSetup>& client) {
    collect::Target target;
    target.client = client;
    target.job = scrape.job_name;
    model::LabelMap map = discovered(scrape, group, address);
    if (!model::relabel(scrape.relabel_configs, map)) {
        return std::optional<collect::Target>();
    }
    const std::string address_now = text_of(map, "__address__");
    if (address_now.empty() || address_now.find('/') != std::string::npos) {
        return fail(Errc::invalid_argument, fmt::format("expected host:port as __address__, got \"{}\"", address_now.substr(0, 100)));
    }
    for (const auto& [name, value] : map) {
        if (!is_utf8(value)) {
            return fail(Errc::invalid_argument, fmt::format("the value of label {} is not valid UTF-8", model::quote(name)));
        }
    }
    const std::string path = text_of(map, "__metrics_path__");
    NOROSHI_TRY(target.url, net::parse_url(text_of(map, "__scheme__") + "://" + address_now +
                                           (path.starts_with('/') ? "" : "/") + path + query_of(scrape, map)));
    NOROSHI_TRY_VOID(set_times(target, map));
    map.emplace("instance", address_now);
    std::vector<model::Label> labels;
    for (const auto& [name, value] : map) {
        if (!name.starts_with("__")) {
            labels.push_back({name, value});
        }
    }
    target.labels = model::Labels(std::move(labels));
    target.metric_relabel = scrape.metric_relabel_configs;
    target.track_timestamps_staleness = scrape.track_timestamps_staleness;
    target.label_limit = scrape.label_limit;
    target.label_name_length_limit = scrape.label_name_length_limit;
    target.label_value_length_limit = scrape.label_value_length_limit;
    target.body_size_limit = scrape.body_size_limit == 0 ? default_body_limit : scrape.body_size_limit;
    target.legacy_names = scrape.metric_name_validation_scheme == "legacy";
    if (!scrape.metric_name_escaping_scheme.empty()) {
        target.escaping = scrape.metric_name_escaping_scheme;
    }
    target.sample_limit = scrape.sample_limit;
    target.series_limit = scrape.series_limit;
    target.target_limit = scrape.target_limit;
    target.honor_labels = scrape.honor_labels;
    target.honor_timestamps = scrape.honor_timestamps;
    target.enable_compression = scrape.enable_compression;
    target.protocols = scrape.scrape_protocols;
    target.histograms = {.native = flag_of(map, native_label, scrape.scrape_native_histograms.value_or(false)),
                         .classic_too = flag_of(map, classic_label, scrape.always_scrape_classic_histograms.value_or(false)),
                         .bucket_limit = scrape.native_histogram_bucket_limit,
                         .min_bucket_factor = scrape.native_histogram_min_bucket_factor};
    if (const std::optional<std::string>& fallback = scrape.fallback_scrape_protocol) {
        target.fallback = fallback->starts_with("OpenMetrics") ? collect::ExpositionFormat::openmetrics_1_0
                          : *fallback == "PrometheusProto"     ? collect::ExpositionFormat::protobuf
                                                               : collect::ExpositionFormat::text_0_0_4;
    }
    return std::optional(std::move(target));
}

}  // namespace

MadeTargets make_targets(const config::ScrapeConfig& scrape, std::span<const config::StaticConfig> groups,
                         const std::shared_ptr<net::ClientSetup>& client) {
    MadeTargets out;
    for (const config::StaticConfig& group : groups) {
        for (const std::string& address : group.targets) {
            Result<std::optional<collect::Target>> target = make_target(scrape, group, address, client);
            if (!target) {
                out.left_out.push_back(fmt::format("job {}: target {}: {}", model::quote(scrape.job_name),
                                                   model::quote(address.substr(0, 100)), target.error().message));
            } else if (*target) {
                out.targets.push_back(std::move(**target));
            }
        }
    }
    return out;
}

}  // namespace noroshi::daemon
