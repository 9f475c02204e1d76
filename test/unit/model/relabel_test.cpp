// test/unit/model/relabel_test.cpp - every relabel action, Go's way of expanding references, and what an action refuses.
#include "model/relabel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace noroshi::model {
namespace {

using enum RelabelAction;
using Map = std::optional<LabelMap>;

Map after(RelabelSpec spec, LabelMap labels) {
    const Result<RelabelRule> rule = RelabelRule::create(std::move(spec));
    EXPECT_TRUE(rule.has_value()) << (rule ? "" : rule.error().to_string());
    return rule && rule->apply(labels) ? Map(labels) : std::nullopt;
}

RelabelSpec replaced(std::string regex, std::string target, std::string replacement) {
    return {.action = replace, .source_labels = {"a"}, .regex = std::move(regex), .target_label = std::move(target),
            .replacement = std::move(replacement)};
}

TEST(Relabel, Replace_writes_what_the_groups_give) {
    const LabelMap in{{"a", "foo-7"}};
    EXPECT_EQ(after({.source_labels = {"a", "b"}, .target_label = "t"}, in)->at("t"), "foo-7;");
    EXPECT_EQ(after(replaced("(.*)-(\\d)", "t", "${2}_$1"), in)->at("t"), "7_foo");
    EXPECT_EQ(after(replaced("(?<w>.*)-(\\d)", "t_$2", "$w$$"), in)->at("t_7"), "foo$");
    EXPECT_EQ(after(replaced("foo", "t", "x"), in), Map(in)) << "anchored at both ends";
    EXPECT_EQ(after(replaced("(.*)", "a", ""), in), Map(LabelMap{})) << "an empty result takes the label away";
    EXPECT_EQ(after(replaced("(.*)-(.)", "t", "$1x"), in), Map(in)) << "$1x is the group called 1x";
    EXPECT_EQ(after(replaced("(.*)-(.)", "t", "$01"), in), Map(in)) << "no leading zeros";
    EXPECT_EQ(after(replaced("(.*)", "t", "$ ${ $"), in)->at("t"), "$ ${ $");
    EXPECT_EQ(after(replaced("(.*)", "${9}", "x"), in), Map(in)) << "a target without name is left out";
    EXPECT_EQ(after(replaced("(?:.|\\n)*", "t", "y"), {{"a", "1\n2"}})->at("t"), "y");
}

TEST(Relabel, Keep_and_drop_choose) {
    const LabelMap in{{"a", "x"}, {"b", "x"}, {"c", "y"}};
    const auto chosen = [&](RelabelAction action, std::string regex) {
        return after({.action = action, .source_labels = {"a"}, .regex = std::move(regex)}, in).has_value();
    };
    EXPECT_TRUE(chosen(keep, "x"));
    EXPECT_FALSE(chosen(keep, "xx|y"));
    EXPECT_FALSE(chosen(drop, "x|y"));
    EXPECT_TRUE(chosen(drop, ""));
    const auto equal = [&](RelabelAction action, std::string target) {
        return after({.action = action, .source_labels = {"a"}, .target_label = std::move(target)}, in).has_value();
    };
    EXPECT_TRUE(equal(keepequal, "b"));
    EXPECT_FALSE(equal(keepequal, "c"));
    EXPECT_FALSE(equal(dropequal, "b"));
    EXPECT_TRUE(equal(dropequal, "c"));
}

TEST(Relabel, Names_are_mapped_dropped_and_kept) {
    const LabelMap in{{"__meta_a", "1"}, {"b", "2"}};
    EXPECT_EQ(after({.action = labelmap, .regex = "__meta_(.+)"}, in), Map(LabelMap{{"__meta_a", "1"}, {"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(after({.action = labeldrop, .regex = "__.*"}, in), Map(LabelMap{{"b", "2"}}));
    EXPECT_EQ(after({.action = labelkeep, .regex = "__.*"}, in), Map(LabelMap{{"__meta_a", "1"}}));
}

TEST(Relabel, Hash_is_the_tail_of_md5_and_case_is_of_unicode) {
    // printf foo | md5sum = acbd18db4cc2f85cedef654fccc4a4d8.
    constexpr std::uint64_t tail = 0xedef654fccc4a4d8U;
    EXPECT_EQ(after({.action = hashmod, .source_labels = {"a"}, .target_label = "t", .modulus = 1000}, {{"a", "foo"}})->at("t"),
              std::to_string(tail % 1000));
    EXPECT_EQ(after({.action = lowercase, .source_labels = {"a"}, .target_label = "t"}, {{"a", "ÄB€Ж𝄞"}})->at("t"), "äb€ж𝄞");
    EXPECT_EQ(after({.action = uppercase, .source_labels = {"a"}, .target_label = "t"}, {{"a", "äbж"}})->at("t"), "ÄBЖ");
}

TEST(Relabel, An_action_refuses_what_it_cannot_have) {
    const RelabelSpec wrong[] = {
        {.action = replace},
        {.action = keep, .regex = "("},
        {.action = hashmod, .target_label = "t"},
        {.action = lowercase, .target_label = "t", .replacement = "x"},
        {.action = keepequal, .regex = "x", .target_label = "t"},
        {.action = labeldrop, .source_labels = {"a"}},
        {.action = labelkeep, .target_label = "t"},
        {.action = labelmap, .replacement = ""},
    };
    for (const RelabelSpec& spec : wrong) {
        EXPECT_FALSE(RelabelRule::create(spec).has_value()) << static_cast<int>(spec.action);
    }
}

TEST(Relabel, Rules_go_in_order_until_one_drops) {
    const std::vector rules{*RelabelRule::create(replaced("(.*)", "b", "$1!")),
                            *RelabelRule::create({.action = drop, .source_labels = {"b"}, .regex = "x!"})};
    LabelMap dropped{{"a", "x"}};
    LabelMap kept{{"a", "y"}};
    EXPECT_FALSE(relabel(rules, dropped));
    EXPECT_TRUE(relabel(rules, kept));
    EXPECT_EQ(kept.at("b"), "y!");
}

}  // namespace
}  // namespace noroshi::model
