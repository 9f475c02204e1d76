// src/model/histogram.cpp - bounds, walks, equality and text of a native histogram.
#include "model/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"
#include "model/sample.hpp"

namespace noroshi::model {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int finest = Histogram::max_schema;
constexpr std::size_t finest_parts = std::size_t{1} << finest;

/// 2^(2^-n) for n = 1..8 as Prometheus rounds them; n = 1 is one unit below the nearest double.
constexpr std::array<double, finest> roots{0x1.6a09e667f3bccp+0, 0x1.306fe0a31b715p+0, 0x1.172b83c7d517bp+0,
                                           0x1.0b5586cf9890fp+0, 0x1.059b0d3158574p+0, 0x1.02c9a3e778061p+0,
                                           0x1.0163da9fb3335p+0, 0x1.00b1afa5abcbfp+0};

/// Bounds of schema 8 in [0.5, 1); every 2^(8-n)th is one of schema n. Each schema halves the gaps of the one before,
/// so that the rounding of a bound is the same in all of them.
constexpr std::array<double, finest_parts> make_fractions() {
    std::array<double, finest_parts> out{0.5};
    for (int n = 1; n <= finest; ++n) {
        const std::size_t stride = finest_parts >> n;
        for (std::size_t i = stride; i < finest_parts; i += 2 * stride) {
            out[i] = out[i - stride] * roots[static_cast<std::size_t>(n - 1)];
        }
    }
    return out;
}
constexpr std::array<double, finest_parts> fractions = make_fractions();

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_buckets(const HistogramSide& a, const HistogramSide& b) {
    if (!std::ranges::equal(a.counts, b.counts, same_bits)) {
        return false;
    }
    if (a.spans == b.spans) {
        return true;
    }
    SideCursor x(a);
    SideCursor y(b);
    while (x.next()) {
        if (!y.next() || x.index() != y.index()) {
            return false;
        }
    }
    return !y.next();
}

}  // namespace

double exponential_bound(int schema, std::int64_t index) {
    if (schema < Histogram::min_schema || schema > finest) {
        return std::exp2(std::ldexp(static_cast<double>(index), -schema));
    }
    int exponent = 0;
    double fraction = 0.5;
    constexpr std::int64_t far = 4096;  // past the exponents of a double
    if (schema < 0) {
        exponent = static_cast<int>(std::clamp(index, -far, far)) * (1 << -schema) + 1;
    } else {
        const auto part = static_cast<std::size_t>(index & ((std::int64_t{1} << schema) - 1));
        fraction = fractions[part << (finest - schema)];
        exponent = static_cast<int>(std::clamp(index >> schema, -far, far)) + 1;
    }
    // 2^1024 is no double: the bucket below it holds all finite observations, the one above the infinite ones.
    if (fraction == 0.5 && exponent == 1025) {
        return std::numeric_limits<double>::max();
    }
    if (exponent > -1021 && exponent < 1025) {
        // What ldexp does where the result is a normal double; walks ask for two bounds a bucket.
        return std::bit_cast<double>(std::bit_cast<std::int64_t>(fraction) + (std::int64_t{exponent} << 52));
    }
    return std::ldexp(fraction, exponent);
}

double bucket_bound(const Histogram& histogram, std::int64_t index) {
    if (!histogram.has_custom_bounds()) {
        return exponential_bound(histogram.schema, index);
    }
    if (index < 0) {
        return -infinity;
    }
    const std::vector<double>& bounds = histogram.bounds();
    return static_cast<std::size_t>(index) < bounds.size() ? bounds[static_cast<std::size_t>(index)] : infinity;
}

Bucket bucket_at(const Histogram& histogram, const SideCursor& cursor, bool positive) {
    const double outer = bucket_bound(histogram, cursor.index());
    const double inner = bucket_bound(histogram, cursor.index() - 1);
    Bucket out{positive ? inner : -outer, positive ? outer : -inner, false, true, cursor.count()};
    if (histogram.has_custom_bounds()) {
        out.lower_inclusive = cursor.index() == 0;
    } else {
        out.lower_inclusive = out.lower < 0;
        out.upper_inclusive = out.upper > 0;
    }
    return out;
}

const std::vector<double>& Histogram::bounds() const {
    static const std::vector<double> none;
    return custom_values ? *custom_values : none;
}

bool Histogram::is_stale() const {
    return is_stale_marker(sum);
}

