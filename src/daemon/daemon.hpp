// src/daemon/daemon.hpp - the composition root: builds every stage, wires values between them, lives until told to stop.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "daemon/keys.hpp"
#include "deliver/waku_channel.hpp"

namespace noroshi::daemon {

/// How to run.
struct Options {
    std::optional<std::filesystem::path> config_file;  ///< none: watch this machine, print to the terminal
    std::filesystem::path data_folder;
    IdentitySource identity;  ///< read, and made when missing, before anything runs
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

}  // namespace noroshi::daemon
