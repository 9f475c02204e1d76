// test/unit/tsdb/histogram_test.cpp - native histograms in chunks, beside numbers in a series, and over restarts.
#include <bit>
#include <limits>

#include "base/random.hpp"
#include "chunk.hpp"
#include "disk_fixture.hpp"
#include "histogram_codec.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::tsdb {
namespace {

using model::Histogram;
using model::HistogramPtr;
using model::ResetHint;

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

/// Field by field, by bits, but for the hint.
bool identical(const Histogram& a, const Histogram& b) {
    const auto same = [](const std::vector<double>& x, const std::vector<double>& y) {
        return std::ranges::equal(x, y, same_bits);
    };
    return a.schema == b.schema && same_bits(a.zero_threshold, b.zero_threshold) && same_bits(a.zero_count, b.zero_count) &&
           same_bits(a.count, b.count) && same_bits(a.sum, b.sum) && a.positive.spans == b.positive.spans &&
           a.negative.spans == b.negative.spans && same(a.positive.counts, b.positive.counts) &&
           same(a.negative.counts, b.negative.counts) && same(a.bounds(), b.bounds());
}

/// A count of any sort: whole and small, whole and large, a fraction, below zero, one of the odd ones.
double any_count(SeededRandom& random) {
    switch (random.below(6)) {
        case 0:
            return static_cast<double>(random.below(100));
        case 1:
            return static_cast<double>(random.below(std::uint64_t{1} << 53));
        case 2:
            return static_cast<double>(random.below(1'000)) / 7;
        case 3:
            return -static_cast<double>(random.below(50));
        case 4:
            return -0.0;
        default:
            return std::bit_cast<double>(random.below(std::numeric_limits<std::uint64_t>::max()));
    }
}

void fill_side(SeededRandom& random, model::HistogramSide& side, bool whole) {
    side = {};
    for (std::uint64_t spans = random.below(4); spans > 0; --spans) {
        const auto offset = side.spans.empty() ? static_cast<std::int32_t>(random.below(5'000)) - 2'500
                                               : static_cast<std::int32_t>(random.below(20));
        side.spans.push_back({offset, static_cast<std::uint32_t>(random.below(9))});
        for (std::uint32_t i = 0; i < side.spans.back().length; ++i) {
            side.counts.push_back(whole ? static_cast<double>(random.below(1'000)) : any_count(random));
        }
    }
}

/// The next of a series: often the same layout with other counts, sometimes all anew.
Histogram next_of(SeededRandom& random, Histogram h) {
    const bool whole = random.below(3) > 0;
    if (random.below(5) == 0) {
        h = {};
        if (random.below(3) == 0) {
            h.schema = Histogram::custom_schema;
            h.custom_values = std::make_shared<const std::vector<double>>(std::vector<double>{-1.5, -0.0, 2, 1e300});
            h.positive = {{{1, 2}, {0, 1}}, {1, 2, 3}};
        } else {
            h.schema = static_cast<int>(random.below(13)) - 4;
            h.zero_threshold = random.below(2) == 0 ? 0 : 0x1p-128;
            fill_side(random, h.positive, whole);
            fill_side(random, h.negative, whole);
        }
    }
    for (model::HistogramSide* side : {&h.positive, &h.negative}) {
        for (double& count : side->counts) {
            count = whole ? count + static_cast<double>(random.below(4)) : any_count(random);
        }
    }
    h.zero_count = h.has_custom_bounds() ? 0 : whole ? static_cast<double>(random.below(10)) : any_count(random);
    h.count = whole ? static_cast<double>(random.below(10'000)) : any_count(random);
    h.sum = random.below(10) == 0 ? model::stale_marker() : any_count(random);
    return h;
}

TEST(HistogramChunk, Gives_back_every_bit) {
    SeededRandom random(11);
    for (int round = 0; round < 100; ++round) {
        Chunk chunk;
        std::vector<std::pair<std::int64_t, HistogramPtr>> put;
        std::int64_t time = static_cast<std::int64_t>(random.below(1'000'000'000'000));
        Histogram last;
        while (chunk.takes(std::make_shared<Histogram>(last))) {
            last = next_of(random, last);
            ASSERT_TRUE(model::validate_layout(last));
            time += static_cast<std::int64_t>(random.below(100'000));
            const auto value = std::make_shared<const Histogram>(last);
            chunk.append(time, value, put.empty() ? nullptr : put.back().second.get());
            put.emplace_back(time, value);
        }
        EXPECT_EQ(chunk.encoding(), Encoding::histograms);
        const Chunk again = Chunk::from_bytes(chunk.encoding(), chunk.to_bytes(), chunk.count(), chunk.first_ms(), chunk.last_ms());
        Chunk::Reader reader(again);
        model::Sample sample{};
        for (const auto& [when, value] : put) {
            ASSERT_TRUE(reader.next(sample));
            ASSERT_EQ(to_unix_ms(sample.at), when);
            ASSERT_TRUE(identical(*reader.histogram(), *value)) << reader.histogram()->to_string() << value->to_string();
            ASSERT_EQ(model::is_stale_marker(sample.value), value->is_stale());
        }
        ASSERT_FALSE(reader.next(sample));
    }
}

HistogramPtr counter(double n, int buckets = 20) {
    auto out = std::make_shared<Histogram>();
    out->schema = 3;
    out->sum = n * 1.25;
    out->positive.spans = {{-5, static_cast<std::uint32_t>(buckets)}};
    for (int i = 0; i < buckets; ++i) {
        out->positive.counts.push_back(n + i);
        out->count += n + i;
    }
    return out;
}

TEST(HistogramChunk, A_counter_costs_a_byte_a_bucket_and_an_idle_one_a_bit) {
    Chunk moving;
    Chunk idle;
    HistogramPtr before;
    for (int i = 0; i < Chunk::capacity; ++i) {
        const HistogramPtr now = counter(i);
        moving.append(i * 15'000, now, before.get());
        idle.append(i * 15'000, counter(7), i == 0 ? nullptr : counter(7).get());
        before = now;
    }
    EXPECT_LT(moving.to_bytes().size(), Chunk::capacity * 30u);
    EXPECT_LT(idle.to_bytes().size(), Chunk::capacity * 4u);
    fmt::print("{:.1f} bytes a histogram of 20 buckets that count, {:.1f} that are idle\n",
               static_cast<double>(moving.to_bytes().size()) / Chunk::capacity,
               static_cast<double>(idle.to_bytes().size()) / Chunk::capacity);
}

TEST(HistogramChunk, Is_full_at_its_bytes_and_takes_one_kind_alone) {
    Chunk chunk;
    HistogramPtr before;
    for (int i = 0; chunk.takes(before ? before : counter(0)); ++i) {
        before = counter(i * 1e6 / 7, 2'000);
        chunk.append(i, before, nullptr);
    }
    EXPECT_LT(chunk.count(), 5);
    EXPECT_GT(chunk.to_bytes().size(), Chunk::full_bytes);
    Chunk numbers;
    numbers.append(1, 1.0);
    EXPECT_FALSE(numbers.takes(counter(1)));
    EXPECT_FALSE(chunk.takes(1.0));
}

TEST(HistogramChunk, The_largest_that_is_taken_fits_a_block) {
    auto out = std::make_shared<Histogram>();
    out->schema = 8;
    for (std::size_t i = 0; i < model::max_histogram_buckets; ++i) {
        out->positive.spans.push_back({i == 0 ? -1'000'000 : 1 + static_cast<std::int32_t>(i % 3), 1});
        out->positive.counts.push_back(1.0 / static_cast<double>(3 + i));
        out->negative.spans.push_back({i == 0 ? -1'000'000 : 3, 0});
    }
    ASSERT_TRUE(model::validate_layout(*out));
    const std::string bytes = histogram_bytes(*out);
    EXPECT_LT(bytes.size() + Chunk::full_bytes, 4u << 20);
    EXPECT_TRUE(identical(*histogram_of(bytes), *out));
    out->positive.counts.push_back(1);
    out->positive.spans.push_back({1, 1});
    EXPECT_FALSE(model::validate_layout(*out));
}

TEST(HistogramChunk, Bytes_that_make_no_sense_end_the_reading) {
    const std::string right = histogram_bytes(*counter(5));
    EXPECT_TRUE(histogram_of(right));
    for (std::size_t length = 0; length + 1 < right.size(); ++length) {
        EXPECT_FALSE(histogram_of(right.substr(0, length))) << length;
    }
    EXPECT_FALSE(histogram_of(std::string(40, '\xff')));
}

class HistogramTest : public DiskTest {
  protected:
    static HistogramPtr with_hint(double n, ResetHint hint) {
        auto out = std::make_shared<Histogram>(*counter(n));
        out->hint = hint;
        return out;
    }
    std::vector<ResetHint> hints(std::int64_t from = -1) const {
        std::vector<ResetHint> out;
        for (SelectedSeries& series : head_->select({}, at(from), at(1'000'000'000))) {
            for (model::Sample sample{}; series.cursor->next(sample);) {
                out.push_back(series.cursor->histogram() ? series.cursor->histogram()->hint : ResetHint::gauge);
            }
        }
        return out;
    }
    model::Labels h_{{"__name__", "h"}};
};

TEST_F(HistogramTest, A_series_has_both_kinds_at_different_times) {
    open(0);
    put(h_, 1, 1.5);
    put(h_, 2, counter(1));
    put(h_, 3, counter(2));
    put(h_, 4, 2.5);
    const std::string before = all(*head_);
    EXPECT_EQ(before, fmt::format("h 1.5@1 {}@2 {}@3 2.5@4\n", text(counter(1), 0), text(counter(2), 0)));
    const SeriesId id = *head_->open_series(h_);
    EXPECT_EQ(head_->append(id, at(4), counter(2)).error().code, Errc::conflict);
    EXPECT_EQ(head_->append(id, at(3), counter(2)).error().code, Errc::conflict);
    EXPECT_TRUE(head_->append(id, at(5), counter(3)));
    EXPECT_TRUE(head_->append(id, at(5), counter(3))) << "the same again";
    EXPECT_EQ(head_->append(id, at(5), counter(4)).error().code, Errc::conflict);
    EXPECT_EQ(head_->append(id, at(5), 3.0).error().code, Errc::conflict);
    open(6);
    EXPECT_EQ(all(*head_), before.substr(0, before.size() - 1) + fmt::format(" {}@5\n", text(counter(3), 0)));
    EXPECT_EQ(logged_, "");
}

TEST_F(HistogramTest, A_histogram_of_no_valid_layout_is_refused) {
    open(0);
    auto wrong = std::make_shared<Histogram>(*counter(1));
    wrong->positive.counts.pop_back();
    EXPECT_EQ(head_->append(*head_->open_series(h_), at(1), std::move(wrong)).error().code, Errc::invalid_argument);
    EXPECT_EQ(all(*head_), "");
}

TEST_F(HistogramTest, A_stale_marker_after_a_histogram_is_one_and_survives) {
    open(0);
    put(h_, 1, counter(1));
    put(h_, 2, model::stale_marker());
    put(h_, 3, counter(2));
    put(h_, 4, 1.0);
    put(h_, 5, model::stale_marker());
    for (int restart = 0; restart < 2; ++restart) {
        std::string seen;
        for (SelectedSeries& series : head_->select({}, at(0), at(9))) {
            for (model::Sample sample{}; series.cursor->next(sample);) {
                const HistogramPtr& histogram = series.cursor->histogram();
                seen += histogram ? 'h' : 'n';
                seen += model::is_stale_marker(sample.value) ? "!" : "";
                EXPECT_TRUE(!histogram || histogram->is_stale() == model::is_stale_marker(sample.value));
            }
        }
        EXPECT_EQ(seen, "hh!hnn!");
        open(6);
    }
}

TEST_F(HistogramTest, Hints_say_what_the_store_knows_and_a_restart_changes_none) {
    open(0);
    put(h_, 1, counter(5));
    put(h_, 2, counter(6));
    put(h_, 3, counter(1));
    put(h_, 4, with_hint(9, ResetHint::reset));
    put(h_, 5, with_hint(1, ResetHint::not_reset));
    put(h_, 6, model::stale_marker());
    put(h_, 7, counter(7));
    put(h_, 8, with_hint(1, ResetHint::gauge));
    using enum ResetHint;
    const std::vector<ResetHint> expected{unknown, not_reset, unknown, unknown, not_reset, unknown, unknown, gauge};
    EXPECT_EQ(hints(), expected);
    open(9);
    EXPECT_EQ(hints(), expected);
}

TEST_F(HistogramTest, The_first_of_each_chunk_knows_no_reset) {
    open(0);
    for (int i = 0; i < 2 * Chunk::capacity; ++i) {
        put(h_, i, counter(i));
    }
    const std::vector<ResetHint> seen = hints();
    for (std::size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i], i % Chunk::capacity == 0 ? ResetHint::unknown : ResetHint::not_reset) << i;
    }
}

TEST_F(HistogramTest, Histograms_count_for_the_limit_of_series_and_are_found_by_their_labels) {
    options_.max_series = 1;
    open(0);
    put({{"__name__", "h"}, {"zone", "a"}}, 1, counter(1));
    EXPECT_EQ(head_->open_series({{"__name__", "other"}}).error().code, Errc::limit);
    using Texts = std::vector<std::string>;
    EXPECT_EQ(head_->label_names({}, at(0), at(2)), (Texts{"__name__", "zone"}));
    EXPECT_EQ(head_->label_values("zone", {}, at(0), at(2)), Texts{"a"});
    EXPECT_EQ(head_->label_values("zone", {}, at(1), at(2)), Texts{});
    EXPECT_EQ(head_->stats().samples, 1);
    EXPECT_EQ(head_->stats().series, 1);
}

TEST_F(HistogramTest, Late_histograms_that_overlap_a_block_are_joined_and_merged) {
    open(0);
    for (std::int64_t t = 0; t < 6; ++t) {
        fill(t * hour, (t + 1) * hour);
        maintain((t + 1) * hour);
    }
    // After a restart without the newest sample in the log, an older one is taken: it overlaps the block.
    const model::Labels late{{"__name__", "late"}};
    for (std::int64_t t = 0; t < 2 * hour; t += 600) {
        put(late, t, counter(static_cast<double>(t)));
    }
    const std::string before = all(*head_);
    for (std::int64_t t = 6; t < 8; ++t) {
        fill(t * hour, (t + 1) * hour);
        maintain((t + 1) * hour);
    }
    EXPECT_EQ(all(*head_, -1, 6 * hour - 60), before);
    open(8 * hour);
    EXPECT_EQ(all(*head_, -1, 6 * hour - 60), before);
}

}  // namespace
}  // namespace noroshi::tsdb
