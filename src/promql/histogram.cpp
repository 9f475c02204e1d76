// src/promql/histogram.cpp - quantiles of classic histograms.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/numbers.hpp"
#include "functions.hpp"

namespace noroshi::promql {
namespace {

struct Bucket {
    double upper;
    double count;  ///< cumulative
};

/// Sorts, merges equal bounds, and makes the counts grow: scrapes of moving counters can break that.
void make_monotonic(std::vector<Bucket>& buckets) {
    std::ranges::sort(buckets, {}, &Bucket::upper);
    std::vector<Bucket> merged;
    for (const Bucket& bucket : buckets) {
        if (!merged.empty() && merged.back().upper == bucket.upper) {
            merged.back().count += bucket.count;
        } else {
            merged.push_back(bucket);
        }
    }
    // A difference of 1e-12 is a rounding of sums, not an observation.
    constexpr double rounding = 1e-12;
    for (std::size_t i = 1; i < merged.size(); ++i) {
        const double before = merged[i - 1].count;
        const bool grows = merged[i].count - before > rounding * (std::fabs(merged[i].count) + std::fabs(before));
        merged[i].count = grows || std::isnan(before) ? merged[i].count : before;
    }
    buckets = std::move(merged);
}

double bucket_quantile(double q, std::vector<Bucket>& buckets) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(q)) {
        return nan;
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    make_monotonic(buckets);
    if (buckets.size() < 2 || !std::isinf(buckets.back().upper) || buckets.back().count == 0) {
        return nan;
    }
    const double rank = q * buckets.back().count;
    const auto found = std::ranges::find_if(buckets, [rank](const Bucket& b) { return b.count >= rank; });
    const auto index = static_cast<std::size_t>(found - buckets.begin());
    if (index >= buckets.size() - 1) {
        return buckets[buckets.size() - 2].upper;
    }
    if (index == 0 && buckets[0].upper <= 0) {
        return buckets[0].upper;
    }
    const double start = index == 0 ? 0 : buckets[index - 1].upper;
    const double below = index == 0 ? 0 : buckets[index - 1].count;
    const double inside = buckets[index].count - below;
    return start + (buckets[index].upper - start) * ((rank - below) / inside);
}

Result<Value> histogram_quantile(CallContext& context) {
    const double q = std::get<double>(context.values[0]);
    std::map<model::Labels, std::vector<Bucket>> histograms;
    for (const VectorSample& element : std::get<Vector>(context.values[1])) {
        const Result<double> upper = parse_float(element.labels.get("le"));
        if (upper && !std::isnan(*upper)) {
            histograms[without_metadata(element.labels.without("le"))].push_back({*upper, element.value});
        }
    }
    Vector out;
    for (auto& [labels, buckets] : histograms) {
        out.push_back({labels, bucket_quantile(q, buckets)});
    }
    return Value(std::move(out));
}

}  // namespace

std::vector<Function> histogram_functions() {
    return {{"histogram_quantile", {ValueType::scalar, ValueType::vector}, 0, ValueType::vector, histogram_quantile, false}};
}

}  // namespace noroshi::promql
