// test/unit/collect/openmetrics_refused_test.cpp - what is no OpenMetrics: a line a case, with the place and the reason.
#include <gtest/gtest.h>

#include "collect/collect.hpp"

namespace noroshi::collect {
namespace {

/// `place` is "line:column", or "line:" where the column says nothing more.
struct Refused {
    const char* body;
    const char* place;
    const char* reason;
};

std::string fault_of(std::string_view body) {
    const auto parsed = parse_exposition(body, ExpositionFormat::openmetrics_1_0);
    return parsed ? "taken" : parsed.error().to_string();
}

void expect_refused(std::span<const Refused> cases) {
    for (const Refused& each : cases) {
        const std::string fault = fault_of(each.body);
        EXPECT_EQ(fault.substr(0, std::string(each.place).size()), each.place) << each.body << "\n" << fault;
        EXPECT_NE(fault.find(each.reason), std::string::npos) << each.body << "\n" << fault;
    }
}

/// Prometheus 3.16 refuses these too (its parser's own table of faults has them).
TEST(OpenMetricsRefused, By_Prometheus) {
    constexpr Refused cases[] = {
        {"", "1:1", "no # EOF"},
        {"\n", "1:1", "blank line"},
        {"metric", "1:7", "one space before the value"},
        {"metric 1", "2:1", "no # EOF"},
        {"metric 1\n", "2:1", "no # EOF"},
        {"# TYPE metric counter\nmetric_total 1 # {aa=\"bb\"} 4", "3:1", "no # EOF"},
        {"a\n#EOF\n", "1:2", "one space before the value"},
        {"\n\n#EOF\n", "1:1", "blank line"},
        {" a 1\n#EOF\n", "1:1", "expected a metric name"},
        {"9\n#EOF\n", "1:1", "expected a metric name"},
        {"# TYPE u untyped\n#EOF\n", "1:", "expected a metric type, got \"untyped\""},
        {"# TYPE c counter \n#EOF\n", "1:", "expected a metric type, got \"counter \""},
        {"#  TYPE c counter\n#EOF\n", "1:", "expected HELP, TYPE, UNIT or EOF"},
        {"# TYPE \n#EOF\n", "1:8", "expected a metric name"},
        {"# TYPE m\n#EOF\n", "1:9", "one space after the metric name"},
        {"# UNIT metric suffix\n#EOF\n", "1:", "unit \"suffix\" is not the end of the name \"metric\""},
        {"# UNIT metricsuffix suffix\n#EOF\n", "1:", "is not the end of the name"},
        {"# UNIT m suffix\n#EOF\n", "1:", "is not the end of the name"},
        {"# UNIT \n#EOF\n", "1:8", "expected a metric name"},
        {"# UNIT m\n#EOF\n", "1:9", "one space after the metric name"},
        {"# HELP \n#EOF\n", "1:8", "expected a metric name"},
        {"# HELP m\n#EOF\n", "1:9", "one space after the metric name"},
        {"a\t1\n#EOF\n", "1:2", "one space before the value"},
        {"a 1\t2\n#EOF\n", "1:", "one space before the timestamp"},
        {"a 1 2 \n#EOF\n", "1:7", "expected an exemplar after the space"},
        {"a 1 2 #\n#EOF\n", "1:7", "expected an exemplar"},
        {"a 1 1z\n#EOF\n", "1:5", "expected a timestamp in seconds, got \"1z\""},
        {" # EOF\n", "1:1", "expected a metric name"},
        {"# EOF\na 1", "2:1", "text after # EOF"},
        {"# EOF\n\n", "2:1", "text after # EOF"},
        {"# EOFa 1", "1:", "expected HELP, TYPE, UNIT or EOF"},
        {"#\tTYPE c counter\n", "1:1", "expected a metric name"},
        {"# TYPE c  counter\n", "1:", "expected a metric type, got \" counter\""},
        {"a 1 1 1\n# EOF\n", "1:7", "expected an exemplar"},
        {"a{b='c'} 1\n# EOF\n", "1:5", "expected a quoted string"},
        {"a{,b=\"c\"} 1\n# EOF\n", "1:3", "expected a label name"},
        {"a{b=\"c\"d=\"e\"} 1\n# EOF\n", "1:8", "expected , or }"},
        {"a{b=\"c\",,d=\"e\"} 1\n# EOF\n", "1:9", "expected a label name"},
        {"a{b=\n# EOF\n", "1:5", "expected a quoted string"},
        {"a{\xff=\"foo\"} 1\n# EOF\n", "1:3", "expected a label name"},
        {"a{b=\"\xff\"} 1\n# EOF\n", "1:5", "not valid UTF-8"},
        {"{\"a\",\"b = \"c\"}\n# EOF\n", "1:6", "second metric name"},
        {"{\"a\",b\\nc=\"d\"} 1\n# EOF\n", "1:7", "expected = after label name \"b\""},
        {"a true\n", "1:3", "expected a value, got \"true\""},
        {"something_weird{problem=\"\n# EOF\n", "1:25", "without closing quote"},
        {"empty_label_name{=\"\"} 0\n# EOF\n", "1:18", "expected a label name"},
        {"{A}0\n# EOF\n", "1:3", "expected = after label name \"A\""},
        {"foo 1_2\n\n# EOF\n", "1:5", "expected a value, got \"1_2\""},
        {"foo 0x1p-3\n\n# EOF\n", "1:5", "expected a value"},
        {"foo 0x1P-3\n\n# EOF\n", "1:5", "expected a value"},
        {"foo 0 1_2\n\n# EOF\n", "1:7", "expected a timestamp in seconds"},
        {"# TYPE c counter\nc_total 1 # {aa=bb}\n# EOF\n", "2:17", "expected a quoted string"},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\"}\n# EOF\n", "2:", "one space before the exemplar's value"},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\"}", "2:", "one space before the exemplar's value"},
        {"# TYPE c counter\nc_total 1 # {bb}", "2:", "expected = after label name \"bb\""},
        {"# TYPE c counter\nc_total 1 # {bb, a=\"dd\"}", "2:", "expected = after label name \"bb\""},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\",,cc=\"dd\"} 1", "2:", "expected a label name"},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\"} 1_2", "2:", "expected a value, got \"1_2\""},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\"} 0x1p-3", "2:", "expected a value"},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\"} true", "2:", "expected a value, got \"true\""},
        {"# TYPE c counter\nc_total 1 # {aa=\"bb\",cc=}", "2:", "expected a quoted string"},
        {"# TYPE c counter\nc_total 1 # {aa=\\\"\xff\\\"} 9.0", "2:", "expected a quoted string"},
        {"{b=\"c\",} 1", "1:1", "series without a metric name"},
        {"a 1 NaN", "1:5", "expected a timestamp in seconds"},
        {"a 1 -Inf", "1:5", "expected a timestamp in seconds"},
        {"a 1 Inf", "1:5", "expected a timestamp in seconds"},
        {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {aa=\"bb\"} 4 NaN", "2:", "expected a timestamp in seconds"},
        {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {aa=\"bb\"} 4 -Inf", "2:", "expected a timestamp in seconds"},
    };
    expect_refused(cases);
}

