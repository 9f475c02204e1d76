// src/model/histogram_layout.hpp - the bucket layout of a native histogram, for storage and PromQL.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/histogram.hpp"

namespace noroshi::model {

/// Merges neighbouring buckets until the schema is `schema`. Both schemas are exponential, `schema` not above its own,
/// which may be a reserved one (up to 52).
void reduce_resolution(Histogram& histogram, int schema);
/// Takes a histogram from outside: `validate`, and a schema finer than stored ones is made coarser, as in Prometheus.
/// Errors as there.
[[nodiscard]] Result<void> admit(Histogram& histogram, bool whole_counts);
/// Leaves out empty buckets and joins spans that touch, in place.
void compact(Histogram& histogram);
/// Whether the counter restarted between `before` and `after`: the hint of `after` if it knows, else whether anything
/// that `before` counted is less in `after`.
[[nodiscard]] bool is_reset(const Histogram& after, const Histogram& before);

/// One bucket of a classic histogram, as a `_bucket` series counts it.
struct ClassicBucket {
    double upper{0};  ///< `le`
    double count{0};  ///< of all observations up to `upper`
};
/// A classic histogram as one with custom bounds, compacted. Of buckets with the same bound the first counts; without
/// `count` (the `_count` series) the highest bucket has it. Errors: invalid_argument; the first word is bounds or
/// counts.
[[nodiscard]] Result<Histogram> from_classic(std::vector<ClassicBucket> buckets, std::optional<double> count,
                                             double sum);

/// Builds a side bucket by bucket, indices ascending.
class SideWriter {
  public:
    void reserve(std::size_t spans, std::size_t counts);
    void put(std::int64_t index, double count);
    /// Index of the bucket written last, if any.
    [[nodiscard]] std::optional<std::int64_t> last() const;
    /// Count of the bucket written last.
    [[nodiscard]] double& last_count() { return side_.counts.back(); }
    [[nodiscard]] HistogramSide take() && { return std::move(side_); }

  private:
    HistogramSide side_;
    std::int64_t next_{0};
};

/// Upper bound of a bucket of the positive side; its lower bound is that of `index - 1`. Beyond what doubles hold: 0 or
/// +Inf, and the last bucket below +Inf ends at the largest double.
[[nodiscard]] double bucket_bound(const Histogram& histogram, std::int64_t index);
[[nodiscard]] double exponential_bound(int schema, std::int64_t index);
/// The bucket where a cursor over the positive or negative side stands; its bounds may reach into the zero bucket.
[[nodiscard]] Bucket bucket_at(const Histogram& histogram, const SideCursor& cursor, bool positive);
/// Index of the bucket that holds bucket `index` after the schema went down by `by`.
[[nodiscard]] constexpr std::int64_t merged_index(std::int64_t index, int by) {
    return ((index - 1) >> by) + 1;
}

/// Where buckets of custom bounds go when only some of the bounds stay. `kept` is a part of `from`.
[[nodiscard]] std::int64_t kept_bucket(const std::vector<double>& from, std::int64_t index,
                                       const std::vector<double>& kept);
/// The bounds that both have.
[[nodiscard]] std::vector<double> common_bounds(const std::vector<double>& a, const std::vector<double>& b);

/// The smallest threshold from `wanted` on that no populated bucket contains.
[[nodiscard]] double settled_zero_threshold(const Histogram& histogram, double wanted);
/// What the zero bucket would count if it reached to a settled `threshold`.
[[nodiscard]] double zero_count_within(const Histogram& histogram, double threshold);

}  // namespace noroshi::model
