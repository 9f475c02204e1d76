// src/daemon/plan.cpp - configuration to plan: targets, rule groups, route.
#include "plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/file.hpp"
#include "check.hpp"
#include "status_plan.hpp"
#include "waku_plan.hpp"

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

Result<void> set_times(collect::Target& target, const model::LabelMap& labels) {
    const auto of = [&](const char* name) { return labels.contains(name) ? labels.at(name) : std::string(); };
    NOROSHI_TRY(target.interval, parse_duration(of("__scrape_interval__")));
    NOROSHI_TRY(target.timeout, parse_duration(of("__scrape_timeout__")));
    if (target.timeout <= Milliseconds(0) || target.timeout > target.interval) {
        return fail(Errc::invalid_argument, "relabel_configs: expected 0 < __scrape_timeout__ <= __scrape_interval__");
    }
    return {};
}

/// Nothing when relabel_configs drop the target.
Result<std::optional<collect::Target>> make_target(const config::ScrapeConfig& scrape, const config::StaticConfig& group,
                                                   const std::string& address) {
    collect::Target target;
    target.job = scrape.job_name;
    model::LabelMap map = discovered(scrape, group, address);
    if (!model::relabel(scrape.relabel_configs, map)) {
        return std::optional<collect::Target>();
    }
    const auto of = [&](const char* name) { return map.contains(name) ? map.at(name) : std::string(); };
    if (of("__address__").empty()) {
        return fail(Errc::invalid_argument, "relabel_configs leave a target without __address__");
    }
    const std::string path = of("__metrics_path__");
    NOROSHI_TRY(target.url, net::parse_url(of("__scheme__") + "://" + of("__address__") +
                                           (path.starts_with('/') ? "" : "/") + path + query_of(scrape, map)));
    NOROSHI_TRY_VOID(set_times(target, map));
    map.emplace("instance", of("__address__"));
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
    target.sample_limit = scrape.sample_limit;
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

void plan_targets(const config::Config& config, Planned& out) {
    for (const config::ScrapeConfig& scrape : config.scrape_configs) {
        for (const config::StaticConfig& group : scrape.static_configs) {
            for (const std::string& address : group.targets) {
                Result<std::optional<collect::Target>> target = make_target(scrape, group, address);
                if (target) {
                    if (*target) {
                        out.plan.targets.push_back(std::move(**target));
                    }
                    continue;
                }
                Error error = std::move(target).error().with("scrape_configs: job \"" + scrape.job_name + "\"");
                error.where = scrape.where;
                out.errors.push_back(std::move(error));
            }
        }
    }
}

void add_rules(const std::string& file, std::string_view text, Planned& out) {
    rules::ParsedRules parsed = rules::parse_rules(file, text);
    std::ranges::move(parsed.errors, std::back_inserter(out.errors));
    std::ranges::move(parsed.groups, std::back_inserter(out.plan.groups));
}

void plan_rules(const config::Config& config, Planned& out) {
    if (config.rule_files.empty() && config.host.enabled) {
        add_rules("built-in", rules::builtin_host_rules(), out);
    }
    for (const std::filesystem::path& pattern : config.rule_files) {
        for (const std::filesystem::path& file : glob_files("/", pattern.string())) {
            Result<std::string> text = read_file(file, max_rule_file);
            if (!text) {
                out.errors.push_back(std::move(text).error().with(file.string()));
                continue;
            }
            add_rules(file.string(), *text, out);
        }
    }
}

void plan_receivers(const config::Config& config, Planned& out) {
    for (const config::Receiver& receiver : config.receivers) {
        if (receiver.waku_configs.size() + receiver.status_configs.size() > 1) {
            out.errors.push_back({Errc::unsupported,
                                  "receiver \"" + receiver.name +
                                      "\": this version writes to one identity a receiver; expected one entry under " +
                                      (receiver.waku_configs.empty() ? "status_configs" : "waku_configs"),
                                  receiver.where});
        }
        for (const config::StatusReceiver& to : receiver.status_configs) {
            if (Result<crypto::PublicKey> user = status_user_of(to); !user) {
                out.errors.push_back(std::move(user).error().with("receiver \"" + receiver.name + "\""));
            }
        }
    }
    for (const config::Receiver& receiver : config.receivers) {
        for (const config::WakuReceiver& to : receiver.waku_configs) {
            if (Result<Topics> topics = topics_of(config.waku, to); !topics) {
                Error error = std::move(topics).error().with("receiver \"" + receiver.name + "\": content_topic");
                error.where = receiver.where;
                out.errors.push_back(std::move(error));
            }
        }
    }
    std::ranges::move(check_status(config.status), std::back_inserter(out.errors));
    out.plan.receivers = config.receivers;
}

}  // namespace

std::size_t Plan::things() const {
    std::size_t count = 0;
    for (const rules::RuleGroup& group : groups) {
        count += static_cast<std::size_t>(
            std::ranges::count_if(group.rules, [](const rules::Rule& rule) { return !rule.alert.empty(); }));
    }
    return count;
}

Planned make_plan(const config::Config& config) {
    Planned out;
    plan_targets(config, out);
    plan_rules(config, out);
    plan_receivers(config, out);
    out.plan.route = {config.route.receiver, config.route.group_by, config.route.group_wait,
                      config.route.group_interval, config.route.repeat_interval};
    return out;
}

config::Config default_config(const crypto::PublicKey& terminal) {
    using std::chrono::seconds;
    config::Config config;
    config.global.scrape_interval = seconds(5);
    config.global.evaluation_interval = seconds(5);
    config.host.interval = seconds(5);
    config.receivers.push_back({.name = "terminal", .waku_configs = {{terminal, "", {}}}, .status_configs = {}, .where = {}});
    config.route.receiver = "terminal";
    config.route.group_by = {"alertname"};
    config.route.group_wait = seconds(1);
    config.route.group_interval = seconds(10);
    config.waku.listen = {"/ip4/127.0.0.1/tcp/0"};
    return config;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) {
        return "this machine";
    }
    return name.data();
}

}  // namespace noroshi::daemon
