// src/deliver/heartbeat.hpp - a message to ourselves through one peer, expected back through another: does the way out work?
#pragma once

#include <optional>
#include <string>

#include "base/metrics.hpp"
#include "base/random.hpp"
#include "waku/waku.hpp"

namespace noroshi::deliver {

/// A light node's only test of pushing and receiving that needs no peer's word. Looks like a receipt from outside: same
/// topic, sealed, padded; ephemeral, so that no store keeps it. Thread: the I/O thread.
class Heartbeat {
  public:
    struct Parts {
        waku::Node& node;
        std::string pubsub_topic;
        const crypto::SecretKey& key;
        Timers& timers;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
        Log log;
    };
    explicit Heartbeat(Parts parts) : parts_(std::move(parts)) {}
    /// A beat each five minutes, the first after 15 s; until cancelled.
    [[nodiscard]] Task<void> run();
    /// For /healthz: nothing before the first beat.
    [[nodiscard]] std::optional<bool> ok() const { return ok_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }

    static constexpr Milliseconds interval{300'000};
    static constexpr Milliseconds first_after{15'000};
    static constexpr Milliseconds patience{10'000};

  private:
    [[nodiscard]] Task<Result<std::string>> beat();
    [[nodiscard]] Result<waku::WakuMessage> make();

    Parts parts_;
    std::optional<bool> ok_;
    std::string detail_;
};

}  // namespace noroshi::deliver
