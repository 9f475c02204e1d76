// src/cli/check.cpp - `noroshi check config|rules|host`: every fault with its line and column; exit code 1 when there is one.
#include <CLI/CLI.hpp>
#include <cstdio>

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

struct RuleOptions {
    std::vector<std::string> files;
    std::string lint{"duplicate-rules"};
    bool lint_fatal{false};
    bool ignore_unknown_fields{false};
};

/// promtool's exit code for what only its lint found.
constexpr int exit_lint = 3;

Result<std::string> standard_input() {
    std::string out(daemon::max_rule_file + 1, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), stdin));
    if (out.size() > daemon::max_rule_file) {
        return fail(Errc::limit, fmt::format("expected at most {} bytes", daemon::max_rule_file));
    }
    return out;
}

/// Hints never change the verdict; lint does when it is asked to.
int check_rules(const RuleOptions& options) {
    int code = exit_ok;
    for (const std::string& file : options.files.empty() ? std::vector<std::string>{"-"} : options.files) {
        const std::string name = file == "-" ? "standard input" : file;
        const Result<std::string> text = file == "-" ? standard_input() : read_file(file, daemon::max_rule_file);
        if (!text) {
            print_error(Error(text.error()).with(name));
            code = exit_fault;
            continue;
        }
        const daemon::Checked checked = daemon::check_rules(name, *text, options.ignore_unknown_fields);
        for (const Error& hint : checked.hints) {
            fmt::print(stderr, "hint: {}\n", hint.to_string());
        }
        const bool lints = options.lint != "none" && !checked.duplicates.empty();
        for (const Error& duplicate : checked.duplicates) {
            if (lints) {
                fmt::print(stderr, "lint: {}\n", duplicate.to_string());
            }
        }
        if (report(checked, name) != exit_ok) {
            code = exit_fault;
        } else if (lints && options.lint_fatal && code == exit_ok) {
            code = exit_lint;
        }
    }
    return code;
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
    auto options = std::make_shared<RuleOptions>();  // shared: lives as long as the callback
    CLI::App* rules = command->add_subcommand("rules", "check Prometheus rule files; the verdict of promtool, and hints");
    rules->add_option("FILE", options->files, "rule files; without one, or as \"-\": standard input");
    rules->add_option("--lint", options->lint, "what else to look for: duplicate-rules, all or none")
        ->capture_default_str()
        ->check(CLI::IsMember({"duplicate-rules", "all", "none"}));
    rules->add_flag("--lint-fatal", options->lint_fatal, "end with exit code 3 when lint finds something");
    rules->add_flag("--ignore-unknown-fields", options->ignore_unknown_fields, "pass over unknown keys");
    rules->callback([options, &exit_code] { exit_code = check_rules(*options); });
}

}  // namespace noroshi::cli
