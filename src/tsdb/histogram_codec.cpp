// src/tsdb/histogram_codec.cpp - implements the bits of native histograms.
#include "histogram_codec.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

namespace noroshi::tsdb {
namespace {

using model::BucketSpan;
using model::Histogram;
using model::HistogramSide;

/// Up to here every whole number is a double.
constexpr double whole_limit = 9007199254740992.0;
constexpr std::uint64_t max_parts = model::max_histogram_buckets;

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

/// By bits, so that minus zero stays what it is.
bool is_whole(double value) {
    return std::fabs(value) <= whole_limit && std::trunc(value) == value && !(value == 0 && std::signbit(value));
}

std::int64_t whole_part(double value) { return is_whole(value) ? static_cast<std::int64_t>(value) : 0; }

bool has_whole_counts(const Histogram& h) {
    return is_whole(h.count) && is_whole(h.zero_count) && std::ranges::all_of(h.positive.counts, is_whole) &&
           std::ranges::all_of(h.negative.counts, is_whole);
}

bool same_layout(const Histogram& a, const Histogram& b) {
    return a.schema == b.schema && same_bits(a.zero_threshold, b.zero_threshold) && a.positive.spans == b.positive.spans &&
           a.negative.spans == b.negative.spans &&
           (a.custom_values == b.custom_values || std::ranges::equal(a.bounds(), b.bounds(), same_bits));
}

void put_layout(BitStream& out, const Histogram& h) {
    out.put(static_cast<std::uint64_t>(h.schema), 8);
    out.put(std::bit_cast<std::uint64_t>(h.zero_threshold), 64);
    for (const HistogramSide* side : {&h.positive, &h.negative}) {
        out.put_signed(static_cast<std::int64_t>(side->spans.size()));
        for (const BucketSpan& span : side->spans) {
            out.put_signed(span.offset);
            out.put_signed(span.length);
        }
    }
    out.put_signed(static_cast<std::int64_t>(h.bounds().size()));
    for (const double bound : h.bounds()) {
        out.put(std::bit_cast<std::uint64_t>(bound), 64);
    }
}

/// How many parts follow, of which each takes at least `least_bits`; more than fit is a fault.
std::size_t take_count(BitReader& reader, const BitStream& in, std::size_t least_bits) {
    const auto count = static_cast<std::uint64_t>(reader.take_signed(in));
    if (reader.failed() || count > max_parts || count > reader.left(in) / least_bits) {
        reader.fail();
        return 0;
    }
    return static_cast<std::size_t>(count);
}

void take_spans(BitReader& reader, const BitStream& in, HistogramSide& side) {
    side.spans.resize(take_count(reader, in, 2));
    std::uint64_t buckets = 0;
    for (BucketSpan& span : side.spans) {
        const std::int64_t offset = reader.take_signed(in);
        const auto length = static_cast<std::uint64_t>(reader.take_signed(in));
        buckets += std::min(length, max_parts + 1);
        if (offset != static_cast<std::int32_t>(offset) || buckets > max_parts || buckets > reader.left(in)) {
            reader.fail();
            return;
        }
        span = {static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(length)};
    }
    side.counts.assign(static_cast<std::size_t>(buckets), 0);
}

bool take_layout(BitReader& reader, const BitStream& in, Histogram& h) {
    h = {};
    h.schema = static_cast<int>(sign_extended(reader.take(in, 8), 8));
    h.zero_threshold = std::bit_cast<double>(reader.take(in, 64));
    take_spans(reader, in, h.positive);
    take_spans(reader, in, h.negative);
    if (const std::size_t count = take_count(reader, in, 64); count > 0) {
        std::vector<double> bounds(count);
        for (double& bound : bounds) {
            bound = std::bit_cast<double>(reader.take(in, 64));
        }
        h.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    }
    return !reader.failed() && model::validate_layout(h).has_value();
}

void put_count(BitStream& out, double value, double base, bool whole) {
    if (whole) {
        out.put_signed(whole_part(value) - whole_part(base));
    } else {
        out.put_change(value, base);
    }
}

void put_counts(BitStream& out, const HistogramSide& side, const HistogramSide* before, bool whole) {
    for (std::size_t i = 0; i < side.counts.size(); ++i) {
        put_count(out, side.counts[i], before != nullptr ? before->counts[i] : 0, whole);
    }
}

void take_one(BitReader& reader, const BitStream& in, double& value, bool whole) {
    value = whole ? static_cast<double>(wrapping_sum(whole_part(value), reader.take_signed(in)))
                  : reader.take_change(in, value);
}

}  // namespace

void put_histogram(BitStream& out, const Histogram& histogram, model::ResetHint hint, const Histogram* before) {
    const Histogram* base = before != nullptr && same_layout(histogram, *before) ? before : nullptr;
    const bool whole = has_whole_counts(histogram);
    out.put(static_cast<std::uint64_t>(hint), 2);
    out.put(base == nullptr ? 1 : 0, 1);
    if (base == nullptr) {
        put_layout(out, histogram);
    }
    out.put(whole ? 1 : 0, 1);
    out.put_change(histogram.sum, base != nullptr ? base->sum : 0);
    put_count(out, histogram.count, base != nullptr ? base->count : 0, whole);
    put_count(out, histogram.zero_count, base != nullptr ? base->zero_count : 0, whole);
    put_counts(out, histogram.positive, base != nullptr ? &base->positive : nullptr, whole);
    put_counts(out, histogram.negative, base != nullptr ? &base->negative : nullptr, whole);
}

bool take_histogram(BitReader& reader, const BitStream& in, Histogram& value, bool first) {
    const auto hint = static_cast<model::ResetHint>(reader.take(in, 2));
    const bool has_layout = reader.take(in, 1) == 1;
    if (first && !has_layout) {
        reader.fail();
    }
    if (has_layout && !take_layout(reader, in, value)) {
        reader.fail();
    }
    value.hint = hint;
    const bool whole = reader.take(in, 1) == 1;
    value.sum = reader.take_change(in, value.sum);
    take_one(reader, in, value.count, whole);
    take_one(reader, in, value.zero_count, whole);
    for (HistogramSide* side : {&value.positive, &value.negative}) {
        for (double& count : side->counts) {
            take_one(reader, in, count, whole);
        }
    }
    const bool no_zero_bucket = !value.has_custom_bounds() || value.zero_count == 0;
    return !reader.failed() && no_zero_bucket;
}

std::string histogram_bytes(const Histogram& histogram) {
    BitStream out;
    put_histogram(out, histogram, histogram.hint, nullptr);
    return out.to_bytes();
}

model::HistogramPtr histogram_of(std::string_view bytes) {
    const BitStream in = BitStream::from_bytes(bytes);
    BitReader reader;
    auto out = std::make_shared<Histogram>();
    return take_histogram(reader, in, *out, true) ? out : nullptr;
}

}  // namespace noroshi::tsdb