/// What the specification forbids beside that: text format and families.
TEST(OpenMetricsRefused, By_the_specification_of_lines_and_families) {
    constexpr Refused cases[] = {
        {"# comment\n# EOF\n", "1:", "expected HELP, TYPE, UNIT or EOF"},
        {"a 1\r\n# EOF\n", "1:3", "expected a value"},
        {"a 0x1f\n# EOF\n", "1:3", "expected a value"},
        {"a{b=\"c\", d=\"e\"} 1\n# EOF\n", "1:9", "expected a label name"},
        {"a{b=\"1\",b=\"2\"} 1\n# EOF\n", "1:1", "label \"b\" given twice"},
        {"a{__b=\"c\"} 1\n# EOF\n", "1:1", "label names that begin with __ are reserved"},
        {"# HELP a \xff\n# EOF\n", "1:", "not valid UTF-8"},
        {"# TYPE a gauge\n# TYPE a gauge\n# EOF\n", "2:1", "second TYPE"},
        {"# TYPE a_s gauge\n# UNIT a_s s\n# UNIT a_s s\n# EOF\n", "3:1", "second UNIT"},
        {"# HELP a x\n# HELP a x\n# EOF\n", "2:1", "second HELP"},
        {"a 1\n# TYPE a gauge\n# EOF\n", "2:1", "a second time"},
        {"a 1\n# HELP a x\n# EOF\n", "2:1", "a second time"},
        {"a 1\n# HELP a x\n# TYPE b gauge\n# EOF\n", "2:1", "a second time"},
        {"a 1\n# HELP a x\na{b=\"c\"} 1\n# EOF\n", "3:1", "a second time"},
        {"a_s 1\n# UNIT a_s s\n# EOF\n", "2:1", "after its samples"},
        {"# TYPE a gauge\na 1\nb 1\n# TYPE a gauge\n# EOF\n", "4:1", "a second time"},
        {"# TYPE a counter\na_total 1\nb 1\n# TYPE a counter\na_total{c=\"d\"} 1\n# EOF\n", "4:1", "a second time"},
        {"# TYPE a gauge\na 1\n# TYPE a counter\na_total 1\n# TYPE a gauge\n# EOF\n", "5:1", "after its samples"},
        {"# TYPE a gauge\na{b=\"1\"} 1\n# TYPE c gauge\nc 1\na{b=\"2\"} 1\n# EOF\n", "5:1", "a second time"},
        {"# TYPE a counter\n# TYPE a_total gauge\n# EOF\n", "2:1", "would come in two families"},
        {"# TYPE a_sum gauge\n# TYPE a summary\n# EOF\n", "2:1", "would come in two families"},
        {"# TYPE a histogram\n# TYPE a_bucket gauge\n# EOF\n", "2:1", "would come in two families"},
        {"# TYPE a info\n# TYPE a_info gauge\n# EOF\n", "2:1", "would come in two families"},
        {"# TYPE a counter\na 1\n# EOF\n", "2:1", "its samples have another suffix"},
        {"# TYPE a info\na 1\n# EOF\n", "2:1", "its samples have another suffix"},
        {"# TYPE a_s info\n# UNIT a_s s\na_s_info 1\n# EOF\n", "2:1", "it has no unit"},
        {"# UNIT a_s s\n# TYPE a_s stateset\n# EOF\n", "2:1", "it has no unit"},
        {"a 1\na 1\n# EOF\n", "2:1", "given twice"},
        {"a 1 2\na 1 1\n# EOF\n", "2:1", "given twice"},
        {"a 1 1\na 1\n# EOF\n", "2:1", "given twice"},
    };
    expect_refused(cases);
}

