// src/promql/native_histogram_trim.cpp - the operators `</` and `>/`: a native histogram without its upper or lower part.
#include <cmath>

#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

using model::Bucket;
using model::HistogramSide;
using model::SideCursor;

/// What is left of a bucket: how many observations, and the value that each counts in the sum.
struct Part {
    double count{0};
    double value{0};
};

/// The value that stands for the observations between two bounds.
double middle_of(double lower, double upper, bool linear) {
    if (std::isinf(lower)) {
        if (std::isinf(upper)) {
            return 0;
        }
        return upper > 0 ? upper / 2 : upper;
    }
    if (std::isinf(upper)) {
        return lower;
    }
    if (linear) {
        return (lower + upper) / 2;
    }
    return std::copysign(std::sqrt(std::fabs(lower * upper)), upper > 0 ? 1.0 : -1.0);
}

double finite_or_zero(double value) {
    return std::isinf(value) ? 0 : value;
}

/// A bucket without a lower bound around `point`. Nothing is known of what is inside, unless 0 can be its lower bound,
/// as it is for quantiles.
Part part_without_lower_bound(const Bucket& bucket, Keep keep, double point) {
    const bool from_zero = bucket.upper > 0 && !std::isinf(bucket.upper);
    if (keep == Keep::below) {
        if (point > 0 && from_zero) {
            return {bucket.count * point / bucket.upper, point / 2};
        }
        return bucket.upper <= 0 ? Part{bucket.count, point} : Part{0, finite_or_zero(bucket.upper)};
    }
    if (point >= 0 && from_zero) {
        return {bucket.count * (1 - point / bucket.upper), (point + bucket.upper) / 2};
    }
    return {0, finite_or_zero(bucket.upper)};
}

/// A bucket that contains `point`.
Part part_around(const Histogram& histogram, const Bucket& bucket, Keep keep, double point) {
    if (std::isinf(bucket.lower)) {
        return part_without_lower_bound(bucket, keep, point);
    }
    if (std::isinf(bucket.upper)) {
        return keep == Keep::above ? Part{bucket.count, point} : Part{0, finite_or_zero(bucket.lower)};
    }
    const bool linear = histogram.has_custom_bounds();
    const double below = bucket.count * fraction_below(histogram, bucket, point);
    return keep == Keep::below ? Part{below, middle_of(bucket.lower, point, linear)}
                               : Part{bucket.count - below, middle_of(point, bucket.upper, linear)};
}

Part part_of(const Histogram& histogram, const Bucket& bucket, Keep keep, double point) {
    if (keep == Keep::below ? bucket.upper <= point : bucket.lower >= point) {
        return {bucket.count, middle_of(bucket.lower, bucket.upper, histogram.has_custom_bounds())};
    }
    if (keep == Keep::below ? bucket.lower < point : bucket.upper > point) {
        return part_around(histogram, bucket, keep, point);
    }
    return {};
}

/// The zero bucket is linear, and one-sided when all other observations have the same sign.
Part zero_part(const Histogram& histogram, bool has_negative, bool has_positive, Keep keep, double point) {
    const double lower = has_positive && !has_negative ? 0 : -histogram.zero_threshold;
    const double upper = has_negative && !has_positive ? 0 : histogram.zero_threshold;
    if (keep == Keep::below ? point >= upper && point > lower : point <= lower) {
        return {histogram.zero_count, (lower + upper) / 2};
    }
    if (keep == Keep::below ? point <= lower : point >= upper) {
        return {};
    }
    const double below = (point - lower) / (upper - lower);
    const double above = (upper - point) / (upper - lower);
    return keep == Keep::below ? Part{histogram.zero_count * below, (lower + point) / 2}
                               : Part{histogram.zero_count * above, (point + upper) / 2};
}

}  // namespace

void trim(Histogram& histogram, Keep keep, double point) {
    double count = 0;
    double sum = 0;
    bool changed = false;
    const auto take = [&](double& old, const Part& part) {
        count += part.count;
        sum += part.value * part.count;
        changed = changed || old != part.count;
        old = part.count;
    };
    const auto take_side = [&](HistogramSide& side, bool positive) {
        bool populated = false;
        for (SideCursor cursor(side); cursor.next();) {
            if (cursor.count() != 0) {
                populated = true;
                take(side.counts[cursor.position()],
                     part_of(histogram, model::bucket_at(histogram, cursor, positive), keep, point));
            }
        }
        return populated;
    };
    const bool has_positive = take_side(histogram.positive, true);
    const bool has_negative = take_side(histogram.negative, false);
    if (histogram.zero_count > 0) {
        take(histogram.zero_count, zero_part(histogram, has_negative, has_positive, keep, point));
    }
    if (changed) {
        histogram.count = count;
        histogram.sum = sum;
        model::compact(histogram);
    }
}

}  // namespace noroshi::promql
