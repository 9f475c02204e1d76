// src/cli/run.cpp - `noroshi run`: the daemon in the foreground.
#include <CLI/CLI.hpp>

#include "cli.hpp"
#include "daemon/daemon.hpp"
#include "notification_text.hpp"
#include "printable.hpp"
#include "status/identity.hpp"

namespace noroshi::cli {
namespace {

struct RunOptions : IdentityOptions {
    std::string config;
};

int run_daemon(const RunOptions& options) {
    daemon::Options daemon_options;
    if (!options.config.empty()) {
        daemon_options.config_file = options.config;
    }
    daemon_options.data_folder = data_folder(options);
    daemon_options.identity = identity_source(options);
    daemon_options.log = Log::to_stderr(*parse_log_level(options.log_level));
    daemon_options.on_notification = [](const deliver::ReceivedNotification& received) {
        fmt::print("{}\n", notification_text(received));
        std::fflush(stdout);
    };
    daemon_options.on_line = [](const model::InboundLine& line, const std::string& receiver) {
        fmt::print("reply from {} ({}): {}\n", status::chat_key(line.signer), receiver.empty() ? "unpaired" : receiver,
                   escaped_line(line.text));
        std::fflush(stdout);
    };
    daemon_options.on_ready = [](const std::string& summary) {
        fmt::print(stderr, "{}; Ctrl-C ends it\n", summary);
    };
    return daemon::run(std::move(daemon_options), print_error);
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("run", "run the daemon in the foreground");
    auto options = std::make_shared<RunOptions>();  // shared: lives as long as the callback
    command->add_option("-c,--config", options->config,
                        "noroshi.yml; without it noroshi watches this machine and prints to this terminal");
    add_identity(*command, *options);
    command->callback([options, command, &exit_code] {
        // Without a configuration the terminal is for the notifications.
        if (options->config.empty() && command->count("--log-level") == 0) {
            options->log_level = "warn";
        }
        exit_code = run_daemon(*options);
    });
}

}  // namespace noroshi::cli
