// test/unit/model/names_test.cpp - the words of states, quoting, legal names, and hashes against vectors.
#include <gtest/gtest.h>

#include <set>

#include "model/alert.hpp"
#include "model/labels.hpp"
#include "model/matcher.hpp"
#include "model/message.hpp"

namespace noroshi::model {
namespace {

// Computed apart from this code, from the published definitions of XXH64 and FNV-1a 64.
TEST(Labels, Hash_and_fingerprint_of_known_sets) {
    const Labels up{{"__name__", "up"}, {"instance", "localhost:9090"}, {"job", "prometheus"}};
    EXPECT_EQ(Labels{}.hash(), 0xef46db3751d8e999U);
    EXPECT_EQ(up.hash(), 0xf28c8afcd224e55fU);
    EXPECT_EQ(up.fingerprint(), 0x14a80682733d2f46U);
    const Labels alert{{"alertname", "DiskFull"}, {"instance", "a"}};
    EXPECT_EQ(alert.hash(), 0xeb4d7bae60f6edf0U);
    EXPECT_EQ(alert.fingerprint(), 0x63510c93a905c728U);
}

TEST(Labels, With_sets_replaces_and_removes) {
    const Labels labels{{"b", "1"}};
    EXPECT_EQ(labels.with("a", "2").to_string(), R"({a="2", b="1"})");
    EXPECT_EQ(labels.with("b", "2").to_string(), R"({b="2"})");
    EXPECT_EQ(labels.without("b"), Labels{});
    EXPECT_EQ(labels.without("c"), labels);
}

TEST(Labels, Names_that_are_not_legacy_are_quoted) {
    EXPECT_EQ((Labels{{"__name__", "a.b"}, {"c d", "e"}}).to_string(), R"({__name__="a.b", "c d"="e"})");
}

TEST(Quote, Leaves_no_control_character_and_no_open_quote) {
    EXPECT_EQ(quote("a\"b\\c\n\t\r\x01\x7f"), R"("a\"b\\c\n\t\r\x01\x7f")");
    EXPECT_EQ(quote("h\xc3\xa9"), "\"h\xc3\xa9\"");
    EXPECT_EQ(quote(""), "\"\"");
}

TEST(Names, Legacy_names_are_told_from_others) {
    for (const char* name : {"a", "_", "A9_"}) {
        EXPECT_TRUE(is_legacy_label_name(name)) << name;
        EXPECT_TRUE(is_legacy_metric_name(name)) << name;
    }
    for (const char* name : {"", "9a", "a-b", "a.b", "h\xc3\xa9"}) {
        EXPECT_FALSE(is_legacy_label_name(name)) << name;
        EXPECT_FALSE(is_legacy_metric_name(name)) << name;
    }
    EXPECT_TRUE(is_legacy_metric_name("job:up:sum"));
    EXPECT_FALSE(is_legacy_label_name("job:up:sum"));
}

TEST(Names, A_message_status_reads_back) {
    for (const MessageStatus status : {MessageStatus::firing, MessageStatus::resolved, MessageStatus::event}) {
        EXPECT_EQ(*parse_message_status(message_status_name(status)), status);
    }
    EXPECT_EQ(parse_message_status("Firing").error().code, Errc::parse);
}

TEST(Names, Every_state_has_a_word_of_its_own) {
    using enum ReceiptKind;
    std::set<std::string_view> words;
    for (const ReceiptKind kind : {handed_over, stored, delivered, answered}) {
        words.insert(receipt_kind_name(kind));
    }
    for (const AlertState state : {AlertState::inactive, AlertState::pending, AlertState::firing}) {
        words.insert(alert_state_name(state));
    }
    EXPECT_EQ(words.size(), 7U);
}

TEST(Matcher, Compares_equal_and_not_equal_byte_by_byte) {
    const Matcher equal = *Matcher::create(MatchOp::equal, "a", "b.");
    EXPECT_TRUE(equal.matches("b."));
    EXPECT_FALSE(equal.matches("bc"));
    EXPECT_FALSE(Matcher::create(MatchOp::not_equal, "a", "b")->matches("b"));
}

TEST(Matcher, Alternations_and_anchors_are_held_to_the_whole_value) {
    const Matcher matcher = *Matcher::create(MatchOp::not_regex, "a", "^x|y$");
    EXPECT_FALSE(matcher.matches("x"));
    EXPECT_FALSE(matcher.matches("y"));
    EXPECT_TRUE(matcher.matches("xy"));
}

TEST(Matcher, Takes_both_spellings_of_a_named_group) {
    EXPECT_TRUE(Matcher::create(MatchOp::regex, "a", "(?<host>h.+)")->matches("h1"));
    EXPECT_TRUE(Matcher::create(MatchOp::regex, "a", "(?P<host>h.+)")->matches("h1"));
    EXPECT_TRUE(Matcher::create(MatchOp::regex, "a", R"(\(?<x>)")->matches("<x>"));
    EXPECT_FALSE(Matcher::create(MatchOp::regex, "a", "(?<=h)x"));
}

TEST(Matcher, Is_printed_as_it_is_written) {
    EXPECT_EQ(Matcher::create(MatchOp::not_regex, "a", "b\"c")->to_string(), R"(a!~"b\"c")");
    EXPECT_EQ(Matcher::create(MatchOp::equal, "a b", "c")->to_string(), R"("a b"="c")");
}

}  // namespace
}  // namespace noroshi::model
