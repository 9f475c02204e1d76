// src/cli/id.cpp - `noroshi id`: makes the identity key when missing, shows its public half and a QR code.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "cli.hpp"
#include "daemon/daemon.hpp"

namespace noroshi::cli {
namespace {

struct IdOptions : CommonOptions {
    bool json{false};
    bool no_qr{false};
};

int show_id(const IdOptions& options) {
    SystemRandom random;
    const std::filesystem::path file = data_folder(options) / daemon::identity_key_file;
    const Result<crypto::SecretKey> key = daemon::load_or_make_key(file, random);
    if (!key) {
        print_error(key.error());
        return exit_fault;
    }
    const std::string identity = key->public_key().to_string();
    if (options.json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"id", identity}, {"key_file", file.string()}}.dump());
        return exit_ok;
    }
    if (!options.no_qr) {
        const Result<std::string> code = qr_code(identity, ::isatty(STDOUT_FILENO) == 1);
        if (!code) {
            print_error(code.error());
            return exit_fault;
        }
        fmt::print("{}\n", *code);
    }
    fmt::print("{}\n", identity);
    fmt::print(stderr, "private key: {} (keep a copy of this file; whoever has it is this identity)\n", file.string());
    return exit_ok;
}

}  // namespace

void add_id(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("id", "show this identity, to put under `to:` of a receiver; made when missing");
    auto options = std::make_shared<IdOptions>();  // shared: lives as long as the callback
    add_common(*command, *options);
    command->add_flag("--json", options->json, "one JSON object");
    command->add_flag("--no-qr", options->no_qr, "only the text");
    command->callback([options, &exit_code] { exit_code = show_id(*options); });
}

}  // namespace noroshi::cli
