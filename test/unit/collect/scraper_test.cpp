// test/unit/collect/scraper_test.cpp - what a scrape leaves in the store: samples, `up`, the scrape's own series, staleness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "collect/collect.hpp"
#include "run_task.hpp"

namespace noroshi::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Gives out prepared answers, one a request.
class ListedClient final : public net::HttpClient {
  public:
    Task<Result<net::Response>> send(net::Request request) override {
        asked.push_back(std::move(request));
        Result<net::Response> answer = std::move(answers.front());
        answers.pop_front();
        co_return answer;
    }
    void answer(std::string body, unsigned status = 200, const std::string& type = "text/plain; version=0.0.4") {
        answers.emplace_back(net::Response{status, {{"Content-Type", type}}, std::move(body)});
    }
    std::deque<Result<net::Response>> answers;
    std::vector<net::Request> asked;
};

class ScraperTest : public testing::Test {
  protected:
    ScraperTest() {
        target_.job = "j";
        target_.url = {"http", "127.0.0.1", 9100, "/metrics"};
        target_.labels = {{"instance", "h:9100"}, {"job", "j"}};
    }
    void TearDown() override { test::run(runtime_, scraper_.stop()); }
    void scrape(std::string body) {
        client_.answer(std::move(body));
        scrape_prepared();
    }
    void scrape_prepared() {
        clock_.advance(std::chrono::seconds(15));
        scraper_.set_targets({});
        test::run(runtime_, scraper_.scrape_once(target_));
    }
    /// The newest samples of a metric, without those that ended.
    std::vector<std::string> query(const std::string& name) {
        const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", name)};
        std::vector<std::string> out;
        for (tsdb::SelectedSeries& series : head_.select(matchers, from_unix_ms(0), clock_.now())) {
            model::Sample sample{};
            while (series.cursor->next(sample)) {
            }
            if (!model::is_stale_marker(sample.value)) {
                out.push_back(fmt::format("{} {}", series.labels->to_string(), sample.value));
            }
        }
        return out;
    }

    Runtime runtime_;
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
    Metrics metrics_;
    tsdb::Head head_{tsdb::Options{}};
    ListedClient client_;
    Scraper scraper_{head_, client_, runtime_, clock_, runtime_.executor(), metrics_, Log::none()};
    Target target_;
};

constexpr const char* of_target = R"({instance="h:9100", job="j"})";

TEST_F(ScraperTest, A_good_scrape_is_up_with_its_own_series) {
    scrape("a 1\nb{c=\"d\"} 2\n");
    EXPECT_THAT(query("a"), ElementsAre(std::string("a") + of_target + " 1"));
    EXPECT_THAT(query("b"), ElementsAre(R"(b{c="d", instance="h:9100", job="j"} 2)"));
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 1"));
    EXPECT_THAT(query("scrape_samples_scraped"), ElementsAre(std::string("scrape_samples_scraped") + of_target + " 2"));
    EXPECT_EQ(query("scrape_duration_seconds").size(), 1);
}

TEST_F(ScraperTest, Asks_for_both_formats) {
    scrape("a 1\n");
    EXPECT_THAT(client_.asked.at(0).headers.at("Accept"), HasSubstr("application/openmetrics-text"));
    EXPECT_EQ(client_.asked[0].body_limit, target_.body_size_limit);
    EXPECT_EQ(client_.asked[0].timeout, target_.timeout);
}

TEST_F(ScraperTest, Labels_that_clash_are_exported_unless_honoured) {
    scrape("a{job=\"mine\"} 1\n");
    EXPECT_THAT(query("a"), ElementsAre(R"(a{exported_job="mine", instance="h:9100", job="j"} 1)"));
    target_.honor_labels = true;
    scrape("b{job=\"mine\"} 1\n");
    EXPECT_THAT(query("b"), ElementsAre(R"(b{instance="h:9100", job="mine"} 1)"));
}

