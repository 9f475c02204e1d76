// test/unit/collect/schedule_test.cpp - when targets are scraped, and that a slow, broken or removed one disturbs no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "collect/collect.hpp"
#include "manual_timers.hpp"
#include "model/sample.hpp"
#include "run_task.hpp"
#include "scrape/negotiation.hpp"
#include "scrape/schedule.hpp"

namespace noroshi::collect {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr TimestampMs start = from_unix_ms(1'700'000'000'000);

Target target(std::string host) {
    Target out;
    out.job = "j";
    out.url = {"http", host, 80, "/metrics"};
    out.labels = {{"instance", std::move(host)}, {"job", "j"}};
    out.interval = 10s;
    out.timeout = 5s;
    return out;
}

/// Answers by host after a while; a host without an answer hangs until its timeout.
class HostsClient final : public net::HttpClient {
  public:
    HostsClient(Timers& timers, Clock& clock) : timers_(timers), clock_(clock) {}
    Task<Result<net::Response>> send(net::Request request) override {
        asked[request.url.host].push_back(clock_.now());
        requests.push_back(request);
        if (!answers.contains(request.url.host)) {
            NOROSHI_CO_TRY_VOID(co_await timers_.sleep_for(request.timeout));
            co_return fail(Error{Errc::timeout, "no end within 5s", {}, true});
        }
        NOROSHI_CO_TRY_VOID(co_await timers_.sleep_for(delay));
        co_return net::Response{200, {{"Content-Type", content_type}}, answers.at(request.url.host)};
    }
    std::map<std::string, std::string> answers;
    std::string content_type{"text/plain"};
    Milliseconds delay{0};
    std::map<std::string, std::vector<TimestampMs>> asked;
    std::vector<net::Request> requests;

  private:
    Timers& timers_;
    Clock& clock_;
};

class ScheduleTest : public testing::Test {
  protected:
    void TearDown() override { test::run(loop_.runtime, scraper_.stop()); }

    std::vector<std::string> values(const std::string& name, const std::string& host) const {
        const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", name),
                                   *model::Matcher::create(model::MatchOp::equal, "instance", host)};
        std::vector<std::string> out;
        for (tsdb::SelectedSeries& series : head_.select(matchers, start - 1h, start + 1h)) {
            model::Sample each{};
            while (series.cursor->next(each)) {
                out.push_back(model::is_stale_marker(each.value) ? "stale" : fmt::format("{}", each.value));
            }
        }
        return out;
    }
    TargetHealth health_of(const std::string& host) const {
        for (TargetHealth& health : scraper_.health()) {
            if (health.target.url.host == host) {
                return health;
            }
        }
        ADD_FAILURE() << "no target " << host;
        return {};
    }

    test::ManualLoop loop_{start};
    Metrics metrics_;
    tsdb::Head head_{tsdb::Options{}};
    std::vector<std::string> lines_;
    HostsClient client_{loop_.timers, loop_.clock};
    Scraper scraper_{head_,
                     client_,
                     loop_.timers,
                     loop_.clock,
                     loop_.runtime.executor(),
                     metrics_,
                     Log::to([this](std::string_view line) { lines_.emplace_back(line); })};
};

TEST_F(ScheduleTest, A_target_is_scraped_at_its_phase_of_every_interval) {
    client_.answers["a"] = "m 1\n";
    scraper_.set_targets({target("a")});
    loop_.advance(35s);
    const std::vector<TimestampMs>& at = client_.asked["a"];
    ASSERT_THAT(at, SizeIs(testing::Ge(3U)));
    EXPECT_EQ(at[0].time_since_epoch() % 10s, phase_of(target("a")));
    EXPECT_EQ(at[1] - at[0], 10s);
    EXPECT_EQ(at[2] - at[1], 10s);
}

TEST_F(ScheduleTest, Targets_are_spread_over_the_interval) {
    std::set<Milliseconds> phases;
    for (int i = 0; i < 50; ++i) {
        const Milliseconds phase = phase_of(target(fmt::format("h{}", i)));
        EXPECT_LT(phase, 10s);
        phases.insert(phase / 1000);
    }
    EXPECT_THAT(phases, SizeIs(testing::Gt(8U)));
}

