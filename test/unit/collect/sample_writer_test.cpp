// test/unit/collect/sample_writer_test.cpp - what one reading after another leaves in the store: staleness, times, drops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "label_merge.hpp"
#include "model/sample.hpp"
#include "sample_writer.hpp"

namespace noroshi::collect {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimestampMs start = from_unix_ms(1'700'000'000'000);

ScrapedSample sample(model::Labels labels, double value, std::optional<TimestampMs> at = {}) {
    return {std::move(labels), value, at, {}};
}
ScrapedSample named(const char* name, double value, std::optional<TimestampMs> at = {}) {
    return sample({{"__name__", name}}, value, at);
}

class SampleWriterTest : public testing::Test {
  protected:
    /// All samples of a metric as "seconds since the start=value".
    std::vector<std::string> history(const std::string& name) const {
        const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", name)};
        std::vector<std::string> out;
        for (tsdb::SelectedSeries& series : head_.select(matchers, start - 24h, start + 24h)) {
            model::Sample each{};
            while (series.cursor->next(each)) {
                const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(each.at - start).count();
                out.push_back(fmt::format("{}={}", seconds,
                                          model::is_stale_marker(each.value) ? "stale" : fmt::format("{}", each.value)));
            }
        }
        return out;
    }

    Metrics metrics_;
    CollectCounters counters_{metrics_};
    tsdb::Head head_{tsdb::Options{.retention = 6h, .max_series = 20}};
    SampleWriter writer_{head_, counters_, {.labels = {{"job", "j"}}}};
};

TEST_F(SampleWriterTest, A_series_that_is_missing_from_a_reading_ends_there) {
    EXPECT_EQ(writer_.write(std::vector{named("a", 1), named("b", 1)}, start), 2U);
    EXPECT_EQ(writer_.write(std::vector{named("b", 2)}, start + 15s), 0U);
    writer_.write(std::vector{named("b", 3)}, start + 30s);
    EXPECT_THAT(history("a"), ElementsAre("0=1", "15=stale"));
    EXPECT_THAT(history("b"), ElementsAre("0=1", "15=2", "30=3"));
}

TEST_F(SampleWriterTest, A_label_that_begins_with_exported_is_no_label_of_the_report_when_the_rest_of_its_name_is_one) {
    SampleWriter writer(head_, counters_, {.labels = {{"a", "1"}, {"exported_a", "2"}, {"exported_job", "3"}, {"job", "j"}}});
    writer.write_report({.up = true}, start);
    const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", "up")};
    const auto series = head_.select(matchers, start - 1s, start);
    ASSERT_EQ(series.size(), 1u);
    EXPECT_EQ(series[0].labels->to_string(), R"(up{a="1", exported_a="2", job="j"})");
}

TEST_F(SampleWriterTest, A_native_histogram_that_vanishes_ends_like_a_number) {
    ScrapedSample histogram = named("h", 0);
    histogram.histogram = std::make_shared<const model::Histogram>();
    EXPECT_EQ(writer_.write(std::vector{histogram}, start), 1U);
    writer_.write({}, start + 15s);
    EXPECT_THAT(history("h"), ElementsAre("0=nan", "15=stale"));
}

TEST_F(SampleWriterTest, A_relabelled_series_that_vanishes_ends_and_one_without_a_name_is_refused) {
    SampleWriter writer(head_, counters_,
                        {.labels = {{"job", "j"}},
                         .relabel = {*model::RelabelRule::create(
                             {.source_labels = {"to"}, .regex = "(.+)", .target_label = "__name__"})}});
    const ScrapedSample moved = sample({{"__name__", "a"}, {"to", "z"}}, 1);
    EXPECT_EQ(writer.write(std::vector{moved}, start), 1U);
    EXPECT_EQ(writer.write(std::vector{moved}, start + 15s), 0U);
    writer.write({}, start + 30s);
    EXPECT_THAT(history("z"), ElementsAre("0=1", "15=1", "30=stale"));
    SampleWriter nameless(head_, counters_,
                          {.labels = {{"job", "j"}},
                           .relabel = {*model::RelabelRule::create(
                               {.action = model::RelabelAction::labeldrop, .regex = "__name__"})}});
    EXPECT_FALSE(nameless.prepare({named("a", 1)}).has_value());
}

TEST_F(SampleWriterTest, Own_times_are_ended_only_when_tracked) {
    SampleWriter writer(head_, counters_, {.labels = {{"job", "j"}}, .track_timestamps_staleness = true});
    EXPECT_EQ(writer.write(std::vector{named("a", 1, start - 1s)}, start), 1U);
    writer.write({}, start + 15s);
    EXPECT_THAT(history("a"), ElementsAre("-1=1", "15=stale"));
}

TEST_F(SampleWriterTest, A_series_that_comes_back_is_new_and_goes_on) {
    writer_.write(std::vector{named("a", 1)}, start);
    writer_.write({}, start + 15s);
    EXPECT_EQ(writer_.write(std::vector{named("a", 2)}, start + 30s), 1U);
    EXPECT_THAT(history("a"), ElementsAre("0=1", "15=stale", "30=2"));
}

TEST_F(SampleWriterTest, A_failed_reading_ends_all_series_once) {
    writer_.write(std::vector{named("a", 1)}, start);
    writer_.write_failure(start + 15s);
    writer_.write_failure(start + 30s);
    EXPECT_THAT(history("a"), ElementsAre("0=1", "15=stale"));
}

TEST_F(SampleWriterTest, The_report_goes_on_over_a_failure_and_ends_with_the_source) {
    writer_.write_report({.up = true, .duration = 1500ms, .scraped = 3, .post_relabeling = 2, .added = 1}, start);
    writer_.write_failure(start + 15s);
    writer_.write_report({}, start + 15s);
    writer_.write_end(start + 30s);
    EXPECT_THAT(history("up"), ElementsAre("0=1", "15=0", "30=stale"));
    EXPECT_THAT(history("scrape_duration_seconds"), ElementsAre("0=1.5", "15=0", "30=stale"));
    EXPECT_THAT(history("scrape_samples_scraped"), ElementsAre("0=3", "15=0", "30=stale"));
    EXPECT_THAT(history("scrape_samples_post_metric_relabeling"), ElementsAre("0=2", "15=0", "30=stale"));
    EXPECT_THAT(history("scrape_series_added"), ElementsAre("0=1", "15=0", "30=stale"));
}

TEST_F(SampleWriterTest, A_source_that_never_reported_leaves_nothing_when_it_ends) {
    writer_.write_end(start);
    EXPECT_THAT(history("up"), IsEmpty());
}

TEST_F(SampleWriterTest, The_end_marks_nothing_where_another_source_wrote_on) {
    writer_.write(std::vector{named("a", 1)}, start);
    SampleWriter other(head_, counters_, {.labels = {{"job", "j"}}});
    other.write(std::vector{named("a", 2)}, start + 30s);
    writer_.write_end(start + 15s);
    EXPECT_THAT(history("a"), ElementsAre("0=1", "30=2"));
}

TEST_F(SampleWriterTest, Samples_with_a_time_of_their_own_get_no_stale_marker) {
    writer_.write(std::vector{named("a", 1, start - 60s)}, start);
    writer_.write({}, start + 15s);
    EXPECT_THAT(history("a"), ElementsAre("-60=1"));
}

TEST_F(SampleWriterTest, Times_that_are_not_honoured_become_that_of_the_reading) {
    SampleWriter writer(head_, counters_, {.labels = {}, .honor_timestamps = false});
    writer.write(std::vector{named("a", 1, start - 60s)}, start);
    EXPECT_THAT(history("a"), ElementsAre("0=1"));
}

TEST_F(SampleWriterTest, Times_far_ahead_or_before_1970_are_dropped_and_counted) {
    writer_.write(std::vector{named("a", 1, start + 11min), named("b", 1, from_unix_ms(-1)), named("c", 1, start + 9min)}, start);
    EXPECT_THAT(history("a"), IsEmpty());
    EXPECT_THAT(history("b"), IsEmpty());
    EXPECT_THAT(history("c"), ElementsAre("540=1"));
    EXPECT_EQ(counters_.out_of_bounds.value(), 2U);
}

TEST_F(SampleWriterTest, The_first_of_a_series_given_twice_counts) {
    writer_.write(std::vector{named("a", 1), named("a", 2)}, start);
    EXPECT_THAT(history("a"), ElementsAre("0=1"));
    EXPECT_EQ(counters_.duplicate.value(), 1U);
}

TEST_F(SampleWriterTest, What_comes_out_of_order_is_dropped_and_counted) {
    writer_.write(std::vector{named("a", 1, start)}, start);
    writer_.write(std::vector{named("a", 2, start - 1s)}, start + 15s);
    writer_.write(std::vector{named("a", 1, start)}, start + 30s);
    EXPECT_THAT(history("a"), ElementsAre("0=1"));
    EXPECT_EQ(counters_.out_of_order.value(), 1U);
}

TEST_F(SampleWriterTest, A_target_cannot_say_of_itself_that_it_is_up) {
    writer_.write(std::vector{named("up", 1), sample({{"__name__", "up"}, {"part", "x"}}, 1)}, start);
    writer_.write_report({}, start);
    EXPECT_THAT(history("up"), testing::UnorderedElementsAre("0=0", "0=1"));
    EXPECT_EQ(counters_.duplicate.value(), 1U);
}

TEST_F(SampleWriterTest, Series_over_the_stores_limit_are_dropped_and_counted) {
    std::vector<ScrapedSample> many;
    for (int i = 0; i < 25; ++i) {
        many.push_back(sample({{"__name__", "a"}, {"i", std::to_string(i)}}, i));
    }
    EXPECT_EQ(writer_.write(many, start), 20U);
    EXPECT_EQ(counters_.series_limit.value(), 5U);
}

struct Merge {
    const char* name;
    model::Labels scraped;
    bool honor;
    model::Labels expected;
    std::vector<std::string> emptied{};
};
class LabelMerge : public testing::TestWithParam<Merge> {};
TEST_P(LabelMerge, Joins_sample_and_target) {
    const model::Labels target{{"instance", "h"}, {"job", "j"}};
    ScrapedSample given = sample(GetParam().scraped, 1);
    given.emptied = GetParam().emptied;
    EXPECT_EQ(merge_labels(given, target, GetParam().honor).to_string(), GetParam().expected.to_string());
}
INSTANTIATE_TEST_SUITE_P(
    Table, LabelMerge,
    testing::Values(
        Merge{"no_clash", {{"a", "1"}}, false, {{"a", "1"}, {"instance", "h"}, {"job", "j"}}},
        Merge{"clash", {{"job", "own"}}, false, {{"exported_job", "own"}, {"instance", "h"}, {"job", "j"}}},
        Merge{"equal_values_clash_too", {{"job", "j"}}, false, {{"exported_job", "j"}, {"instance", "h"}, {"job", "j"}}},
        Merge{"prefix_is_repeated",
              {{"job", "own"}, {"exported_job", "x"}},
              false,
              {{"exported_exported_job", "own"}, {"exported_job", "x"}, {"instance", "h"}, {"job", "j"}}},
        Merge{"two_clash",
              {{"job", "a"}, {"instance", "b"}},
              false,
              {{"exported_job", "a"}, {"exported_instance", "b"}, {"instance", "h"}, {"job", "j"}}},
        Merge{"honoured", {{"job", "own"}}, true, {{"instance", "h"}, {"job", "own"}}},
        Merge{"honoured_when_empty", {{"a", "1"}}, true, {{"a", "1"}, {"instance", "h"}}, {"job"}},
        Merge{"empty_is_not_honoured", {{"a", "1"}}, false, {{"a", "1"}, {"instance", "h"}, {"job", "j"}}, {"job"}}),
    [](const testing::TestParamInfo<Merge>& info) { return info.param.name; });

}  // namespace
}  // namespace noroshi::collect
