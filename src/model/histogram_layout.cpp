// src/model/histogram_layout.cpp - checks, changes and compares bucket layouts of native histograms.
#include "model/histogram_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"

namespace noroshi::model {
namespace {

/// Beyond this no bucket of any schema holds a double; gaps between two such indices still fit an offset.
constexpr std::int64_t index_limit = std::int64_t{1} << 30;
/// The finest schema that the format reserves.
constexpr int max_reserved_schema = 52;

tl::unexpected<Error> wrong(std::string message) {
    return fail(Errc::invalid_argument, std::move(message));
}

Result<void> check_spans(const HistogramSide& side, const char* name) {
    std::int64_t end = 0;
    std::uint64_t buckets = 0;
    for (std::size_t i = 0; i < side.spans.size(); ++i) {
        const BucketSpan& span = side.spans[i];
        if (i > 0 && span.offset < 0) {
            return wrong(
                fmt::format("spans: {} span {} has the offset {}, expected none below 0", name, i + 1, span.offset));
        }
        const std::int64_t begin = end + span.offset;
        end = begin + span.length;
        if (begin <= -index_limit || end >= index_limit) {
            return wrong(fmt::format("spans: {} span {} covers the buckets {} to {}, expected indices within 2^30",
                                     name, i + 1, begin, end - 1));
        }
        buckets += span.length;
    }
    if (buckets != side.counts.size()) {
        return wrong(fmt::format("spans: the {} spans name {} buckets, but {} counts are given", name, buckets,
                                 side.counts.size()));
    }
    return {};
}

Result<void> check_count(double count, const char* what) {
    if (std::isnan(count) || count < 0) {
        return wrong(fmt::format("counts: {} counts {}, expected 0 or more", what, format_float(count)));
    }
    return {};
}

Result<void> check_counts(const HistogramSide& side, const char* name) {
    const auto bad = std::ranges::find_if(side.counts, [](double count) { return std::isnan(count) || count < 0; });
    return bad == side.counts.end() ? Result<void>{} : check_count(*bad, fmt::format("a {} bucket", name).c_str());
}

Result<void> check_custom(const Histogram& histogram) {
    const std::vector<double>& bounds = histogram.bounds();
    if (bounds.size() > max_histogram_buckets) {
        return wrong(
            fmt::format("bounds: {} custom bounds, expected at most {}", bounds.size(), max_histogram_buckets));
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        if (std::isnan(bounds[i]) || bounds[i] == HUGE_VAL || (i > 0 && bounds[i] <= bounds[i - 1])) {
            return wrong(fmt::format("bounds: custom bound {} is {}, expected numbers below +Inf that increase", i + 1,
                                     format_float(bounds[i])));
        }
    }
    if (histogram.zero_count != 0 || histogram.zero_threshold != 0) {
        return wrong("zero: a histogram with custom bounds has no zero bucket");
    }
    if (!histogram.negative.spans.empty() || !histogram.negative.counts.empty()) {
        return wrong("spans: a histogram with custom bounds has no negative side");
    }
    std::int64_t end = 0;
    for (const BucketSpan& span : histogram.positive.spans) {
        if (span.offset < 0) {
            return wrong(
                fmt::format("spans: a span has the offset {}, expected none below 0 with custom bounds", span.offset));
        }
        end += std::int64_t{span.offset} + span.length;
    }
    if (end > static_cast<std::int64_t>(bounds.size()) + 1) {
        return wrong(fmt::format("bounds: {} custom bounds make {} buckets, but the spans reach bucket {}",
                                 bounds.size(), bounds.size() + 1, end));
    }
    return {};
}

Result<void> check_exponential(const Histogram& histogram) {
    if (histogram.schema < Histogram::min_schema || histogram.schema > max_reserved_schema) {
        return wrong(fmt::format("schema: {} is unknown, expected {} to {}, or {} for custom bounds", histogram.schema,
                                 Histogram::min_schema, Histogram::max_schema, Histogram::custom_schema));
    }
    if (!histogram.bounds().empty()) {
        return wrong(fmt::format("bounds: schema {} has no custom bounds", histogram.schema));
    }
    if (!std::isfinite(histogram.zero_threshold) || histogram.zero_threshold < 0) {
        return wrong(
            fmt::format("zero: the zero threshold is {}, expected 0 or more", format_float(histogram.zero_threshold)));
    }
    return {};
}

double total(const Histogram& histogram) {
    double out = histogram.zero_count;
    for (const HistogramSide* side : {&histogram.negative, &histogram.positive}) {
        for (const double count : side->counts) {
            out += count;
        }
    }
    return out;
}

HistogramSide reduced(const HistogramSide& side, int by) {
    SideWriter out;
    out.reserve(side.spans.size(), side.counts.size());
    SideCursor cursor(side);
    while (cursor.next()) {
        const std::int64_t index = merged_index(cursor.index(), by);
        if (out.last() == index) {
            out.last_count() += cursor.count();
        } else {
            out.put(index, cursor.count());
        }
    }
    return std::move(out).take();
}

void compact(HistogramSide& side) {
    bool tidy = std::ranges::none_of(side.counts, [](double count) { return count == 0; });
    for (std::size_t i = 0; tidy && i < side.spans.size(); ++i) {
        tidy = side.spans[i].length > 0 && (i == 0 || side.spans[i].offset > 0);
    }
    if (tidy) {
        return;
    }
    SideWriter out;
    out.reserve(side.spans.size(), side.counts.size());
    SideCursor cursor(side);
    while (cursor.next()) {
        if (cursor.count() != 0) {
            out.put(cursor.index(), cursor.count());
        }
    }
    side = std::move(out).take();
}

/// How many leading buckets of a side end within the zero bucket.
std::size_t ended_within_zero(const Histogram& histogram, const HistogramSide& side) {
    std::size_t out = 0;
    for (SideCursor cursor(side); histogram.zero_threshold > 0 && cursor.next() &&
                                  bucket_bound(histogram, cursor.index()) <= histogram.zero_threshold;) {
        ++out;
    }
    return out;
}

/// Whether a populated bucket of `before` beyond the zero bucket is less or missing in `after`.
bool lost_counts(const Histogram& after, const Histogram& before, bool positive) {
    const HistogramSide& now_side = positive ? after.positive : after.negative;
    const HistogramSide& old_side = positive ? before.positive : before.negative;
    const int by = before.has_custom_bounds() ? 0 : before.schema - after.schema;
    const bool grown = after.zero_threshold > before.zero_threshold;
    if (by == 0 && !grown && now_side.spans == old_side.spans) {
        for (std::size_t i = ended_within_zero(after, now_side); i < old_side.counts.size(); ++i) {
            if (now_side.counts[i] < old_side.counts[i]) {
                return true;
            }
        }
        return false;
    }
    SideCursor now(now_side);
    SideCursor old(old_side);
    bool more_now = now.next();
    bool more_old = old.next();
    bool within_zero = after.zero_threshold > 0;
    while (more_old) {
        const std::int64_t index = merged_index(old.index(), by);
        double count = 0;
        for (; more_old && merged_index(old.index(), by) == index; more_old = old.next()) {
            // What the zero bucket has taken in is compared there.
            const bool taken =
                grown && within_zero && exponential_bound(before.schema, old.index()) <= after.zero_threshold;
            count += taken ? 0 : old.count();
        }
        within_zero = within_zero && bucket_bound(after, index) <= after.zero_threshold;
        if (within_zero) {
            continue;
        }
        while (more_now && now.index() < index) {
            more_now = now.next();
        }
        const bool found = more_now && now.index() == index;
        if (found ? now.count() < count : count != 0) {
            return true;
        }
    }
    return false;
}

std::vector<double> counts_between(const Histogram& histogram, const std::vector<double>& bounds) {
    std::vector<double> out(bounds.size() + 1);
    SideCursor cursor(histogram.positive);
    while (cursor.next()) {
        out[static_cast<std::size_t>(kept_bucket(histogram.bounds(), cursor.index(), bounds))] += cursor.count();
    }
    return out;
}

bool lost_between_bounds(const Histogram& after, const Histogram& before) {
    const std::vector<double> bounds = common_bounds(after.bounds(), before.bounds());
    const std::vector<double> now = counts_between(after, bounds);
    const std::vector<double> old = counts_between(before, bounds);
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i] < old[i]) {
            return true;
        }
    }
    return false;
}

