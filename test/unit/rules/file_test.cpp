// test/unit/rules/file_test.cpp - rule files: what is read, and every fault with its place (spec: alerting 3.1).
#include <gtest/gtest.h>

#include "rules/rules.hpp"

namespace noroshi::rules {
namespace {

using namespace std::chrono_literals;

std::string faults(std::string_view text) {
    std::string out;
    for (const Error& error : parse_rules("r.yml", text).errors) {
        out += error.to_string() + "\n";
    }
    return out;
}

std::string fault_of_rule(std::string_view rule) {
    return faults(fmt::format("groups:\n- name: g\n  rules:\n  - {}\n", rule));
}

TEST(RuleFile, Reads_groups_and_rules) {
    const ParsedRules parsed = parse_rules("r.yml", R"(groups:
- name: g
  interval: 30s
  limit: 3
  query_offset: 1m
  labels: {team: ops, severity: page}
  rules:
  - record: a:b
    expr: sum(m)
  - alert: A
    expr: |
      up
        == 0
    for: 5m
    keep_firing_for: 1m
    labels: {severity: warn}
    annotations: {summary: "down"}
)");
    ASSERT_TRUE(parsed.errors.empty()) << parsed.errors[0].to_string();
    const RuleGroup& group = parsed.groups.at(0);
    EXPECT_EQ(group.key(), "r.yml;g");
    EXPECT_EQ(group.interval, 30s);
    EXPECT_EQ(group.limit, 3);
    EXPECT_EQ(group.query_offset, 1min);
    EXPECT_EQ(group.rules.at(0).record, "a:b");
    const Rule& alert = group.rules.at(1);
    EXPECT_EQ(alert.expression.to_string(), "up == 0");
    EXPECT_EQ(alert.hold, 5min);
    EXPECT_EQ(alert.keep_firing_for, 1min);
    EXPECT_EQ(alert.labels, (model::Labels{{"severity", "warn"}, {"team", "ops"}}));
    EXPECT_EQ(alert.where, (SourcePos{"r.yml", 10, 5}));
}

TEST(RuleFile, An_empty_file_is_fine) {
    EXPECT_EQ(faults(""), "");
    EXPECT_EQ(faults("groups:\n"), "");
    EXPECT_EQ(faults("groups:\n- name: g\n  rules:\n"), "");
}

TEST(RuleFile, Names_the_place_inside_an_expression) {
    EXPECT_EQ(faults("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      up ==\n        sum by (a up)\n"),
              "r.yml:7:19: groups[0] (\"g\").rules[0] (\"A\").expr: parse error: unexpected \"up\" in grouping opts, "
              "expected \")\"\n");
}

TEST(RuleFile, Experimental_expressions_want_their_option) {
    const char* text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'mad_over_time(a.b[5m]) > 1'}\n";
    EXPECT_NE(faults(text), "");
    const RuleFileOptions options{.expressions = {.experimental = true, .unquoted_names = true}};
    EXPECT_TRUE(parse_rules("r.yml", text, options).errors.empty());
}

struct Case {
    const char* rule;
    const char* fault;
};

TEST(RuleFile, Names_each_fault) {
    const Case cases[] = {
        {"{alert: A, record: b, expr: m}", "expected one of \"alert\" and \"record\", got both"},
        {"{expr: m}", "expected \"alert\" or \"record\", got neither"},
        {"{alert: A}", "missing key \"expr\""},
        {"{alert: A, expr: 'm['}", "expr: "},
        {"{alert: A, expr: m, fro: 5m}", "unknown key \"fro\"; did you mean \"for\"?"},
        {"{alert: A, expr: m, for: soon}", "expected a duration"},
        {"{record: a, expr: m, for: 5m}", "\"for\" belongs to alerts"},
        {"{record: 'a{b=c}', expr: m}", "expected a metric name"},
        {"{record: a, expr: m, annotations: {x: y}}", "\"annotations\" belongs to alerts"},
        {"{alert: A, expr: m, labels: {__name__: x}}", "\"__name__\" cannot be set here"},
        {"{alert: A, expr: m, labels: {'': x}}", "expected a name, got nothing"},
        {"{alert: A, expr: ''}", "expr: "},
        {"{alert: '', expr: m}", "got neither"},
        {"{alert: A, expr: m, annotations: {x: '{{ nope }}'}}", "nope"},
        {"{alert: A, expr: m, annotations: {x: '{{ if }}'}}", "annotations.x"},
    };
    for (const Case& given : cases) {
        const std::string fault = fault_of_rule(given.rule);
        EXPECT_NE(fault.find(given.fault), std::string::npos) << given.rule << "\n" << fault;
        EXPECT_TRUE(fault.starts_with("r.yml:4:")) << fault;
    }
}

TEST(RuleFile, Lets_through_what_promtool_lets_through) {
    for (const char* rule :
         {"{alert: A, expr: m, for: 0, labels: {'a b': x, c: null}}", "{record: 'a b', expr: m, for: 0s, annotations: {}}",
          "{alert: '', record: a, expr: m}", "{record: a, expr: m, labels: {x: '{{ nope'}}", "{alert: A, expr: 'm[5m]'}",
          "{alert: A, expr: m, annotations: {__name__: x}}"}) {
        EXPECT_EQ(fault_of_rule(rule), "") << rule;
    }
    EXPECT_EQ(faults("groups:\n- {name: g, interval: 0s, limit: -1, labels: {x: '{{ nope'}}\n"), "");
    EXPECT_TRUE(parse_rules("r.yml", "groups:\n- {name: g, more: 1, rules: [{alert: A, expr: m, x: y}]}\n", {.ignore_unknown_fields = true})
                    .errors.empty());
}

TEST(RuleFile, An_empty_label_takes_one_away) {
    const ParsedRules parsed = parse_rules("r.yml", "groups:\n- name: g\n  labels: {a: '', b: '', c: x}\n  rules:\n"
                                                    "  - {alert: A, expr: m, labels: {b: y, c: ''}}\n");
    ASSERT_TRUE(parsed.errors.empty());
    EXPECT_EQ(parsed.groups[0].rules[0].labels, (model::Labels{{"b", "y"}}));
    EXPECT_EQ(parsed.groups[0].rules[0].removed_labels, (std::vector<std::string>{"a", "c"}));
}

TEST(RuleFile, Names_rules_that_stand_there_twice) {
    const ParsedRules parsed = parse_rules("r.yml", "groups:\n- name: g\n  rules:\n  - {record: a, expr: m}\n  - {record: a, expr: n}\n"
                                                    "  - {record: a, expr: m, labels: {b: c}}\n- name: h\n  rules:\n  - {record: a, expr: m}\n");
    ASSERT_EQ(parsed.duplicates.size(), 2);
    EXPECT_EQ(parsed.duplicates[0].where, (SourcePos{"r.yml", 5, 5}));
    EXPECT_EQ(parsed.duplicates[1].where, (SourcePos{"r.yml", 9, 5}));
}

TEST(RuleFile, Hints_have_their_place) {
    const ParsedRules parsed = parse_rules("r.yml", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: m > 1 or count(m) == 0\n"
                                                    "  - {record: a, expr: m, labels: {b: '{{ x }}'}}\n");
    ASSERT_TRUE(parsed.errors.empty());
    ASSERT_EQ(parsed.hints.size(), 2);
    EXPECT_EQ(parsed.hints[0].to_string(),
              "r.yml:5:20: group \"g\", rules[0] (\"A\"): this comparison never gives a result: the left side is at least 1, and where "
              "there is nothing to count it gives nothing: see absent()");
    EXPECT_EQ(parsed.hints[1].where.line, 6);
}

TEST(RuleFile, A_group_name_is_given_once) {
    EXPECT_EQ(faults("groups:\n- {name: g, rules: []}\n- {name: g, rules: []}\n"),
              "r.yml:3:10: groups[1]: duplicate group \"g\", first given in line 2\n");
}

TEST(RuleFile, Reports_every_fault_and_then_gives_no_group) {
    const ParsedRules parsed = parse_rules(
        "r.yml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'm['}\n  - {alert: B, expr: 'm{'}\n");
    EXPECT_EQ(parsed.errors.size(), 2);
    EXPECT_TRUE(parsed.groups.empty());
}

TEST(RuleFile, Merges_what_an_anchor_gives) {
    const ParsedRules parsed = parse_rules("r.yml", R"(groups:
- name: g
  rules:
  - &a {alert: A, expr: up, for: 5m, labels: {x: y}}
  - {<<: *a, alert: B}
  - {<<: [*a, {annotations: {s: t}, for: 1m}], alert: C, labels: {}}
)");
    ASSERT_TRUE(parsed.errors.empty()) << parsed.errors[0].to_string();
    const std::vector<Rule>& rules = parsed.groups[0].rules;
    EXPECT_EQ(rules[1].alert, "B");
    EXPECT_EQ(rules[1].hold, 5min);
    EXPECT_EQ(rules[1].labels.get("x"), "y");
    EXPECT_EQ(rules[2].hold, 5min);
    EXPECT_EQ(rules[2].annotations.get("s"), "t");
    EXPECT_TRUE(rules[2].labels.empty());
    EXPECT_NE(faults("groups: [{<<: 5, name: g}]").find("expected a mapping or a list of mappings behind"), std::string::npos);
    EXPECT_NE(faults("groups: [{<<: [{name: h}, text], name: g}]").find("expected a mapping or a list"), std::string::npos);
}

TEST(RuleFile, Passes_over_empty_entries_and_says_so) {
    const ParsedRules parsed = parse_rules("r.yml", "groups:\n-\n- name: g\n  limit: 1.9\n  rules:\n  - null\n");
    EXPECT_TRUE(parsed.errors.empty());
    ASSERT_EQ(parsed.groups.size(), 1u);
    EXPECT_EQ(parsed.groups[0].limit, 1u);
    EXPECT_TRUE(parsed.groups[0].rules.empty());
    ASSERT_EQ(parsed.hints.size(), 2u);
    EXPECT_NE(parsed.hints[0].to_string().find("groups[0]: the entry is empty"), std::string::npos);
    EXPECT_NE(parsed.hints[1].to_string().find("rules[0]: the entry is empty"), std::string::npos);
}

}  // namespace
}  // namespace noroshi::rules
