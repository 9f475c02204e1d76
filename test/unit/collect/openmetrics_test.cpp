// test/unit/collect/openmetrics_test.cpp - OpenMetrics 1.0 line by line, bounds of histograms, and captured answers.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/numbers.hpp"
#include "collect/collect.hpp"
#include "model/sample.hpp"

namespace noroshi::collect {
namespace {

struct Case {
    const char* name;
    const char* body;
    const char* expected;  ///< place and message of the fault, or the samples
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

std::string read(std::string_view body, ExpositionFormat format) {
    const auto parsed = parse_exposition(body, format);
    if (!parsed) {
        return parsed.error().to_string();
    }
    std::string out;
    for (const ScrapedSample& sample : *parsed) {
        const std::string at = sample.at ? fmt::format(" @{}", to_unix_ms(*sample.at)) : "";
        out += fmt::format("{} {}{}\n", sample.labels.to_string(), format_float(sample.value), at);
    }
    return out;
}

std::string name_of(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class OpenMetricsFault : public testing::TestWithParam<Case> {};
TEST_P(OpenMetricsFault, Fails_the_whole_answer_with_its_place) {
    EXPECT_EQ(read(GetParam().body, ExpositionFormat::openmetrics_1_0), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    End, OpenMetricsFault,
    testing::Values(
        Case{"empty", "", "1:1: no # EOF at the end: the answer was cut short"},
        Case{"missing", "a 1\n", "2:1: no # EOF at the end: the answer was cut short"},
        Case{"cut_within", "a 1\n# EO", "2:3: expected HELP, TYPE, UNIT or EOF, got \"EO\""},
        Case{"text_after", "# EOF\na 1\n", "2:1: text after # EOF"},
        Case{"blank_after", "# EOF\n\n", "2:1: text after # EOF"},
        Case{"carriage_return", "# EOF\r\n", "1:3: expected HELP, TYPE, UNIT or EOF, got \"EOF\\r\""}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Lines, OpenMetricsFault,
    testing::Values(
        Case{"blank_line", "a 1\n\n# EOF\n", "2:1: blank line"},
        Case{"leading_space", " a 1\n# EOF\n", "1:1: expected a metric name"},
        Case{"trailing_space", "a 1 \n# EOF\n", "1:5: expected a timestamp in seconds, got \"\""},
        Case{"two_spaces", "a  1\n# EOF\n", "1:3: more than one space before the value"},
        Case{"tab", "a\t1\n# EOF\n", "1:2: expected one space before the value"},
        Case{"space_before_braces", "a {b=\"c\"} 1\n# EOF\n", "1:3: expected a value, got \"{b=\\\"c\\\"}\""},
        Case{"space_in_braces", "a{ b=\"c\"} 1\n# EOF\n", "1:3: expected a label name or }"},
        Case{"comment", "#comment\n# EOF\n", "1:1: expected a metric name"},
        Case{"no_value", "a\n# EOF\n", "1:2: expected one space before the value"},
        Case{"timestamp_is_no_number", "a 1 NaN\n# EOF\n", "1:5: expected a timestamp in seconds, got \"NaN\""},
        Case{"label_twice", "a{b=\"c\",b=\"d\"} 1\n# EOF\n", "1:1: label \"b\" given twice"},
        Case{"name_twice", "a{\"b\"} 1\n# EOF\n", "1:3: second metric name \"b\""},
        Case{"no_name", "{b=\"c\"} 1\n# EOF\n", "1:1: series without a metric name"}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Families, OpenMetricsFault,
    testing::Values(
        Case{"unknown_type", "# TYPE a untyped\n# EOF\n", "1:17: expected a metric type, got \"untyped\""},
        Case{"type_twice", "# TYPE a gauge\n# TYPE a gauge\n# EOF\n", "2:1: second TYPE of \"a\""},
        Case{"help_twice", "# HELP a x\n# HELP a x\n# EOF\n", "2:1: second HELP of \"a\""},
        Case{"type_after_samples", "a 1\n# TYPE a gauge\n# EOF\n", "2:1: family \"a\" comes a second time: families must be contiguous"},
        Case{"unit_not_in_name", "# UNIT a_bytes seconds\n# EOF\n",
             "1:23: unit \"seconds\" is not the end of the name \"a_bytes\""},
        Case{"counter_without_total", "# TYPE a counter\na 1\n# EOF\n",
             "2:1: \"a\" is of type counter: its samples have another suffix"},
        Case{"info_without_suffix", "# TYPE a info\na 1\n# EOF\n",
             "2:1: \"a\" is of type info: its samples have another suffix"},
        Case{"interleaved", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{c=\"d\"} 1\n# EOF\n",
             "5:1: family \"a\" comes a second time: families must be contiguous"},
        Case{"sample_of_two_families", "# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total{b=\"c\"} 1\n# EOF\n",
             "3:1: samples of \"a_total\" would come in two families"},
        Case{"series_twice", "# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 2\n# EOF\n",
             "4:1: series \"a{b=\\\"1\\\"}\" given twice"},
        Case{"series_back_in_time", "# TYPE a gauge\na 1 2\na 1 1\n# EOF\n", "3:1: series \"a\" given twice"}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Exemplars, OpenMetricsFault,
    testing::Values(
        Case{"no_labels", "# TYPE a counter\na_total 1 # 2\n# EOF\n", "2:13: expected {"},
        Case{"no_value", "# TYPE a counter\na_total 1 # {b=\"c\"}\n# EOF\n",
             "2:20: expected one space before the exemplar's value"},
        Case{"bad_time", "# TYPE a counter\na_total 1 # {b=\"c\"} 1 x\n# EOF\n",
             "2:23: expected a timestamp in seconds, got \"x\""},
        Case{"text_after", "# TYPE a counter\na_total 1 # {b=\"c\"} 1 2 3\n# EOF\n",
             "2:24: unexpected text after the exemplar"}),
    name_of);

class OpenMetricsSamples : public testing::TestWithParam<Case> {};
TEST_P(OpenMetricsSamples, Are_read) { EXPECT_EQ(read(GetParam().body, ExpositionFormat::openmetrics_1_0), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(
    Types, OpenMetricsSamples,
    testing::Values(
        Case{"end_without_line_feed", "a 1\n# EOF", "a 1\n"},
        Case{"counter", "# TYPE a counter\n# HELP a of it\na_total 1\na_created 2\n# EOF\n", "a_total 1\na_created 2\n"},
        Case{"info", "# TYPE a info\na_info{v=\"1\"} 1\n# EOF\n", "a_info{v=\"1\"} 1\n"},
        Case{"stateset", "# TYPE a stateset\na{a=\"x\"} 1\na{a=\"y\"} 0\n# EOF\n", "a{a=\"x\"} 1\na{a=\"y\"} 0\n"},
        Case{"gaugehistogram", "# TYPE a gaugehistogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum 2\n# EOF\n",
             "a_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum 2\n"},
        Case{"summary", "# TYPE a summary\na{quantile=\"0.50\"} 1\na_sum 1\na_count 2\n# EOF\n",
             "a{quantile=\"0.5\"} 1\na_sum 1\na_count 2\n"},
        Case{"unit", "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1\n# EOF\n", "a_seconds 1\n"},
        Case{"quoted_name", "# TYPE \"a.b\" gauge\n{\"a.b\",\"c.d\"=\"e\"} 1\n# EOF\n",
             "{__name__=\"a.b\", \"c.d\"=\"e\"} 1\n"},
        Case{"series_at_later_times", "# TYPE a gauge\na 1 1\na 2 2.5\n# EOF\n", "a 1 @1000\na 2 @2500\n"},
        Case{"time_before_1970", "a 1 -0.5\n# EOF\n", "a 1 @-500\n"},
        Case{"exemplar_without_time", "# TYPE a counter\na_total 1 5 # {} 1\n# EOF\n", "a_total 1 @5000\n"}),
    name_of);

class Bounds : public testing::TestWithParam<Case> {};
TEST_P(Bounds, Have_one_form) { EXPECT_EQ(read(GetParam().body, ExpositionFormat::text_0_0_4), GetParam().expected); }
INSTANTIATE_TEST_SUITE_P(
    Text, Bounds,
    testing::Values(
        Case{"histogram", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"0.10\"} 1\na_bucket{le=\"+Inf\"} 1\n",
             "a_bucket{le=\"1.0\"} 1\na_bucket{le=\"0.1\"} 1\na_bucket{le=\"+Inf\"} 1\n"},
        Case{"large", "# TYPE a histogram\na_bucket{le=\"1000000\"} 1\na_bucket{le=\"5e-5\"} 1\n",
             "a_bucket{le=\"1e+06\"} 1\na_bucket{le=\"5e-05\"} 1\n"},
        Case{"summary", "# TYPE a summary\na{quantile=\"1\"} 1\na_sum{quantile=\"1\"} 2\n",
             "a{quantile=\"1.0\"} 1\na_sum{quantile=\"1\"} 2\n"},
        Case{"gauge_keeps_its_label", "# TYPE a gauge\na{le=\"1\"} 1\na_bucket{le=\"1\"} 1\n",
             "a{le=\"1\"} 1\na_bucket{le=\"1\"} 1\n"},
        Case{"another_family", "# TYPE a histogram\nb_bucket{le=\"1\"} 1\n", "b_bucket{le=\"1\"} 1\n"},
        Case{"no_number", "# TYPE a histogram\na_bucket{le=\"x\"} 1\n", "a_bucket{le=\"x\"} 1\n"}),
    name_of);

TEST(TextFormat, Comments_that_are_no_metadata_mean_nothing) {
    EXPECT_EQ(read("#\n# \n#HELP\n# HELP\n# TYPE a\tgauge\n# EOF\n#TYPE a nonsense\na 1\n", ExpositionFormat::text_0_0_4), "a 1\n");
}

TEST(TextFormat, Metadata_that_is_broken_is_a_fault) {
    EXPECT_EQ(read("# TYPE a nonsense\n", ExpositionFormat::text_0_0_4), "1:9: expected a metric type, got \"nonsense\"");
    EXPECT_EQ(read("# HELP a \xff\n", ExpositionFormat::text_0_0_4), "1:9: help text is not valid UTF-8");
}

TEST(TextFormat, No_target_can_write_a_stale_marker) {
    const auto parsed = parse_exposition("a nan\n", ExpositionFormat::text_0_0_4);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(parsed->at(0).value), 0x7ff8000000000000U);
    EXPECT_FALSE(model::is_stale_marker(parsed->at(0).value));
}

TEST(TextFormat, A_label_given_empty_is_remembered_apart) {
    const auto parsed = parse_exposition("a{b=\"\",c=\"d\"} 1\n", ExpositionFormat::text_0_0_4);
    EXPECT_EQ(parsed->at(0).labels, (model::Labels{{"__name__", "a"}, {"c", "d"}}));
    EXPECT_EQ(parsed->at(0).emptied, std::vector<std::string>{"b"});
}

TEST(TextFormat, An_empty_answer_has_no_samples) {
    EXPECT_EQ(read("", ExpositionFormat::text_0_0_4), "");
    EXPECT_EQ(read("\n\n", ExpositionFormat::text_0_0_4), "");
}

TEST(Limits, Are_told_apart_from_faults) {
    const ParseLimits limits{.max_line_bytes = 20, .max_labels = 2, .max_samples = 2, .max_all_labels = 5};
    for (const char* body : {"a{b=\"ccccccccccccccccc\"} 1\n", "a{b=\"\",c=\"\",d=\"\"} 1\n", "a 1\nb 1\nc 1\n",
                             "a{b=\"c\",d=\"e\"} 1\nf{b=\"c\",d=\"e\"} 1\n"}) {
        const auto parsed = parse_exposition(body, ExpositionFormat::text_0_0_4, limits);
        ASSERT_FALSE(parsed) << body;
        EXPECT_EQ(parsed.error().code, Errc::limit) << body;
        EXPECT_NE(parsed.error().where.line, 0U) << body;
    }
}

std::vector<ScrapedSample> captured(const std::string& file) {
    const Result<std::string> body = read_file(std::string(NOROSHI_TEST_DATA "/") + file, 1 << 20);
    EXPECT_TRUE(body) << body.error().to_string();
    auto parsed = parse_exposition(*body, ExpositionFormat::text_0_0_4);
    EXPECT_TRUE(parsed) << parsed.error().to_string();
    return parsed ? *parsed : std::vector<ScrapedSample>{};
}

std::optional<double> value_of(const std::vector<ScrapedSample>& samples, std::string_view series) {
    for (const ScrapedSample& sample : samples) {
        if (sample.labels.to_string() == series) {
            return sample.value;
        }
    }
    return std::nullopt;
}

// geth puts a blank before the brace and writes a counter of the summary before the summary itself.
TEST(Captured, Geth_is_read) {
    const auto samples = captured("geth-1.16.9-dev.prom");
    EXPECT_EQ(samples.size(), 63U);
    EXPECT_EQ(value_of(samples, R"(blobpool_addtime{quantile="0.5"})"), 0);
    EXPECT_EQ(value_of(samples, "blobpool_datacap"), 2684354560);
}

TEST(Captured, Lodestar_is_read) {
    const auto samples = captured("lodestar-1.5.1-beacon.prom");
    EXPECT_EQ(samples.size(), 45U);
    EXPECT_EQ(value_of(samples, R"(beacon_fork_choice_find_head_seconds_bucket{le="10.0"})"), 59);
    EXPECT_EQ(value_of(samples, R"(beacon_current_validators{status="active"})"), 16);
}

}  // namespace
}  // namespace noroshi::collect
