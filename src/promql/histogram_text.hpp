// src/promql/histogram_text.hpp - reads native histograms as test files write them.
#pragma once

#include <string_view>
#include <vector>

#include "promql/series_text.hpp"

namespace noroshi::promql {

/// Takes one item from the front of `text` and gives its histograms, one a step: `{{..}}`, `{{..}}x3` (four times the
/// same), `{{..}}+{{..}}x3` and `{{..}}-{{..}}x3` (three steps further). Errors: parse.
[[nodiscard]] Result<std::vector<HistogramSlot>> take_histograms(std::string_view& text);

}  // namespace noroshi::promql
