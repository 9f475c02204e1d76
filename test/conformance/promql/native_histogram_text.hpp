// test/conformance/promql/native_histogram_text.hpp - native histograms as the test language writes and compares them.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/histogram.hpp"

namespace noroshi::conformance {

/// One histogram of a sequence.
struct HistogramSlot {
    model::Histogram value;
    bool hint_given{false};  ///< only then is the hint of an expected one compared
};

/// Takes one item from the front of `text` and gives its histograms, one a step: `{{..}}`, `{{..}}x3` (four times the
/// same), `{{..}}+{{..}}x3` and `{{..}}-{{..}}x3` (three steps further). Errors: parse.
[[nodiscard]] Result<std::vector<HistogramSlot>> take_histograms(std::string_view& text);

/// Whether a result is what was expected, both compacted; numbers by `close`, bounds and layout exactly.
[[nodiscard]] bool is_expected(const HistogramSlot& expected, model::Histogram got, bool (*close)(double, double));

}  // namespace noroshi::conformance
