// test/unit/promql/series_text_test.cpp - series, values and histograms as test files write them.
#include <gtest/gtest.h>

#include <cmath>

#include "histogram_text.hpp"
#include "model/sample.hpp"

namespace noroshi::promql {
namespace {

using model::Histogram;
using model::ResetHint;

std::vector<HistogramSlot> read(std::string_view text) {
    Result<std::vector<HistogramSlot>> out = take_histograms(text);
    EXPECT_TRUE(out) << (out ? "" : out.error().message);
    EXPECT_EQ(text, "");
    return out ? *out : std::vector<HistogramSlot>{};
}

bool refused(std::string_view text) {
    return !take_histograms(text);
}

TEST(NativeHistogramText, Reads_every_key) {
    const auto all = read(
        "{{ schema:1 sum:-0.3 count:3.1e2 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 "
        "n_buckets:[4.1 5] n_offset:-5 counter_reset_hint:gauge }}");
    ASSERT_EQ(all.size(), 1u);
    const Histogram& h = all[0].value;
    EXPECT_EQ(h.schema, 1);
    EXPECT_EQ(h.sum, -0.3);
    EXPECT_EQ(h.count, 310);
    EXPECT_EQ(h.zero_count, 7.1);
    EXPECT_EQ(h.zero_threshold, 0.05);
    EXPECT_EQ(h.positive.counts, (std::vector<double>{5.1, 10, 7}));
    EXPECT_EQ(h.positive.spans, (std::vector<model::BucketSpan>{{-3, 3}}));
    EXPECT_EQ(h.negative.counts, (std::vector<double>{4.1, 5}));
    EXPECT_EQ(h.negative.spans, (std::vector<model::BucketSpan>{{-5, 2}}));
    EXPECT_EQ(h.hint, ResetHint::gauge);
    EXPECT_TRUE(all[0].hint_given);
    EXPECT_EQ(read("{{schema:-53 count:3 custom_values:[1 2.5] buckets:[1 1 1]}}")[0].value.to_string(),
              "{count:3, sum:0, [-Inf,1]:1, (1,2.5]:1, (2.5,+Inf]:1}");
    EXPECT_EQ(read("{{}}")[0].value, Histogram{});
    EXPECT_TRUE(std::isnan(read("{{sum:NaN count:Inf}}")[0].value.sum));
}

TEST(NativeHistogramText, Repeats_and_grows) {
    EXPECT_EQ(read("{{count:1 buckets:[1]}}x3").size(), 4u);
    const auto grown = read("{{count:1 sum:1 buckets:[1]}}+{{count:2 sum:1 buckets:[1 1]}}x2");
    ASSERT_EQ(grown.size(), 3u);
    EXPECT_EQ(grown[0].value.to_string(), "{count:1, sum:1, (0.5,1]:1}");
    EXPECT_EQ(grown[2].value.to_string(), "{count:5, sum:3, (0.5,1]:3, (1,2]:2}");
    EXPECT_EQ(read("{{count:9}}-{{count:2}}x2")[2].value.count, 5);
}

TEST(NativeHistogramText, The_step_decides_whether_a_hint_counts) {
    const auto by_base = read("{{count:1 counter_reset_hint:gauge}}+{{count:1}}x1");
    EXPECT_FALSE(by_base[0].hint_given || by_base[1].hint_given);
    EXPECT_EQ(by_base[1].value.hint, ResetHint::gauge);
    const auto by_step = read("{{count:1}}+{{count:1 counter_reset_hint:not_reset}}x1");
    EXPECT_TRUE(by_step[0].hint_given && by_step[1].hint_given);
    EXPECT_EQ(by_step[1].value.hint, ResetHint::unknown) << "the sum of an unknown and a known one";
    EXPECT_TRUE(read("{{counter_reset_hint:reset}}x1")[1].hint_given);
}

TEST(NativeHistogramText, Leaves_what_follows) {
    std::string_view text = "{{count:1}}x1 _ {{count:2}}";
    ASSERT_TRUE(take_histograms(text));
    EXPECT_EQ(text, " _ {{count:2}}");
}

TEST(NativeHistogramText, Refuses_what_it_cannot_read) {
    for (const char* text : {"",
                             "{",
                             "{{",
                             "{{count:1",
                             "{{count}}",
                             "{{counts:1}}",
                             "{{count:1 count:2}}",
                             "{{count:x}}",
                             "{{buckets:[1 2}}",
                             "{{buckets:[1 x]}}",
                             "{{schema:9}}",
                             "{{schema:-5}}",
                             "{{schema:0.5}}",
                             "{{counter_reset_hint:maybe}}",
                             "{{}}x",
                             "{{}}x-1",
                             "{{}}x99999999",
                             "{{}}+{{}}",
                             "{{}}+3x2",
                             "{{schema:1}}+{{schema:0}}x1",
                             "{{}}-{{schema:-53 custom_values:[1]}}x1",
                             "{{offset:99999999999}}",
                             "{{schema:-53 custom_values:[1] buckets:[1 2 3]}}",
                             "{{schema:-53 offset:-1 buckets:[1]}}"}) {
        EXPECT_TRUE(refused(text)) << text;
    }
}

TEST(NativeHistogramText, Compares_compacted_and_hints_only_when_given) {
    const auto close = [](double a, double b) { return a == b; };
    const auto same = [&close](std::string_view want, std::string_view got) {
        return is_expected(read(want)[0], read(got)[0].value, close);
    };
    EXPECT_TRUE(same("{{count:1 buckets:[0 1 0]}}", "{{count:1 buckets:[1] offset:1}}"));
    EXPECT_TRUE(same("{{count:1}}", "{{count:1 counter_reset_hint:gauge}}"));
    EXPECT_FALSE(same("{{count:1 counter_reset_hint:unknown}}", "{{count:1 counter_reset_hint:gauge}}"));
    EXPECT_FALSE(same("{{count:1 buckets:[1]}}", "{{count:1 buckets:[1] offset:1}}"));
    EXPECT_FALSE(same("{{sum:1}}", "{{sum:2}}"));
    EXPECT_FALSE(same("{{z_bucket:1}}", "{{}}"));
    EXPECT_FALSE(same("{{z_bucket_w:1}}", "{{}}"));
    EXPECT_FALSE(same("{{n_buckets:[1]}}", "{{n_buckets:[2]}}"));
    EXPECT_FALSE(same("{{schema:-53 custom_values:[1]}}", "{{schema:-53 custom_values:[2]}}"));
}


std::vector<std::string> values(std::string_view text) {
    const Result<std::vector<Slot>> slots = parse_series_values(text);
    if (!slots) {
        return {slots.error().message};
    }
    std::vector<std::string> out;
    for (const Slot& slot : *slots) {
        const auto* number = slot ? std::get_if<double>(&*slot) : nullptr;
        out.push_back(!slot ? "_" : number == nullptr ? "{{}}" : model::is_stale_marker(*number) ? "stale" : fmt::format("{}", *number));
    }
    return out;
}

TEST(SeriesText, Values) {
    using List = std::vector<std::string>;
    EXPECT_EQ(values("1 2.5 -3 +4 1e3 .5"), (List{"1", "2.5", "-3", "4", "1000", "0.5"}));
    EXPECT_EQ(values("0x3"), (List{"0", "0", "0", "0"}));  // not hexadecimal
    EXPECT_EQ(values("1+2x2 1-2x2 -1-1x1 1e1+1e1x1"), (List{"1", "3", "5", "1", "-1", "-3", "-1", "-2", "10", "20"}));
    EXPECT_EQ(values("_ _x2 stale \t\n Inf -inf NaN"), (List{"_", "_", "_", "stale", "inf", "-inf", "nan"}));
    EXPECT_EQ(values("{{}}x1 1"), (List{"{{}}", "{{}}", "1"}));
    EXPECT_EQ(values(""), List{});
}

TEST(SeriesText, RefusesOtherValues) {
    for (const char* text : {"1,2", "1+2", "x3", "1x", "1x-1", "1x2y", "_3", "abc", "1.2.3", "1+x3", "{{}}1", "1x100001", "1x60000 1x60000", "_x99999999999"}) {
        EXPECT_FALSE(parse_series_values(text)) << text;
    }
}

TEST(SeriesText, Metrics) {
    const auto shown = [](std::string_view text) {
        const Result<model::Labels> labels = parse_metric(text);
        return labels ? labels->to_string() : labels.error().message;
    };
    EXPECT_EQ(shown("up"), "up");
    EXPECT_EQ(shown(" up {a=\"b\", c='d',}"), "up{a=\"b\", c=\"d\"}");
    EXPECT_EQ(shown("{}"), "{}");
    EXPECT_EQ(shown(""), "{}");
    EXPECT_EQ(shown("{__name__=\"up\",a=\"\"}"), "up");
    EXPECT_EQ(shown("up{a=\"\\u00e9}\"}"), "up{a=\"é}\"}");
    for (const char* text : {"up{", "up{a}", "up{a=b}", "up{a=\"b\"", "up{a=\"b\" c=\"d\"}", "up{a!=\"b\"}", "up up", "up{a=\"b\"} 1"}) {
        EXPECT_FALSE(parse_metric(text)) << text;
    }
}

TEST(SeriesText, SplitsMetricAndValues) {
    const Result<SeriesText> series = parse_series("up {a=\"} 1\"} 1 _");
    ASSERT_TRUE(series);
    EXPECT_EQ(series->labels.get("a"), "} 1");
    EXPECT_EQ(series->values.size(), 2U);
    ASSERT_TRUE(parse_series("up {{count:1}}"));
}

}  // namespace
}  // namespace noroshi::promql
