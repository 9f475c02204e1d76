// test/unit/promql/engine_test.cpp - limits and options of an evaluation; values are in test/corpus/promql.
#include <gtest/gtest.h>

#include "promql/promql.hpp"

namespace noroshi::promql {
namespace {

using namespace std::chrono_literals;

class EngineTest : public testing::Test {
  protected:
    EngineTest() {
        for (const char* host : {"a", "b"}) {
            const tsdb::SeriesId id = *head_.open_series({{"__name__", "m"}, {"host", host}});
            for (int i = 0; i <= 60; ++i) {
                EXPECT_TRUE(head_.append(id, from_unix_ms(i * 1000), i));
            }
        }
    }
    Result<Value> value(const char* text, TimestampMs at, EngineOptions options = {}) const {
        NOROSHI_TRY(Answer answer, Engine(head_, options).instant(*Expression::parse(text), at));
        return std::move(answer.value);
    }
    static std::size_t elements(const Result<Value>& value) { return std::get<Vector>(*value).size(); }

    tsdb::Head head_{tsdb::Options{}};
};

TEST_F(EngineTest, Looks_back_as_far_as_its_option_says) {
    const EngineOptions options{.lookback_delta = 10s};
    EXPECT_EQ(elements(value("m", from_unix_ms(69'999), options)), 2);
    EXPECT_EQ(elements(value("m", from_unix_ms(70'000), options)), 0) << "the left end is open";
}

TEST_F(EngineTest, Refuses_an_evaluation_that_reads_too_much) {
    const EngineOptions options{.max_samples = 100};
    EXPECT_EQ(value("sum_over_time(m[1m])", from_unix_ms(60'000), options).error().code, Errc::limit);
    EXPECT_TRUE(value("sum_over_time(m[40s])", from_unix_ms(60'000), options));
}

TEST_F(EngineTest, Counts_the_samples_of_all_parts_together) {
    const EngineOptions options{.max_samples = 100};
    EXPECT_EQ(value("sum_over_time(m[40s]) + sum_over_time(m[40s] offset 1s)", from_unix_ms(60'000), options).error().code,
              Errc::limit);
}

TEST_F(EngineTest, A_subquery_of_endless_steps_ends_at_the_limit) {
    const EngineOptions options{.max_samples = 1000};
    EXPECT_EQ(value("count_over_time(vector(1)[100y:1ms])", from_unix_ms(60'000), options).error().code, Errc::limit);
    EXPECT_EQ(value("count_over_time(nothing[100y:1ms])", from_unix_ms(60'000), options).error().code, Errc::limit);
}

TEST_F(EngineTest, Gives_every_type_of_value) {
    const TimestampMs at = from_unix_ms(60'000);
    EXPECT_EQ(std::get<double>(*value("2 ^ 3", at)), 8);
    EXPECT_EQ(std::get<std::string>(*value("'a\\tb'", at)), "a\tb");
    EXPECT_EQ(std::get<Vector>(*value("m{host='a'}", at)).at(0).value, 60);
    EXPECT_EQ(std::get<Matrix>(*value("m{host='a'}[3s]", at)).at(0).samples.size(), 3);
}

TEST_F(EngineTest, Matching_faults_name_the_group_and_both_elements) {
    const Error error = value("m + on () m", from_unix_ms(60'000)).error();
    EXPECT_NE(error.message.find("found duplicate series for the match group {} on the right hand-side of the operation: ["),
              std::string::npos)
        << error.message;
    EXPECT_NE(error.message.find("many-to-many matching not allowed: matching labels must be unique on one side"),
              std::string::npos);
}

TEST_F(EngineTest, Start_times_are_asked_of_each_series) {
    const std::vector<StartTime> starts{{from_unix_ms(60'000), from_unix_ms(59'500)}};
    EngineOptions options;
    options.start_times = [&starts](const model::Labels& series) {
        return series.get("host") == "a" ? std::span(starts) : std::span<const StartTime>{};
    };
    const TimestampMs at = from_unix_ms(60'000);
    // a began anew between its last two samples: 59 were lost.
    EXPECT_DOUBLE_EQ(std::get<Vector>(*value("increase(m{host='a'}[1500ms])", at, options)).at(0).value, 90);
    EXPECT_DOUBLE_EQ(std::get<Vector>(*value("increase(m{host='b'}[1500ms])", at, options)).at(0).value, 1.5);
    EXPECT_DOUBLE_EQ(std::get<Vector>(*value("increase(m{host='a'}[1500ms])", at)).at(0).value, 1.5);
    const Expression asks = *Expression::parse("start_timestamp(m{host='a'})", {.experimental = true});
    EXPECT_EQ(std::get<Vector>(Engine(head_, options).instant(asks, at)->value).at(0).value, 59.5);
    EXPECT_TRUE(std::get<Vector>(Engine(head_, {}).instant(asks, at)->value).empty()) << "nobody knows";
}

TEST_F(EngineTest, Asks_inside_of_operators_whether_to_give_up) {
    for (int i = 0; i < 200; ++i) {
        const tsdb::SeriesId id = *head_.open_series({{"__name__", "many"}, {"i", std::to_string(i)}});
        EXPECT_TRUE(head_.append(id, from_unix_ms(0), i));
    }
    const auto asked = [this](std::string_view text) {
        int count = 0;
        EngineOptions options;
        options.gives_up = [&count] { return ++count < 0; };
        const Steps steps{from_unix_ms(0), from_unix_ms(200'000), 100ms};
        EXPECT_TRUE(Engine(head_, options).range(*Expression::parse(text), steps)) << text;
        return count;
    };
    const int alone = asked("many");
    for (const char* text : {"many * many", "many and many", "many or many"}) {
        EXPECT_GT(asked(text), 2 * alone + 8) << text;
    }
    for (const char* text : {"many * 2", "sum(many)", "topk(3, many)", "count_values('v', many)"}) {
        EXPECT_GT(asked(text), alone + 4) << text;
    }
}

TEST_F(EngineTest, The_longest_ranges_at_the_furthest_times_are_no_overflow) {
    std::string text = "m[290y:1y]";
    for (int i = 0; i < 50; ++i) {
        text = "sum_over_time(" + text + ")[290y:290y] offset 290y";
    }
    const Expression expression = *Expression::parse("sum_over_time(" + text + ")");
    const Engine engine(head_, {});
    for (const std::int64_t ms : {4'000'000'000'000'000'000, -4'000'000'000'000'000'000}) {
        const Result<Answer> answer = engine.instant(expression, from_unix_ms(ms));
        EXPECT_TRUE(answer || answer.error().code == Errc::limit) << answer.error().message;
        EXPECT_EQ(engine.instant(expression, from_unix_ms(ms + (ms > 0 ? 1 : -1))).error().code, Errc::invalid_argument);
    }
    EXPECT_EQ(engine.range(expression, {from_unix_ms(0), TimestampMs::max(), 1ms}).error().code, Errc::invalid_argument);
}

TEST_F(EngineTest, A_duration_of_endless_operators_is_refused) {
    std::string text = "m[1";
    for (int i = 0; i < 10'000; ++i) {
        text += "+1";
    }
    EXPECT_EQ(Expression::parse(text + "]").error().code, Errc::parse);
    EXPECT_EQ(Expression::parse("m[" + std::string(10'000, '(') + "1]").error().code, Errc::parse);
}

TEST_F(EngineTest, What_is_experimental_wants_its_option) {
    for (const char* text : {"limitk(1, m)", "mad_over_time(m[1m])", "sort_by_label(m, \"a\")", "step() + 1", "info(m)", "start_timestamp(m)"}) {
        EXPECT_EQ(Expression::parse(text).error().code, Errc::parse) << text;
        EXPECT_TRUE(Expression::parse(text, {.experimental = true})) << text;
    }
    for (const char* text : {"m + fill(0) m", "m > fill_left(0) m"}) {
        EXPECT_EQ(Expression::parse(text, {.experimental = true, .unquoted_names = true}).error().code, Errc::parse) << text;
        EXPECT_TRUE(Expression::parse(text, {.fill_modifiers = true})) << text;
    }
    EXPECT_EQ(Expression::parse("a.b", {.experimental = true, .fill_modifiers = true}).error().code, Errc::parse);
    EXPECT_EQ(Expression::parse("a.b{c.d=\"e\"}", {.unquoted_names = true})->to_string(), "{\"a.b\",\"c.d\"=\"e\"}");
}

TEST_F(EngineTest, Names_of_lacking_functions_are_still_metrics) {
    for (const char* text : {"limitk", "info > 1", "fill{a='b'}", "sum by (range) (step)"}) {
        EXPECT_TRUE(Expression::parse(text)) << text;
    }
}

}  // namespace
}  // namespace noroshi::promql