/// And of types and exemplars.
TEST(OpenMetricsRefused, By_the_specification_of_types) {
    constexpr Refused cases[] = {
        {"# TYPE a counter\na_total -1\n# EOF\n", "2:1", "expected a total of at least 0, got -1"},
        {"# TYPE a counter\na_total NaN\n# EOF\n", "2:1", "expected a total of at least 0, got NaN"},
        {"# TYPE a counter\na_total 1\na_created -1\n# EOF\n", "3:1", "expected a time as _created"},
        {"# TYPE a counter\na_total{b=\"1\"} 1\na_total{b=\"2\"} 1\na_created{b=\"1\"} 1\n# EOF\n", "4:1", "must stand together"},
        {"# TYPE a counter\na_total 1 5\na_created 1\n# EOF\n", "3:1", "a timestamp at all samples of a metric or at none"},
        {"# TYPE a info\na_info 2\n# EOF\n", "2:1", "expected 1 as the value of an info"},
        {"# TYPE a stateset\na{a=\"x\"} 2\n# EOF\n", "2:1", "expected 0 or 1"},
        {"# TYPE a stateset\na{b=\"x\"} 1\n# EOF\n", "2:1", "needs a label with its own name"},
        {"# TYPE a stateset\na 1\n# EOF\n", "2:1", "needs a label with its own name"},
        {"# TYPE a summary\na 1\n# EOF\n", "2:1", "needs a label quantile"},
        {"# TYPE a summary\na{quantile=\"1.5\"} 1\n# EOF\n", "2:1", "needs a label quantile from 0 to 1"},
        {"# TYPE a summary\na{quantile=\"x\"} 1\n# EOF\n", "2:1", "needs a label quantile from 0 to 1"},
        {"# TYPE a summary\na{quantile=\"0.5\"} -1\n# EOF\n", "2:1", "expected a quantile of at least 0"},
        {"# TYPE a summary\na_sum -1\n# EOF\n", "2:1", "expected a sum of at least 0"},
        {"# TYPE a summary\na_count NaN\n# EOF\n", "2:1", "expected a whole count"},
        {"# TYPE a summary\na_count 0.5\n# EOF\n", "2:1", "expected a whole count"},
        {"# TYPE a summary\na_count{b=\"1\"} 1\na_count{b=\"2\"} 1\na_sum{b=\"1\"} 1\n# EOF\n", "4:1", "must stand together"},
        {"# TYPE a histogram\na_bucket 1\n# EOF\n", "2:1", "needs a number as its label le"},
        {"# TYPE a histogram\na_bucket{le=\"x\"} 1\n# EOF\n", "2:1", "needs a number as its label le"},
        {"# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n# EOF\n", "2:1", "needs a number as its label le"},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n", "2:1", "without a bucket le=\"+Inf\""},
        {"# TYPE a histogram\na_count 1\na_sum 1\n# EOF\n", "3:1", "without a bucket le=\"+Inf\""},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 1\n# TYPE b gauge\nb 1\n# EOF\n", "2:1", "without a bucket le=\"+Inf\""},
        {"# TYPE a histogram\na_bucket{b=\"1\",le=\"1\"} 1\na_bucket{b=\"2\",le=\"+Inf\"} 1\n# EOF\n", "2:1", "without a bucket le=\"+Inf\""},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_bucket{le=\"1\"} 1\n# EOF\n", "3:1", "in the order of le"},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 1\n# EOF\n", "3:1", "in the order of le"},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n", "3:1", "holds at least what the one before it holds"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} -1\n# EOF\n", "2:1", "expected a whole count"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} NaN\n# EOF\n", "2:1", "expected a whole count"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 0.5\n# EOF\n", "2:1", "expected a whole count"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n# EOF\n", "4:1", "the count is not that of the bucket"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\n# EOF\n", "3:1", "expected count and sum together"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n# EOF\n", "3:1", "expected count and sum together"},
        {"# TYPE a histogram\na_bucket{le=\"-1\"} 1\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n# EOF\n", "5:1", "no sum may stand beside"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\na_sum -1\n# EOF\n", "4:1", "expected a sum of at least 0"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count{le=\"1\"} 1\na_sum 1\n# EOF\n", "3:1", "only buckets have a label le"},
        {"# TYPE a gaugehistogram\na_bucket{le=\"1\"} 1\na_gcount 1\na_gsum 1\n# EOF\n", "4:1", "without a bucket le=\"+Inf\""},
        {"# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 1\n# EOF\n", "3:1", "expected count and sum together"},
        {"# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 1\na_gsum -1\n# EOF\n", "4:1", "a sum below 0 without buckets below 0"},
        {"# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_gcount 2\na_gsum 1\n# EOF\n", "4:1", "the count is not that of the bucket"},
        {"# TYPE a gauge\na 1 # {b=\"c\"} 1\n# EOF\n", "2:1", "only totals and buckets may have an exemplar"},
        {"a 1 # {b=\"c\"} 1\n# EOF\n", "1:1", "only totals and buckets may have an exemplar"},
        {"# TYPE a counter\na_total 1\na_created 1 # {b=\"c\"} 1\n# EOF\n", "3:1", "only totals and buckets may have an exemplar"},
        {"# TYPE a info\na_info 1 # {b=\"c\"} 1\n# EOF\n", "2:1", "only totals and buckets may have an exemplar"},
        {"# TYPE a summary\na{quantile=\"0.5\"} 1 # {b=\"c\"} 1\n# EOF\n", "2:1", "only totals and buckets may have an exemplar"},
        {"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1 # {b=\"c\"} 1\na_sum 1\n# EOF\n", "3:1",
         "only totals and buckets may have an exemplar"},
    };
    expect_refused(cases);
}