/// Upper bound of the populated bucket that contains `threshold`, or `threshold`.
double past_cut(const Histogram& histogram, const HistogramSide& side, double threshold) {
    SideCursor cursor(side);
    while (cursor.next() && bucket_bound(histogram, cursor.index() - 1) < threshold) {
        const double upper = bucket_bound(histogram, cursor.index());
        if (upper > threshold && cursor.count() != 0) {
            return upper;
        }
    }
    return threshold;
}

}  // namespace

Result<void> validate_layout(const Histogram& histogram) {
    if (const std::size_t buckets = histogram.positive.counts.size() + histogram.negative.counts.size();
        buckets > max_histogram_buckets) {
        return wrong(fmt::format("buckets: {} of them, expected at most {}", buckets, max_histogram_buckets));
    }
    for (const HistogramSide* side : {&histogram.positive, &histogram.negative}) {
        if (side->spans.size() > max_histogram_buckets) {
            return wrong(
                fmt::format("spans: {} of them, expected at most {}", side->spans.size(), max_histogram_buckets));
        }
    }
    NOROSHI_TRY_VOID(histogram.has_custom_bounds() ? check_custom(histogram) : check_exponential(histogram));
    NOROSHI_TRY_VOID(check_spans(histogram.positive, "positive"));
    return check_spans(histogram.negative, "negative");
}

