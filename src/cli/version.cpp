// src/cli/version.cpp - `noroshi version`: what this program is and was built with.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli.hpp"
#include "version.hpp"

namespace noroshi::cli {

void add_version(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("version", "show the version");
    auto json = std::make_shared<bool>(false);  // shared: lives as long as the callback
    command->add_flag("--json", *json, "one JSON object");
    command->callback([json, &exit_code] {
        if (*json) {
            fmt::print("{}\n", nlohmann::ordered_json{{"version", version}, {"compiler", compiler}}.dump());
        } else {
            fmt::print("noroshi {} ({})\n", version, compiler);
        }
        exit_code = exit_ok;
    });
}

}  // namespace noroshi::cli
