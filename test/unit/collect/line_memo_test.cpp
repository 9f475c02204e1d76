// test/unit/collect/line_memo_test.cpp - readings with a memo of lines leave in the store what readings without one leave there.
#include <gtest/gtest.h>

#include <random>

#include "model/sample.hpp"
#include "sample_writer.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {
namespace {

using namespace std::chrono_literals;

constexpr TimestampMs start = from_unix_ms(1'700'000'000'000);

/// A source of readings with its own store.
class Source {
  public:
    Source(WriterOptions options, bool remembers) : remembers_(remembers), writer_(head_, counters_, std::move(options)) {}

    /// As a target's scrape does; false when the body, or what becomes of it, is refused.
    bool read(const std::string& body, TimestampMs at) {
        auto samples = remembers_ ? parse_text(body, {}, nullptr, &writer_.memo()) : parse_text(body, {}, nullptr);
        auto prepared = samples ? writer_.prepare(std::move(*samples)) : Result<std::vector<ScrapedSample>>(fail(Errc::parse, ""));
        if (!prepared) {
            writer_.write_failure(at);
            return false;
        }
        known_ = 0;
        for (const ScrapedSample& sample : *prepared) {
            known_ += sample.line != 0 && writer_.memo()[sample.line - 1].is_known() ? 1 : 0;
        }
        added_ = writer_.write_prepared(*prepared, at);
        return true;
    }
    /// Lines of the last reading that were not parsed.
    [[nodiscard]] std::size_t known() const { return known_; }
    void drop(TimestampMs now) { head_.drop_expired(now); }

    /// All that is stored and was counted, as lines.
    [[nodiscard]] std::string all() const {
        std::string out = fmt::format("added {}\n{}", added_, metrics_.expose());
        for (tsdb::SelectedSeries& series : head_.select({}, start - 24h, start + 24h)) {
            out += series.labels->to_string();
            model::Sample sample{};
            while (series.cursor->next(sample)) {
                out += fmt::format(" {}:{}", to_unix_ms(sample.at) - to_unix_ms(start),
                                   model::is_stale_marker(sample.value) ? "stale" : fmt::format("{}", sample.value));
            }
            out += '\n';
        }
        return out;
    }

  private:
    bool remembers_;
    Metrics metrics_;
    CollectCounters counters_{metrics_};
    tsdb::Head head_{tsdb::Options{.retention = 1h, .max_series = 40}};
    SampleWriter writer_;
    std::size_t known_{0};
    std::size_t added_{0};
};

class LineMemoTest : public testing::Test {
  protected:
    void read(const std::string& body) {
        at_ += 15s;
        EXPECT_EQ(with_.read(body, at_), without_.read(body, at_)) << body;
        EXPECT_EQ(with_.all(), without_.all()) << body;
    }

    WriterOptions options_{.labels = {{"job", "j"}},
                           .relabel = {*model::RelabelRule::create({.source_labels = {"drop"}, .regex = "1", .action = model::RelabelAction::drop})}};
    Source with_{options_, true};
    Source without_{options_, false};
    TimestampMs at_{start};
};

TEST_F(LineMemoTest, Lines_that_come_again_are_known_in_whatever_order) {
    read("a{x=\"1\"} 1\nb 2\nc{x=\"}\"} 3\nd 4\n");
    EXPECT_EQ(with_.known(), 0U);
    read("a{x=\"1\"} 5\nb 6\nc{x=\"}\"} 7\nd 8\n");
    EXPECT_EQ(with_.known(), 4U);
    read("d 1\nc{x=\"}\"} 2\nnew 3\na{x=\"1\"} 4\n");
    EXPECT_EQ(with_.known(), 3U);
    read("d 1\nc{x=\"}\"} 2\nnew 3\na{x=\"1\"} 4\nb 1\n");
    EXPECT_EQ(with_.known(), 4U);
}

TEST_F(LineMemoTest, A_name_is_not_taken_for_the_series_that_it_begins) {
    read("a 1\nab 2\n");
    read("a {x=\"1\"} 1\nab 2\n");
    read("a{} 1\nab {y=\"2\"} 2\n");
    read("a 1\nab{} 2\n");
}

TEST_F(LineMemoTest, A_bound_means_what_its_family_says) {
    read("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n");
    read("# TYPE h counter\nh_bucket{le=\"1\"} 1\n");
    read("# TYPE h histogram\nh_bucket{le=\"1\"} 1\n");
}

TEST_F(LineMemoTest, Lines_with_a_time_of_their_own_come_and_go_as_before) {
    const std::string own = fmt::format(" {}\n", to_unix_ms(start) + 20'000);
    read("a 1\nb 2\n");
    read("a 1" + own + "b 2\n");
    read("a 1\nb 2" + own);
    read("b 2\n");
    read("a 1 99999999999999\nb 2\n");
    read("a 1\nb 2\n");
}

TEST_F(LineMemoTest, After_a_failure_nothing_is_known) {
    read("a 1\nb{drop=\"1\"} 2\n");
    read("a 1\nb{drop=\"1\"} 2\nbroken");
    read("a 1\nb{drop=\"1\"} 2\n");
    EXPECT_EQ(with_.known(), 0U);
}

TEST_F(LineMemoTest, A_series_that_retention_dropped_is_opened_again) {
    read("a 1\n");
    read("a 1\n");
    with_.drop(at_ + 2h);
    without_.drop(at_ + 2h);
    at_ += 3h;
    with_.read("a 2\n", at_);
    without_.read("a 2\n", at_);
    at_ += 15s;
    with_.read("a 3\n", at_);
    without_.read("a 3\n", at_);
    EXPECT_NE(with_.all().find(fmt::format(" {}:3", to_unix_ms(at_) - to_unix_ms(start))), std::string::npos) << with_.all();
}

TEST_F(LineMemoTest, Random_readings_leave_the_same) {
    std::mt19937 random(7);
    const auto below = [&random](std::uint32_t bound) { return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random); };
    std::vector<std::string> lines;
    for (int i = 0; i < 20; ++i) {
        lines.push_back(fmt::format("m{}{}", i % 7, i % 3 == 0 ? "" : fmt::format("{{l=\"{}\"{}}}", i, i % 5 == 0 ? ",drop=\"1\"" : "")));
    }
    lines.push_back("up{job=\"j\"}");
    lines.push_back("m1 ");
    for (int reading = 0; reading < 200; ++reading) {
        std::string body;
        for (std::uint32_t i = below(3); i > 0; --i) {
            std::swap(lines[below(static_cast<std::uint32_t>(lines.size()))], lines[below(static_cast<std::uint32_t>(lines.size()))]);
        }
        for (const std::string& line : lines) {
            const std::uint32_t chance = below(40);
            if (chance == 0) {
                continue;
            }
            body += fmt::format("{} {}{}\n", line, below(100), chance == 1 ? fmt::format(" {}", to_unix_ms(at_) + below(30'000)) : "");
            if (chance == 2) {
                body += line + " 1\n";
            }
        }
        if (below(50) == 0) {
            body += "{";
        }
        read(body);
    }
}

}  // namespace
}  // namespace noroshi::collect