Result<void> validate(const Histogram& histogram, bool whole_counts) {
    NOROSHI_TRY_VOID(validate_layout(histogram));
    NOROSHI_TRY_VOID(check_count(histogram.zero_count, "the zero bucket"));
    NOROSHI_TRY_VOID(check_counts(histogram.positive, "positive"));
    NOROSHI_TRY_VOID(check_counts(histogram.negative, "negative"));
    NOROSHI_TRY_VOID(check_count(histogram.count, "the histogram"));
    if (whole_counts) {
        const double counted = total(histogram);
        const bool more = histogram.count > counted && std::isnan(histogram.sum);
        if (histogram.count != counted && !more) {
            return wrong(fmt::format("counts: {} observations, but the buckets count {}", format_float(histogram.count),
                                     format_float(counted)));
        }
    }
    return {};
}

void reduce_resolution(Histogram& histogram, int schema) {
    const int by = histogram.schema - schema;
    NOROSHI_ASSERT(by >= 0 && schema >= Histogram::min_schema && by < 64,
                   "the resolution of exponential buckets only falls");
    if (by > 0) {
        histogram.positive = reduced(histogram.positive, by);
        histogram.negative = reduced(histogram.negative, by);
        histogram.schema = schema;
    }
}

Result<void> admit(Histogram& histogram, bool whole_counts) {
    NOROSHI_TRY_VOID(validate(histogram, whole_counts));
    if (histogram.schema > Histogram::max_schema) {
        reduce_resolution(histogram, Histogram::max_schema);
    }
    return {};
}

void compact(Histogram& histogram) {
    compact(histogram.positive);
    compact(histogram.negative);
}

bool is_reset(const Histogram& after, const Histogram& before) {
    if (after.hint == ResetHint::reset || after.hint == ResetHint::not_reset) {
        return after.hint == ResetHint::reset;
    }
    if (after.count < before.count || after.has_custom_bounds() != before.has_custom_bounds()) {
        return true;
    }
    if (after.has_custom_bounds() && after.bounds() != before.bounds()) {
        return lost_between_bounds(after, before);
    }
    // Resolution and zero bucket change without a restart, but only to the coarser.
    if (after.schema > before.schema || after.zero_threshold < before.zero_threshold) {
        return true;
    }
    if (settled_zero_threshold(before, after.zero_threshold) != after.zero_threshold ||
        after.zero_count < zero_count_within(before, after.zero_threshold)) {
        return true;
    }
    return lost_counts(after, before, true) || lost_counts(after, before, false);
}

std::int64_t kept_bucket(const std::vector<double>& from, std::int64_t index, const std::vector<double>& kept) {
    const auto position = static_cast<std::size_t>(index);
    if (position >= from.size()) {
        return static_cast<std::int64_t>(kept.size());
    }
    return std::ranges::lower_bound(kept, from[position]) - kept.begin();
}

std::vector<double> common_bounds(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> out;
    out.reserve(std::min(a.size(), b.size()));
    std::ranges::set_intersection(a, b, std::back_inserter(out));
    return out;
}

double settled_zero_threshold(const Histogram& histogram, double wanted) {
    if (wanted == histogram.zero_threshold || histogram.has_custom_bounds()) {
        return wanted;
    }
    for (;;) {
        const double next = past_cut(histogram, histogram.negative, past_cut(histogram, histogram.positive, wanted));
        if (next == wanted) {
            return wanted;
        }
        wanted = next;
    }
}

double zero_count_within(const Histogram& histogram, double threshold) {
    double out = histogram.zero_count;
    if (threshold == histogram.zero_threshold) {
        return out;
    }
    for (const HistogramSide* side : {&histogram.positive, &histogram.negative}) {
        SideCursor cursor(*side);
        while (cursor.next() && bucket_bound(histogram, cursor.index() - 1) < threshold) {
            out += cursor.count();
        }
    }
    return out;
}

}  // namespace noroshi::model
