// src/daemon/desk.hpp - Status and history for a command: of the daemon that has the data folder, else of this process.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "base/log.hpp"
#include "base/runtime.hpp"
#include "daemon/keys.hpp"

namespace noroshi::daemon {

/// What a command needs when no daemon runs.
enum class DeskNeeds { history /* the database */, contacts /* and what Status keeps */, network /* and peers */ };

struct DeskOptions {
    std::optional<std::filesystem::path> config_file;  ///< where the daemon's API is; whom and how to reach
    std::filesystem::path data_folder;
    IdentitySource identity;
    DeskNeeds needs{DeskNeeds::network};
    Log log = Log::none();
};

/// Where the API of the daemon with this configuration and data folder is, whether it runs or not.
struct ApiAddress {
    std::string base;   ///< "http://127.0.0.1:9596"
    std::string token;  ///< "" when it cannot be read
};
/// Faults of the configuration go to `on_error`, and the error is then without text.
[[nodiscard]] Result<ApiAddress> api_address(const DeskOptions& options, const std::function<void(const Error&)>& on_error);

/// Whether a daemon runs says the lock of the data folder. Its API is asked then, with the token in that folder; else the
/// same parts that the daemon is made of work in this process. Thread: the I/O thread.
class Desk {
  public:
    /// May ask for a passphrase: before the I/O thread runs. Faults of the configuration go to `on_error`, and the error
    /// is then without text. Errors: io, refused, invalid_argument, and those of the identity and the store.
    [[nodiscard]] static Result<std::unique_ptr<Desk>> open(DeskOptions options, Runtime& runtime,
                                                            const std::function<void(const Error&)>& on_error);
    ~Desk();

    /// In this process: joins the network and waits up to 20 s for somebody who takes messages. Errors: of the network;
    /// timeout (nobody).
    [[nodiscard]] Task<Result<void>> start();
    [[nodiscard]] Task<void> stop();
    /// True when a daemon does the work.
    [[nodiscard]] bool is_remote() const;

    /// Errors: not_found (this process is nobody in Status: shard 32 is not among waku.shards).
    [[nodiscard]] Result<api::StatusDesk*> status();
    /// Newest first, each as api::message_json makes it.
    [[nodiscard]] Task<Result<std::vector<std::string>>> messages(std::size_t limit);

  private:
    struct State;
    explicit Desk(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::daemon
