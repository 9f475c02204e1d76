// test/unit/tsdb/head_test.cpp - appending, selecting and forgetting samples.
#include <gtest/gtest.h>

#include <bit>

#include "base/random.hpp"
#include "chunk.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::tsdb {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchOp;

TimestampMs at(std::int64_t seconds) { return from_unix_ms(seconds * 1000); }

std::string samples(const Head& head, const std::vector<Matcher>& matchers, std::int64_t from, std::int64_t to) {
    std::string out;
    for (SelectedSeries& series : head.select(matchers, at(from), at(to))) {
        out += series.labels->to_string();
        model::Sample sample{};
        while (series.cursor->next(sample)) {
            out += fmt::format(" {}@{}", sample.value, to_unix_ms(sample.at) / 1000);
        }
        out += ";";
    }
    return out;
}

Matcher matcher(MatchOp type, const char* name, const char* value) { return *Matcher::create(type, name, value); }

class HeadTest : public testing::Test {
  protected:
    void put(const Labels& labels, std::int64_t seconds, double value) {
        ASSERT_TRUE(head_.append(*head_.open_series(labels), at(seconds), value));
    }
    Head head_{Options{.retention = std::chrono::seconds(100), .max_series = 5}};
};

TEST_F(HeadTest, Selects_the_interval_that_is_open_to_the_left) {
    for (int i = 0; i <= 4; ++i) {
        put({{"__name__", "m"}}, i * 10, i);
    }
    EXPECT_EQ(samples(head_, {matcher(MatchOp::equal, "__name__", "m")}, 10, 30), "m 2@20 3@30;");
}

TEST_F(HeadTest, The_last_read_sample_stays_when_the_end_is_reached) {
    put({{"__name__", "m"}}, 10, 1);
    put({{"__name__", "m"}}, 20, 2);
    std::vector<SelectedSeries> found = head_.select(std::vector{matcher(MatchOp::equal, "__name__", "m")}, at(0), at(15));
    model::Sample sample{};
    ASSERT_TRUE(found.at(0).cursor->next(sample));
    ASSERT_FALSE(found.at(0).cursor->next(sample));
    EXPECT_EQ(sample.value, 1);
}

TEST_F(HeadTest, Matches_labels_in_all_four_ways) {
    put({{"__name__", "m"}, {"a", "x"}}, 1, 1);
    put({{"__name__", "m"}, {"a", "y"}}, 1, 2);
    put({{"__name__", "m"}}, 1, 3);
    const Matcher name = matcher(MatchOp::equal, "__name__", "m");
    EXPECT_EQ(samples(head_, {name, matcher(MatchOp::equal, "a", "x")}, 0, 9), R"(m{a="x"} 1@1;)");
    EXPECT_EQ(samples(head_, {name, matcher(MatchOp::not_equal, "a", "x")}, 0, 9), R"(m 3@1;m{a="y"} 2@1;)");
    EXPECT_EQ(samples(head_, {name, matcher(MatchOp::regex, "a", "x|")}, 0, 9), R"(m 3@1;m{a="x"} 1@1;)");
    EXPECT_EQ(samples(head_, {name, matcher(MatchOp::not_regex, "a", ".+")}, 0, 9), "m 3@1;");
    EXPECT_EQ(samples(head_, {name, matcher(MatchOp::equal, "a", "")}, 0, 9), "m 3@1;");
}

TEST_F(HeadTest, Refuses_the_past_and_a_second_value_for_one_time) {
    put({{"__name__", "m"}}, 10, 1);
    const SeriesId id = *head_.open_series({{"__name__", "m"}});
    EXPECT_EQ(head_.append(id, at(9), 1).error().code, Errc::conflict);
    EXPECT_EQ(head_.append(id, at(10), 2).error().code, Errc::conflict);
    EXPECT_TRUE(head_.append(id, at(10), 1));
}

TEST_F(HeadTest, Holds_no_more_series_than_its_limit) {
    for (int i = 0; i < 5; ++i) {
        put({{"__name__", "m"}, {"i", std::to_string(i)}}, 1, 1);
    }
    EXPECT_EQ(head_.open_series({{"__name__", "one_more"}}).error().code, Errc::limit);
}

