// src/cli/pairing.hpp - the conversation of `noroshi pair`: show who we are, let the owner ask, or ask the owner.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/runtime.hpp"
#include "cli.hpp"
#include "daemon/desk.hpp"

namespace noroshi::cli {

struct PairOptions : IdentityOptions {
    std::string config;
    std::string key;                 ///< whom to ask; "": whoever asks us
    std::optional<std::string> yes;  ///< accept without a question whose chat key begins like this
    std::string name{"phone"};       ///< of the receiver in the snippet
    std::string role{"viewer"};
    std::string text;                ///< of the request
    Milliseconds timeout{600'000};
    bool json{false};
};

/// One run of it over a desk that is open. Thread: the I/O thread; questions are put on a thread of the pool.
class Pairing {
  public:
    Pairing(const PairOptions& options, daemon::Desk& desk, Runtime& runtime);
    /// Ends when somebody is paired, the time is over, or with a signal. Gives the exit code.
    [[nodiscard]] Task<int> main();

  private:
    [[nodiscard]] Task<void> talk();
    [[nodiscard]] Task<Result<void>> pair();
    [[nodiscard]] Task<Result<std::string>> wait_for_request();
    [[nodiscard]] Task<Result<std::string>> ask();
    [[nodiscard]] Task<Result<bool>> agree(api::PairingRequest request);
    [[nodiscard]] Task<Result<api::Contact>> wait_until_mutual(std::string chat_key);
    [[nodiscard]] Task<void> stop_on_signal();
    void show_identity(const api::StatusInfo& info) const;
    void show_request(const api::PairingRequest& request) const;
    void show_paired(const api::Contact& contact) const;
    /// Zero when the time is over.
    [[nodiscard]] Milliseconds rest() const;

    const PairOptions& options_;
    daemon::Desk& desk_;
    api::StatusDesk* status_{nullptr};
    Runtime& runtime_;
    SystemClock clock_;
    SteadyMs end_{};
    int exit_code_{exit_fault};
    std::atomic<bool> given_up_{false};  ///< ends a question that waits for its answer
    Signal finished_;
    TaskGroup tasks_;
};

/// A line from standard input, looked for again and again until `given_up`; none at its end.
[[nodiscard]] std::optional<std::string> read_line(const std::atomic<bool>& given_up);

}  // namespace noroshi::cli
