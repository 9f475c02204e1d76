// src/waku/clock_watch.hpp - is our clock that of the others? Judged by the timestamps of live messages.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "base/time.hpp"

namespace noroshi::waku {

/// The median of the last 63 differences between our clock and a message's timestamp. One stranger with a wrong clock
/// moves it little; a flood of his can move it, which costs a wrong warning and nothing else. Stores refuse messages
/// whose timestamp is 20 s off, so that a clock that is wrong makes a sender silent without an error.
class ClockWatch {
  public:
    void note(Milliseconds ours_minus_theirs) {
        samples_[count_ % samples_.size()] = ours_minus_theirs;
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

  private:
    std::array<Milliseconds, 63> samples_{};
    std::size_t count_{0};
};

}  // namespace noroshi::waku
