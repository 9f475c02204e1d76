// src/cli/main.cpp - the program `noroshi`: reads the command line and runs one subcommand.
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include "cli.hpp"
#include "daemon/daemon.hpp"
#include "version.hpp"

namespace noroshi::cli {

void print_error(const Error& error) { fmt::print(stderr, "error: {}\n", error.to_string()); }

void add_common(CLI::App& command, CommonOptions& options) {
    command.add_option("--data", options.data_folder, "folder of keys and state")
        ->default_str(daemon::default_data_folder().string());
    command.add_option("--log-level", options.log_level, "debug, info, warn, error or off")
        ->capture_default_str()
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}));
}

std::filesystem::path data_folder(const CommonOptions& options) {
    return options.data_folder.empty() ? daemon::default_data_folder() : std::filesystem::path(options.data_folder);
}

namespace {

/// Keys live in this process's memory: no core file, no reading by other processes of the same user.
void forbid_memory_dumps() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0);
}

/// One heap for all threads: few of them allocate at the same time, and what one gives back serves the others. The heaps
/// of single threads also grow page by page, with a system call for every few messages that a relay passes on.
void share_one_heap() { ::mallopt(M_ARENA_MAX, 1); }

int run(int argc, char** argv) {
    CLI::App app{"noroshi watches the software you run and tells you privately, end-to-end encrypted.\n"
                 "Without a configuration: `noroshi run` watches this machine and prints to this terminal.",
                 "noroshi"};
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string(version));
    app.failure_message(CLI::FailureMessage::help);
    int exit_code = exit_ok;
    add_run(app, exit_code);
    add_id(app, exit_code);
    add_listen(app, exit_code);
    add_check(app, exit_code);
    add_test(app, exit_code);
    add_pair(app, exit_code);
    add_history(app, exit_code);
    add_query(app, exit_code);
    add_waku(app, exit_code);
    add_version(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_ok : exit_usage;
    }
    return exit_code;
}

}  // namespace
}  // namespace noroshi::cli

int main(int argc, char** argv) {
    noroshi::cli::share_one_heap();
    noroshi::cli::forbid_memory_dumps();
    return noroshi::cli::run(argc, argv);
}
