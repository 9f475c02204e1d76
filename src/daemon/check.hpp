// src/daemon/check.hpp - what a configuration or rule file would do, without doing it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace noroshi::daemon {

struct Checked {
    std::vector<Error> errors;  ///< each with file:line:column
    std::vector<std::string> warnings;
    std::string summary;        ///< "3 targets, 14 rules, 1 receiver", when there is no error
};

/// The same verdict as a start or reload with this file.
[[nodiscard]] Checked check_config(const std::filesystem::path& file);
[[nodiscard]] Checked check_rules(const std::filesystem::path& file);

/// What the built-in collector sees of this machine now.
struct HostSeries {
    std::vector<std::string> lines;     ///< `name{labels} value`, in order
    std::vector<std::string> problems;  ///< parts that can't be read
};
[[nodiscard]] HostSeries read_host();

}  // namespace noroshi::daemon
