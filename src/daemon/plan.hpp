// src/daemon/plan.hpp - Plan: a configuration turned into what each stage takes.
#pragma once

#include <string>
#include <vector>

#include "collect/collect.hpp"
#include "config/config.hpp"
#include "notify/notify.hpp"
#include "rules/rules.hpp"

namespace noroshi::daemon {

/// Everything that a reload can change, ready for the stages.
struct Plan {
    std::vector<collect::Target> targets;  ///< of static_configs
    std::vector<config::ScrapeConfig> jobs;
    std::vector<rules::RuleGroup> groups;
    notify::Route route;
    std::vector<config::Receiver> receivers;
    /// Conditions watched: the number of alerting rules.
    [[nodiscard]] std::size_t things() const;
};

struct Planned {
    Plan plan;
    std::vector<std::string> left_out;  ///< static targets that are not scraped, and why
    std::vector<Error> errors;  ///< faults of rule files and of what this version can't do; empty when the plan holds
};

/// Reads the rule files that `config` names (at most 4 MiB each) and expands its targets.
/// Without rule_files, and with the host collector on, the built-in host rules are used.
[[nodiscard]] Planned make_plan(const config::Config& config);
/// How expressions are read.
[[nodiscard]] promql::ParseOptions parse_options(const config::PromqlConfig& promql);

/// What noroshi does without a configuration file: watches this machine every five seconds, listens on loopback only,
/// dials nobody. `terminal` receives the notifications.
[[nodiscard]] config::Config default_config(const crypto::PublicKey& terminal);

/// This machine's name, for labels and messages.
[[nodiscard]] std::string host_name();

}  // namespace noroshi::daemon
