// test/unit/promql/hints_test.cpp - what can never give a result is told, and nothing else.
#include <gtest/gtest.h>

#include "promql/promql.hpp"

namespace noroshi::promql {
namespace {

std::vector<std::string> hints(const char* text) {
    const Result<Expression> expression = Expression::parse(text);
    EXPECT_TRUE(expression) << text << (expression ? "" : expression.error().message);
    std::vector<std::string> out;
    for (const Error& hint : expression ? expression->hints() : std::vector<Error>()) {
        out.push_back(hint.message);
    }
    return out;
}

TEST(Hints, Name_what_never_gives_a_result) {
    const std::pair<const char*, const char*> cases[] = {
        {"up{job=\"a\", job=\"b\"} == 0", "never finds a series: job=\"a\" and job=\"b\" exclude each other"},
        {"rate(m{job=\"a\", job!=\"a\"}[5m]) > 1", "exclude each other"},
        {"m{job=\"a\", job=~\"b.*\"}", "exclude each other"},
        {"m{job=\"\", job=~\".+\"}", "exclude each other"},
        {"count(up) == 0", "the left side is at least 1"},
        {"count(up{job=\"a\"}) < 1", "see absent()"},
        {"0 == count by (job) (up)", "the right side is at least 1"},
        {"count_over_time(m[5m]) == 0", "at least 1"},
        {"absent(m) == 0", "always 1"},
        {"absent(m) > 1", "always 1"},
        {"hour() > 23", "from 0 to 23"},
        {"day_of_week() == 7", "from 0 to 6"},
        {"vector(1) > 2", "always 1"},
        {"vector(1) != 1", "always 1"},
        {"vector(2 * 3) == 5", "always 6"},
        {"(m > 5) < 3", "above 5"},
        {"-(m > 5) > -5", "below -5"},
        {"m > 1 and m < 0", "exclude each other"},
        {"m > 1 and (1 > m)", "exclude each other"},
        {"sum by (a) (m) > 1 and sum by (a) (m) <= 1", "exclude each other"},
        {"abs(m) < 0", "at least 0"},
        {"max(m == 3) > 4", "always 3"},
    };
    for (const auto& [text, part] : cases) {
        const std::vector<std::string> found = hints(text);
        ASSERT_EQ(found.size(), 1U) << text;
        EXPECT_NE(found[0].find(part), std::string::npos) << text << ": " << found[0];
    }
}

TEST(Hints, Tell_a_reason_once) {
    EXPECT_EQ(hints("sum(count(m) == 0) + 1 > 3").size(), 1U);
    EXPECT_EQ(hints("m{a=\"1\", a=\"2\"} and m{b=\"1\", b=\"2\"}").size(), 2U);
}

TEST(Hints, Say_what_fails_or_always_fires) {
    EXPECT_NE(hints("up == bool 0").at(0).find("always fire"), std::string::npos);
    EXPECT_NE(hints("up[5m]").at(0).find("range vector"), std::string::npos);
    EXPECT_NE(hints("\"text\"").at(0).find("string"), std::string::npos);
}

TEST(Hints, Say_nothing_of_what_may_give_a_result) {
    for (const char* text :
         {"up == 0", "up{job=\"a\", job=~\"a|b\"}", "m{a!=\"x\", a!=\"y\"}", "count(up) == 1", "count(up) > 0", "count(up) != 0",
          "(count(up) or vector(0)) == 0", "count(up == 0) > 1", "absent(m) == 1", "hour() >= 23", "vector(1) >= 1", "m != m",
          "vector(NaN) != NaN", "m == NaN", "m < Inf", "m > -Inf", "m > 1 and m < 2", "m > 1 and n < 0", "m > 1 or m < 0",
          "m > 1 unless m > 2", "{a=\"b\"} > 1 and {a=\"b\"} < 0", "m > 1 and on (a) m < 0", "m > 1 and ignoring (a) m < 0",
          "last_over_time({a=\"b\"}[5m]) > 1 and last_over_time({a=\"b\"}[5m]) < 0", "sum(m) == 0", "m == bool 0 == 1", "(m > 5) < 6",
          "(m >= 5) <= 5", "topk(1, m > 3) < 4", "sum(m > 5) < 3", "avg(m > 5) < 3", "vector(1)", "1", "vector(time()) > 0",
          "changes(m[5m]) == 0", "absent(m{a=\"1\", a=\"2\"}) or up == 0 unless count(n) == 3 and month() == 12"}) {
        const std::vector<std::string> found = hints(text);
        if (std::string_view(text).starts_with("absent(m{")) {
            EXPECT_EQ(found.size(), 1U);  // the selector, but not that the whole is nothing
            continue;
        }
        EXPECT_TRUE(found.empty()) << text << ": " << found[0];
    }
}

}  // namespace
}  // namespace noroshi::promql
