// src/promql/series_text.hpp - series as test files write them: `up{job="a"} 0 1+2x3 _ stale {{schema:0 count:2}}`.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"

namespace noroshi::promql {

/// One histogram of a sequence.
struct HistogramSlot {
    model::Histogram value;
    bool hint_given{false};  ///< only then is the hint of an expected one compared
};
/// One value of a sequence; `stale` is the stale marker.
using Point = std::variant<double, HistogramSlot>;
/// Nothing for `_`.
using Slot = std::optional<Point>;

/// A series with its values, one a step.
struct SeriesText {
    model::Labels labels;
    std::vector<Slot> values;
};

/// Most values of one series.
inline constexpr std::size_t max_series_values = 100'000;

/// `name{label="value"}`, each part may be missing, a name may be quoted inside the braces; `unquoted_names` as in
/// ParseOptions. Errors: parse.
[[nodiscard]] Result<model::Labels> parse_metric(std::string_view text, bool unquoted_names = false);
/// Items with blanks between them: `1`, `stale`, `_`, `_x3` (three without a value), `1x3` (four times 1), `1+2x3` and
/// `1-2x3` (three steps further), and histograms in the same forms. Errors: parse, limit.
[[nodiscard]] Result<std::vector<Slot>> parse_series_values(std::string_view text);
/// A metric and its values. Errors: as of its parts.
[[nodiscard]] Result<SeriesText> parse_series(std::string_view text, bool unquoted_names = false);

/// Whether a result is what was expected, both compacted; numbers by `close`, bounds and layout exactly.
[[nodiscard]] bool is_expected(const HistogramSlot& expected, model::Histogram got, bool (*close)(double, double));

}  // namespace noroshi::promql
