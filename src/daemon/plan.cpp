// src/daemon/plan.cpp - configuration to plan: targets, rule groups, route.
#include "plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/file.hpp"
#include "check.hpp"
#include "status_plan.hpp"
#include "targets.hpp"
#include "waku_plan.hpp"

namespace noroshi::daemon {
namespace {

void plan_targets(const config::Config& config, Planned& out) {
    for (const config::ScrapeConfig& scrape : config.scrape_configs) {
        MadeTargets made = make_targets(scrape, scrape.static_configs, std::make_shared<net::ClientSetup>(scrape.client));
        std::ranges::move(made.targets, std::back_inserter(out.plan.targets));
        std::ranges::move(made.left_out, std::back_inserter(out.left_out));
    }
    out.plan.jobs = config.scrape_configs;
}

void add_rules(const config::Config& config, const std::string& file, std::string_view text, Planned& out) {
    rules::ParsedRules parsed = rules::parse_rules(file, text, {.expressions = parse_options(config.promql)});
    std::ranges::move(parsed.errors, std::back_inserter(out.errors));
    std::ranges::move(parsed.groups, std::back_inserter(out.plan.groups));
}

void plan_rules(const config::Config& config, Planned& out) {
    if (config.rule_files.empty() && config.host.enabled) {
        add_rules(config, "built-in", rules::builtin_host_rules(), out);
    }
    for (const std::filesystem::path& pattern : config.rule_files) {
        for (const std::filesystem::path& file : glob_files("/", pattern.string())) {
            Result<std::string> text = read_file(file, max_rule_file);
            if (!text) {
                out.errors.push_back(std::move(text).error().with(file.string()));
                continue;
            }
            add_rules(config, file.string(), *text, out);
        }
    }
}

void plan_receivers(const config::Config& config, Planned& out) {
    for (const config::Receiver& receiver : config.receivers) {
        if (receiver.waku_configs.size() + receiver.status_configs.size() > 1) {
            out.errors.push_back({Errc::unsupported,
                                  "receiver \"" + receiver.name +
                                      "\": this version writes to one identity a receiver; expected one entry under " +
                                      (receiver.waku_configs.empty() ? "status_configs" : "waku_configs"),
                                  receiver.where});
        }
        for (const config::StatusReceiver& to : receiver.status_configs) {
            if (Result<crypto::PublicKey> user = status_user_of(to); !user) {
                out.errors.push_back(std::move(user).error().with("receiver \"" + receiver.name + "\""));
            }
        }
    }
    for (const config::Receiver& receiver : config.receivers) {
        for (const config::WakuReceiver& to : receiver.waku_configs) {
            if (Result<Topics> topics = topics_of(config.waku, to); !topics) {
                Error error = std::move(topics).error().with("receiver \"" + receiver.name + "\": content_topic");
                error.where = receiver.where;
                out.errors.push_back(std::move(error));
            }
        }
    }
    std::ranges::move(check_status(config.status), std::back_inserter(out.errors));
    out.plan.receivers = config.receivers;
}

}  // namespace

std::size_t Plan::things() const {
    std::size_t count = 0;
    for (const rules::RuleGroup& group : groups) {
        count += static_cast<std::size_t>(
            std::ranges::count_if(group.rules, [](const rules::Rule& rule) { return !rule.alert.empty(); }));
    }
    return count;
}

promql::ParseOptions parse_options(const config::PromqlConfig& promql) {
    return {.experimental = promql.experimental_functions,
            .fill_modifiers = promql.fill_modifiers,
            .unquoted_names = promql.unquoted_names};
}

Planned make_plan(const config::Config& config) {
    Planned out;
    plan_targets(config, out);
    plan_rules(config, out);
    plan_receivers(config, out);
    out.plan.route = {config.route.receiver, config.route.group_by, config.route.group_wait,
                      config.route.group_interval, config.route.repeat_interval};
    return out;
}

config::Config default_config(const crypto::PublicKey& terminal) {
    using std::chrono::seconds;
    config::Config config;
    config.global.scrape_interval = seconds(5);
    config.global.evaluation_interval = seconds(5);
    config.host.interval = seconds(5);
    config.receivers.push_back({.name = "terminal", .waku_configs = {{terminal, "", {}}}, .status_configs = {}, .where = {}});
    config.route.receiver = "terminal";
    config.route.group_by = {"alertname"};
    config.route.group_wait = seconds(1);
    config.route.group_interval = seconds(10);
    config.waku.listen = {"/ip4/127.0.0.1/tcp/0"};
    return config;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) {
        return "this machine";
    }
    return name.data();
}

}  // namespace noroshi::daemon