struct Fault {
    Result<net::Response> answer;
    const char* reason;
};

TEST_F(ScraperTest, Every_failure_is_up_0_with_a_named_reason) {
    const auto body = [](std::string text, unsigned status, const char* type) {
        return net::Response{status, {{"Content-Type", type}}, std::move(text)};
    };
    const Fault faults[] = {
        {fail(Errc::timeout, "no answer within 10s"), "timeout"},
        {fail(Errc::refused, "connection refused"), "refused"},
        {fail(Errc::io, "closed early"), "closed"},
        {fail(Errc::limit, "body too large"), "body_size"},
        {body("a 1\n", 500, "text/plain"), "status"},
        {body("a 1\n", 200, "text/html"), "content_type"},
        {body("\x01\x02\x03", 200, "text/plain"), "parse"},
    };
    for (const Fault& fault : faults) {
        client_.answers.push_back(fault.answer);
        scrape_prepared();
        EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0")) << fault.reason;
    }
    const std::string own = metrics_.expose();
    for (const char* reason : {"timeout", "status", "content_type", "parse", "body_size"}) {
        EXPECT_THAT(own, HasSubstr(fmt::format("noroshi_scrape_failures_total{{reason=\"{}\"}} 1", reason)));
    }
}

TEST_F(ScraperTest, Samples_are_relabelled_then_counted) {
    using enum model::RelabelAction;
    target_.metric_relabel = {
        *model::RelabelRule::create({.action = drop, .source_labels = {"__name__"}, .regex = "b"}),
        *model::RelabelRule::create({.source_labels = {"x"}, .regex = "(.+)", .target_label = "y"}),
        *model::RelabelRule::create({.action = labeldrop, .regex = "x"}),
    };
    target_.sample_limit = 1;
    scrape("a{x=\"1\"} 1\nb 2\n");
    EXPECT_THAT(query("a"), ElementsAre(R"(a{instance="h:9100", job="j", y="1"} 1)"));
    EXPECT_THAT(query("b"), IsEmpty());
    EXPECT_THAT(query("scrape_samples_scraped"), ElementsAre(std::string("scrape_samples_scraped") + of_target + " 2"));
    EXPECT_THAT(query("scrape_samples_post_metric_relabeling"),
                ElementsAre(std::string("scrape_samples_post_metric_relabeling") + of_target + " 1"));
}

TEST_F(ScraperTest, A_sample_over_a_label_limit_is_up_0_by_name) {
    const auto failed = [&](const char* reason) {
        scrape("a{long_name=\"long value\"} 1\n");
        EXPECT_THAT(query("a"), IsEmpty());
        EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0"));
        EXPECT_THAT(metrics_.expose(), HasSubstr(fmt::format("noroshi_scrape_failures_total{{reason=\"{}\"}} 1", reason)));
    };
    const Target plain = target_;
    target_.label_limit = 3;
    failed("label_limit");
    target_ = plain;
    target_.label_name_length_limit = 8;
    failed("label_name_length_limit");
    target_ = plain;
    target_.label_value_length_limit = 9;
    failed("label_value_length_limit");
    target_ = plain;
    target_.label_limit = 4;
    target_.label_name_length_limit = 9;
    target_.label_value_length_limit = 10;
    scrape("a{long_name=\"long value\"} 1\n");
    EXPECT_EQ(query("a").size(), 1U);
}

/// `count` series that only differ by a label, the first with the number `from`.
std::string numbered(std::size_t count, std::size_t from = 0) {
    std::string out;
    out.reserve(count * 20);
    for (std::size_t i = from; i < from + count; ++i) {
        out.append("a{n=\"").append(std::to_string(i)).append("\"} 1\n");
    }
    return out;
}

