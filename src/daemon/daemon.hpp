// src/daemon/daemon.hpp - the composition root: builds every stage, wires values between them, lives until told to stop.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "deliver/waku_channel.hpp"

namespace noroshi::daemon {

/// How to run.
struct Options {
    std::optional<std::filesystem::path> config_file;  ///< none: watch this machine, print to the terminal
    std::filesystem::path data_folder;
    Log log = Log::none();
    /// Called with each notification that this process received for itself; only without a configuration file.
    std::function<void(const deliver::ReceivedNotification&)> on_notification;
    /// Called with each text that a contact in Status wrote, and the name of its receiver, or "".
    std::function<void(const model::InboundLine&, const std::string& receiver)> on_line;
    /// Called once, when everything runs.
    std::function<void(const std::string& summary)> on_ready;
};

/// Runs until SIGINT or SIGTERM; SIGHUP reads the configuration again and keeps the old one when it has faults.
/// Blocks the calling thread, which becomes the I/O thread. Returns the process's exit code: 0 after a clean stop,
/// 1 when it could not start (each reason is logged or, for the configuration, printed by `on_error`).
[[nodiscard]] int run(Options options, const std::function<void(const Error&)>& on_error);

/// The key file of the daemon's identity, made with mode 0600 when missing. The file holds 64 hex digits.
/// Errors: refused (others can read it), parse, io.
[[nodiscard]] Result<crypto::SecretKey> load_or_make_key(const std::filesystem::path& file, Random& random);
/// The same for a file that must exist.
[[nodiscard]] Result<crypto::SecretKey> load_key(const std::filesystem::path& file);

/// $NOROSHI_DATA, else $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/noroshi, else ~/.local/state/noroshi.
[[nodiscard]] std::filesystem::path default_data_folder();

inline constexpr const char* identity_key_file = "identity.key";

}  // namespace noroshi::daemon
