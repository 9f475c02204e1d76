// src/promql/native_histogram_quantile.cpp - quantiles, fractions and variance of what a native histogram counted.
#include <algorithm>
#include <cmath>
#include <limits>

#include "functions.hpp"
#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

using model::Bucket;
using model::BucketWalk;
using model::Direction;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool holds_zero(const Bucket& bucket) {
    return bucket.lower <= 0 && bucket.upper >= 0;
}

/// A zero bucket beside buckets of one sign alone holds observations of that sign alone.
void narrow_zero_bucket(const Histogram& histogram, Bucket& bucket) {
    const bool negative = !histogram.negative.counts.empty();
    const bool positive = !histogram.positive.counts.empty();
    if (positive && !negative) {
        bucket.lower = 0;
    } else if (negative && !positive) {
        bucket.upper = 0;
    }
}

/// The value below which `part` of a bucket's observations are.
double value_at(const Histogram& histogram, const Bucket& bucket, double part) {
    if (histogram.has_custom_bounds() || holds_zero(bucket)) {
        return bucket.lower + (bucket.upper - bucket.lower) * part;
    }
    // Exponential buckets are equally wide on a logarithmic scale; negative ones are mirrored.
    const double lower = std::log2(std::fabs(bucket.lower));
    const double upper = std::log2(std::fabs(bucket.upper));
    return bucket.lower > 0 ? std::exp2(lower + (upper - lower) * part)
                            : -std::exp2(upper + (lower - upper) * (1 - part));
}

}  // namespace

double fraction_below(const Histogram& histogram, const Bucket& bucket, double value) {
    if (histogram.has_custom_bounds() || holds_zero(bucket)) {
        return (value - bucket.lower) / (bucket.upper - bucket.lower);
    }
    const double lower = std::log2(std::fabs(bucket.lower));
    const double upper = std::log2(std::fabs(bucket.upper));
    const double at = std::log2(std::fabs(value));
    return value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

HistogramQuantile quantile(double q, const Histogram& histogram) {
    if (q < 0 || q > 1) {
        return {q < 0 ? -infinity : infinity};
    }
    if (histogram.count == 0 || std::isnan(q)) {
        return {not_a_number};
    }
    // Counting from the nearer end is exact at both; but NaN observations, which no bucket holds, count as the highest.
    const bool may_have_nans = std::isnan(histogram.sum);
    const bool upward = may_have_nans || q < 0.5;
    double rank = (upward ? q : 1 - q) * histogram.count;
    BucketWalk walk(histogram, upward ? Direction::forward : Direction::backward);
    Bucket bucket;
    double count = 0;
    while (const std::optional<Bucket> next = walk.next()) {
        bucket = *next;
        count += bucket.count;
        if (bucket.count != 0 && count >= rank) {
            break;
        }
    }
    if (histogram.has_custom_bounds()) {
        if (bucket.lower == -infinity) {
            if (bucket.upper <= 0) {
                return {bucket.upper};
            }
            bucket.lower = 0;
        } else if (bucket.upper == infinity) {
            return {bucket.lower};
        }
    } else if (bucket.lower < 0 && bucket.upper > 0) {
        narrow_zero_bucket(histogram, bucket);
    }
    count = std::min(count, histogram.count);
    if (count < rank) {
        return may_have_nans ? HistogramQuantile{not_a_number, NanEffect::result_is_nan}
                             : HistogramQuantile{bucket.upper};
    }
    rank = upward ? rank - (count - bucket.count) : count - rank;
    HistogramQuantile out{value_at(histogram, bucket, rank / bucket.count)};
    if (may_have_nans) {
        // Infinities of both signs make the sum NaN as well; then all observations are in buckets.
        while (const std::optional<Bucket> next = walk.next()) {
            count += next->count;
        }
        out.nans = count < histogram.count ? NanEffect::skewed_higher : NanEffect::none;
    }
    return out;
}

namespace {

/// How many observations are below `value`, while walking up.
class RankBelow {
  public:
    explicit RankBelow(double value) : value_(value) {}
    [[nodiscard]] bool found() const { return found_; }
    /// `below`: how many observations the buckets before hold.
    void look(const Histogram& histogram, const Bucket& bucket, double below) {
        if (found_) {
            return;
        }
        if (bucket.lower >= value_) {
            rank_ = below;
            found_ = true;
        } else if (bucket.upper > value_) {
            // Nothing is known inside of a bucket that reaches to -Inf: all of it counts as below.
            const bool open = histogram.has_custom_bounds() && bucket.lower == -infinity;
            rank_ = open ? bucket.count : below + bucket.count * fraction_below(histogram, bucket, value_);
            found_ = true;
        }
    }
    [[nodiscard]] double rank(double all) const { return found_ && !(rank_ > all) ? rank_ : all; }

  private:
    double value_;
    double rank_{0};
    bool found_{false};
};

}  // namespace

HistogramFraction fraction(double lower, double upper, const Histogram& histogram) {
    if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) {
        return {not_a_number};
    }
    if (lower >= upper) {
        return {0};
    }
    RankBelow from(lower);
    RankBelow to(upper);
    double below = 0;
    double counted = 0;
    BucketWalk walk(histogram);
    while (std::optional<Bucket> bucket = walk.next()) {
        counted += bucket->count;
        if (histogram.has_custom_bounds()) {
            bucket->lower = bucket->lower == -infinity && bucket->upper > 0 ? 0 : bucket->lower;
        } else if (holds_zero(*bucket)) {
            narrow_zero_bucket(histogram, *bucket);
        }
        from.look(histogram, *bucket, below);
        to.look(histogram, *bucket, below);
        if (from.found() && to.found()) {
            break;
        }
        below += bucket->count;
    }
    HistogramFraction out;
    double all = histogram.count;
    if (std::isnan(histogram.sum)) {
        while (const std::optional<Bucket> bucket = walk.next()) {
            counted += bucket->count;
        }
        all = counted;
        out.excludes_nans = counted < histogram.count;
    }
    out.value = (to.rank(all) - from.rank(all)) / histogram.count;
    return out;
}

double mean(const Histogram& histogram) {
    return histogram.sum / histogram.count;
}

double variance(const Histogram& histogram) {
    const double average = mean(histogram);
    ExactSum squares;
    BucketWalk walk(histogram);
    while (const std::optional<Bucket> bucket = walk.next()) {
        if (bucket->count == 0) {
            continue;
        }
        double middle = 0;
        if (histogram.has_custom_bounds()) {
            middle = (bucket->upper + bucket->lower) / 2;
        } else if (!holds_zero(*bucket)) {
            middle = std::copysign(std::sqrt(bucket->upper * bucket->lower), bucket->upper);
        }
        squares.add(bucket->count * (middle - average) * (middle - average));
    }
    return squares.value() / histogram.count;
}

}  // namespace noroshi::promql
