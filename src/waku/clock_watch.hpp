// src/waku/clock_watch.hpp - is our clock that of the others? Judged by the timestamps of live messages.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/time.hpp"
#include "waku/message.hpp"

namespace noroshi::waku {

/// The median of the last 63 differences between our clock and a message's timestamp. One stranger with a wrong clock
/// moves it little; a flood of his can move it, which costs a wrong warning and nothing else. Stores refuse messages
/// whose timestamp is 20 s off, so that a clock that is wrong makes a sender silent without an error.
class ClockWatch {
  public:
    /// A message that came at once; a late one would speak against our clock.
    void note(const WakuMessage& message, TimestampMs now) {
        if (message.timestamp_ns.value_or(0) <= 0) {
            return;
        }
        const std::chrono::nanoseconds theirs(*message.timestamp_ns);
        samples_[count_ % samples_.size()] = now - TimestampMs(std::chrono::duration_cast<Milliseconds>(theirs));
        ++count_;
    }
    /// Nothing before eight messages.
    [[nodiscard]] std::optional<Milliseconds> offset() const {
        constexpr std::size_t enough = 8;
        const std::size_t known = std::min(count_, samples_.size());
        if (known < enough) {
            return std::nullopt;
        }
        std::array<Milliseconds, 63> sorted = samples_;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(known / 2);
        std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(known));
        return *middle;
    }

    /// Sets the gauge; warns from 10 s on, once an hour.
    void show(SteadyMs now, Metrics& metrics, const Log& log) {
        constexpr Milliseconds tolerance{10'000};
        constexpr Milliseconds warning_interval{3'600'000};
        const std::optional<Milliseconds> ahead = offset();
        if (!ahead) {
            return;
        }
        metrics
            .gauge("noroshi_waku_clock_offset_seconds", "How far our clock is ahead of the senders of messages; 20 s make us mute.")
            .set(static_cast<double>(ahead->count()) / 1000.0);
        const bool warned = warned_at_ != SteadyMs{} && now - warned_at_ < warning_interval;
        if (std::chrono::abs(*ahead) >= tolerance && !warned) {
            warned_at_ = now;
            log.warn("clock_off", {{"ahead_ms", ahead->count()},
                                   {"note", "stores refuse messages that are 20 s off; check NTP"}});
        }
    }

  private:
    SteadyMs warned_at_{};
    std::array<Milliseconds, 63> samples_{};
    std::size_t count_{0};
};

}  // namespace noroshi::waku