TEST_F(ScheduleTest, A_target_that_hangs_is_down_and_disturbs_no_other) {
    client_.answers["good"] = "m 1\n";
    scraper_.set_targets({target("good"), target("hangs")});
    loop_.advance(60s);
    EXPECT_THAT(values("up", "good"), testing::Each("1"));
    EXPECT_THAT(values("up", "good"), SizeIs(testing::Ge(5U)));
    EXPECT_THAT(values("up", "hangs"), testing::Each("0"));
    EXPECT_EQ(health_of("hangs").last_error, "timeout: no end within 5s");
    EXPECT_EQ(health_of("hangs").last_duration, 5s);
    EXPECT_TRUE(health_of("good").up);
}

TEST_F(ScheduleTest, Samples_carry_the_time_at_which_the_scrape_began) {
    client_.answers["a"] = "m 1\n";
    client_.delay = 3s;
    scraper_.set_targets({target("a")});
    loop_.advance(20s);
    const std::vector matchers{*model::Matcher::create(model::MatchOp::equal, "__name__", "m")};
    auto series = head_.select(matchers, start - 1h, start + 1h);
    ASSERT_THAT(series, SizeIs(1U));
    model::Sample first{};
    ASSERT_TRUE(series[0].cursor->next(first));
    EXPECT_EQ(first.at, client_.asked["a"][0]);
}

TEST_F(ScheduleTest, A_scrape_longer_than_the_interval_leaves_ticks_out) {
    client_.answers["slow"] = "m 1\n";
    client_.delay = 25s;
    scraper_.set_targets({target("slow")});
    loop_.advance(95s);
    const std::vector<TimestampMs>& at = client_.asked["slow"];
    ASSERT_THAT(at, SizeIs(testing::Ge(3U)));
    EXPECT_EQ(at[1] - at[0], 30s);
    EXPECT_EQ(at[2] - at[1], 30s);
}

TEST_F(ScheduleTest, A_target_that_recovers_is_up_again_and_both_are_logged_once) {
    scraper_.set_targets({target("a")});
    loop_.advance(40s);
    client_.answers["a"] = "m 1\n";
    loop_.advance(40s);
    EXPECT_EQ(values("up", "a").back(), "1");
    EXPECT_EQ(health_of("a").last_error, "");
    EXPECT_EQ(std::ranges::count_if(lines_, [](const std::string& l) { return l.find("event=target_down") != l.npos; }), 1);
    EXPECT_EQ(std::ranges::count_if(lines_, [](const std::string& l) { return l.find("event=target_up") != l.npos; }), 1);
}

TEST_F(ScheduleTest, A_removed_target_ends_its_series_and_is_asked_no_more) {
    client_.answers["a"] = "m 1\n";
    client_.answers["b"] = "m 1\n";
    scraper_.set_targets({target("a"), target("b")});
    loop_.advance(25s);
    scraper_.set_targets({target("b")});
    const std::size_t asked = client_.asked["a"].size();
    loop_.advance(25s);
    EXPECT_EQ(client_.asked["a"].size(), asked);
    EXPECT_EQ(values("m", "a").back(), "stale");
    EXPECT_EQ(values("up", "a").back(), "stale");
    EXPECT_EQ(values("m", "b").back(), "1");
    EXPECT_THAT(scraper_.health(), SizeIs(1U));
}

TEST_F(ScheduleTest, An_unchanged_target_goes_on_undisturbed_over_a_reload) {
    client_.answers["a"] = "m 1\n";
    scraper_.set_targets({target("a")});
    for (int i = 0; i < 12; ++i) {
        loop_.advance(5s);
        scraper_.set_targets({target("a"), target("a")});
    }
    EXPECT_THAT(client_.asked["a"], SizeIs(6U));
    EXPECT_THAT(values("m", "a"), testing::Each("1"));
}

TEST_F(ScheduleTest, A_target_that_changed_its_interval_keeps_its_series) {
    client_.answers["a"] = "m 1\n";
    scraper_.set_targets({target("a")});
    loop_.advance(25s);
    Target faster = target("a");
    faster.interval = 2s;
    scraper_.set_targets({faster});
    loop_.advance(30s);
    EXPECT_THAT(values("m", "a"), testing::Not(Contains("stale")));
}

TEST_F(ScheduleTest, An_answer_that_comes_after_the_removal_is_not_stored) {
    client_.answers["a"] = "m 1\n";
    client_.delay = 4s;
    scraper_.set_targets({target("a")});
    while (client_.asked["a"].empty()) {
        loop_.advance(100ms);
    }
    scraper_.set_targets({});
    loop_.advance(30s);
    EXPECT_THAT(values("m", "a"), IsEmpty());
    EXPECT_THAT(values("up", "a"), IsEmpty());
}

