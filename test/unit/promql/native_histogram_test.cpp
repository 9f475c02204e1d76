// test/unit/promql/native_histogram_test.cpp - arithmetic, quantiles, trims and rates of native histograms.
#include "native_histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <random>

namespace noroshi::model {

/// How GoogleTest shows one.
void PrintTo(const Histogram& histogram, std::ostream* out) {
    *out << histogram.to_string();
}

}  // namespace noroshi::model

namespace noroshi::promql {
namespace {

using model::BucketSpan;
using model::HistogramSide;
using model::ResetHint;

constexpr double infinity = std::numeric_limits<double>::infinity();

HistogramSide side(std::int32_t offset, std::vector<double> counts) {
    return {{{offset, static_cast<std::uint32_t>(counts.size())}}, std::move(counts)};
}

/// Count and sum as given, positive buckets from `offset` on.
Histogram exponential(double count, double sum, std::vector<double> counts, std::int32_t offset = 0, int schema = 0) {
    Histogram out;
    out.schema = schema;
    out.count = count;
    out.sum = sum;
    out.positive = side(offset, std::move(counts));
    return out;
}

Histogram custom(double count, double sum, std::vector<double> bounds, std::vector<double> counts) {
    Histogram out = exponential(count, sum, std::move(counts), 0, Histogram::custom_schema);
    out.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    return out;
}

/// Whole counts, gaps, both signs; what `add` then `subtract` must give back exactly.
Histogram random_histogram(std::mt19937& random, int schema) {
    const auto below = [&random](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    const auto random_side = [&](HistogramSide& out, double& count) {
        for (unsigned spans = below(4), i = 0; i < spans; ++i) {
            const auto offset =
                static_cast<std::int32_t>(i == 0 ? static_cast<int>(below(20)) - 10 : static_cast<int>(below(5)));
            out.spans.push_back({offset, below(5)});
            for (unsigned j = 0; j < out.spans.back().length; ++j) {
                out.counts.push_back(below(10));
                count += out.counts.back();
            }
        }
    };
    Histogram out;
    out.schema = schema;
    out.zero_threshold = 1e-7;  // below all buckets
    out.zero_count = below(4);
    out.count = out.zero_count;
    random_side(out.positive, out.count);
    random_side(out.negative, out.count);
    out.sum = below(1000);
    return out;
}

Histogram compacted(Histogram histogram) {
    model::compact(histogram);
    return histogram;
}

TEST(NativeHistogram, Adding_merges_the_layouts) {
    Histogram h = exponential(6, 10, {1, 2, 3}, -1);
    h.positive.spans = {{-1, 1}, {2, 2}};
    ASSERT_FALSE(add(h, exponential(10, 5, {4, 0, 5, 1}, -2)).incompatible);
    EXPECT_EQ(compacted(h).to_string(),
              "{count:16, sum:15, (0.125,0.25]:4, (0.25,0.5]:1, (0.5,1]:5, (1,2]:1, (2,4]:2, (4,8]:3}");
}

TEST(NativeHistogram, Adding_then_subtracting_gives_back) {
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
        const Histogram a = random_histogram(random, 1);
        const Histogram b = random_histogram(random, 1);
        Histogram h = a;
        ASSERT_FALSE(add(h, b).incompatible);
        Histogram swapped = b;
        ASSERT_FALSE(add(swapped, a).incompatible);
        EXPECT_EQ(compacted(h), compacted(swapped));
        ASSERT_FALSE(subtract(h, b).incompatible);
        EXPECT_EQ(compacted(h), compacted(a)) << a.to_string() << " and " << b.to_string();
    }
}

TEST(NativeHistogram, Adding_different_resolutions_is_adding_the_coarser_one) {
    std::mt19937 random(8);
    for (int round = 0; round < 500; ++round) {
        const Histogram fine = random_histogram(random, 2);
        const Histogram coarse = random_histogram(random, -1);
        Histogram reduced = fine;
        model::reduce_resolution(reduced, -1);
        ASSERT_FALSE(add(reduced, coarse).incompatible);
        for (Histogram h : {fine, coarse}) {
            ASSERT_FALSE(add(h, h.schema == 2 ? coarse : fine).incompatible);
            EXPECT_EQ(h.schema, -1);
            EXPECT_EQ(compacted(h), compacted(reduced));
        }
    }
}

TEST(NativeHistogram, A_wider_zero_bucket_takes_in_buckets_of_the_other) {
    Histogram narrow = exponential(11, 0, {1, 2, 3}, -2);
    narrow.zero_threshold = 0.01;
    narrow.zero_count = 5;
    Histogram wide = exponential(9, 0, {4}, 1);
    wide.zero_threshold = 0.3;  // inside (0.25, 0.5], which is populated: it becomes 0.5
    wide.zero_count = 5;
    for (auto [a, b] : {std::pair(narrow, wide), std::pair(wide, narrow)}) {
        ASSERT_FALSE(add(a, b).incompatible);
        EXPECT_EQ(compacted(a).to_string(), "{count:20, sum:0, [-0.5,0.5]:13, (0.5,1]:3, (1,2]:4}");
    }
}

TEST(NativeHistogram, Nothing_is_counted_twice_when_zero_bucket_and_resolution_change_at_once) {
    Histogram coarse = exponential(14, 0, {7}, 6, -1);
    coarse.zero_threshold = 0.3;
    coarse.zero_count = 7;
    Histogram fine = exponential(16, 0, {5, 0, 0, 6, 3, 1}, -9, 2);
    fine.zero_count = 1;
    for (auto [a, b] : {std::pair(coarse, fine), std::pair(fine, coarse)}) {
        ASSERT_FALSE(add(a, b).incompatible);
        EXPECT_EQ(compacted(a).to_string(),
                  "{count:30, sum:0, [-0.35355339059327373,0.35355339059327373]:19, (0.25,1]:4, (1024,4096]:7}");
        EXPECT_TRUE(model::validate(a, true));
    }
}

TEST(NativeHistogram, The_farthest_buckets_that_are_valid_stay_in_bounds) {
    constexpr std::int32_t far = (1 << 30) - 2;
    for (const int schema : {-4, 0, 8}) {
        Histogram h = exponential(3, 1, {1}, -far, schema);
        h.positive.spans.push_back({far - 2, 1});
        h.positive.spans.push_back({far - 1, 1});
        h.positive.counts = {1, 0, 1};
        h.negative = h.positive;
        h.zero_count = 1;
        h.count = 5;
        ASSERT_TRUE(model::validate(h, true)) << model::validate(h, true).error().message;
        Histogram other = h;
        other.schema = -4;
        other.zero_threshold = 1;
        other.zero_count = 3;
        other.positive.counts[0] = other.negative.counts[0] = 0;
        ASSERT_FALSE(add(h, other).incompatible);
        EXPECT_TRUE(model::validate(compacted(h), false));
        EXPECT_FALSE(compacted(h).to_string().empty());
        EXPECT_FALSE(model::is_reset(h, h));
        EXPECT_LE(std::fabs(quantile(0.5, h).value), 1) << "in the zero bucket, between all that is out of reach";
        EXPECT_EQ(fraction(-2, 2, h).value, 0.6);
        for (const Keep keep : {Keep::below, Keep::above}) {
            Histogram part = h;
            trim(part, keep, 1.5);
            EXPECT_LE(part.count, h.count);
        }
        HistogramSum sum(h);
        sum.add(other);
        EXPECT_EQ(std::move(sum).take().count, 15);
    }
}

TEST(NativeHistogram, Custom_bounds_are_reconciled_to_those_in_common) {
    Histogram h = custom(10, 1, {1, 2, 3}, {1, 2, 3, 4});
    const HistogramNotes notes = add(h, custom(6, 1, {2, 5}, {1, 2, 3}));
    EXPECT_TRUE(notes.bounds_reconciled);
    EXPECT_EQ(h.bounds(), std::vector<double>{2});
    EXPECT_EQ(h.to_string(), "{count:16, sum:2, [-Inf,2]:4, (2,+Inf]:12}");
    h = custom(3, 1, {1, 2}, {1, 2});
    EXPECT_FALSE(add(h, h).bounds_reconciled);
    EXPECT_EQ(h.to_string(), "{count:6, sum:2, [-Inf,1]:2, (1,2]:4}");
    h = custom(3, 1, {1}, {1, 2});
    EXPECT_TRUE(subtract(h, custom(2, 1, {2}, {2})).bounds_reconciled);
    EXPECT_EQ(h.to_string(), "{count:1, sum:0, [-Inf,+Inf]:1}");
}

TEST(NativeHistogram, Exponential_and_custom_bounds_do_not_mix) {
    Histogram h = exponential(1, 1, {1});
    const Histogram before = h;
    EXPECT_TRUE(add(h, custom(1, 1, {1}, {1})).incompatible);
    EXPECT_TRUE(subtract(h, custom(1, 1, {1}, {1})).incompatible);
    EXPECT_EQ(h, before);
}

TEST(NativeHistogram, Hints_become_what_is_true_of_both) {
    using enum ResetHint;
    struct Case {
        ResetHint a, b, out;
        bool collision;
    };
    for (const Case& c : {Case{unknown, unknown, unknown, false},
                          {unknown, reset, unknown, false},
                          {reset, reset, reset, false},
                          {reset, not_reset, unknown, true},
                          {gauge, reset, gauge, false},
                          {not_reset, gauge, gauge, false},
                          {not_reset, unknown, unknown, false}}) {
        for (const bool swapped : {false, true}) {
            Histogram h = exponential(1, 1, {1});
            Histogram other = h;
            h.hint = swapped ? c.b : c.a;
            other.hint = swapped ? c.a : c.b;
            EXPECT_EQ(add(h, other).reset_collision, c.collision);
            EXPECT_EQ(h.hint, c.out);
        }
    }
}

TEST(NativeHistogram, Multiplies_and_divides_all_it_counts) {
    Histogram h = exponential(6, 9, {1, 2}, 1);
    h.zero_count = 3;
    h.negative = side(1, {0});
    multiply(h, 2);
    EXPECT_EQ(h.to_string(), "{count:12, sum:18, [-0,0]:6, (1,2]:2, (2,4]:4}");
    EXPECT_EQ(h.hint, ResetHint::unknown);
    divide(h, 4);
    EXPECT_EQ(h.to_string(), "{count:3, sum:4.5, [-0,0]:1.5, (1,2]:0.5, (2,4]:1}");
    multiply(h, -1);
    EXPECT_EQ(h.hint, ResetHint::gauge);
    EXPECT_EQ(h.count, -3);
    divide(h, 0);
    EXPECT_EQ(h.count, -infinity);
    EXPECT_TRUE(h.positive.counts.empty());
}

TEST(NativeHistogram, A_sum_keeps_what_rounding_would_lose) {
    HistogramSum sum(exponential(1e100, 1e100, {1e100}));
    for (int i = 0; i < 10; ++i) {
        sum.add(exponential(1, 1, {1, 1}));
    }
    sum.add(exponential(-1e100, -1e100, {-1e100}));
    const Histogram out = std::move(sum).take();
    EXPECT_EQ(out.to_string(), "{count:10, sum:10, (0.5,1]:10, (1,2]:10}");
}

TEST(NativeHistogram, A_sum_keeps_the_rest_through_coarser_layouts) {
    HistogramSum sum(exponential(1e100, 0, {1e100, 1}, 1, 1));
    sum.add(exponential(1, 0, {1}, 1, 0));
    sum.add(exponential(-1e100, 0, {-1e100}, 1, 0));
    EXPECT_EQ(std::move(sum).take().to_string(), "{count:1, sum:0, (1,2]:2}");
    HistogramSum bounds(custom(1e100, 0, {1, 2}, {1e100, 1}));
    bounds.add(custom(1, 0, {2}, {1}));
    bounds.add(custom(-1e100, 0, {2}, {-1e100}));
    EXPECT_TRUE(bounds.notes().bounds_reconciled);
    EXPECT_EQ(std::move(bounds).take().to_string(), "{count:1, sum:0, [-Inf,2]:2}");
}

TEST(NativeHistogram, A_sum_tells_of_contradicting_hints_and_bounds) {
    Histogram h = exponential(1, 1, {1});
    h.hint = ResetHint::reset;
    HistogramSum sum(h);
    EXPECT_FALSE(sum.notes().reset_collision);
    h.hint = ResetHint::unknown;
    sum.add(h);
    EXPECT_FALSE(sum.notes().reset_collision);
    h.hint = ResetHint::not_reset;
    sum.add(h);
    EXPECT_TRUE(sum.notes().reset_collision) << "seen at any time, not only by neighbours";
    EXPECT_FALSE(sum.notes().incompatible);
    sum.add(custom(1, 1, {1}, {1}));
    EXPECT_TRUE(sum.notes().incompatible);
    sum.add(h);
    EXPECT_TRUE(sum.notes().incompatible);
}

TEST(NativeHistogram, A_mean_does_not_overflow) {
    HistogramMean small(exponential(2, 10, {2}));
    small.add(exponential(4, 20, {3, 1}));
    EXPECT_EQ(std::move(small).take().to_string(), "{count:3, sum:15, (0.5,1]:2.5, (1,2]:0.5}");
    constexpr double large = 1.5e308;
    HistogramMean mean(exponential(large, large, {large}));
    mean.add(exponential(large, large, {large}));
    mean.add(exponential(large, large, {large}));
    const Histogram out = std::move(mean).take();
    EXPECT_DOUBLE_EQ(out.count, large);
    EXPECT_DOUBLE_EQ(out.sum, large);
    EXPECT_DOUBLE_EQ(out.positive.counts.at(0), large);
}

TEST(NativeHistogram, Quantiles_of_exponential_buckets) {
    // Figures of native_histograms.test.
    const Histogram one = exponential(1, 1, {1});
    EXPECT_NEAR(quantile(0.5, one).value, 0.7071067811865475, 1e-12);
    Histogram h = exponential(12, 100, {2, 3, 0, 1, 4});
    h.zero_threshold = 0.001;
    h.zero_count = 2;
    EXPECT_EQ(quantile(1.001, h).value, infinity);
    EXPECT_EQ(quantile(1, h).value, 16);
    EXPECT_NEAR(quantile(0.99, h).value, 15.67072476139083, 1e-9);
    EXPECT_NEAR(quantile(0.9, h).value, 12.99603834169977, 1e-9);
    EXPECT_NEAR(quantile(0.6, h).value, 4.594793419988138, 1e-9);
    EXPECT_NEAR(quantile(0.5, h).value, 1.5874010519681994, 1e-9);
    EXPECT_NEAR(quantile(0.1, h).value, 0.0006, 1e-12);
    EXPECT_EQ(quantile(0, h).value, 0);
    EXPECT_EQ(quantile(-1, h).value, -infinity);
    EXPECT_TRUE(std::isnan(quantile(std::nan(""), h).value));
    EXPECT_TRUE(std::isnan(quantile(0.5, Histogram{}).value));
}

TEST(NativeHistogram, Quantiles_of_negative_buckets_are_mirrored) {
    Histogram h = exponential(12, 100, {2, 3, 0, 1, 4});
    h.zero_threshold = 0.001;
    h.zero_count = 2;
    Histogram mirrored = h;
    std::swap(mirrored.positive, mirrored.negative);
    for (const double q : {0.01, 0.1, 0.3, 0.5, 0.77, 0.99}) {
        EXPECT_NEAR(quantile(q, mirrored).value, -quantile(1 - q, h).value, 1e-9) << q;
    }
}

TEST(NativeHistogram, Quantiles_of_custom_bounds_are_linear) {
    const Histogram h = custom(10, 1, {5, 10, 15}, {2, 4, 4});
    EXPECT_DOUBLE_EQ(quantile(0.1, h).value, 2.5) << "0 is the lower bound of the first bucket";
    EXPECT_DOUBLE_EQ(quantile(0.4, h).value, 7.5);
    EXPECT_DOUBLE_EQ(quantile(0.8, h).value, 12.5);
    EXPECT_EQ(quantile(0.9, custom(4, 1, {5}, {1, 3})).value, 5) << "nothing is known above the last bound";
    EXPECT_EQ(quantile(0.1, custom(4, 1, {-5, 5}, {1, 3})).value, -5) << "nor below a first one that is negative";
}

TEST(NativeHistogram, Quantiles_grow_with_q) {
    std::mt19937 random(9);
    for (int round = 0; round < 200; ++round) {
        const Histogram h = random_histogram(random, static_cast<int>(random() % 4));
        if (h.count == 0) {
            continue;
        }
        double before = -infinity;
        for (int i = 0; i <= 100; ++i) {
            const double value = quantile(i / 100.0, h).value;
            EXPECT_GE(value, before - std::fabs(before) * 1e-12) << i << " of " << h.to_string();
            before = value;
        }
    }
}

TEST(NativeHistogram, NaN_observations_count_as_the_highest) {
    Histogram h = exponential(10, std::nan(""), {4, 4}, 1);
    const HistogramQuantile inside = quantile(0.4, h);
    EXPECT_NEAR(inside.value, 2, 1e-12);
    EXPECT_EQ(inside.nans, NanEffect::skewed_higher);
    const HistogramQuantile above = quantile(0.9, h);
    EXPECT_TRUE(std::isnan(above.value));
    EXPECT_EQ(above.nans, NanEffect::result_is_nan);
    h.count = 8;
    EXPECT_EQ(quantile(0.9, h).nans, NanEffect::none) << "infinities of both signs make the sum NaN as well";
}

TEST(NativeHistogram, A_fraction_is_the_inverse_of_a_quantile) {
    std::mt19937 random(10);
    for (int round = 0; round < 200; ++round) {
        const Histogram h = random_histogram(random, 1);
        if (h.count == 0) {
            continue;
        }
        for (const double q : {0.05, 0.25, 0.5, 0.75, 0.95}) {
            EXPECT_NEAR(fraction(-infinity, quantile(q, h).value, h).value, q, 1e-9) << h.to_string();
        }
        EXPECT_EQ(fraction(-infinity, infinity, h).value, 1);
    }
}

TEST(NativeHistogram, Fractions_between_bounds) {
    Histogram h = exponential(12, 100, {2, 3, 0, 1, 4});
    h.zero_threshold = 0.001;
    h.zero_count = 2;
    EXPECT_NEAR(fraction(1, 2, h).value, 3.0 / 12, 1e-12);
    EXPECT_NEAR(fraction(1.5, 2, h).value, 0.10375937481971091, 1e-12);
    EXPECT_NEAR(fraction(0, 0.0005, h).value, 1.0 / 12, 1e-12) << "the zero bucket is linear and has one sign here";
    EXPECT_EQ(fraction(2, 1, h).value, 0);
    EXPECT_TRUE(std::isnan(fraction(std::nan(""), 1, h).value));
    EXPECT_TRUE(std::isnan(fraction(0, 1, Histogram{}).value));
    h.sum = std::nan("");
    h.count = 24;
    const HistogramFraction all = fraction(-infinity, infinity, h);
    EXPECT_EQ(all.value, 0.5);
    EXPECT_TRUE(all.excludes_nans);
}

TEST(NativeHistogram, Mean_and_variance) {
    // Figures of native_histograms.test.
    const Histogram small = exponential(4, 10, {1, 0, 1, 2}, 1, 2);
    EXPECT_EQ(mean(small), 2.5);
    Histogram h;
    h.schema = 3;
    h.zero_count = 1;
    h.count = 5;
    h.sum = 10;
    EXPECT_TRUE(std::isnan(variance(Histogram{})));
    Histogram zero;
    zero.count = zero.zero_count = 3;
    EXPECT_EQ(variance(zero), 0);
    EXPECT_DOUBLE_EQ(variance(custom(2, 6, {2, 4}, {0, 2})), 0);
    EXPECT_DOUBLE_EQ(variance(custom(2, 2, {2, 4}, {0, 2})), 4);
    EXPECT_NEAR(variance(exponential(4, 4 * std::sqrt(2), {4}, 1)), 0, 1e-12) << "the middle is geometric";
}

TEST(NativeHistogram, Trimming_keeps_one_side) {
    Histogram h = exponential(8, 20, {1, 3, 4}, 0);
    Histogram below = h;
    trim(below, Keep::below, 2);
    EXPECT_EQ(below.to_string().substr(0, 8), "{count:4");
    EXPECT_EQ(below.positive.counts, (std::vector<double>{1, 3}));
    Histogram above = h;
    trim(above, Keep::above, 2);
    EXPECT_EQ(above.positive.counts, std::vector<double>{4});
    Histogram all = h;
    trim(all, Keep::below, 4);
    EXPECT_EQ(all, h) << "nothing was taken out: count and sum stay";
    trim(above, Keep::above, infinity);
    EXPECT_EQ(above.count, 0);
    EXPECT_TRUE(above.positive.counts.empty());
}

TEST(NativeHistogram, Trimming_at_a_point_splits_the_observations) {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        const Histogram h = compacted(random_histogram(random, 1));
        for (const double point : {-3.0, -0.5, -4e-8, 0.0, 3e-8, 0.7, 5.5}) {
            Histogram below = h;
            trim(below, Keep::below, point);
            Histogram above = h;
            trim(above, Keep::above, point);
            EXPECT_NEAR(below.count + above.count, h.count, 1e-9) << point << " of " << h.to_string();
            EXPECT_NEAR(below.count, h.count == 0 ? 0 : fraction(-infinity, point, h).value * h.count, 1e-9)
                << point << " of " << h.to_string();
        }
    }
}

TEST(NativeHistogram, Trimming_custom_bounds_without_an_end) {
    Histogram h = custom(9, 0, {2, 4}, {2, 3, 4});
    Histogram below = h;
    trim(below, Keep::below, 1);
    EXPECT_EQ(below.to_string(), "{count:1, sum:0.5, [-Inf,2]:1}");
    Histogram above = h;
    trim(above, Keep::above, 3);
    EXPECT_EQ(above.to_string(), "{count:5.5, sum:21.25, (2,4]:1.5, (4,+Inf]:4}");
    above = h;
    trim(above, Keep::above, 10);
    EXPECT_EQ(above.to_string(), "{count:4, sum:40, (4,+Inf]:4}");
    below = h;
    trim(below, Keep::below, 10);
    EXPECT_EQ(below.count, 5) << "how much of the last bucket is below is not known";
}

class NativeHistogramRate : public testing::Test {
  protected:
    void at(std::int64_t seconds, Histogram histogram) {
        window_.push_back({from_unix_ms(seconds * 1000), std::make_shared<const Histogram>(std::move(histogram))});
    }
    static Histogram gauge(Histogram histogram) {
        histogram.hint = ResetHint::gauge;
        return histogram;
    }
    std::vector<HistogramSample> window_;
};

TEST_F(NativeHistogramRate, Is_last_minus_first) {
    at(0, exponential(3, 10, {1, 2}));
    EXPECT_FALSE(change(window_, true).value) << "one sample is no change";
    at(10, exponential(5, 12, {1, 3, 1}));
    at(20, exponential(9, 20, {1, 5, 3}));
    const HistogramChange out = change(window_, true);
    EXPECT_EQ(out.value->to_string(), "{count:6, sum:10, (1,2]:3, (2,4]:3}");
    EXPECT_EQ(out.value->hint, ResetHint::gauge);
    EXPECT_FALSE(out.not_a_counter || out.not_a_gauge || out.incompatible);
    EXPECT_TRUE(change(window_, false).not_a_gauge);
}

TEST_F(NativeHistogramRate, Adds_what_was_counted_before_a_reset) {
    at(0, exponential(3, 10, {1, 2}));
    at(10, exponential(5, 12, {2, 3}));
    at(20, exponential(1, 1, {1}));
    at(30, exponential(4, 6, {3, 1}));
    EXPECT_EQ(change(window_, true).value->to_string(), "{count:6, sum:8, (0.5,1]:4, (1,2]:2}");
    EXPECT_EQ(change(window_, false).value->to_string(), "{count:1, sum:-4, (0.5,1]:2, (1,2]:-1}");
}

TEST_F(NativeHistogramRate, Forgets_a_first_sample_before_a_reset) {
    at(0, custom(100, 100, {1}, {100}));
    at(10, exponential(1, 1, {1}));
    at(20, exponential(3, 4, {2, 1}));
    const HistogramChange out = change(window_, true);
    EXPECT_EQ(out.value->to_string(), "{count:3, sum:4, (0.5,1]:2, (1,2]:1}");
    EXPECT_TRUE(change(window_, false).incompatible);
}

TEST_F(NativeHistogramRate, Uses_the_coarsest_schema) {
    at(0, exponential(2, 2, {1, 1}, 1, 1));
    at(10, exponential(3, 3, {3}, 1, 0));
    Histogram fine = exponential(4, 4, {1, 3}, 1, 1);
    fine.hint = ResetHint::not_reset;
    at(20, fine);
    EXPECT_EQ(change(window_, true).value->to_string(), "{count:2, sum:2, (1,2]:2}");
    EXPECT_EQ(change(window_, true).value->schema, 0);
    EXPECT_EQ(change(window_, false).value->schema, 1) << "of gauges only the ends are looked at";
}

TEST_F(NativeHistogramRate, Tells_what_is_wrong_with_a_window) {
    at(0, exponential(1, 1, {1}));
    at(10, gauge(exponential(2, 2, {2})));
    at(20, exponential(3, 3, {3}));
    EXPECT_TRUE(change(window_, true).not_a_counter);
    EXPECT_TRUE(change(window_, false).not_a_gauge);
    window_[0].value = window_[2].value = window_[1].value;
    EXPECT_FALSE(change(window_, false).not_a_gauge);
    at(30, custom(1, 1, {1}, {1}));
    EXPECT_TRUE(change(window_, true).incompatible);
    EXPECT_FALSE(change(window_, true).value);
    at(40, window_[0].value->positive.counts.empty() ? Histogram{} : *window_[0].value);
    EXPECT_TRUE(change(window_, true).incompatible) << "in the middle too";
    EXPECT_FALSE(change(window_, false).incompatible);
}

TEST_F(NativeHistogramRate, Reconciles_custom_bounds) {
    at(0, custom(2, 2, {1, 2}, {1, 1}));
    at(10, custom(5, 5, {2, 3}, {3, 2}));
    const HistogramChange out = change(window_, true);
    EXPECT_TRUE(out.reconciled_by_subtraction);
    EXPECT_FALSE(out.reconciled_by_addition);
    EXPECT_EQ(out.value->to_string(), "{count:3, sum:3, [-Inf,2]:1, (2,+Inf]:2}");
}

TEST_F(NativeHistogramRate, Of_the_newest_two_alone) {
    const Histogram before = exponential(3, 3, {2, 1});
    const Histogram after = exponential(5, 6, {3, 2});
    EXPECT_EQ(last_change(before, after, true).value->to_string(), "{count:2, sum:3, (0.5,1]:1, (1,2]:1}");
    EXPECT_EQ(last_change(after, before, true).value->to_string(), "{count:3, sum:3, (0.5,1]:2, (1,2]:1}") << "a reset";
    EXPECT_EQ(last_change(after, before, false).value->count, -2);
    EXPECT_TRUE(last_change(after, before, false).not_a_gauge);
    EXPECT_TRUE(last_change(gauge(before), after, true).not_a_counter);
    EXPECT_TRUE(last_change(custom(1, 1, {1}, {1}), after, false).incompatible);
}

TEST_F(NativeHistogramRate, Interpolates_on_a_straight_line) {
    const Histogram before = exponential(2, 2, {2});
    const Histogram after = exponential(6, 10, {4, 2});
    EXPECT_EQ(interpolate(before, after, 0.5, true).value->to_string(), "{count:4, sum:6, (0.5,1]:3, (1,2]:1}");
    EXPECT_EQ(interpolate(after, before, 0.5, true).value->to_string(), "{count:1, sum:1, (0.5,1]:1}")
        << "after a reset, from nothing";
    EXPECT_EQ(interpolate(after, before, 0.5, false).value->count, 4);
    EXPECT_TRUE(interpolate(custom(1, 1, {1}, {1}), after, 0.5, false).incompatible);
    EXPECT_TRUE(interpolate(custom(1, 1, {1}, {1}), custom(2, 1, {2}, {2}), 0.5, true).reconciled_by_subtraction);
}

TEST_F(NativeHistogramRate, Anchored_takes_the_sample_before_the_range) {
    at(0, exponential(1, 1, {1}));
    at(10, exponential(3, 3, {3}));
    at(20, exponential(7, 7, {7}));
    const ExtendedRange range{from_unix_ms(5000), from_unix_ms(25000), false};
    EXPECT_EQ(extended_change(window_, range, true).value->count, 6);
    EXPECT_FALSE(extended_change(window_, {from_unix_ms(20000), from_unix_ms(40000), false}, true).value);
    EXPECT_FALSE(extended_change({}, range, true).value);
}

TEST_F(NativeHistogramRate, Smoothed_interpolates_both_borders) {
    at(0, exponential(2, 2, {2}));
    at(10, exponential(4, 4, {4}));
    at(20, exponential(8, 8, {8}));
    at(30, exponential(4, 4, {4}));  // a reset
    const HistogramChange out = extended_change(window_, {from_unix_ms(5000), from_unix_ms(25000), true}, true);
    EXPECT_EQ(out.value->to_string(), "{count:7, sum:7, (0.5,1]:7}") << "from 3 to 8, then from nothing to 2";
    EXPECT_EQ(extended_change(window_, {from_unix_ms(22000), from_unix_ms(28000), true}, true).value->count,
              0.8 * 4 - 0.2 * 4);
    EXPECT_FALSE(extended_change(window_, {from_unix_ms(-20000), from_unix_ms(-10000), true}, true).value);
    EXPECT_TRUE(extended_change(window_, {from_unix_ms(5000), from_unix_ms(25000), true}, false).not_a_gauge);
}

}  // namespace
}  // namespace noroshi::promql
