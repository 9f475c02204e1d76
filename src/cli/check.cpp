// src/cli/check.cpp - `noroshi check config|rules|host`: every fault with its line and column; exit code 1 when there is one.
#include <CLI/CLI.hpp>

#include "base/file.hpp"
#include "cli.hpp"
#include "daemon/check.hpp"

namespace noroshi::cli {
namespace {

int report(const daemon::Checked& checked, const std::string& file) {
    for (const std::string& warning : checked.warnings) {
        fmt::print(stderr, "warning: {}\n", warning);
    }
    for (const Error& error : checked.errors) {
        print_error(error);
    }
    if (!checked.errors.empty()) {
        fmt::print(stderr, "{}: {} error{}\n", file, checked.errors.size(), checked.errors.size() == 1 ? "" : "s");
        return exit_fault;
    }
    fmt::print("{}: ok, {}\n", file, checked.summary);
    return exit_ok;
}

int print_host() {
    const daemon::HostSeries host = daemon::read_host();
    for (const std::string& line : host.lines) {
        fmt::print("{}\n", line);
    }
    for (const std::string& problem : host.problems) {
        fmt::print(stderr, "warning: {}\n", problem);
    }
    return exit_ok;
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("check", "check files without running anything");
    command->require_subcommand(1);
    auto file = std::make_shared<std::string>();  // shared: lives as long as the callbacks
    CLI::App* config = command->add_subcommand("config", "check noroshi.yml and the rule files it names");
    config->add_option("FILE", *file, "noroshi.yml")->required();
    config->callback([file, &exit_code] { exit_code = report(daemon::check_config(*file), *file); });
    CLI::App* host = command->add_subcommand("host", "print the series that the built-in collector gives on this machine");
    host->callback([&exit_code] { exit_code = print_host(); });
    CLI::App* rules = command->add_subcommand("rules", "check a Prometheus rule file");
    rules->add_option("FILE", *file, "rule file")->required();
    rules->callback([file, &exit_code] { exit_code = report(daemon::check_rules(*file), *file); });
}

}  // namespace noroshi::cli
