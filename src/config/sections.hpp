// src/config/sections.hpp - one reader a section of noroshi.yml; private to this folder.
#pragma once

#include "config.hpp"
#include "yaml.hpp"

namespace noroshi::config {

/// A path, made absolute against the folder of the file that is read.
[[nodiscard]] std::optional<std::string> read_file_path(yaml::Reader& reader, const yaml::Node& node);

void read_global(yaml::Reader& reader, const yaml::Node& node, Global& out);

/// One element a list item, also for items with faults.
void read_scrape_configs(yaml::Reader& reader, const yaml::Node& node, std::vector<ScrapeConfig>& out);
/// Fills in what global gives and compares timeout with interval. `node` is the list that was read.
void finish_scrape_configs(yaml::Reader& reader, const yaml::Node& node, const Global& global,
                           std::vector<ScrapeConfig>& out);

[[nodiscard]] std::optional<std::string> read_validation_scheme(yaml::Reader& reader, const yaml::Node& node);
[[nodiscard]] std::optional<std::string> read_escaping_scheme(yaml::Reader& reader, const yaml::Node& node);
/// Which formats are asked for, and what becomes of histograms.
void add_protocol_fields(std::vector<yaml::Field<Global>>& fields);
void add_protocol_fields(std::vector<yaml::Field<ScrapeConfig>>& fields);
[[nodiscard]] std::optional<std::string> read_fallback(yaml::Reader& reader, const yaml::Node& node);
/// Fills in what global gives, and the default formats.
void finish_protocols(const Global& global, ScrapeConfig& job);

/// The list under relabel_configs or metric_relabel_configs.
[[nodiscard]] std::optional<std::vector<model::RelabelRule>> read_relabel_configs(yaml::Reader& reader,
                                                                                  const yaml::Node& node);

/// Where targets are found.
[[nodiscard]] std::optional<std::vector<FileSdConfig>> read_file_sd_configs(yaml::Reader& reader, const yaml::Node& node);
[[nodiscard]] std::optional<std::vector<HttpSdConfig>> read_http_sd_configs(yaml::Reader& reader, const yaml::Node& node);

void read_receivers(yaml::Reader& reader, const yaml::Node& node, std::vector<Receiver>& out);
void read_route(yaml::Reader& reader, const yaml::Node& node, RouteConfig& out);
/// Gives the route its receiver where there is only one, and checks that it exists. `root` is the whole document.
void finish_route(yaml::Reader& reader, const yaml::Node& root, Config& config);

void read_waku(yaml::Reader& reader, const yaml::Node& node, WakuConfig& out);
/// Who noroshi is in Status. Relative paths start at the file's folder.
void read_status(yaml::Reader& reader, const yaml::Node& node, StatusConfig& out);
/// Status's chats travel on one shard: each receiver of that kind needs it among waku's.
void finish_status(yaml::Reader& reader, const Config& config);
void read_discovery(yaml::Reader& reader, const yaml::Node& node, WakuDiscovery& out);
void read_host(yaml::Reader& reader, const yaml::Node& node, HostConfig& out);
void read_http(yaml::Reader& reader, const yaml::Node& node, HttpConfig& out);
void read_storage(yaml::Reader& reader, const yaml::Node& node, StorageConfig& out);
void read_promql(yaml::Reader& reader, const yaml::Node& node, PromqlConfig& out);

}  // namespace noroshi::config
