// test/unit/promql/parser_test.cpp - canonical form, types, and faults with their place; values are in test/corpus/promql.
#include <gtest/gtest.h>

#include "promql/promql.hpp"

namespace noroshi::promql {
namespace {

std::string canonical(std::string_view text) {
    const Result<Expression> parsed = Expression::parse(text);
    return parsed ? parsed->to_string() : "fault: " + parsed.error().message;
}

TEST(Parser, Prints_the_canonical_form) {
    const std::pair<const char*, const char*> cases[] = {
        {"sum(m)by(a,b)", "sum by (a, b) (m)"},
        {"sum without(a)(m)", "sum without (a) (m)"},
        {"m{a='x',b=~\"y\"}[90s]offset 1h", "m{a=\"x\",b=~\"y\"}[1m30s] offset 1h"},
        {"a+b*c^-d", "a + b * c ^ -d"},
        {"a==bool on(x)group_left(y)b", "a == bool on (x) group_left (y) b"},
        {"rate(m[5m:])", "rate(m[5m:])"},
        {"m@1.5", "m @ 1.500"},
        {"m @ end() offset -5m", "m @ end() offset -5m"},
        {"  topk (3, m) # comment", "topk(3, m)"},
        {"{\"utf8.name\", a=\"b\"}", "{\"utf8.name\",a=\"b\"}"},
        {"1e3", "1000"},
        {"rate(m[5m]Anchored offset 1m)", "rate(m[5m] anchored offset 1m)"},
        {"rate(m[5m] @ end() smoothed)", "rate(m[5m] smoothed @ end())"},
        {"m offset 1m smoothed @ 5", "m @ 5.000 smoothed offset 1m"},
        {"anchored + smoothed{a='b'}", "anchored + smoothed{a=\"b\"}"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(canonical(text), expected) << text;
        EXPECT_EQ(canonical(canonical(text)), expected);
    }
}

TEST(Parser, Info_takes_matchers_alone) {
    const auto parse = [](std::string_view text) { return Expression::parse(text, {.experimental = true}); };
    EXPECT_EQ(parse("info ( m , {} )")->to_string(), "info(m, {})");
    EXPECT_EQ(parse("info(m, {a=~\".*\"} @ 5)")->to_string(), "info(m, {a=~\".*\"} @ 5.000)");
    EXPECT_EQ(parse("info(m, {__name__=\"build_info\"})")->metric_names(), (std::vector<std::string>{"build_info", "m"}));
    const std::pair<const char*, const char*> faults[] = {
        {"info(m, b)", "expected label selectors only, got vector selector instead"},
        {"info(m, sum({a=\"b\"}))", "expected label selectors only"},
        {"info(m, {a=\"b\"}[1m])", "expected type instant vector in call to function \"info\", got range vector"},
        {"info({}, {})", "vector selector must contain at least one non-empty matcher"},
        {"info(m, {}) + {}", "vector selector must contain at least one non-empty matcher"},
        {"info()", "expected at least 1 argument(s) in call to \"info\", got 0"},
    };
    for (const auto& [text, message] : faults) {
        const auto parsed = parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_NE(parsed.error().message.find(message), std::string::npos) << text << ": " << parsed.error().message;
    }
}

TEST(Parser, Knows_types_before_evaluation) {
    EXPECT_EQ(Expression::parse("1 + 1")->type(), ValueType::scalar);
    EXPECT_EQ(Expression::parse("m + 1")->type(), ValueType::vector);
    EXPECT_EQ(Expression::parse("m[1m]")->type(), ValueType::matrix);
    EXPECT_EQ(Expression::parse("'a'")->type(), ValueType::string);
}

TEST(Parser, Names_the_metrics_that_it_reads) {
    EXPECT_EQ(Expression::parse("rate(b[1m]) / on () a + {__name__=\"c\"} + b")->metric_names(),
              (std::vector<std::string>{"a", "b", "c"}));
}

struct Fault {
    const char* text;
    const char* message;
};

TEST(Parser, Refuses_with_a_reason) {
    const Fault faults[] = {
        {"", "no expression found in input"},
        {"1 +", "unexpected end of input"},
        {"(1", "unexpected end of input"},
        {"m{", "unexpected end of input"},
        {"m{a=~\"(\"}", "missing )"},
        {"{}", "vector selector must contain at least one non-empty matcher"},
        {"{a=\"\"}", "vector selector must contain at least one non-empty matcher"},
        {"1 == 1", "comparisons between scalars must use BOOL modifier"},
        {"1 and 2", "set operator \"and\" not allowed in binary scalar expression"},
        {"m and 1", "set operator \"and\" not allowed in binary scalar expression"},
        {"rate(m)", "expected type range vector in call to function \"rate\", got instant vector"},
        {"rate(m[1m], 1)", "expected 1 argument(s) in call to \"rate\", got 2"},
        {"nope(m)", "unknown function with name \"nope\""},
        {"m[5m] + 1", "binary expression must contain only scalar and instant vector types"},
        {"sum(m[5m])", "expected type instant vector in aggregation expression, got range vector"},
        {"-\"a\"", "unary expression only allowed on expressions of type scalar or instant vector, got \"string\""},
        {"m offset 1m offset 2m", "offset may not be set multiple times"},
        {"m @ 1 @ 2", "@ <timestamp> may not be set multiple times"},
        {"m[0s]", "duration must be greater than 0"},
        {"\"a", "unterminated quoted string"},
        {"5mm5", "duration"},
        {"m[5m", "unexpected end of input"},
        {"a + bool b", "bool modifier can only be used on comparison operators"},
        {"a + on(x) group_left(x) b", "label \"x\" must not occur in ON and GROUP clause at once"},
        {"a + on(x) 1", "vector matching only allowed between instant vectors"},
        {"m offset 1m [5m]", "no offset modifiers allowed before range"},
        {"m @ 1 [5m]", "no @ modifiers allowed before range"},
        {"m @ Inf", "timestamp out of bounds for @ modifier"},
        {"sum(m) offset 5m", "offset modifier must be preceded by an instant vector selector or range vector selector"},
        {"sum(m)[5m]", "ranges only allowed for vector selectors"},
        {"m[5m][1m:]", "subquery is only allowed on instant vector, got range vector instead"},
        {"m{__name__=\"n\"}", "metric name must not be set twice"},
        {"topk(m)", "unexpected \")\" in aggregation"},
        {"topk(m, m)", "expected type scalar in aggregation parameter, got instant vector"},
        {"count_values(1, m)", "expected type string in aggregation parameter, got scalar"},
        {"sum(1, m)", "wrong number of arguments for aggregate expression provided, expected 1"},
        {"bool", "unexpected \"bool\" in expression"},
        {"RATE(m[5m])", "unknown function with name \"RATE\""},
        {"abs(m,)", "trailing commas not allowed in function call args"},
        {"1h1h", "duration"},
        {"0xg", "error parsing number: \"0x\""},
        {"a + on(x) group_left b and on(y) group_left c", "no grouping allowed for \"and\" operation"},
    };
    for (const Fault& fault : faults) {
        const Result<Expression> parsed = Expression::parse(fault.text);
        ASSERT_FALSE(parsed) << fault.text;
        EXPECT_NE(parsed.error().message.find(fault.message), std::string::npos)
            << fault.text << "\n  got " << parsed.error().message << "\n  expected " << fault.message;
    }
}

TEST(Parser, Names_line_and_column) {
    const Error error = Expression::parse("sum by (job) (\n  rate(m[5m]) +* 2)").error();
    EXPECT_EQ(error.where.line, 2);
    EXPECT_EQ(error.where.column, 16);
}

TEST(Parser, Refuses_depth_and_length_that_would_exhaust_it) {
    EXPECT_FALSE(Expression::parse(std::string(100'000, '(')));
    EXPECT_FALSE(Expression::parse(std::string(100'000, '-') + "1"));
    std::string chain = "1";
    for (int i = 0; i < 50'000; ++i) {
        chain += "+1";
    }
    EXPECT_FALSE(Expression::parse(chain));
}

}  // namespace
}  // namespace noroshi::promql
