// test/unit/model/labels_test.cpp - label sets, their identity, and matchers.
#include <gtest/gtest.h>

#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "model/sample.hpp"

namespace noroshi::model {
namespace {

TEST(Labels, Are_sorted_without_empty_values_and_the_last_of_a_name_counts) {
    const Labels labels{{"b", "1"}, {"a", "2"}, {"c", ""}, {"b", "3"}};
    EXPECT_EQ(labels.to_string(), R"({a="2", b="3"})");
    EXPECT_EQ(labels.get("c"), "");
    EXPECT_EQ(labels.with("a", ""), (Labels{{"b", "3"}}));
}

TEST(Labels, Are_ordered_label_by_label_and_equal_ones_share_or_not) {
    const Labels labels{{"a", "1"}, {"b", "2"}};
    const Labels copy = labels;  // NOLINT(*-unnecessary-copy-initialization): copies are what is looked at
    EXPECT_EQ(copy, labels);
    EXPECT_EQ(copy, (Labels{{"b", "2"}, {"a", "1"}}));
    EXPECT_LT(labels, (Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
    EXPECT_LT((Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}}), (Labels{{"a", "1"}, {"bb", "1"}}));
    EXPECT_LT((Labels{{"a", "1"}}), (Labels{{"a", "1\xff"}}));
    EXPECT_LT(Labels{}, labels);
    // A separator inside a name or value is no border.
    EXPECT_NE((Labels{{"a", "b\xff" "c\xff" "d"}}), (Labels{{"a", "b"}, {"c", "d"}}));
}

TEST(Labels, Filtered_and_with_give_what_is_asked_for) {
    const Labels labels{{"a", "1"}, {"b", "2"}, {"d", "4"}};
    EXPECT_EQ(labels.filtered([](LabelView label) { return label.name != "b"; }), (Labels{{"a", "1"}, {"d", "4"}}));
    EXPECT_TRUE(labels.filtered([](LabelView) { return false; }).empty());
    EXPECT_EQ(labels.with("c", "3"), (Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}));
    EXPECT_EQ(labels.with("e", "5").with("0", "0").with("b", "x"),
              (Labels{{"0", "0"}, {"a", "1"}, {"b", "x"}, {"d", "4"}, {"e", "5"}}));
    EXPECT_EQ(labels.without("a").without("b").without("d"), Labels{});
    EXPECT_EQ(labels.without("nothing"), labels);
}

TEST(Labels, The_name_stands_before_the_braces) {
    EXPECT_EQ((Labels{{"__name__", "up"}, {"job", "a\"b\n"}}).to_string(), R"(up{job="a\"b\n"})");
    EXPECT_EQ((Labels{{"__name__", "up"}}).to_string(), "up");
    EXPECT_EQ(Labels{}.to_string(), "{}");
}

// The fingerprint of Prometheus's and Alertmanager's common library for an empty and a small set.
TEST(Labels, Fingerprints_are_those_of_Alertmanager) {
    EXPECT_EQ(format_fingerprint(Labels{}.fingerprint()), "cbf29ce484222325");
    EXPECT_NE((Labels{{"a", "b"}}).fingerprint(), (Labels{{"ab", ""}, {"b", "a"}}).fingerprint());
}

TEST(Labels, The_hash_tells_borders_of_names_and_values_apart) {
    EXPECT_NE((Labels{{"a", "bc"}}).hash(), (Labels{{"ab", "c"}}).hash());
    EXPECT_EQ((Labels{{"a", "b"}, {"c", "d"}}).hash(), (Labels{{"c", "d"}, {"a", "b"}}).hash());
}

TEST(Matcher, Regexes_match_the_whole_value_and_dots_match_newlines) {
    const Matcher matcher = *Matcher::create(MatchOp::regex, "a", "b.|c");
    EXPECT_TRUE(matcher.matches("b\n"));
    EXPECT_TRUE(matcher.matches("c"));
    EXPECT_FALSE(matcher.matches("cc"));
    EXPECT_FALSE(matcher.matches("xb1"));
}

TEST(Matcher, An_absent_label_is_the_empty_string) {
    EXPECT_TRUE(Matcher::create(MatchOp::not_equal, "a", "b")->matches_empty());
    EXPECT_TRUE(Matcher::create(MatchOp::regex, "a", ".*")->matches_empty());
    EXPECT_FALSE(Matcher::create(MatchOp::not_regex, "a", "|b")->matches_empty());
}

TEST(Matcher, A_bad_regex_is_refused_with_its_reason) {
    const auto matcher = Matcher::create(MatchOp::regex, "a", "(");
    ASSERT_FALSE(matcher);
    EXPECT_NE(matcher.error().message.find("("), std::string::npos);
}

TEST(StaleMarker, Is_told_from_other_NaNs_by_its_bits) {
    EXPECT_TRUE(is_stale_marker(stale_marker()));
    EXPECT_FALSE(is_stale_marker(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace noroshi::model
