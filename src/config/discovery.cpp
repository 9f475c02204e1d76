// src/config/discovery.cpp - file_sd_configs and http_sd_configs, with Prometheus's keys.
#include <algorithm>
#include <array>

#include "client.hpp"
#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Presence;
using yaml::Reader;

/// Prometheus's rule: patterns in the last part of the path only, and an ending that names the format.
bool is_pattern(const std::string& path) {
    static constexpr std::array<std::string_view, 6> endings{".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"};
    const std::size_t star = path.find('*');
    return std::ranges::any_of(endings, [&](std::string_view ending) { return path.ends_with(ending); }) &&
           (star == std::string::npos || (path.find('/', star) == std::string::npos && path.find('*', star + 1) == std::string::npos));
}

std::optional<std::vector<std::string>> read_patterns(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "files", [&](const Node& item, std::size_t) {
        std::optional<std::string> path = read_file_path(reader, item);
        if (path && !is_pattern(*path)) {
            reader.fail(item, "expected a file that ends in .json, .yml or .yaml, with at most one * and that in its last part, got " +
                                  yaml::shown(item.text));
            return;
        }
        if (path) {
            out.push_back(std::move(*path));
        }
    });
    if (out.empty() && node.items.empty()) {
        reader.fail(node, "expected at least one file");
    }
    return out;
}

std::optional<net::Url> read_url(Reader& reader, const Node& node) {
    const std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    Result<net::Url> url = net::parse_url(*text);
    if (!url) {
        reader.fail(node, "expected an http or https URL without credentials in it (see basic_auth), got another");
        return std::nullopt;
    }
    return std::move(*url);
}

}  // namespace

std::optional<std::vector<FileSdConfig>> read_file_sd_configs(Reader& reader, const Node& node) {
    using F = FileSdConfig;
    const std::vector<yaml::Field<F>> fields{
        yaml::field("files", &F::files, read_patterns, "files and patterns, relative to this file's folder", Presence::required),
        yaml::field("refresh_interval", &F::refresh_interval, yaml::read_positive_duration,
                    "at most so late is a change seen; default 5m"),
    };
    std::vector<F> out;
    yaml::read_sequence(reader, node, "mappings with files", [&](const Node& item, std::size_t) {
        yaml::read_mapping(reader, item, fields, {}, out.emplace_back());
    });
    return out;
}

std::optional<std::vector<HttpSdConfig>> read_http_sd_configs(Reader& reader, const Node& node) {
    using H = HttpSdConfig;
    std::vector<yaml::Field<H>> fields{
        {"url",
         [](Reader& r, const Node& n, H& out) {
             if (std::optional<net::Url> url = read_url(r, n)) {
                 out.url = std::move(*url);
                 out.url_text = n.text;
             }
         },
         "where the target groups are", Presence::required},
        yaml::field("refresh_interval", &H::refresh_interval, yaml::read_positive_duration, "default 60s"),
    };
    add_client_fields(fields);
    std::vector<H> out;
    yaml::read_sequence(reader, node, "mappings with url", [&](const Node& item, std::size_t) {
        yaml::read_mapping(reader, item, fields, refused_client, out.emplace_back());
        check_client(reader, item);
    });
    return out;
}

}  // namespace noroshi::config