bool Histogram::operator==(const Histogram& other) const {
    return schema == other.schema && same_bits(count, other.count) && same_bits(sum, other.sum) &&
           zero_threshold == other.zero_threshold && same_bits(zero_count, other.zero_count) &&
           (!has_custom_bounds() || bounds() == other.bounds()) && same_buckets(positive, other.positive) &&
           same_buckets(negative, other.negative);
}

std::string Histogram::to_string() const {
    std::string out = fmt::format("{{count:{}, sum:{}", format_float_go(count), format_float_go(sum));
    const auto print = [&out](const Bucket& bucket) {
        if (bucket.count != 0) {
            out += fmt::format(", {}{},{}{}:{}", bucket.lower_inclusive ? '[' : '(', format_float_go(bucket.lower),
                               format_float_go(bucket.upper), bucket.upper_inclusive ? ']' : ')',
                               format_float_go(bucket.count));
        }
    };
    for (SideCursor cursor(negative, Direction::backward); cursor.next();) {
        print(bucket_at(*this, cursor, false));
    }
    print({-zero_threshold, zero_threshold, true, true, zero_count});
    for (SideCursor cursor(positive); cursor.next();) {
        print(bucket_at(*this, cursor, true));
    }
    return out + "}";
}

SideCursor::SideCursor(const HistogramSide& side, Direction direction)
    : side_(&side), forward_(direction == Direction::forward), position_(std::numeric_limits<std::size_t>::max()) {
    if (forward_) {
        return;
    }
    span_ = side.spans.size();
    position_ = side.counts.size();
    index_ = 0;
    for (const BucketSpan& span : side.spans) {
        index_ += std::int64_t{span.offset} + span.length;
    }
}

bool SideCursor::step_forward() {
    ++position_;
    ++index_;
    while (left_ == 0) {
        if (span_ == side_->spans.size()) {
            return false;
        }
        index_ += side_->spans[span_].offset;
        left_ = side_->spans[span_].length;
        ++span_;
    }
    --left_;
    return position_ < side_->counts.size();
}

bool SideCursor::step_backward() {
    while (left_ == 0) {
        if (span_ == 0) {
            return false;
        }
        if (span_ < side_->spans.size()) {
            index_ -= side_->spans[span_].offset;
        }
        --span_;
        left_ = side_->spans[span_].length;
    }
    if (position_ == 0) {
        return false;
    }
    --left_;
    --index_;
    --position_;
    return true;
}

BucketWalk::BucketWalk(const Histogram& histogram, Direction direction)
    : histogram_(&histogram),
      forward_(direction == Direction::forward),
      first_(forward_ ? histogram.negative : histogram.positive, Direction::backward),
      last_(forward_ ? histogram.positive : histogram.negative, Direction::forward) {}

std::optional<Bucket> BucketWalk::next() {
    if (stage_ == 0) {
        if (first_.next()) {
            return bucket(first_, !forward_);
        }
        stage_ = 1;
    }
    if (stage_ == 1) {
        stage_ = 2;
        if (histogram_->zero_count > 0) {
            const double border = histogram_->zero_threshold;
            return Bucket{-border, border, true, true, histogram_->zero_count};
        }
    }
    if (stage_ == 2 && last_.next()) {
        return bucket(last_, forward_);
    }
    stage_ = 3;
    return std::nullopt;
}

Bucket BucketWalk::bucket(const SideCursor& cursor, bool positive) const {
    Bucket out = bucket_at(*histogram_, cursor, positive);
    const double border = histogram_->zero_threshold;
    if (positive && out.lower > 0 && out.lower < border) {
        out.lower = border;
    } else if (!positive && out.upper < 0 && out.upper > -border) {
        out.upper = -border;
    }
    return out;
}

void SideWriter::reserve(std::size_t spans, std::size_t counts) {
    side_.spans.reserve(spans);
    side_.counts.reserve(counts);
}

void SideWriter::put(std::int64_t index, double count) {
    if (side_.spans.empty() || index != next_) {
        side_.spans.push_back({static_cast<std::int32_t>(index - next_), 0});
    }
    ++side_.spans.back().length;
    side_.counts.push_back(count);
    next_ = index + 1;
}

std::optional<std::int64_t> SideWriter::last() const {
    return side_.counts.empty() ? std::nullopt : std::optional(next_ - 1);
}

}  // namespace noroshi::model