TEST_F(ScraperTest, A_target_that_doubles_its_series_up_to_five_millions_is_stopped_by_name) {
    const std::string other = R"(b{instance="other", job="j"} 1)";
    Target beside = target_;
    beside.labels = {{"instance", "other"}, {"job", "j"}};
    for (Target* each : {&target_, &beside}) {
        each->interval = std::chrono::hours(1);  // scraped by hand alone
    }
    scraper_.set_targets({target_, beside});
    std::string body;
    std::size_t written = 0;
    for (std::size_t count = 10'000; count <= 5'120'000; count *= 2) {
        body += numbered(count - written, written);
        written = count;
        clock_.advance(std::chrono::seconds(15));
        client_.answer(body);
        test::run(runtime_, scraper_.scrape_once(target_));
        const bool allowed = count <= target_.series_limit;
        EXPECT_THAT(query("up"), testing::Contains(fmt::format("up{} {}", of_target, allowed ? 1 : 0))) << count;
        EXPECT_LE(head_.live_series(), target_.series_limit + 20) << count;
        EXPECT_EQ(query("a").size(), allowed ? count : 0) << count;
        client_.answer("b 1\n");
        test::run(runtime_, scraper_.scrape_once(beside));
        EXPECT_THAT(query("b"), ElementsAre(other)) << count;
    }
    EXPECT_THAT(metrics_.expose(), HasSubstr("noroshi_scrape_failures_total{reason=\"series_limit\"} 5\n"));
    EXPECT_THAT(metrics_.expose(), HasSubstr("noroshi_scrape_failures_total{reason=\"body_size\"} 1\n"));
}

TEST_F(ScraperTest, A_target_with_other_series_each_time_is_stopped_and_recovers_after_an_hour) {
    target_.series_limit = 10;
    Scraper& scraper = scraper_;
    scraper.set_targets({target_});  // one writer for all scrapes
    const auto up = [&](std::string body) {
        client_.answer(std::move(body));
        clock_.advance(std::chrono::seconds(15));
        test::run(runtime_, scraper.scrape_once(target_));
        return query("up") == std::vector{std::string("up") + of_target + " 1"};
    };
    EXPECT_TRUE(up(numbered(5, 0)));
    EXPECT_TRUE(up(numbered(5, 5)));
    EXPECT_TRUE(up(numbered(5, 0))) << "series that come back are no new ones";
    EXPECT_FALSE(up(numbered(5, 6)));
    EXPECT_THAT(scraper.health().at(0).last_error, HasSubstr("series_limit: 11 series within an hour, 10 allowed"));
    EXPECT_TRUE(up(numbered(5, 1)));
    clock_.advance(std::chrono::hours(1));
    EXPECT_TRUE(up(numbered(1, 0)));
    clock_.advance(std::chrono::hours(1));
    EXPECT_TRUE(up(numbered(1, 0)));
    EXPECT_TRUE(up(numbered(9, 20)));
}

TEST_F(ScraperTest, Relabelling_may_bring_a_target_below_its_limit) {
    target_.series_limit = 10;
    target_.metric_relabel = {*model::RelabelRule::create({.action = model::RelabelAction::keep, .source_labels = {"n"}, .regex = "1"})};
    scrape(numbered(100));
    EXPECT_THAT(query("a"), ElementsAre(R"(a{instance="h:9100", job="j", n="1"} 1)"));
}

TEST_F(ScraperTest, Samples_with_times_of_their_own_are_no_new_series_each) {
    target_.series_limit = 2;
    scrape("a 1 1700000001000\na 2 1700000002000\na 3 1700000003000\n");
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 1"));
    scrape("a 1 1700000001000\nb 2 1700000002000\nc 3 1700000003000\n");
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0"));
}

