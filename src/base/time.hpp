// src/base/time.hpp - wall time, monotonic time and Prometheus durations; the only door to any clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi {

using Milliseconds = std::chrono::milliseconds;
/// Unix time in milliseconds. Never used to measure how long something took.
using TimestampMs = std::chrono::sys_time<Milliseconds>;
/// Monotonic time; its zero means nothing.
using SteadyMs = std::chrono::time_point<std::chrono::steady_clock, Milliseconds>;

[[nodiscard]] constexpr TimestampMs from_unix_ms(std::int64_t ms) { return TimestampMs(Milliseconds(ms)); }
[[nodiscard]] constexpr std::int64_t to_unix_ms(TimestampMs t) { return t.time_since_epoch().count(); }
/// Seconds with the fraction kept, as Prometheus's `time()` gives them.
[[nodiscard]] constexpr double to_unix_seconds(TimestampMs t) {
    return static_cast<double>(to_unix_ms(t)) / 1000.0;
}
/// RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.000Z".
[[nodiscard]] std::string format_rfc3339(TimestampMs t);

/// Both clocks. Thread: any. Given by constructor so that a test owns time.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimestampMs now() const = 0;
    [[nodiscard]] virtual SteadyMs steady() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] TimestampMs now() const override;
    [[nodiscard]] SteadyMs steady() const override;
};

/// A clock that moves only when told to. Thread: one.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(TimestampMs start) : now_(start) {}
    [[nodiscard]] TimestampMs now() const override { return now_; }
    [[nodiscard]] SteadyMs steady() const override { return steady_; }
    /// Moves both clocks forward.
    void advance(Milliseconds by) {
        now_ += by;
        steady_ += by;
    }
    /// A jump of the wall clock alone, as an NTP step makes it.
    void jump_wall(Milliseconds by) { now_ += by; }

  private:
    TimestampMs now_;
    SteadyMs steady_{Milliseconds(1'000'000)};
};

/// Prometheus duration: "5m", "1h30m", "250ms", "0"; units ms s m h d w y, largest first, each once.
/// Errors: parse (with what was expected), limit (over 292 years).
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);
/// The shortest text that `parse_duration` reads back, e.g. "1h30m", "0s".
[[nodiscard]] std::string format_duration(Milliseconds duration);

}  // namespace noroshi
