// src/daemon/targets.hpp - the targets of a job, made of target groups by its relabel_configs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collect/collect.hpp"
#include "config/config.hpp"

namespace noroshi::daemon {

struct MadeTargets {
    std::vector<collect::Target> targets;
    /// Those that no scrape could be made of after relabelling (no address, a timeout over the interval), and why: they are
    /// left out, as Prometheus does. What relabelling drops is not among them.
    std::vector<std::string> left_out;
};

/// Pure. `client` holds the options of the job, for all of its targets.
[[nodiscard]] MadeTargets make_targets(const config::ScrapeConfig& scrape, std::span<const config::StaticConfig> groups,
                                       const std::shared_ptr<net::ClientSetup>& client);

}  // namespace noroshi::daemon
