// src/config/global.cpp - the sections global, host, http and storage.
#include <array>
#include <charconv>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Presence;
using yaml::Reader;

constexpr yaml::Refused refused_global[] = {
    {"resolve_timeout", "noroshi's own rules say when an alert ends"},
    {"rule_query_offset", "set query_offset in the rule group"},
    {"query_log_file", "leave it out"},
    {"scrape_failure_log_file", "failed scrapes are in noroshi's log"},
    {"body_size_limit", "set it in each scrape config"},
    {"sample_limit", "set it in each scrape config"},
    {"label_limit", "set it in each scrape config"},
    {"label_name_length_limit", "set it in each scrape config"},
    {"label_value_length_limit", "set it in each scrape config"},
    {"target_limit", "set it in each scrape config"},
    {"keep_dropped_targets", "leave it out"},
    {"convert_classic_histograms_to_nhcb", "leave it out"},
    {"extra_scrape_metrics", "leave it out"},
    {"runtime", "leave it out"},
    {"smtp_*", "use waku_configs"},
    {"*_url", "use waku_configs"},
    {"http_config", "leave it out"},
};

/// Prometheus expands ${NAME} here. This version doesn't read the environment: a value that means it is refused rather
/// than sent as it stands; "$$" is a dollar in both.
std::optional<std::string> unescape_dollars(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$') {
            if (i + 1 >= text.size() || text[i + 1] != '$') {
                return std::nullopt;
            }
            ++i;
        }
        out += text[i];
    }
    return out;
}

std::optional<model::Labels> read_external_labels(Reader& reader, const Node& node) {
    const std::optional<model::Labels> labels = yaml::read_labels(reader, node);
    if (!labels) {
        return std::nullopt;
    }
    std::vector<model::Label> out;
    for (const model::Label& label : *labels) {
        std::optional<std::string> value = unescape_dollars(label.value);
        if (!value) {
            const Node* at = node.find(label.name);
            const Reader::Scope scope = reader.key(label.name);
            reader.fail(at != nullptr ? *at : node,
                        "environment variables are not expanded by this version; write the value out (`$$` is a dollar)",
                        Errc::unsupported);
            return std::nullopt;
        }
        out.push_back({label.name, std::move(*value)});
    }
    return model::Labels(std::move(out));
}

void check_global_timeout(Reader& reader, const Node& node, Global& global) {
    if (global.scrape_timeout <= global.scrape_interval) {
        return;
    }
    const Node* timeout = node.find("scrape_timeout");
    if (timeout == nullptr) {
        global.scrape_timeout = global.scrape_interval;
        return;
    }
    const Reader::Scope scope = reader.key("scrape_timeout");
    reader.fail(*timeout, fmt::format("expected at most scrape_interval ({}), got {}",
                                      format_duration(global.scrape_interval), yaml::shown(timeout->text)));
}

/// 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view address) {
    if (address == "::1") {
        return true;
    }
    int parts = 0;
    const char* at = address.data();
    const char* const end = at + address.size();
    while (at != end) {
        unsigned value = 256;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc{} || value > 255 || (parts == 0 && value != 127)) {
            return false;
        }
        ++parts;
        if (next == end) {
            return parts == 4;
        }
        if (*next != '.') {
            return false;
        }
        at = next + 1;
    }
    return false;
}

std::optional<std::string> read_loopback(Reader& reader, const Node& node) {
    const std::optional<std::string> text = yaml::read_text(reader, node);
    if (text && !is_loopback(*text)) {
        reader.fail(node, fmt::format("expected a loopback address such as 127.0.0.1 or ::1, got {}; this version has no "
                                      "tokens for readers elsewhere",
                                      yaml::shown(*text)));
        return std::nullopt;
    }
    return text;
}

/// Below this the log alone would not fit, and what was just scraped would go.
constexpr std::size_t least_storage = 64u << 20;

std::optional<std::size_t> read_storage_size(Reader& reader, const Node& node) {
    const std::optional<std::size_t> size = yaml::read_size(reader, node);
    if (size && *size < least_storage) {
        reader.fail(node, "expected 64MB or more, got " + yaml::shown(node.text));
        return std::nullopt;
    }
    return size;
}

}  // namespace

void read_global(Reader& reader, const Node& node, Global& out) {
    std::vector<yaml::Field<Global>> fields{
        yaml::field("scrape_interval", &Global::scrape_interval, yaml::read_positive_duration,
                    "time between two scrapes of a target; default 1m"),
        yaml::field("scrape_timeout", &Global::scrape_timeout, yaml::read_positive_duration,
                    "after this a scrape has failed; default 10s, at most scrape_interval"),
        yaml::field("evaluation_interval", &Global::evaluation_interval, yaml::read_positive_duration,
                    "time between two evaluations of a rule group; default 1m"),
        yaml::field("external_labels", &Global::external_labels, read_external_labels,
                    "labels that every alert carries unless it has its own of that name"),
        yaml::field("metric_name_validation_scheme", &Global::metric_name_validation_scheme, read_validation_scheme,
                    "utf8 or legacy; default utf8"),
        yaml::field("metric_name_escaping_scheme", &Global::metric_name_escaping_scheme, read_escaping_scheme,
                    "allow-utf-8, underscores, dots or values; default: by the validation scheme"),
    };
    add_protocol_fields(fields);
    yaml::read_mapping(reader, node, fields, refused_global, out);
    check_global_timeout(reader, node, out);
}

void read_host(Reader& reader, const Node& node, HostConfig& out) {
    const std::vector<yaml::Field<HostConfig>> fields{
        yaml::field("enabled", &HostConfig::enabled, yaml::read_bool, "whether this machine is watched; default true"),
        yaml::field("interval", &HostConfig::interval, yaml::read_positive_duration,
                    "time between two readings; default 15s"),
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

void read_http(Reader& reader, const Node& node, HttpConfig& out) {
    const auto read_port = [](Reader& r, const Node& n) { return yaml::read_integer(r, n, 0, 65535); };
    const std::vector<yaml::Field<HttpConfig>> fields{
        yaml::field("address", &HttpConfig::address, read_loopback, "loopback address to listen on; default 127.0.0.1"),
        yaml::field("port", &HttpConfig::port, read_port, "port to listen on, 0 for any free one; default 9596"),
        yaml::field("remote_write", &HttpConfig::remote_write, yaml::read_bool,
                    "whether POST /api/v1/write takes samples from whoever has the token; default false"),
        yaml::field("otlp", &HttpConfig::otlp, yaml::read_bool,
                    "whether POST /api/v1/otlp/v1/metrics takes metrics of OpenTelemetry from whoever has the token; default false"),
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

void read_storage(Reader& reader, const Node& node, StorageConfig& out) {
    const std::vector<yaml::Field<StorageConfig>> fields{
        yaml::field("retention", &StorageConfig::retention, yaml::read_positive_duration,
                    "how long samples are kept; default 15d"),
        yaml::field("max_bytes", &StorageConfig::max_bytes, read_storage_size,
                    "what the files of series may take, the oldest go first; default 10GB, at least 64MB"),
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

}  // namespace noroshi::config
