// src/daemon/check.hpp - what a configuration or rule file would do, without doing it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rules/rule_tests.hpp"

namespace noroshi::daemon {

struct Checked {
    std::vector<Error> errors;  ///< each with file:line:column
    std::vector<std::string> warnings;
    std::vector<Error> duplicates;  ///< rules that stand there twice; of check_rules
    std::vector<Error> hints;       ///< what is allowed and surely not meant; of check_rules
    std::string summary;        ///< "3 targets, 14 rules, 1 receiver", when there is no error
};

/// The same verdict as a start or reload with this file.
[[nodiscard]] Checked check_config(const std::filesystem::path& file);
/// A rule file's text; `file` is only named. The verdict of promtool 3.16.
[[nodiscard]] Checked check_rules(const std::string& file, std::string_view text, bool ignore_unknown_fields);
/// Longest rule file, in bytes.
inline constexpr std::size_t max_rule_file = 4u << 20;

/// Runs the tests of a file in promtool's format.
[[nodiscard]] rules::RuleTestReport test_rules(const std::filesystem::path& file, const rules::RuleTestOptions& options);

/// What the built-in collector sees of this machine now.
struct HostSeries {
    std::vector<std::string> lines;     ///< `name{labels} value`, in order
    std::vector<std::string> problems;  ///< parts that can't be read
};
[[nodiscard]] HostSeries read_host();

}  // namespace noroshi::daemon
