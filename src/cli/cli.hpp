// src/cli/cli.hpp - what the subcommands share: registration, output of errors, exit codes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "daemon/keys.hpp"
#include "waku/node.hpp"

namespace CLI {
class App;
}

namespace noroshi::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_fault = 1;  ///< the command ran and found a fault
inline constexpr int exit_usage = 2;  ///< the command line was wrong

/// Each adds its subcommand to `app`; the chosen one's exit code is written to `exit_code`.
void add_run(CLI::App& app, int& exit_code);
void add_id(CLI::App& app, int& exit_code);
void add_listen(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_test(CLI::App& app, int& exit_code);
void add_waku(CLI::App& app, int& exit_code);
void add_pair(CLI::App& app, int& exit_code);
void add_history(CLI::App& app, int& exit_code);
void add_query(CLI::App& app, int& exit_code);
void add_version(CLI::App& app, int& exit_code);

/// "error: file:line:column: message" on standard error.
void print_error(const Error& error);

/// A QR code of `text` for a terminal, two rows a line, with a quiet zone; dark on light whatever the terminal's colours
/// when `colours` is on. Errors: limit (text too long).
[[nodiscard]] Result<std::string> qr_code(const std::string& text, bool colours);

/// Options that several subcommands have.
struct CommonOptions {
    std::string data_folder;
    std::string log_level{"info"};
};
/// --data and --log-level.
void add_common(CLI::App& command, CommonOptions& options);
/// Options of those that need the identity.
struct IdentityOptions : CommonOptions {
    std::string passphrase_file;
};
/// What add_common adds, and --passphrase-file.
void add_identity(CLI::App& command, IdentityOptions& options);
/// Identity.key in --data, the credentials of systemd, and the terminal to ask at.
[[nodiscard]] daemon::IdentitySource identity_source(const IdentityOptions& options);
/// One line from the terminal, not shown while it is typed. Errors: refused (standard input is no terminal),
/// cancelled (Ctrl-C, end of input), limit.
[[nodiscard]] Result<SecretBytes> ask_secret(std::string_view question, std::size_t max_bytes);
/// --dns, --discv5, --bootstrap, --peer-exchange: where other peers are looked for.
void add_discovery(CLI::App& command, waku::DiscoveryConfig& discovery);
/// --data, or the default folder.
[[nodiscard]] std::filesystem::path data_folder(const CommonOptions& options);

}  // namespace noroshi::cli
