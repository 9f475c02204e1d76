// src/daemon/discovery.hpp - Discovery: the targets of all jobs, as they are found in files and at URLs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/net/http_client.hpp"
#include "base/task.hpp"
#include "targets.hpp"

namespace noroshi::daemon {

/// Keeps the target groups of static_configs, file_sd_configs and http_sd_configs together and tells of the targets made of
/// them at each change. A file or URL that fails keeps what it gave last, is logged, counted, and named by `failing`.
/// Thread: the I/O thread.
class Discovery {
  public:
    using OnTargets = std::function<void(std::vector<collect::Target>)>;

    /// All outlive it. `on_targets` gets all targets each time.
    Discovery(net::HttpClient& client, Timers& timers, const Executor& executor, Metrics& metrics, Log log, OnTargets on_targets);
    ~Discovery();
    /// Replaces the jobs. Sources that were there before go on and keep what they gave; files are read at once. Tells of the
    /// targets before it returns.
    void set_jobs(std::vector<config::ScrapeConfig> jobs);
    [[nodiscard]] Task<void> stop();
    /// Files and URLs whose last reading failed.
    [[nodiscard]] std::vector<std::string> failing() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::daemon
