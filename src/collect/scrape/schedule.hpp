// src/collect/scrape/schedule.hpp - when a target is scraped: its phase, the next tick, the time that goes on the samples.
#pragma once

#include "collect/collect.hpp"

namespace noroshi::collect {

/// Shortest interval honoured: below it a target would be busy with nothing else.
inline constexpr Milliseconds min_interval{100};

/// The interval that is used, at least `min_interval`.
[[nodiscard]] Milliseconds interval_of(const Target& target);
/// The target's place in its interval, by hash of labels and URL: in [0, interval). The same at each start.
[[nodiscard]] Milliseconds phase_of(const Target& target);
/// Time until the wall clock is next at `phase` of `interval`: in (0, interval].
[[nodiscard]] Milliseconds delay_to_phase(TimestampMs now, Milliseconds phase, Milliseconds interval);
/// The first tick after `now`, in steps of `interval` from `due`: ticks that a slow scrape missed are left out.
[[nodiscard]] SteadyMs next_due(SteadyMs due, SteadyMs now, Milliseconds interval);
/// `now`, or the tick itself when it is at most 2 ms away, so that samples stand at even distances.
[[nodiscard]] TimestampMs aligned(TimestampMs now, Milliseconds phase, Milliseconds interval);

}  // namespace noroshi::collect