TEST_F(ScraperTest, A_job_with_too_many_targets_scrapes_none_and_all_once_it_has_fewer) {
    target_.target_limit = 1;
    Target second = target_;
    second.labels = {{"instance", "second"}, {"job", "j"}};
    Target of_another_job = target_;
    of_another_job.job = "k";
    of_another_job.labels = {{"instance", "h:9100"}, {"job", "k"}};
    const auto scraped = [&](std::vector<Target> targets) {
        scraper_.set_targets(targets);
        clock_.advance(std::chrono::seconds(15));
        std::string out;
        for (const Target& target : targets) {
            client_.answer("a 1\n");
            const std::size_t before = client_.asked.size();
            test::run(runtime_, scraper_.scrape_once(target));
            out += client_.asked.size() > before ? "asked " : "refused ";
        }
        return out;
    };
    EXPECT_EQ(scraped({target_, second, of_another_job}), "refused refused asked ");
    EXPECT_THAT(scraper_.health().at(0).last_error, HasSubstr("target_limit: job \"j\" has 2 targets, 1 allowed"));
    EXPECT_EQ(scraped({target_, of_another_job}), "asked asked ");
}

TEST_F(ScraperTest, Names_beyond_ASCII_are_taken_unless_the_job_says_legacy) {
    scrape("{\"a.b\",\"c.d\"=\"e\"} 1\n");
    EXPECT_THAT(query("a.b"), ElementsAre(R"({__name__="a.b", "c.d"="e", instance="h:9100", job="j"} 1)"));
    EXPECT_THAT(client_.asked.back().headers.at("Accept"), HasSubstr("text/plain;version=1.0.0;escaping=allow-utf-8;q="));
    target_.legacy_names = true;
    target_.escaping = "dots";
    for (const char* body : {"{\"a.b\"} 1\n", "a{\"c.d\"=\"e\"} 1\n"}) {
        scrape(body);
        EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0")) << body;
    }
    EXPECT_THAT(metrics_.expose(), HasSubstr("noroshi_scrape_failures_total{reason=\"invalid_name\"} 2"));
    EXPECT_THAT(client_.asked.back().headers.at("Accept"), HasSubstr("application/openmetrics-text;version=1.0.0;escaping=dots;q=0.7"));
    EXPECT_THAT(client_.asked.back().headers.at("Accept"), testing::Not(HasSubstr("allow-utf-8")));
    scrape("a_dot_b:c 1\n");
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 1"));
}

TEST_F(ScraperTest, More_samples_than_allowed_are_none_at_all) {
    target_.sample_limit = 1;
    scrape("a 1\nb 2\n");
    EXPECT_THAT(query("a"), IsEmpty());
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0"));
}

TEST_F(ScraperTest, A_native_histogram_is_stored_and_keeps_to_its_limit) {
    using namespace std::string_literals;
    // A family h of type 4: two observations in bucket 0 of schema 0; and one with another in bucket 5.
    const std::string one = "\x13\x0a\x01h\x18\x04\x22\x0c\x3a\x0a\x08\x02\x62\x04\x08\x00\x10\x01\x68\x04"s;
    const std::string two =
        "\x1b\x0a\x01h\x18\x04\x22\x14\x3a\x12\x08\x03\x62\x04\x08\x00\x10\x01\x62\x04\x08\x08\x10\x01\x68\x04\x68\x01"s;
    const char* type = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    target_.histograms.native = true;
    const auto scraped = [&](const std::string& body) {
        client_.answer(body, 200, type);
        scrape_prepared();
    };
    scraped(one);
    scraped(two);
    target_.histograms.bucket_limit = 1;
    scraped(two);
    std::string seen;
    const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", "h")};
    for (tsdb::SelectedSeries& series : head_.select(matchers, from_unix_ms(0), clock_.now())) {
        for (model::Sample sample{}; series.cursor->next(sample);) {
            seen += series.cursor->histogram()->to_string() + " ";
        }
    }
    EXPECT_EQ(seen, "{count:2, sum:0, (0.5,1]:2} {count:3, sum:0, (0.5,1]:2, (16,32]:1} ");
    EXPECT_THAT(query("up"), ElementsAre(std::string("up") + of_target + " 0")) << "no resolution makes one bucket of these two";
}

}  // namespace
}  // namespace noroshi::collect
