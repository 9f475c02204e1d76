// src/config/scrape.cpp - the section scrape_configs, with Prometheus's keys (spec: alerting 1.8).
#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "client.hpp"
#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Presence;
using yaml::Reader;

constexpr std::string_view known_discovery = "let a program write the targets into a file for file_sd_configs, or answer http_sd_configs";

constexpr yaml::Refused refused_scrape[] = {
    {"*_sd_configs", known_discovery},
    {"oauth2", "put the token into a file and name it under authorization.credentials_file"},
    {"proxy_*", "name the target by an address that can be reached directly"},
    {"no_proxy", "name the target by an address that can be reached directly"},
    {"keep_dropped_targets", "leave it out"},
    {"scrape_failure_log_file", "failed scrapes are in noroshi's log"},
    {"convert_classic_histograms_to_nhcb", "leave it out"},
    {"extra_scrape_metrics", "leave it out"},
};

constexpr std::array<std::string_view, 2> schemes{"http", "https"};

std::optional<std::string> read_target(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (text && (text->empty() || text->find_first_of("/?#@ \t\n") != std::string::npos)) {
        reader.fail(node, "expected host:port without scheme or path, got " + yaml::shown(*text));
        return std::nullopt;
    }
    return text;
}

std::optional<std::vector<std::string>> read_targets(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "host:port", [&](const Node& item, std::size_t) {
        if (std::optional<std::string> target = read_target(reader, item)) {
            out.push_back(std::move(*target));
        }
    });
    return out;
}

std::optional<std::vector<StaticConfig>> read_static_configs(Reader& reader, const Node& node) {
    const std::vector<yaml::Field<StaticConfig>> fields{
        yaml::field("targets", &StaticConfig::targets, read_targets, "a list of host:port", Presence::required),
        yaml::field("labels", &StaticConfig::labels, yaml::read_labels, "labels of all series of these targets"),
    };
    std::vector<StaticConfig> out;
    yaml::read_sequence(reader, node, "mappings with targets", [&](const Node& item, std::size_t) {
        yaml::read_mapping(reader, item, fields, {}, out.emplace_back());
    });
    return out;
}

std::optional<std::map<std::string, std::vector<std::string>>> read_params(Reader& reader, const Node& node) {
    std::map<std::string, std::vector<std::string>> out;
    yaml::read_entries(reader, node, "parameter names to lists of texts", [&](const Node& key, const Node& value) {
        if (std::optional<std::vector<std::string>> values = yaml::read_texts(reader, value)) {
            out[key.text] = std::move(*values);
        }
    });
    return out;
}

std::optional<std::string> read_job_name(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (text && text->empty()) {
        reader.fail(node, "expected a name, got nothing");
        return std::nullopt;
    }
    return text;
}

std::optional<std::string> read_path(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (text && (!text->starts_with('/') || text->find_first_of(" \t\n#") != std::string::npos)) {
        reader.fail(node, "expected a path that begins with \"/\", got " + yaml::shown(*text));
        return std::nullopt;
    }
    return text;
}

std::optional<std::string> read_scheme(Reader& reader, const Node& node) {
    const std::optional<std::size_t> index = yaml::read_word(reader, node, schemes);
    return index ? std::optional(std::string(schemes[*index])) : std::nullopt;
}

std::optional<std::int64_t> read_count(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 0, std::numeric_limits<std::int64_t>::max());
}

std::vector<yaml::Field<ScrapeConfig>> scrape_fields() {
    using S = ScrapeConfig;
    std::vector<yaml::Field<S>> fields{
        yaml::field("job_name", &S::job_name, read_job_name, "name of the job, given once", Presence::required),
        yaml::field("scrape_interval", &S::scrape_interval, yaml::read_positive_duration, "default: global's"),
        yaml::field("scrape_timeout", &S::scrape_timeout, yaml::read_positive_duration, "default: global's"),
        yaml::field("metrics_path", &S::metrics_path, read_path, "default /metrics"),
        yaml::field("scheme", &S::scheme, read_scheme, "http or https; default http"),
        yaml::field("params", &S::params, read_params, "URL parameters: name to list of values"),
        yaml::field("honor_labels", &S::honor_labels, yaml::read_bool,
                    "keep scraped labels that clash with the target's; default false"),
        yaml::field("honor_timestamps", &S::honor_timestamps, yaml::read_bool,
                    "use timestamps of the exposition; default true"),
        yaml::field("enable_compression", &S::enable_compression, yaml::read_bool, "ask for gzip; default true"),
        yaml::field("fallback_scrape_protocol", &S::fallback_scrape_protocol, read_fallback,
                    "format of an answer whose Content-Type says none"),
        yaml::field("body_size_limit", &S::body_size_limit, yaml::read_size, "largest body; 0: 64MB"),
        yaml::field("sample_limit", &S::sample_limit, read_count, "most samples a scrape; 0: no limit"),
        yaml::field("series_limit", &S::series_limit, read_count,
                    "most series of a target within an hour; default 100000, 0: no limit"),
        yaml::field("target_limit", &S::target_limit, read_count, "most targets of the job; 0: no limit"),
        yaml::field("label_limit", &S::label_limit, read_count, "most labels of a sample; 0: no limit"),
        yaml::field("label_name_length_limit", &S::label_name_length_limit, read_count,
                    "longest label name in bytes; 0: no limit"),
        yaml::field("label_value_length_limit", &S::label_value_length_limit, read_count,
                    "longest label value in bytes; 0: no limit"),
        yaml::field("track_timestamps_staleness", &S::track_timestamps_staleness, yaml::read_bool,
                    "end series with timestamps of their own too; default false"),
        yaml::field("relabel_configs", &S::relabel_configs, read_relabel_configs, "rewrites or drops targets"),
        yaml::field("metric_relabel_configs", &S::metric_relabel_configs, read_relabel_configs,
                    "rewrites or drops samples"),
        yaml::field("static_configs", &S::static_configs, read_static_configs, "targets with their labels"),
    };
    fields.push_back(yaml::field("metric_name_validation_scheme", &S::metric_name_validation_scheme, read_validation_scheme,
                                 "utf8 or legacy; default: global's"));
    fields.push_back(yaml::field("metric_name_escaping_scheme", &S::metric_name_escaping_scheme, read_escaping_scheme,
                                 "allow-utf-8, underscores, dots or values; default: by the validation scheme"));
    fields.push_back(yaml::field("file_sd_configs", &S::file_sd_configs, read_file_sd_configs, "files that name targets"));
    fields.push_back(yaml::field("http_sd_configs", &S::http_sd_configs, read_http_sd_configs, "URLs that name targets"));
    add_client_fields(fields);
    add_protocol_fields(fields);
    return fields;
}

