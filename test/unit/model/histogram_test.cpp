// test/unit/model/histogram_test.cpp - bounds, walks, checks and layout changes of native histograms.
#include "model/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/histogram_layout.hpp"
#include "model/sample.hpp"

namespace noroshi::model {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

HistogramSide side(std::int32_t offset, std::vector<double> counts) {
    return {{{offset, static_cast<std::uint32_t>(counts.size())}}, std::move(counts)};
}

/// (0.25,0.5]:4 (1,2]:2 on the right, [-1,-0.5):3 on the left, 5 around zero.
Histogram example() {
    Histogram out;
    out.zero_threshold = 0.001;
    out.zero_count = 5;
    out.count = 14;
    out.sum = 1.5;
    out.positive = {{{-1, 1}, {1, 1}}, {4, 2}};
    out.negative = side(0, {3});
    return out;
}

Histogram custom(std::vector<double> bounds, std::vector<double> counts) {
    Histogram out;
    out.schema = Histogram::custom_schema;
    out.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    for (const double count : counts) {
        out.count += count;
    }
    out.positive = side(0, std::move(counts));
    return out;
}

std::string reason(const Histogram& histogram, bool whole_counts = true) {
    const Result<void> checked = validate(histogram, whole_counts);
    return checked ? "" : first_word(checked.error().message);
}

TEST(Histogram, Bounds_follow_from_the_schema) {
    EXPECT_EQ(exponential_bound(0, 0), 1);
    EXPECT_EQ(exponential_bound(0, 3), 8);
    EXPECT_EQ(exponential_bound(0, -2), 0.25);
    EXPECT_EQ(exponential_bound(-4, 1), 65536);
    EXPECT_EQ(exponential_bound(-4, -1), 1.0 / 65536);
    EXPECT_EQ(exponential_bound(3, 8), 2);
    // As Prometheus rounds them.
    EXPECT_EQ(exponential_bound(1, -1), 0.7071067811865475);
    EXPECT_EQ(exponential_bound(2, 1), 2 * 0.5946035575013605);
    EXPECT_EQ(exponential_bound(5, -1), 0.9785720620876999);
    EXPECT_EQ(exponential_bound(8, -255), 0.5013556375251013);
    EXPECT_EQ(exponential_bound(8, -1), 0.9972960560854698);
}

TEST(Histogram, Bounds_end_where_doubles_end) {
    constexpr double largest = std::numeric_limits<double>::max();
    EXPECT_EQ(exponential_bound(0, 1024), largest);
    EXPECT_EQ(exponential_bound(0, 1025), infinity);
    EXPECT_EQ(exponential_bound(-4, 64), largest);
    EXPECT_EQ(exponential_bound(-4, 65), infinity);
    EXPECT_EQ(exponential_bound(8, 1024 * 256), largest);
    EXPECT_EQ(exponential_bound(0, -1074), std::numeric_limits<double>::denorm_min());
    for (const int schema : {-4, 0, 8, 52}) {
        EXPECT_EQ(exponential_bound(schema, std::numeric_limits<std::int64_t>::min()), 0) << schema;
        EXPECT_EQ(exponential_bound(schema, std::numeric_limits<std::int64_t>::max()), infinity) << schema;
    }
}

TEST(Histogram, A_bound_is_the_same_in_every_schema_that_has_it) {
    for (int schema = 0; schema < 8; ++schema) {
        for (std::int64_t index = -600; index < 600; ++index) {
            EXPECT_EQ(exponential_bound(schema, index), exponential_bound(schema + 1, 2 * index));
            EXPECT_LT(exponential_bound(schema, index), exponential_bound(schema, index + 1));
        }
    }
}

TEST(Histogram, Prints_populated_buckets_in_ascending_order) {
    EXPECT_EQ(example().to_string(), "{count:14, sum:1.5, [-1,-0.5):3, [-0.001,0.001]:5, (0.25,0.5]:4, (1,2]:2}");
    EXPECT_EQ(Histogram{}.to_string(), "{count:0, sum:0}");
    EXPECT_EQ(custom({5, 10}, {1, 0, 3}).to_string(), "{count:4, sum:0, [-Inf,5]:1, (10,+Inf]:3}");
    Histogram h = example();
    h.sum = std::nan("");
    h.count = 1e6;
    EXPECT_TRUE(h.to_string().starts_with("{count:1e+06, sum:NaN, ")) << h.to_string();
}

TEST(Histogram, Walks_both_ways_over_the_same_buckets) {
    Histogram h = example();
    h.positive = {{{-2, 1}, {0, 0}, {2, 2}, {0, 1}}, {1, 0, 2, 3}};
    std::vector<Bucket> up;
    for (BucketWalk walk(h); const auto bucket = walk.next();) {
        up.push_back(*bucket);
    }
    std::vector<Bucket> down;
    for (BucketWalk walk(h, Direction::backward); const auto bucket = walk.next();) {
        down.push_back(*bucket);
    }
    ASSERT_EQ(up.size(), 6u);
    ASSERT_EQ(down.size(), 6u);
    for (std::size_t i = 0; i < up.size(); ++i) {
        EXPECT_EQ(up[i].lower, down[5 - i].lower);
        EXPECT_EQ(up[i].upper, down[5 - i].upper);
        EXPECT_EQ(up[i].count, down[5 - i].count);
    }
    EXPECT_EQ(up[0].boundary_rule(), 1);
    EXPECT_EQ(up[1].boundary_rule(), 3);
    EXPECT_EQ(up[2].boundary_rule(), 0);
    EXPECT_EQ(up[5].upper, 8);
    EXPECT_EQ(up[5].count, 3);
}

TEST(Histogram, Buckets_do_not_reach_into_the_zero_bucket) {
    Histogram h = example();
    h.zero_threshold = 0.3;
    h.negative = side(-1, {1});
    BucketWalk walk(h);
    EXPECT_EQ(walk.next()->upper, -0.3);
    EXPECT_EQ(walk.next()->upper, 0.3);
    EXPECT_EQ(walk.next()->lower, 0.3);
}

TEST(Histogram, Equality_is_by_bits_and_by_named_buckets) {
    Histogram a = example();
    Histogram b = example();
    b.hint = ResetHint::gauge;
    EXPECT_EQ(a, b) << "the hint is not compared";
    a.sum = b.sum = std::nan("");
    EXPECT_EQ(a, b);
    b.positive.spans = {{-1, 1}, {0, 0}, {1, 1}};
    EXPECT_EQ(a, b) << "an empty span names no bucket";
    b.positive.spans = {{-1, 1}, {2, 1}};
    EXPECT_NE(a, b);
    b = a;
    b.positive.counts = {4, 0};
    EXPECT_NE(a, b);
    EXPECT_NE(custom({1, 2}, {1}), custom({1, 3}, {1}));
    EXPECT_EQ(custom({1, 2}, {1}), custom({1, 2}, {1}));
}

TEST(Histogram, The_stale_marker_is_in_the_sum) {
    Histogram h;
    h.sum = std::nan("");
    EXPECT_FALSE(h.is_stale());
    h.sum = stale_marker();
    EXPECT_TRUE(h.is_stale());
}

TEST(Histogram, Reducing_keeps_count_and_bounds) {
    Histogram h = example();
    h.schema = 2;
    h.positive = {{{-5, 3}, {2, 4}, {7, 1}}, {1, 2, 3, 4, 5, 6, 7, 8}};
    for (int schema = 1; schema >= -4; --schema) {
        Histogram coarse = h;
        reduce_resolution(coarse, schema);
        EXPECT_EQ(coarse.schema, schema);
        double total = 0;
        for (const double count : coarse.positive.counts) {
            total += count;
        }
        EXPECT_EQ(total, 36);
        EXPECT_FALSE(is_reset(coarse, h)) << "the same observations, coarser: " << coarse.to_string();
        EXPECT_TRUE(validate(coarse, false));
    }
    reduce_resolution(h, 1);
    EXPECT_EQ(h.positive.spans, (std::vector<BucketSpan>{{-2, 5}, {3, 1}}));
    EXPECT_EQ(h.positive.counts, (std::vector<double>{3, 3, 4, 11, 7, 8}));
}

TEST(Histogram, A_reserved_schema_is_reduced_to_one_that_has_bounds) {
    Histogram h;
    h.schema = 52;
    h.count = 2;
    h.positive = side(1, {1, 1});
    EXPECT_EQ(reason(h), "");
    reduce_resolution(h, 8);
    EXPECT_EQ(h.positive.counts, std::vector<double>{2});
    EXPECT_EQ(BucketWalk(h).next()->lower, 1);
}

TEST(Histogram, Compacting_leaves_out_what_is_empty) {
    Histogram h;
    h.positive = {{{-2, 3}, {0, 2}, {0, 0}, {3, 2}}, {0, 1, 0, 2, 3, 0, 0}};
    compact(h);
    EXPECT_EQ(h.positive.spans, (std::vector<BucketSpan>{{-1, 1}, {1, 2}}));
    EXPECT_EQ(h.positive.counts, (std::vector<double>{1, 2, 3}));
    h.positive = side(7, {0, 0});
    compact(h);
    EXPECT_TRUE(h.positive.spans.empty());
}

TEST(Histogram, A_reset_is_whatever_counts_less) {
    const Histogram before = example();
    Histogram after = before;
    EXPECT_FALSE(is_reset(after, before));
    after.positive.counts[1] = 1;
    EXPECT_TRUE(is_reset(after, before));
    after.hint = ResetHint::not_reset;
    EXPECT_FALSE(is_reset(after, before));
    after = before;
    after.hint = ResetHint::reset;
    EXPECT_TRUE(is_reset(after, before));
    after = before;
    after.positive = side(-1, {4});
    EXPECT_TRUE(is_reset(after, before)) << "a populated bucket went away";
    after = before;
    after.positive = side(-1, {4, 1, 2});
    EXPECT_FALSE(is_reset(after, before)) << "a bucket more";
    EXPECT_TRUE(is_reset(before, after)) << "it goes away again";
    after = before;
    after.schema = 1;
    EXPECT_TRUE(is_reset(after, before));
    after = before;
    after.count = 13;
    EXPECT_TRUE(is_reset(after, before));
    after = before;
    after.zero_count = 4;
    EXPECT_TRUE(is_reset(after, before));
    EXPECT_TRUE(is_reset(custom({1}, {9, 9}), before));
}

TEST(Histogram, A_wider_zero_bucket_takes_in_whole_buckets) {
    const Histogram before = example();
    Histogram after = before;
    after.zero_threshold = 0.5;
    after.zero_count = 9;
    after.positive = side(1, {2});
    EXPECT_FALSE(is_reset(after, before));
    after.zero_count = 8;
    EXPECT_TRUE(is_reset(after, before));
    after.zero_count = 9;
    after.zero_threshold = 0.4;
    EXPECT_TRUE(is_reset(after, before)) << "it cuts through a populated bucket";
    EXPECT_EQ(settled_zero_threshold(before, 0.4), 0.5);
    EXPECT_EQ(settled_zero_threshold(before, 0.6), 1) << "the negative bucket moves it on";
    EXPECT_EQ(zero_count_within(before, 1), 12);
    after.zero_threshold = 0.0001;
    EXPECT_TRUE(is_reset(after, before)) << "it never gets narrower";
}

TEST(Histogram, Resets_with_other_custom_bounds_are_seen_between_the_common_ones) {
    const Histogram before = custom({1, 2, 3}, {1, 2, 3, 4});
    EXPECT_FALSE(is_reset(custom({1, 3}, {1, 5, 4}), before));
    EXPECT_TRUE(is_reset(custom({1, 3}, {1, 4, 6}), before));
    EXPECT_FALSE(is_reset(custom({7}, {10, 0}), before)) << "only +Inf is common";
    EXPECT_EQ(common_bounds({1, 2, 3}, {2, 3, 4}), (std::vector<double>{2, 3}));
    EXPECT_EQ(kept_bucket({1, 2, 3}, 0, {2}), 0);
    EXPECT_EQ(kept_bucket({1, 2, 3}, 1, {2}), 0);
    EXPECT_EQ(kept_bucket({1, 2, 3}, 2, {2}), 1);
    EXPECT_EQ(kept_bucket({1, 2, 3}, 3, {2}), 1);
}

TEST(Histogram, Accepts_what_is_whole) {
    EXPECT_EQ(reason(example()), "");
    EXPECT_EQ(reason(Histogram{}), "");
    EXPECT_EQ(reason(custom({1, 2}, {1, 2, 3})), "");
    EXPECT_EQ(reason(custom({}, {7})), "");
    Histogram with_nan = example();
    with_nan.count = 20;
    with_nan.sum = std::nan("");
    EXPECT_EQ(reason(with_nan), "") << "NaN observations are in the count alone";
    Histogram stale;
    stale.sum = stale_marker();
    EXPECT_EQ(reason(stale), "");
}

TEST(Histogram, Refuses_counts_that_cannot_be) {
    for (const double bad : {-1.0, std::nan("")}) {
        Histogram h = example();
        h.positive.counts[0] = bad;
        EXPECT_EQ(reason(h, false), "counts");
        h = example();
        h.zero_count = bad;
        EXPECT_EQ(reason(h, false), "counts");
        h = example();
        h.count = bad;
        EXPECT_EQ(reason(h, false), "counts");
    }
    Histogram h = example();
    h.count = 15;
    EXPECT_EQ(reason(h), "counts");
    EXPECT_EQ(reason(h, false), "") << "sums of fractions are not exact";
    h.count = 13;
    h.sum = std::nan("");
    EXPECT_EQ(reason(h), "counts");
}

TEST(Histogram, Refuses_spans_that_do_not_fit) {
    constexpr auto huge = std::numeric_limits<std::uint32_t>::max();
    constexpr auto most = std::numeric_limits<std::int32_t>::max();
    constexpr auto least = std::numeric_limits<std::int32_t>::min();
    const std::vector<std::vector<BucketSpan>> bad{
        {{0, huge}},         {{0, huge}, {0, huge}, {0, 3}}, {{0, 1}, {-1, 1}}, {{least, 2}}, {{most, 2}},
        {{0, 1}, {most, 1}}, {{most, 0}, {most, 2}},         {{0, 1}},          {{0, 3}},     {}};
    for (const auto& spans : bad) {
        Histogram h = example();
        h.positive.spans = spans;
        EXPECT_EQ(reason(h), "spans");
    }
    Histogram h;
    h.positive.spans.resize(max_histogram_buckets + 1);
    EXPECT_EQ(reason(h), "spans") << "endless empty spans";
}

TEST(Histogram, Refuses_more_buckets_than_the_limit) {
    Histogram h;
    h.positive = side(0, std::vector<double>(max_histogram_buckets / 2));
    h.negative = h.positive;
    EXPECT_EQ(reason(h), "");
    h.negative = side(0, std::vector<double>(max_histogram_buckets / 2 + 1));
    EXPECT_EQ(reason(h), "buckets");
}

TEST(Histogram, Refuses_bounds_that_do_not_increase) {
    for (const std::vector<double>& bounds :
         std::vector<std::vector<double>>{{1, 1}, {2, 1}, {1, std::nan("")}, {1, infinity}, {std::nan("")}}) {
        EXPECT_EQ(reason(custom(bounds, {})), "bounds");
    }
    EXPECT_EQ(reason(custom({1, 2}, {1, 2, 3, 4})), "bounds") << "a bucket past +Inf";
    Histogram h = custom({1}, {1});
    h.zero_count = 1;
    EXPECT_EQ(reason(h), "zero");
    h = custom({1}, {1});
    h.negative = side(0, {1});
    EXPECT_EQ(reason(h), "spans");
    h = custom({1}, {});
    h.positive.spans = {{-1, 0}, {1, 0}};
    EXPECT_EQ(reason(h), "spans");
    h = example();
    h.custom_values = std::make_shared<const std::vector<double>>(1, 5.0);
    EXPECT_EQ(reason(h), "bounds");
}

TEST(Histogram, Refuses_schemas_and_zero_buckets_that_cannot_be) {
    for (const int schema : {-5, 53, -54, -52, std::numeric_limits<int>::min()}) {
        Histogram h = example();
        h.schema = schema;
        EXPECT_EQ(reason(h), "schema") << schema;
    }
    for (const double threshold : {-1.0, std::nan(""), infinity}) {
        Histogram h = example();
        h.zero_threshold = threshold;
        EXPECT_EQ(reason(h), "zero") << threshold;
    }
}

TEST(Histogram, A_classic_one_becomes_one_with_custom_bounds) {
    EXPECT_EQ(from_classic({{0.5, 3}, {0.1, 1}, {infinity, 6}, {0.2, 1}}, 6, 4.5)->to_string(),
              "{count:6, sum:4.5, [-Inf,0.1]:1, (0.2,0.5]:2, (0.5,+Inf]:3}");
    EXPECT_EQ(from_classic({{0.1, 1}}, 6, 4)->to_string(), "{count:6, sum:4, [-Inf,0.1]:1, (0.1,+Inf]:5}");
    EXPECT_EQ(from_classic({{0.1, 1}, {0.1, 9}, {0.2, 2}}, std::nullopt, 4)->count, 2);
    EXPECT_EQ(from_classic({}, 3, 1)->to_string(), "{count:3, sum:1, [-Inf,+Inf]:3}");
    const auto refused = [](std::vector<ClassicBucket> buckets, std::optional<double> count) {
        const Result<Histogram> out = from_classic(std::move(buckets), count, 0);
        return out ? "" : first_word(out.error().message);
    };
    EXPECT_EQ(refused({}, std::nullopt), "counts");
    EXPECT_EQ(refused({{1, 5}, {2, 4}}, 5), "counts");
    EXPECT_EQ(refused({{1, -1}}, 5), "counts");
    EXPECT_EQ(refused({{1, std::nan("")}}, 5), "counts");
    EXPECT_EQ(refused({{1, 1}, {infinity, 4}}, 5), "counts");
    EXPECT_EQ(refused({{std::nan(""), 1}}, 5), "bounds");
    EXPECT_EQ(refused(std::vector<ClassicBucket>(3, {-infinity, 2}), 2), "") << "-Inf is a bound like any other";
}

}  // namespace
}  // namespace noroshi::model
