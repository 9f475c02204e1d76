// src/model/histogram.hpp - a native histogram as a value: observations counted in buckets of a schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace noroshi::model {

/// What a histogram says about a restart of its counter since the histogram before it. `gauge`: it counts nothing.
enum class ResetHint : std::uint8_t { unknown, reset, not_reset, gauge };

/// `length` neighbouring buckets. `offset` counts the buckets left out since the span before; for the first span it is
/// the index of its first bucket.
struct BucketSpan {
    std::int32_t offset{0};
    std::uint32_t length{0};
    bool operator==(const BucketSpan&) const = default;
};

/// The buckets of one sign: a count for each bucket that a span names, in their order.
struct HistogramSide {
    std::vector<BucketSpan> spans;
    std::vector<double> counts;  ///< of each bucket alone, not cumulative
    bool operator==(const HistogramSide&) const = default;
};

/// Sparse histogram of a Prometheus "native histogram", counts as floats.
///
/// Schema n in -4..8: bucket i of the positive side is (2^((i-1)/2^n), 2^(i/2^n)], the negative side is its mirror, and
/// what is within the zero threshold is counted by `zero_count`. Schema -53: the upper bounds are `custom_values`, then
/// +Inf; there is no negative side and no zero bucket. NaN observations are in `count` alone and make `sum` NaN.
struct Histogram {
    static constexpr int min_schema = -4;
    static constexpr int max_schema = 8;
    static constexpr int custom_schema = -53;

    int schema{0};
    ResetHint hint{ResetHint::unknown};
    double zero_threshold{0};  ///< the zero bucket is [-zero_threshold, zero_threshold]
    double zero_count{0};
    double count{0};
    double sum{0};
    HistogramSide positive;
    HistogramSide negative;
    std::shared_ptr<const std::vector<double>> custom_values{};  ///< shared: immutable; null is empty

    [[nodiscard]] bool has_custom_bounds() const { return schema == custom_schema; }
    /// The bounds of schema -53 below +Inf, strictly increasing.
    [[nodiscard]] const std::vector<double>& bounds() const;
    /// The marker "this series ended here" instead of an observation; it is in `sum`.
    [[nodiscard]] bool is_stale() const;
    /// As Prometheus shows it to people: "{count:3, sum:4.5, [-1,1]:1, (1,2]:2}", populated buckets in ascending order.
    [[nodiscard]] std::string to_string() const;
    /// The same data: counts and sum by their bits, so that NaN equals itself; layouts by the buckets they name. The
    /// hint is not compared. This is PromQL's `==` between histograms.
    bool operator==(const Histogram& other) const;
};

/// Shared: immutable.
using HistogramPtr = std::shared_ptr<const Histogram>;

/// One histogram at one time.
struct HistogramSample {
    TimestampMs at;
    HistogramPtr value;  ///< never null
};

/// What a bucket covers and counts.
struct Bucket {
    double lower{0};
    double upper{0};
    bool lower_inclusive{false};
    bool upper_inclusive{false};
    double count{0};

    /// The number that stands for the two flags in Prometheus's JSON, which leaves out empty buckets: 0 (lower, upper],
    /// 1 [lower, upper), 2 open, 3 closed.
    [[nodiscard]] int boundary_rule() const {
        return lower_inclusive ? (upper_inclusive ? 3 : 1) : (upper_inclusive ? 0 : 2);
    }
};

enum class Direction : std::uint8_t { forward, backward };

/// Walks over the buckets of one side, forward from the one nearest to zero. The side must outlive the cursor.
class SideCursor {
  public:
    explicit SideCursor(const HistogramSide& side, Direction direction = Direction::forward);
    /// Goes to the next bucket, first to the first. False: there is none.
    [[nodiscard]] bool next() { return forward_ ? step_forward() : step_backward(); }
    [[nodiscard]] std::int64_t index() const { return index_; }
    [[nodiscard]] std::size_t position() const { return position_; }  ///< in `counts`
    [[nodiscard]] double count() const { return side_->counts[position_]; }

  private:
    bool step_forward();
    bool step_backward();

    const HistogramSide* side_;
    bool forward_;
    std::size_t span_{0};
    std::uint32_t left_{0};
    std::int64_t index_{-1};
    std::size_t position_;
};

/// Walks over all buckets in ascending or descending order of their bounds: negative side, zero bucket when it is
/// populated, positive side. Bounds inside the zero bucket are moved to its border. The histogram must outlive it.
class BucketWalk {
  public:
    explicit BucketWalk(const Histogram& histogram, Direction direction = Direction::forward);
    /// The next bucket, an empty one too when a span names it.
    [[nodiscard]] std::optional<Bucket> next();

  private:
    [[nodiscard]] Bucket bucket(const SideCursor& cursor, bool positive) const;

    const Histogram* histogram_;
    bool forward_;
    SideCursor first_;
    SideCursor last_;
    int stage_{0};
};

/// Most buckets of a histogram from outside, both sides together.
inline constexpr std::size_t max_histogram_buckets = 65'536;

/// Whether a histogram from outside keeps what every function here takes for granted. `whole_counts`: it was made of
/// integers, so that `count` must be the total of its buckets (more, when observations were NaN). Errors:
/// invalid_argument; the message begins with one word: schema, zero, buckets, spans, counts, bounds.
[[nodiscard]] Result<void> validate(const Histogram& histogram, bool whole_counts);
/// The part of it that judges the layout, and no count: what a store takes from anybody. Errors as there.
[[nodiscard]] Result<void> validate_layout(const Histogram& histogram);

}  // namespace noroshi::model