void check_unique_jobs(Reader& reader, const Node& node, const std::vector<ScrapeConfig>& jobs) {
    std::map<std::string_view, const ScrapeConfig*> seen;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].job_name.empty()) {
            continue;
        }
        const auto [first, fresh] = seen.emplace(jobs[i].job_name, &jobs[i]);
        const Node* name = node.items[i]->find("job_name");
        if (!fresh && name != nullptr) {
            const Reader::Scope scope = reader.index(i);
            reader.fail(*name, fmt::format("job_name: duplicate {}, first given in line {}",
                                           yaml::shown(jobs[i].job_name), first->second->where.line));
        }
    }
}

}  // namespace

void read_scrape_configs(Reader& reader, const Node& node, std::vector<ScrapeConfig>& out) {
    const std::vector<yaml::Field<ScrapeConfig>> fields = scrape_fields();
    yaml::read_sequence(reader, node, "scrape configs", [&](const Node& item, std::size_t) {
        ScrapeConfig& job = out.emplace_back();
        const Node* name = item.find("job_name");
        job.where = reader.where(name != nullptr ? *name : item);
        yaml::read_mapping(reader, item, fields, refused_scrape, job);
        check_client(reader, item);
    });
    if (node.kind == yaml::Kind::sequence) {
        check_unique_jobs(reader, node, out);
    }
}

std::optional<std::string> read_validation_scheme(Reader& reader, const Node& node) {
    static constexpr std::array<std::string_view, 2> words{"utf8", "legacy"};
    const std::optional<std::size_t> index = yaml::read_word(reader, node, words);
    return index ? std::optional(std::string(words[*index])) : std::nullopt;
}

std::optional<std::string> read_escaping_scheme(Reader& reader, const Node& node) {
    static constexpr std::array<std::string_view, 4> words{"allow-utf-8", "underscores", "dots", "values"};
    const std::optional<std::size_t> index = yaml::read_word(reader, node, words);
    return index ? std::optional(std::string(words[*index])) : std::nullopt;
}

namespace {

/// A job that says nothing of names does as global; one that only says which are valid escapes by that.
void finish_names(Reader& reader, const Node& node, const Global& global, ScrapeConfig& job) {
    const auto usual = [](const std::string& validation) { return validation == "legacy" ? "underscores" : "allow-utf-8"; };
    const bool own = !job.metric_name_validation_scheme.empty();
    if (!own) {
        job.metric_name_validation_scheme = global.metric_name_validation_scheme;
    }
    if (job.metric_name_escaping_scheme.empty()) {
        job.metric_name_escaping_scheme = own || global.metric_name_escaping_scheme.empty()
                                              ? usual(job.metric_name_validation_scheme)
                                              : global.metric_name_escaping_scheme;
    }
    if (job.metric_name_escaping_scheme == "allow-utf-8" && job.metric_name_validation_scheme == "legacy") {
        reader.fail(node, "expected another metric_name_escaping_scheme than allow-utf-8, as metric_name_validation_scheme is legacy");
    }
}

}  // namespace

void finish_scrape_configs(Reader& reader, const Node& node, const Global& global, std::vector<ScrapeConfig>& out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        ScrapeConfig& job = out[i];
        {
            const Reader::Scope scope = reader.index(i);
            finish_names(reader, *node.items[i], global, job);
        }
        finish_protocols(global, job);
        if (job.scrape_interval == Milliseconds(0)) {
            job.scrape_interval = global.scrape_interval;
        }
        if (job.scrape_timeout == Milliseconds(0)) {
            job.scrape_timeout = std::min(global.scrape_timeout, job.scrape_interval);
        }
        if (job.scrape_timeout > job.scrape_interval) {
            const Reader::Scope scope = reader.index(i);
            const Node* timeout = node.items[i]->find("scrape_timeout");
            reader.fail(timeout != nullptr ? *timeout : *node.items[i],
                        fmt::format("scrape_timeout: expected at most scrape_interval ({}), got \"{}\"",
                                    format_duration(job.scrape_interval), format_duration(job.scrape_timeout)));
        }
    }
}

}  // namespace noroshi::config
