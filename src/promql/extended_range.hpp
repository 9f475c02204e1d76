// src/promql/extended_range.hpp - numbers of ranges with `anchored` or `smoothed`: values at the borders, not extrapolated.
#pragma once

#include <optional>
#include <vector>

#include "functions.hpp"

namespace noroshi::promql {

/// On the line between two samples, `t` between them; a counter that fell began at zero.
[[nodiscard]] double interpolate(const model::Sample& before, const model::Sample& after, TimestampMs t, bool is_counter);
/// What was gained from border to border; a counter falls at resets and where its start times say so. Nothing: no sample
/// is near enough. `window` has a number at least.
[[nodiscard]] std::optional<double> extended_change(const Window& window, bool is_counter);
/// The numbers of such a range as a range vector shows them, one at each border.
[[nodiscard]] std::vector<model::Sample> extended_samples(const Window& window);
/// Of an anchored range the newest sample at or before its start, of whatever kind, and all after the start; nothing
/// when there is none after it. Any other window as it is.
[[nodiscard]] std::optional<Window> from_anchor(const Window& window);

}  // namespace noroshi::promql
