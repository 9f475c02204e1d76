// src/config/target_groups.hpp - target groups as service discovery gives them, in JSON or YAML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace noroshi::config {

/// Most targets of one file or answer.
inline constexpr std::size_t max_discovered_targets = 20'000;
/// Largest file or answer, in bytes.
inline constexpr std::size_t max_target_groups = 16u << 20;

/// `[{"targets": ["host:port"], "labels": {"name": "value"}}]`; other keys are faults. `name` stands in errors.
/// Pure. Errors: parse (with line and column where known), limit.
[[nodiscard]] Result<std::vector<StaticConfig>> parse_target_groups_json(const std::string& name, std::string_view text);
/// The same as YAML.
[[nodiscard]] Result<std::vector<StaticConfig>> parse_target_groups_yaml(const std::string& name, std::string_view text);
/// A file of at most `max_target_groups`; its name's ending says which of both. The groups carry __meta_filepath.
/// Errors: not_found, io, parse, limit.
[[nodiscard]] Result<std::vector<StaticConfig>> read_target_groups(const std::string& file);

}  // namespace noroshi::config
