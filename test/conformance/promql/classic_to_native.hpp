// test/conformance/promql/classic_to_native.hpp - classic histograms as native ones with custom bounds, for `load_with_nhcb`.
#pragma once

#include <map>

#include "script.hpp"

namespace noroshi::conformance {

/// Series by labels, each with a histogram by the number of its step.
using NativeSeries = std::map<model::Labels, std::map<std::size_t, model::Histogram>>;

/// Of all series named `x_bucket`, `x_sum`, `x_count` one series `x`. A bucket without a number as its `le` is passed over, and so is
/// what is no histogram.
[[nodiscard]] NativeSeries native_of_classic(const std::vector<Series>& series);

}  // namespace noroshi::conformance
