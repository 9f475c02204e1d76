// src/model/histogram_classic.cpp - a classic histogram as a native one with custom bounds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::model {
namespace {

tl::unexpected<Error> wrong(std::string message) {
    return fail(Errc::invalid_argument, std::move(message));
}

}  // namespace

Result<Histogram> from_classic(std::vector<ClassicBucket> buckets, std::optional<double> count, double sum) {
    if (std::ranges::any_of(buckets, [](const ClassicBucket& bucket) { return std::isnan(bucket.upper); })) {
        return wrong("bounds: NaN is no bound of a bucket");
    }
    std::ranges::stable_sort(buckets, {}, &ClassicBucket::upper);
    const auto repeated = std::ranges::unique(buckets, {}, &ClassicBucket::upper);
    buckets.erase(repeated.begin(), repeated.end());
    if (!count && buckets.empty()) {
        return wrong("counts: a histogram needs a bucket or a count");
    }
    const double all = count ? *count : buckets.back().count;
    if (buckets.empty() || !(std::isinf(buckets.back().upper) && buckets.back().upper > 0)) {
        buckets.push_back({HUGE_VAL, all});
    }
    Histogram out;
    out.schema = Histogram::custom_schema;
    out.count = all;
    out.sum = sum;
    std::vector<double> bounds;
    bounds.reserve(buckets.size() - 1);
    SideWriter writer;
    writer.reserve(1, buckets.size());
    double before = 0;
    for (const ClassicBucket& bucket : buckets) {
        if (std::isnan(bucket.count) || bucket.count < before) {
            return wrong(fmt::format("counts: {} observations up to {}, but {} up to the bound before",
                                     format_float(bucket.count), format_float(bucket.upper), format_float(before)));
        }
        writer.put(static_cast<std::int64_t>(bounds.size()), bucket.count - before);
        before = bucket.count;
        if (!std::isinf(bucket.upper) || bucket.upper < 0) {
            bounds.push_back(bucket.upper);
        }
    }
    if (before != all) {
        return wrong(fmt::format("counts: {} observations, but the highest bucket has {}", format_float(all),
                                 format_float(before)));
    }
    if (!bounds.empty()) {
        out.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    }
    out.positive = std::move(writer).take();
    compact(out);
    NOROSHI_TRY_VOID(validate(out, false));
    return out;
}

}  // namespace noroshi::model