TEST_F(ScheduleTest, After_stop_nothing_is_asked) {
    client_.answers["a"] = "m 1\n";
    scraper_.set_targets({target("a")});
    test::run(loop_.runtime, scraper_.stop());
    scraper_.set_targets({target("b")});
    loop_.advance(60s);
    EXPECT_THAT(client_.asked, IsEmpty());
}

TEST_F(ScheduleTest, The_fallback_format_is_used_and_said_once) {
    Target odd = target("odd");
    odd.fallback = ExpositionFormat::text_0_0_4;
    client_.content_type = "application/octet-stream";
    client_.answers["odd"] = "m 1\n";
    client_.answers["strict"] = "m 1\n";
    scraper_.set_targets({odd, target("strict")});
    loop_.advance(30s);
    EXPECT_THAT(values("up", "odd"), testing::Each("1"));
    EXPECT_THAT(values("up", "strict"), testing::Each("0"));
    EXPECT_THAT(health_of("strict").last_error, HasSubstr("content_type: unknown Content-Type \"application/octet-stream\""));
    EXPECT_EQ(std::ranges::count_if(lines_, [](const std::string& l) { return l.find("scrape_format_fallback") != l.npos; }), 1);
}

TEST_F(ScheduleTest, A_body_over_the_limit_stores_nothing_of_itself) {
    Target small = target("a");
    small.body_size_limit = 10;
    client_.answers["a"] = "m 1\nn 2\no 3\n";
    scraper_.set_targets({small});
    loop_.advance(15s);
    EXPECT_THAT(values("m", "a"), IsEmpty());
    EXPECT_EQ(health_of("a").last_error, "body_size: body over 10 bytes");
}

TEST_F(ScheduleTest, More_samples_than_allowed_say_how_many) {
    Target small = target("a");
    small.sample_limit = 2;
    client_.answers["a"] = "m 1\nn 2\no 3\n";
    scraper_.set_targets({small});
    loop_.advance(15s);
    EXPECT_EQ(health_of("a").last_error, "sample_limit: 3 samples, 2 allowed");
    EXPECT_EQ(values("scrape_samples_scraped", "a").front(), "3");
}

TEST(Schedule, The_next_tick_is_in_steps_from_the_last) {
    const SteadyMs due{100s};
    EXPECT_EQ(next_due(due, due, 10s), due + 10s);
    EXPECT_EQ(next_due(due, due + 9s, 10s), due + 10s);
    EXPECT_EQ(next_due(due, due + 10s, 10s), due + 20s);
    EXPECT_EQ(next_due(due, due - 1s, 10s), due + 10s);
}

TEST(Schedule, The_wait_for_the_phase_is_never_zero) {
    const TimestampMs tick = from_unix_ms(10'003);
    EXPECT_EQ(delay_to_phase(tick, 3ms, 10s), 10s);
    EXPECT_EQ(delay_to_phase(tick - 1ms, 3ms, 10s), 1ms);
    EXPECT_EQ(delay_to_phase(tick + 1ms, 3ms, 10s), 9'999ms);
}

TEST(Schedule, Times_within_two_milliseconds_are_drawn_to_the_tick) {
    const TimestampMs tick = from_unix_ms(10'003);
    for (const Milliseconds off : {-2ms, -1ms, 0ms, 1ms, 2ms}) {
        EXPECT_EQ(aligned(tick + off, 3ms, 10s), tick);
    }
    EXPECT_EQ(aligned(tick + 3ms, 3ms, 10s), tick + 3ms);
    EXPECT_EQ(aligned(tick - 3ms, 3ms, 10s), tick - 3ms);
}

TEST(Schedule, No_target_is_asked_more_often_than_ten_times_a_second) {
    Target busy = target("a");
    busy.interval = 1ms;
    EXPECT_EQ(interval_of(busy), 100ms);
}

TEST(Request, Asks_in_the_words_of_Prometheus) {
    Target plain = target("a");
    plain.timeout = 2500ms;
    plain.enable_compression = false;
    const net::Request request = make_request(plain);
    EXPECT_EQ(request.headers.at("Accept"),
              "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,"
              "application/openmetrics-text;version=0.0.1;q=0.6,"
              "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3");
    EXPECT_EQ(request.headers.at("X-Prometheus-Scrape-Timeout-Seconds"), "2.5");
    EXPECT_FALSE(request.accept_gzip);
    EXPECT_EQ(request.timeout, 2500ms);
}

}  // namespace
}  // namespace noroshi::collect
