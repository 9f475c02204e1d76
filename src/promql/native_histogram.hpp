// src/promql/native_histogram.hpp - what PromQL computes with native histograms: values in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/histogram.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::promql {

using model::Histogram;
using model::HistogramSample;

/// What an operation on several histograms has to tell the user beside its result.
struct HistogramNotes {
    bool incompatible{false};       ///< exponential and custom bounds met; there is no result
    bool bounds_reconciled{false};  ///< custom bounds differed; those in common are left
    bool reset_collision{false};    ///< one hint says reset, another one not_reset
};

// native_histogram_arithmetic.cpp

/// Adds or subtracts in place. The result has the coarser schema and the wider zero bucket of both, or the custom
/// bounds in common; it is not compacted. The hint becomes what is true of both; the operator `-` of PromQL makes it
/// `gauge` afterwards. When the two are incompatible nothing is changed.
[[nodiscard]] HistogramNotes add(Histogram& to, const Histogram& other);
[[nodiscard]] HistogramNotes subtract(Histogram& from, const Histogram& other);
/// Scales all counts and the sum. A negative factor, -1 is the unary minus, makes a gauge.
void multiply(Histogram& histogram, double factor);
/// As `multiply` with the inverse; division by zero leaves no buckets.
void divide(Histogram& histogram, double divisor);

/// What rounding took from a sum of histograms, bucket by bucket.
struct HistogramRest {
    double zero_count{0};
    double count{0};
    double sum{0};
    std::vector<double> positive;
    std::vector<double> negative;
};

/// Sum of histograms that keeps what rounding would lose (Neumaier): `sum` and `sum_over_time`.
class HistogramSum {
  public:
    explicit HistogramSum(const Histogram& first);
    /// After the first incompatible histogram nothing is added any more.
    void add(const Histogram& histogram);
    [[nodiscard]] const HistogramNotes& notes() const { return notes_; }
    /// Not compacted. Asked once, and only when nothing was incompatible.
    [[nodiscard]] Histogram take() &&;

  private:
    friend class HistogramMean;
    void note(const Histogram& histogram);
    void scale(double divisor);

    Histogram sum_;
    HistogramRest rest_;
    HistogramNotes notes_;
    bool saw_reset_{false};
    bool saw_no_reset_{false};
};

/// Mean of histograms; becomes an incremental mean where the sum would overflow: `avg` and `avg_over_time`.
class HistogramMean {
  public:
    explicit HistogramMean(const Histogram& first) : sum_(first) {}
    void add(const Histogram& histogram);
    [[nodiscard]] const HistogramNotes& notes() const { return sum_.notes(); }
    [[nodiscard]] Histogram take() &&;

  private:
    HistogramSum sum_;  ///< or the mean so far, when incremental
    double count_{1};
    bool incremental_{false};
};

// native_histogram_quantile.cpp

/// How NaN observations, which no bucket holds, changed a quantile.
enum class NanEffect : std::uint8_t { none, skewed_higher, result_is_nan };

struct HistogramQuantile {
    double value{0};
    NanEffect nans{NanEffect::none};
};
/// The q-quantile: interpolated logarithmically inside exponential buckets, linearly inside the zero bucket and custom
/// bounds. NaN without observations or for q NaN; an infinity for q outside [0, 1].
[[nodiscard]] HistogramQuantile quantile(double q, const Histogram& histogram);

struct HistogramFraction {
    double value{0};
    bool excludes_nans{false};  ///< NaN observations are in no fraction
};
/// Fraction of the observations from `lower` to `upper`, interpolated as `quantile` does. NaN without observations.
[[nodiscard]] HistogramFraction fraction(double lower, double upper, const Histogram& histogram);
/// Which part of a bucket's observations is below `value`, strictly inside of its finite bounds.
[[nodiscard]] double fraction_below(const Histogram& histogram, const model::Bucket& bucket, double value);
/// Arithmetic mean of the observations; NaN without any.
[[nodiscard]] double mean(const Histogram& histogram);
/// Population variance, each observation taken at the middle of its bucket.
[[nodiscard]] double variance(const Histogram& histogram);

// native_histogram_trim.cpp

/// What a trim keeps: the operator `</` keeps the observations below, `>/` those above.
enum class Keep : std::uint8_t { below, above };
/// Takes out the observations on the other side of `point`, interpolating inside the bucket that holds it. Count and
/// sum are estimated anew from the buckets, if anything was taken out.
void trim(Histogram& histogram, Keep keep, double point);

// native_histogram_rate.cpp

/// What counters or gauges gained over a window, and what to tell the user.
struct HistogramChange {
    std::optional<Histogram> value{};    ///< a gauge, compacted; none: incompatible or too few samples
    bool incompatible{false};            ///< exponential and custom bounds in the window
    bool not_a_counter{false};           ///< some hint says gauge
    bool not_a_gauge{false};             ///< some end of the window is no gauge
    bool reconciled_by_addition{false};  ///< custom bounds differed
    bool reconciled_by_subtraction{false};
};

/// Last minus first of at least two samples; of counters plus what was counted before each reset. Not extrapolated:
/// `rate`, `increase` and `delta` multiply it. `starts`: since when each of them counts, or empty; resets too.
[[nodiscard]] HistogramChange change(std::span<const HistogramSample> window, bool is_counter,
                                     std::span<const TimestampMs> starts = {});
/// The same for the newest two samples alone, as `irate` and `idelta` use it before they divide by the time between.
/// `has_restarted`: start times say so.
[[nodiscard]] HistogramChange last_change(const Histogram& before, const Histogram& after, bool is_counter,
                                          bool has_restarted = false);

// native_histogram_extended.cpp

/// The histogram `part` of the way from `before` to `after`, 0 < part < 1; not compacted, its hint that of both. A
/// counter that was reset between them starts from nothing.
[[nodiscard]] HistogramChange interpolate(const Histogram& before, const Histogram& after, double part,
                                          bool is_counter);

/// Where a range with `anchored` or `smoothed` begins and ends.
struct ExtendedRange {
    TimestampMs start;
    TimestampMs end;
    bool smoothed{false};  ///< both borders are interpolated; else the samples at or before them count
};
/// As `change`, between the borders of a range instead of the samples inside; never extrapolated. `window`: the samples
/// of the range, and those around it that the modifier looks at; at least one. No value: no sample is near enough.
[[nodiscard]] HistogramChange extended_change(std::span<const HistogramSample> window, const ExtendedRange& range,
                                              bool is_counter);

}  // namespace noroshi::promql
