// src/cli/history.cpp - `noroshi history`: the last messages, how far each got, and when.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/runtime.hpp"
#include "cli.hpp"
#include "daemon/desk.hpp"
#include "printable.hpp"

namespace noroshi::cli {
namespace {

struct HistoryOptions : CommonOptions {
    std::string config;
    std::size_t limit{20};
    bool json{false};
};

/// "2026-01-31T12:00:00.000Z  delivered  phone  FIRING ..", and the stages it went through.
void print_message(const std::string& text) {
    const nlohmann::ordered_json message = nlohmann::ordered_json::parse(text);
    fmt::print("{}  {:<11}  {}  {}\n", message.at("created_at").get<std::string>(), message.at("state").get<std::string>(),
               escaped_line(message.at("receiver").get<std::string>()), escaped_line(message.at("title").get<std::string>()));
    std::string stages;
    for (const auto& [stage, seconds] : message.at("after_seconds").items()) {
        if (seconds.is_number()) {
            stages += fmt::format("{}{} after {:.1f} s", stages.empty() ? "" : ", ", stage, seconds.get<double>());
        }
    }
    if (const std::string error = message.at("last_error").get<std::string>(); !error.empty()) {
        stages += (stages.empty() ? "" : "; ") + escaped_line(error);
    }
    fmt::print("    {}  {}\n", message.at("id").get<std::string>().substr(0, 6), stages.empty() ? "waits" : stages);
}

Task<int> show(daemon::Desk& desk, HistoryOptions options) {  // NOLINT(*-reference-coroutine-parameters): outlives the loop
    const Result<std::vector<std::string>> messages = co_await desk.messages(options.limit);
    if (!messages) {
        print_error(messages.error());
        co_return exit_fault;
    }
    for (const std::string& message : *messages) {
        if (options.json) {
            fmt::print("{}\n", message);
        } else {
            print_message(message);
        }
    }
    co_return exit_ok;
}

int history(const HistoryOptions& options) {
    Runtime runtime(0);
    daemon::DeskOptions desk_options{.config_file = std::nullopt,
                                     .data_folder = data_folder(options),
                                     .identity = {},
                                     .needs = daemon::DeskNeeds::history,
                                     .log = Log::to_stderr(*parse_log_level(options.log_level))};
    if (!options.config.empty()) {
        desk_options.config_file = options.config;
    }
    Result<std::unique_ptr<daemon::Desk>> desk = daemon::Desk::open(std::move(desk_options), runtime, print_error);
    if (!desk) {
        if (!desk.error().message.empty()) {
            print_error(desk.error());
        }
        return exit_fault;
    }
    return runtime.run(show(**desk, options));
}

}  // namespace

void add_history(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("history", "the last messages, how far each got, and when");
    auto options = std::make_shared<HistoryOptions>();  // shared: lives as long as the callback
    add_common(*command, *options);
    options->log_level = "warn";
    command->add_option("-c,--config", options->config, "noroshi.yml of the running daemon, for the address of its API");
    command->add_option("--limit", options->limit, "so many, the newest first; at most 1000")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000));
    command->add_flag("--json", options->json, "one JSON object a line");
    command->callback([options, &exit_code] { exit_code = history(*options); });
}

}  // namespace noroshi::cli