TEST(OpenMetricsRefused, An_exemplar_longer_than_128_characters) {
    const std::string fits = std::string(64, 'a') + "\"} 1\n# EOF\n";
    EXPECT_EQ(fault_of("# TYPE a counter\na_total 1 # {" + std::string(64, 'b') + "=\"" + fits), "taken");
    EXPECT_EQ(fault_of("# TYPE a counter\na_total 1 # {" + std::string(65, 'b') + "=\"" + fits).substr(0, 2), "2:");
}

TEST(OpenMetrics, What_Gos_client_library_gives_is_taken) {
    EXPECT_EQ(fault_of("# HELP go_memstats_alloc_bytes now\n# TYPE go_memstats_alloc_bytes gauge\ngo_memstats_alloc_bytes 1\n"
                       "# HELP go_memstats_alloc_bytes in all\n# TYPE go_memstats_alloc_bytes counter\n"
                       "go_memstats_alloc_bytes_total 1\n# EOF\n"),
              "taken");
    EXPECT_EQ(fault_of("# TYPE a histogram\na_bucket{b=\"1\",le=\"-1.0\"} 0\na_bucket{b=\"1\",le=\"+Inf\"} 2 1\n# EOF\n").substr(0, 2), "3:");
    EXPECT_EQ(fault_of("# TYPE a histogram\na_bucket{b=\"1\",le=\"-1.0\"} 0\na_bucket{b=\"1\",le=\"+Inf\"} 2\n"
                       "a_bucket{b=\"2\",le=\"1.0\"} 0\na_bucket{b=\"2\",le=\"+Inf\"} 2 # {c=\"d\"} 1\na_count{b=\"2\"} 2\na_sum{b=\"2\"} 2\n"
                       "a_created{b=\"2\"} 1.5\n# TYPE s summary\ns_count 0\ns_sum 0.0\ns{quantile=\"0.5\"} NaN\n# EOF\n"),
              "taken");
    EXPECT_EQ(fault_of("# TYPE a histogram\na_bucket{le=\"+Inf\"} 2 1\na_count 2 1\na_sum 2 1\na_bucket{le=\"+Inf\"} 3 2\n"
                       "a_count 3 2\na_sum 2 2\n# EOF\n"),
              "taken");
}

