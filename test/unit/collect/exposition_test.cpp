// test/unit/collect/exposition_test.cpp - text 0.0.4 and OpenMetrics 1.0: what is read, and faults with line and column.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/numbers.hpp"
#include "collect/collect.hpp"
#include "scrape/negotiation.hpp"

namespace noroshi::collect {
namespace {

using testing::HasSubstr;

std::string text(std::string_view body, ExpositionFormat format = ExpositionFormat::text_0_0_4,
                 const ParseLimits& limits = {}) {
    const auto parsed = parse_exposition(body, format, limits);
    if (!parsed) {
        return "fault: " + parsed.error().to_string();
    }
    std::string out;
    for (const ScrapedSample& sample : *parsed) {
        out += sample.labels.to_string() + " " + format_float(sample.value);
        if (sample.at) {
            out += fmt::format(" @{}", to_unix_ms(*sample.at));
        }
        out += "\n";
    }
    return out;
}

std::string open(std::string_view body) { return text(body, ExpositionFormat::openmetrics_1_0); }

TEST(TextFormat, Reads_samples_with_labels_escapes_and_timestamps) {
    EXPECT_EQ(text("# HELP a some text\n# TYPE a counter\na{b=\"c\\\"d\\\\e\\nf\",g=\"\"} 1.5 1395066363000\n"),
              "a{b=\"c\\\"d\\\\e\\nf\"} 1.5 @1395066363000\n");
    EXPECT_EQ(text("a 1\nb +Inf\nc -Inf\nd NaN\ne 1e-3\n"), "a 1\nb +Inf\nc -Inf\nd NaN\ne 0.001\n");
}

TEST(TextFormat, Takes_blanks_where_people_put_them) {
    EXPECT_EQ(text("  a \t{ b = \"c\" , d=\"e\", }\t 1 \n\n   \n# just a comment\nf 2\n"), "a{b=\"c\", d=\"e\"} 1\nf 2\n");
}

TEST(TextFormat, Takes_lines_that_end_as_Windows_writes_them_only_as_a_fault) {
    EXPECT_THAT(text("a 1\r\n"), HasSubstr("fault: 1:"));
}

TEST(TextFormat, Reads_quoted_names_of_UTF_8) {
    EXPECT_EQ(text("{\"a.b\",\"c d\"=\"e\"} 1\n"), "{__name__=\"a.b\", \"c d\"=\"e\"} 1\n");
}

TEST(TextFormat, Names_line_and_column_of_a_fault) {
    const std::pair<const char*, const char*> cases[] = {
        {"a 1\nb x\n", "2:3"},       {"a{b=c} 1\n", "1:5"}, {"a{b=\"c} 1\n", "1:"},   {"a{b=\"c\"\n", "1:8"},
        {"1a 2\n", "1:1"},           {"a\n", "1:2"},        {"a 1 2 3\n", "1:7"},     {"a{b=\"1\",b=\"2\"} 1\n", "1:1"},
        {"a{__name__=\"b\"} 1\n", "1:"}, {"a 1 x\n", "1:5"},       {"a 0x1p3\n", "1:3"},         {"a 1_0\n", "1:3"},    {"a{b=\"\xff\"} 1\n", "1:"},
    };
    for (const auto& [body, place] : cases) {
        EXPECT_THAT(text(body), HasSubstr("fault: " + std::string(place))) << body;
    }
}

TEST(TextFormat, An_answer_that_was_cut_short_is_none) {
    EXPECT_THAT(text("a 1\nb 2"), HasSubstr("fault: 2:4: last line does not end"));
}

TEST(TextFormat, Is_bounded) {
    EXPECT_THAT(text("a 1\n" + std::string(100, 'x'), {}, {.max_line_bytes = 50}), HasSubstr("fault: 2"));
    EXPECT_THAT(text("a 1\nb 2\nc 3\n", {}, {.max_samples = 2}), HasSubstr("fault: "));
    EXPECT_THAT(text("a{b=\"1\",c=\"2\",d=\"3\"} 1\n", {}, {.max_labels = 2}), HasSubstr("fault: "));
}

TEST(OpenMetrics, Reads_families_exemplars_and_the_end) {
    EXPECT_EQ(open("# TYPE a counter\n# UNIT a_seconds seconds\n# EOF\n"), open("# EOF\n"));
    EXPECT_EQ(open("# TYPE a histogram\na_bucket{le=\"1.0\"} 1 # {id=\"x\"} 0.5 1.0\na_bucket{le=\"+Inf\"} 2\na_count 2\n"
                   "a_sum 1.5\na_created 1.25\n# EOF\n"),
              "a_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 2\na_count 2\na_sum 1.5\na_created 1.25\n");
    EXPECT_EQ(open("# TYPE a gauge\na 1 1395066363.5\n# EOF\n"), "a 1 @1395066363500\n");
}

TEST(OpenMetrics, Is_held_to_its_grammar) {
    for (const char* body : {"a 1\n", "a 1\n# EOF\nb 2\n", "a  1\n# EOF\n", "# TYPE a counter\na 1\n# EOF\n",
                             "# TYPE a gauge\na 1\nb 2\na{c=\"d\"} 3\n# EOF\n", "a 1\na 2\n# EOF\n", "# a comment\n# EOF\n"}) {
        EXPECT_THAT(open(body), HasSubstr("fault: ")) << body;
    }
}

TEST(Negotiation, Chooses_by_media_type_alone) {
    using enum ExpositionFormat;
    EXPECT_EQ(*choose_format("text/plain; version=0.0.4; charset=utf-8", std::nullopt), text_0_0_4);
    EXPECT_EQ(*choose_format("application/openmetrics-text; version=1.0.0", std::nullopt), openmetrics_1_0);
    EXPECT_FALSE(choose_format("text/html", std::nullopt));
    EXPECT_FALSE(choose_format("", std::nullopt));
    EXPECT_EQ(*choose_format("", text_0_0_4), text_0_0_4);
}

}  // namespace
}  // namespace noroshi::collect