TEST_F(HeadTest, Forgets_whole_chunks_and_then_the_series) {
    for (int i = 0; i < 300; ++i) {
        put({{"__name__", "m"}}, i, i);
    }
    const SeriesId id = *head_.open_series({{"__name__", "m"}});
    head_.drop_expired(at(299));
    EXPECT_GE(head_.stats().samples, 100);
    EXPECT_LT(head_.stats().samples, 300);
    head_.drop_expired(at(1000));
    EXPECT_EQ(head_.stats().series, 0);
    EXPECT_EQ(head_.append(id, at(1001), 1).error().code, Errc::not_found);
    EXPECT_EQ(samples(head_, {matcher(MatchOp::equal, "__name__", "m")}, 0, 2000), "");
}

TEST(Chunk, Gives_back_every_bit) {
    SeededRandom random(7);
    for (int round = 0; round < 200; ++round) {
        Chunk chunk;
        std::vector<std::pair<std::int64_t, std::uint64_t>> put;
        std::int64_t time = static_cast<std::int64_t>(random.below(1'000'000'000'000));
        std::uint64_t bits = 0;
        while (!chunk.full()) {
            time += static_cast<std::int64_t>(random.below(round % 3 == 0 ? 3 : 100'000));
            bits = random.below(3) == 0 ? random.below(UINT64_MAX) : bits + random.below(5);
            chunk.append(time, std::bit_cast<double>(bits));
            put.emplace_back(time, bits);
        }
        Chunk::Reader reader(chunk);
        model::Sample sample{};
        for (const auto& [when, value] : put) {
            ASSERT_TRUE(reader.next(sample));
            ASSERT_EQ(to_unix_ms(sample.at), when);
            ASSERT_EQ(std::bit_cast<std::uint64_t>(sample.value), value);
        }
        ASSERT_FALSE(reader.next(sample));
    }
}

TEST(Chunk, A_steady_gauge_costs_a_few_bits_a_sample) {
    Chunk chunk;
    for (int i = 0; i < Chunk::capacity; ++i) {
        chunk.append(i * 15'000, 42);
    }
    chunk.shrink();
    EXPECT_LT(chunk.bytes() - sizeof(Chunk), 64);
}

TEST_F(HeadTest, What_was_selected_before_is_selected_anew_when_series_came_or_went) {
    const std::vector<Matcher> all{matcher(MatchOp::regex, "__name__", ".+")};
    put({{"__name__", "b"}}, 10, 1);
    EXPECT_EQ(samples(head_, all, 0, 500), "b 1@10;");
    put({{"__name__", "a"}}, 20, 2);
    EXPECT_EQ(samples(head_, all, 0, 500), "a 2@20;b 1@10;");
    EXPECT_EQ(samples(head_, all, 0, 15), "b 1@10;");
    put({{"__name__", "a"}}, 300, 3);
    head_.drop_expired(at(310));
    EXPECT_EQ(samples(head_, all, 200, 500), "a 3@300;");
}

TEST_F(HeadTest, The_numbers_of_a_cursor_are_read_at_once_with_or_without_stale_markers_until_a_histogram) {
    for (int i = 1; i <= 300; ++i) {
        put({{"__name__", "m"}}, i, i % 7 == 0 ? model::stale_marker() : i * 0.1);
    }
    const std::vector<Matcher> m{matcher(MatchOp::equal, "__name__", "m")};
    for (const bool stale : {true, false}) {
        for (const int before : {0, 1, 130}) {
            std::vector<SelectedSeries> one_by_one = head_.select(m, at(5), at(290));
            std::vector<SelectedSeries> at_once = head_.select(m, at(5), at(290));
            model::Sample sample{};
            for (int i = 0; i < before; ++i) {
                ASSERT_TRUE(one_by_one[0].cursor->next(sample) && at_once[0].cursor->next(sample));
            }
            std::vector<model::Sample> rest;
            EXPECT_TRUE(at_once[0].cursor->read_numbers(rest, stale));
            std::size_t read = 0;
            while (one_by_one[0].cursor->next(sample)) {
                if (stale || !model::is_stale_marker(sample.value)) {
                    ASSERT_LT(read, rest.size());
                    EXPECT_EQ(rest[read].at, sample.at);
                    EXPECT_EQ(std::bit_cast<std::uint64_t>(rest[read].value), std::bit_cast<std::uint64_t>(sample.value));
                    ++read;
                }
            }
            EXPECT_EQ(read, rest.size());
        }
    }
}

}  // namespace
}  // namespace noroshi::tsdb