TEST(Metadata, Is_kept_as_it_was_given) {
    std::vector<FamilyMetadata> text;
    ASSERT_TRUE(parse_exposition("# HELP a one\\ntwo \\\\ \\\"\n# TYPE a untyped\n# TYPE b counter\na 1\n", ExpositionFormat::text_0_0_4, {}, &text));
    EXPECT_EQ(text, (std::vector<FamilyMetadata>{{"a", "unknown", "one\ntwo \\ \\\"", ""}, {"b", "counter", "", ""}}));
    std::vector<FamilyMetadata> open;
    ASSERT_TRUE(parse_exposition("# TYPE a_s gauge\n# UNIT a_s s\n# HELP a_s say \\\"x\\\"\na_s 1\n# EOF\n",
                                 ExpositionFormat::openmetrics_1_0, {}, &open));
    EXPECT_EQ(open, (std::vector<FamilyMetadata>{{"a_s", "gauge", "say \"x\"", "s"}}));
}

TEST(Metadata, Is_bounded) {
    std::string body;
    for (int i = 0; i < 6'000; ++i) {
        body += fmt::format("# HELP a{} {}é\n", i, std::string(1'023, 'x'));
    }
    std::vector<FamilyMetadata> out;
    ASSERT_TRUE(parse_exposition(body, ExpositionFormat::text_0_0_4, {}, &out));
    EXPECT_EQ(out.size(), 5'000u);
    EXPECT_EQ(out[0].help, std::string(1'023, 'x'));
}

}  // namespace
}  // namespace noroshi::collect
