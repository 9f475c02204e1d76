// src/config/config.cpp - noroshi.yml as a whole: its sections, rule file patterns, load.
#include "config.hpp"

#include <system_error>

#include "base/file.hpp"
#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

constexpr std::size_t max_file_bytes = 4u << 20;

constexpr yaml::Refused refused_keys[] = {
    {"alerting", "noroshi itself tells the owner: name receivers and a route"},
    {"inhibit_rules", "let the expression of the muted rule exclude the case with `unless`"},
    {"time_intervals", "let the rule's expression look at hour() and day_of_week()"},
    {"mute_time_intervals", "let the rule's expression look at hour() and day_of_week()"},
    {"templates", "write the text into the rule's annotations"},
    {"remote_write", "let the other server scrape the targets too"},
    {"remote_read", "scrape the targets directly"},
    {"scrape_config_files", "write the entries under scrape_configs"},
    {"tracing", "leave it out"},
    {"otlp", "leave it out"},
    {"modules", "write scrape_configs and rule_files"},
    {"remotes", "scrape the targets directly"},
    {"buddies", "leave it out"},
};

void read_rule_files(Reader& reader, const Node& node, const std::filesystem::path& folder,
                     std::vector<std::filesystem::path>& out) {
    yaml::read_sequence(reader, node, "file patterns", [&](const Node& item, std::size_t) {
        const std::optional<std::string> pattern = yaml::read_text(reader, item);
        if (!pattern) {
            return;
        }
        if (pattern->empty()) {
            reader.fail(item, "expected a file or a pattern such as rules/*.yml, got nothing");
            return;
        }
        if (glob_files(folder, *pattern).empty()) {
            if (pattern->find_first_of("*?[") == std::string::npos) {
                reader.fail(item, fmt::format("file not found: {}", (folder / *pattern).string()), Errc::not_found);
                return;
            }
            reader.warn(item, fmt::format("no file matches {}", (folder / *pattern).string()));
        }
        out.push_back(folder / *pattern);
    });
}

/// Entry of the top-level table: a section and the function that reads it.
template <class Part>
yaml::Field<Config> section(std::string_view key, Part Config::*member, void (*read)(Reader&, const Node&, Part&),
                            std::string_view doc) {
    return {key, [member, read](Reader& reader, const Node& node, Config& out) { read(reader, node, out.*member); },
            doc};
}

std::vector<yaml::Field<Config>> top_fields(const std::filesystem::path& folder) {
    return {
        section("global", &Config::global, read_global, "defaults of all jobs and rules"),
        section("scrape_configs", &Config::scrape_configs, read_scrape_configs, "what to scrape, and how"),
        {"rule_files",
         [folder](Reader& reader, const Node& node, Config& out) {
             read_rule_files(reader, node, folder, out.rule_files);
         },
         "files and patterns of rule files, relative to this file's folder; none: built-in rules for this machine"},
        section("route", &Config::route, read_route, "who is told, and how alerts are grouped"),
        section("receivers", &Config::receivers, read_receivers, "who can be told"),
        section("waku", &Config::waku, read_waku, "the embedded Waku node, or the one used in its place"),
        section("status", &Config::status, read_status, "who noroshi is in the Status app"),
        section("host", &Config::host, read_host, "the built-in collector of this machine"),
        section("http", &Config::http, read_http, "noroshi's own HTTP endpoint"),
        section("storage", &Config::storage, read_storage, "how long and how many samples are kept on disk"),
        section("promql", &Config::promql, read_promql, "which experimental parts of PromQL are on"),
    };
}

Config read_document(Reader& reader, const yaml::Document& document, const std::filesystem::path& folder) {
    Config config;
    const Node& root = *document.root;
    if (document.second_document) {
        reader.fail_at(*document.second_document, "expected one YAML document, got another one here");
    }
    yaml::read_mapping(reader, root, top_fields(folder), refused_keys, config);
    if (const Node* scrape = root.find("scrape_configs"); scrape != nullptr) {
        const Reader::Scope scope = reader.key("scrape_configs");
        finish_scrape_configs(reader, *scrape, config.global, config.scrape_configs);
    }
    if (root.kind == yaml::Kind::mapping || root.kind == yaml::Kind::null) {
        finish_route(reader, root, config);
        finish_status(reader, config);
    }
    return config;
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(file, error);
    return (error ? file : whole).parent_path().lexically_normal();
}

}  // namespace

std::optional<std::string> read_file_path(Reader& reader, const Node& node) {
    const std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    if (text->empty() || text->find('\0') != std::string::npos) {
        reader.fail(node, "expected the path of a file, got " + yaml::shown(*text));
        return std::nullopt;
    }
    return (folder_of(reader.file()) / *text).lexically_normal().string();
}

Loaded parse(const std::filesystem::path& file, std::string_view text) {
    Loaded out;
    const Result<yaml::Document> document = yaml::parse_document(file.string(), text);
    if (!document) {
        out.errors.push_back(document.error());
        return out;
    }
    Reader reader(file.string());
    Config config = read_document(reader, *document, folder_of(file));
    out.errors = reader.take_errors();
    out.warnings = reader.take_warnings();
    if (out.errors.empty()) {
        out.config = std::move(config);
    }
    return out;
}

Loaded load(const std::filesystem::path& path) {
    Result<std::string> text = read_file(path, max_file_bytes);
    if (!text) {
        Loaded out;
        Error error = std::move(text).error();
        error.where = {path.string()};
        out.errors.push_back(std::move(error));
        return out;
    }
    return parse(path, *text);
}

}  // namespace noroshi::config
