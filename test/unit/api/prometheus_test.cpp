// test/unit/api/prometheus_test.cpp - Prometheus's API: its JSON to the letter, its words for what is wrong, its limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "api/prometheus.hpp"
#include "manual_timers.hpp"
#include "parameters.hpp"
#include "run_task.hpp"

namespace noroshi::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t start_ms = 1'700'000'000'000;

class PrometheusTest : public testing::Test {
  protected:
    void SetUp() override {
        add({{"__name__", "up"}, {"job", "a"}, {"instance", "x:1"}}, {1, 1, 0});
        add({{"__name__", "up"}, {"job", "b"}, {"instance", "y:\"2\"\n"}}, {1, 1, 1});
        add({{"__name__", "odd"}, {"utf8.label", "\xe7\x8b\xbc"}}, {1e-7, 1e21, 0.1});
        clock_.advance(std::chrono::seconds(120));
        serve({});
    }
    void serve(const promql::ParseOptions& expressions) {
        routes_ = prometheus_routes({head_, clock_, timers_, {}, [this] { return targets_; }, [this] { return groups_; },
                                     [] { return DaemonFacts{"1.2.3", "host", from_unix_ms(start_ms), true, from_unix_ms(start_ms),
                                                             std::chrono::hours(6), "127.0.0.1:9596"}; },
                                     expressions});
    }

    /// One value a minute from start_ms on.
    void add(const model::Labels& labels, const std::vector<double>& values) {
        const tsdb::SeriesId id = *head_.open_series(labels);
        for (std::size_t i = 0; i < values.size(); ++i) {
            ASSERT_TRUE(head_.append(id, from_unix_ms(start_ms + static_cast<std::int64_t>(i) * 60'000), values[i]));
        }
    }

    struct Answer {
        unsigned status{0};
        std::string text;
    };
    /// As HttpPolicy finds and calls it; all pieces.
    Answer call(const std::string& method, const std::string& path, const std::string& query, const std::string& body = "") {
        for (const net::Route& route : routes_) {
            const bool values = path.starts_with("/api/v1/label/") && route.path == "/api/v1/label/*/values";
            if (route.method == method && (route.path == path || values)) {
                net::ServerResponse response = test::run(runtime_, route.handle({method, path, query, {}, body}));
                for (bool rest = response.more != nullptr; rest; ++pieces_) {
                    rest = response.more(response.body);
                }
                return {response.status, response.body};
            }
        }
        return {404, ""};
    }
    Answer get(const std::string& path, const std::string& query) { return call("GET", path, query); }
    std::string query(const std::string& parameters) { return get("/api/v1/query", "time=1700000060&" + parameters).text; }

    Runtime runtime_{0};
    ManualClock clock_{from_unix_ms(start_ms)};
    test::ManualTimers timers_{runtime_.executor(), clock_};
    tsdb::Head head_{{}};
    std::vector<collect::TargetHealth> targets_;
    std::vector<rules::GroupStatus> groups_;
    std::vector<net::Route> routes_;
    int pieces_{0};
};

TEST_F(PrometheusTest, Experimental_expressions_want_their_option) {
    EXPECT_EQ(get("/api/v1/query", "query=limitk(1,up)").status, 400U);
    EXPECT_EQ(get("/api/v1/format_query", "query=limitk(1,up)").status, 400U);
    serve({.experimental = true});
    EXPECT_EQ(get("/api/v1/query", "query=limitk(1,up)").status, 200U);
    EXPECT_EQ(get("/api/v1/format_query", "query=limitk(1,up)").status, 200U);
}

TEST_F(PrometheusTest, A_value_of_each_type_is_written_as_Prometheus_writes_it) {
    EXPECT_EQ(query("query=1.5"), R"({"status":"success","data":{"resultType":"scalar","result":[1700000060,"1.5"]}})");
    EXPECT_EQ(query("query=%22a%5C%22b%22"), R"({"status":"success","data":{"resultType":"string","result":[1700000060,"a\"b"]}})");
    EXPECT_EQ(query("query=up%7Bjob%3D%22a%22%7D"),
              R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"x:1","job":"a"},"value":[1700000060,"1"]}]}})");
    EXPECT_EQ(query("query=up%7Bjob%3D%22a%22%7D%5B2m%5D"),
              R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"x:1","job":"a"},"values":[[1700000000,"1"],[1700000060,"1"]]}]}})");
    EXPECT_EQ(query("query=absent(up)"), R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    EXPECT_EQ(get("/api/v1/query_range", "query=up%7Bjob%3D%22a%22%7D&start=1700000000&end=1700000120.5&step=1m").text,
              R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","instance":"x:1","job":"a"},"values":[[1700000000,"1"],[1700000060,"1"],[1700000120,"0"]]}]}})");
    EXPECT_EQ(get("/api/v1/query_range", "query=nothing&start=1&end=2&step=1").text,
              R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
}

TEST_F(PrometheusTest, Numbers_and_times_keep_Go_s_form) {
    for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
             {"1e-7", "1e-07"}, {"1e21", "1e+21"}, {"123456789012345680000", "123456789012345680000"}, {"-Inf", "-Inf"},
             {"Inf", "+Inf"}, {"NaN", "NaN"}, {"0.1", "0.1"}, {"-0", "-0"}}) {
        EXPECT_THAT(query("query=" + net::form_text({{text, ""}}).substr(0, net::form_text({{text, ""}}).size() - 1)),
                    HasSubstr("[1700000060,\"" + want + "\"]")) << text;
    }
    EXPECT_THAT(get("/api/v1/query", "query=1&time=1700000000.0456").text, HasSubstr("[1700000000.046,\"1\"]"));
    EXPECT_THAT(get("/api/v1/query", "query=1&time=-1.5").text, HasSubstr("[-1.500,\"1\"]"));
    EXPECT_THAT(get("/api/v1/query", "query=1&time=2023-11-14T22:13:20.007Z").text, HasSubstr("[1700000000.007,\"1\"]"));
    EXPECT_THAT(get("/api/v1/query", "query=1").text, HasSubstr("[1700000120,\"1\"]"));
}

TEST_F(PrometheusTest, What_is_wrong_is_said_in_Prometheus_s_words) {
    const auto error = [](const Answer& answer) {
        const auto json = nlohmann::json::parse(answer.text);
        EXPECT_EQ(json.at("status"), "error");
        return fmt::format("{} {}: {}", answer.status, json.at("errorType").get<std::string>(), json.at("error").get<std::string>());
    };
    const std::string range = "/api/v1/query_range";
    EXPECT_EQ(error(get(range, "query=up&start=2&end=1&step=1")),
              R"(400 bad_data: invalid parameter "end": end timestamp must not be before start time)");
    for (const char* step : {"0", "-1", "0s"}) {
        EXPECT_EQ(error(get(range, fmt::format("query=up&start=1&end=2&step={}", step))),
                  R"(400 bad_data: invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer)");
    }
    EXPECT_EQ(error(get(range, "query=up&start=1&end=2&step=x")),
              R"(400 bad_data: invalid parameter "step": cannot parse "x" to a valid duration)");
    EXPECT_EQ(error(get(range, "query=up&start=1&end=2&step=1e300")),
              R"(400 bad_data: invalid parameter "step": cannot parse "1e300" to a valid duration. It overflows int64)");
    EXPECT_EQ(error(get(range, "query=up&end=2&step=1")),
              R"(400 bad_data: invalid parameter "start": cannot parse "" to a valid timestamp)");
    EXPECT_EQ(error(get(range, "query=up&start=0&end=11001&step=1")),
              "400 bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)");
    EXPECT_EQ(get(range, "query=up&start=0&end=11000&step=1").status, 200U);
    EXPECT_EQ(error(get(range, "query=up%5B5m%5D&start=1&end=2&step=1")),
              R"(400 bad_data: invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector)");
    EXPECT_EQ(error(get("/api/v1/query", "query=up&time=abc")),
              R"(400 bad_data: invalid parameter "time": invalid time value for 'time': cannot parse "abc" to a valid timestamp)");
    EXPECT_EQ(error(get("/api/v1/query", "query=up&limit=x")),
              R"(400 bad_data: invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax)");
    EXPECT_EQ(error(get("/api/v1/query", "query=up&limit=-1")), R"(400 bad_data: invalid parameter "limit": limit must be non-negative)");
    EXPECT_EQ(error(get("/api/v1/query", "query=up&timeout=0")), R"(400 bad_data: invalid parameter "timeout": timeout must be positive, got 0s)");
    EXPECT_EQ(error(get("/api/v1/query", "query=up&lookback_delta=x")),
              R"(400 bad_data: error parsing lookback delta duration: cannot parse "x" to a valid duration)");
    EXPECT_THAT(error(get("/api/v1/query", "query=up%7B")), StartsWith(R"(400 bad_data: invalid parameter "query": 1:)"));
    EXPECT_THAT(error(get("/api/v1/query", "")), StartsWith(R"(400 bad_data: invalid parameter "query": )"));
    EXPECT_EQ(error(get("/api/v1/query", "query=up%")), "400 bad_data: error parsing form values: invalid URL escape \"%\"");
    EXPECT_THAT(error(get("/api/v1/query", "query=up%20%2B%20on()%20up")), StartsWith("422 execution: "));
    EXPECT_EQ(error(get("/api/v1/series", "")), "400 bad_data: no match[] parameter provided");
    EXPECT_EQ(error(get("/api/v1/series", "match[]=%7Bx%3D~%22.*%22%7D")),
              R"(400 bad_data: invalid parameter "match[]": match[] must contain at least one non-empty matcher)");
    EXPECT_EQ(error(get("/api/v1/labels", "match[]=%7Bx%3D~%22.*%22%7D")), "400 bad_data: match[] must contain at least one non-empty matcher");
    EXPECT_THAT(error(get("/api/v1/series", "match[]=up%5B5m%5D")), StartsWith(R"(400 bad_data: invalid parameter "match[]": 1:1: parse error: )"));
    EXPECT_EQ(error(get("/api/v1/rules", "type=x")), R"(400 bad_data: invalid parameter "type": not supported value "x")");
}

TEST_F(PrometheusTest, A_form_says_the_same_as_a_query_and_comes_first) {
    EXPECT_EQ(call("POST", "/api/v1/query", "", "query=up&time=1700000060").text, query("query=up"));
    EXPECT_EQ(call("POST", "/api/v1/query", "query=down", "query=up&time=1700000060").text, query("query=up"));
    EXPECT_EQ(call("POST", "/api/v1/series", "", "match%5B%5D=up").text, get("/api/v1/series", "match[]=up").text);
}

TEST_F(PrometheusTest, A_limit_cuts_and_says_so) {
    EXPECT_EQ(query("query=sort(count%20by%20(job)%20(up))&limit=1"),
              R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1700000060,"1"]}]},"warnings":["results truncated due to limit"]})");
    EXPECT_THAT(query("query=up&limit=2"), testing::Not(HasSubstr("warnings")));
}

TEST_F(PrometheusTest, The_lookback_can_be_named) {
    EXPECT_EQ(get("/api/v1/query", "query=count(up)&time=1700000150&lookback_delta=10s").text,
              R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    EXPECT_THAT(get("/api/v1/query", "query=count(up)&time=1700000150").text, HasSubstr("\"2\""));
}

TEST_F(PrometheusTest, Series_names_and_values_are_found) {
    EXPECT_EQ(get("/api/v1/labels", "").text,
              R"({"status":"success","data":["__name__","instance","job","utf8.label"]})");
    EXPECT_EQ(get("/api/v1/labels", "match[]=odd").text, R"({"status":"success","data":["__name__","utf8.label"]})");
    EXPECT_EQ(get("/api/v1/label/job/values", "").text, R"({"status":"success","data":["a","b"]})");
    EXPECT_EQ(get("/api/v1/label/job/values", "limit=1").text,
              R"({"status":"success","data":["a"],"warnings":["results truncated due to limit"]})");
    EXPECT_EQ(get("/api/v1/label/instance/values", "match[]=up%7Bjob%3D%22b%22%7D").text,
              R"({"status":"success","data":["y:\"2\"\n"]})");
    EXPECT_EQ(get("/api/v1/label/none/values", "").text, R"({"status":"success","data":[]})");
    EXPECT_EQ(get("/api/v1/label/utf8.label/values", "").text, "{\"status\":\"success\",\"data\":[\"\xe7\x8b\xbc\"]}");
    EXPECT_EQ(get("/api/v1/label/U__utf8_2e_label/values", "").text, "{\"status\":\"success\",\"data\":[\"\xe7\x8b\xbc\"]}");
    EXPECT_EQ(get("/api/v1/label/utf8%2Elabel/values", "").text, "{\"status\":\"success\",\"data\":[\"\xe7\x8b\xbc\"]}");
    EXPECT_EQ(get("/api/v1/label/%FF/values", "").status, 400U);
    EXPECT_EQ(get("/api/v1/label/%/values", "").status, 400U);
    EXPECT_EQ(get("/api/v1/series", "match[]=up&match[]=%7Bjob%3D%22a%22%7D").text,
              R"({"status":"success","data":[{"__name__":"up","instance":"x:1","job":"a"},{"__name__":"up","instance":"y:\"2\"\n","job":"b"}]})");
    EXPECT_EQ(get("/api/v1/series", "match[]=up&end=1600000000").text, R"({"status":"success","data":[]})");
    EXPECT_EQ(get("/api/v1/series", "match[]=up&start=1700000120&end=1700000120&limit=1").text,
              R"({"status":"success","data":[{"__name__":"up","instance":"x:1","job":"a"}],"warnings":["results truncated due to limit"]})");
}

TEST_F(PrometheusTest, Federation_is_an_exposition_of_the_newest_samples) {
    EXPECT_EQ(get("/federate", "match[]=up").text,
              "up{instance=\"x:1\",job=\"a\"} 0 1700000120000\nup{instance=\"y:\\\"2\\\"\\n\",job=\"b\"} 1 1700000120000\n");
    EXPECT_EQ(get("/federate", "").text, "");
}

TEST_F(PrometheusTest, A_large_answer_is_made_in_pieces) {
    for (int i = 0; i < 3'000; ++i) {
        add({{"__name__", "many"}, {"number", std::to_string(i)}}, {1, 2, 3});
    }
    const Answer answer = get("/api/v1/query_range", "query=many&start=1700000000&end=1700000120&step=60");
    EXPECT_GT(pieces_, 3);
    const auto json = nlohmann::json::parse(answer.text);
    ASSERT_EQ(json.at("data").at("result").size(), 3'000U);
    for (const auto& series : json.at("data").at("result")) {
        ASSERT_EQ(series.at("values").size(), 3U);
    }
    pieces_ = 0;
    EXPECT_EQ(nlohmann::json::parse(get("/api/v1/series", "match[]=many").text).at("data").size(), 3'000U);
    EXPECT_EQ(pieces_, 1);
    EXPECT_EQ(nlohmann::json::parse(get("/api/v1/label/number/values", "").text).at("data").size(), 3'000U);
}

TEST_F(PrometheusTest, Targets_tell_how_they_do) {
    collect::TargetHealth health;
    health.target.job = "node";
    health.target.url = *net::parse_url("http://127.0.0.1:9100/metrics");
    health.target.labels = {{"job", "node"}, {"instance", "127.0.0.1:9100"}, {"site", "home"}};
    health.last_error = "refused";
    targets_ = {health};
    auto json = nlohmann::json::parse(get("/api/v1/targets", "").text).at("data");
    EXPECT_EQ(json.at("activeTargets").at(0).at("health"), "unknown");
    EXPECT_EQ(json.at("activeTargets").at(0).at("lastScrape"), "0001-01-01T00:00:00Z");
    targets_[0].last_scrape = from_unix_ms(start_ms);
    json = nlohmann::json::parse(get("/api/v1/targets", "state=active").text).at("data");
    EXPECT_EQ(json.at("activeTargets").at(0), nlohmann::json::parse(R"({
        "discoveredLabels": {"__address__": "127.0.0.1:9100", "__metrics_path__": "/metrics", "__scheme__": "http",
                             "__scrape_interval__": "1m", "__scrape_timeout__": "10s", "job": "node", "site": "home"},
        "labels": {"instance": "127.0.0.1:9100", "job": "node", "site": "home"}, "scrapePool": "node",
        "scrapeUrl": "http://127.0.0.1:9100/metrics", "globalUrl": "http://127.0.0.1:9100/metrics", "lastError": "refused",
        "lastScrape": "2023-11-14T22:13:20.000Z", "lastScrapeDuration": 0.0, "health": "down", "scrapeInterval": "1m",
        "scrapeTimeout": "10s"})"));
    EXPECT_TRUE(nlohmann::json::parse(get("/api/v1/targets", "state=dropped").text).at("data").at("activeTargets").empty());
}

TEST_F(PrometheusTest, Metadata_of_targets_is_told) {
    const auto health = [](const char* instance, std::vector<collect::FamilyMetadata> families) {
        collect::TargetHealth out;
        out.target.labels = {{"instance", instance}, {"job", "j"}};
        out.metadata = std::make_shared<const std::vector<collect::FamilyMetadata>>(std::move(families));
        return out;
    };
    targets_ = {health("a", {{"x", "counter", "help", ""}, {"y", "gauge", "", "s"}}), health("b", {{"x", "counter", "help", ""}}),
                health("c", {{"x", "gauge", "other", ""}}), {}};
    const auto data = [&](const char* path, const char* parameters) {
        return nlohmann::json::parse(get(path, parameters).text).at("data").dump();
    };
    const std::string x = R"([{"help":"help","type":"counter","unit":""},{"help":"other","type":"gauge","unit":""}])";
    const std::string y = R"([{"help":"","type":"gauge","unit":"s"}])";
    EXPECT_EQ(data("/api/v1/metadata", ""), "{\"x\":" + x + ",\"y\":" + y + "}");
    EXPECT_EQ(data("/api/v1/metadata", "metric=y"), "{\"y\":" + y + "}");
    EXPECT_EQ(data("/api/v1/metadata", "limit=1&limit_per_metric=1"), R"({"x":[{"help":"help","type":"counter","unit":""}]})");
    EXPECT_EQ(data("/api/v1/metadata", "limit=0"), "{}");
    EXPECT_EQ(data("/api/v1/targets/metadata", "match_target={instance=~\"a|b\"}&metric=x"),
              R"([{"help":"help","target":{"instance":"a","job":"j"},"type":"counter","unit":""},)"
              R"({"help":"help","target":{"instance":"b","job":"j"},"type":"counter","unit":""}])");
    EXPECT_EQ(data("/api/v1/targets/metadata", "match_target={instance=\"a\"}"),
              R"([{"help":"help","metric":"x","target":{"instance":"a","job":"j"},"type":"counter","unit":""},)"
              R"({"help":"","metric":"y","target":{"instance":"a","job":"j"},"type":"gauge","unit":"s"}])");
    EXPECT_THAT(get("/api/v1/metadata", "limit=x").text, HasSubstr("limit must be a number"));
    EXPECT_EQ(get("/api/v1/targets/metadata", "match_target={").status, 400U);
}

TEST_F(PrometheusTest, Rules_and_alerts_tell_how_they_do) {
    rules::ParsedRules parsed = rules::parse_rules("r.yml", R"(
groups:
  - name: g
    rules:
      - alert: Down
        expr: up==0
        for: 1m
        labels: {severity: page}
      - record: job:up:sum
        expr: sum by (job) (up)
)");
    ASSERT_TRUE(parsed.errors.empty());
    rules::GroupStatus group{"r.yml", "g", std::chrono::seconds(15), 0, from_unix_ms(start_ms), {}};
    for (rules::Rule& rule : parsed.groups[0].rules) {
        group.rules.push_back({std::move(rule), "", from_unix_ms(start_ms), {}});
    }
    model::Alert alert;
    alert.labels = {{"alertname", "Down"}, {"severity", "page"}};
    alert.state = model::AlertState::firing;
    alert.value = 10;
    alert.active_at = from_unix_ms(start_ms);
    group.rules[0].alerts = {alert};
    group.rules[1].last_error = "bad \xff";
    groups_ = {group};
    const auto groups = nlohmann::json::parse(get("/api/v1/rules", "").text).at("data").at("groups");
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].at("interval"), 15.0);
    EXPECT_EQ(groups[0].at("rules")[0], nlohmann::json::parse(R"({"state": "firing", "name": "Down", "query": "up == 0",
        "duration": 60.0, "keepFiringFor": 0.0, "labels": {"severity": "page"}, "annotations": {}, "alerts": [{"labels":
        {"alertname": "Down", "severity": "page"}, "annotations": {}, "state": "firing", "activeAt": "2023-11-14T22:13:20.000Z",
        "value": "1e+01"}], "health": "ok", "lastEvaluation": "2023-11-14T22:13:20.000Z", "type": "alerting"})"));
    EXPECT_EQ(groups[0].at("rules")[1].at("health"), "err");
    const auto count = [&](const std::string& parameters) {
        const auto list = nlohmann::json::parse(get("/api/v1/rules", parameters).text).at("data").at("groups");
        return list.empty() ? 0 : list[0].at("rules").size();
    };
    EXPECT_EQ(count("type=alert"), 1U);
    EXPECT_EQ(count("type=record"), 1U);
    EXPECT_EQ(count("rule_name[]=Down&rule_name[]=Other"), 1U);
    EXPECT_EQ(count("rule_group[]=h"), 0U);
    EXPECT_EQ(count("file[]=r.yml"), 2U);
    EXPECT_EQ(count("match[]=%7Bseverity%3D%22page%22%7D"), 1U);
    EXPECT_THAT(get("/api/v1/alerts", "").text, HasSubstr("\"value\":\"1e+01\""));
    EXPECT_THAT(get("/api/v1/rules", "exclude_alerts=true").text, HasSubstr("\"alerts\":[]"));
}

TEST_F(PrometheusTest, The_daemon_tells_of_itself) {
    EXPECT_THAT(get("/api/v1/status/buildinfo", "").text, HasSubstr("\"version\":\"3.16.0\""));
    EXPECT_THAT(get("/api/v1/status/runtimeinfo", "").text, HasSubstr("\"storageRetention\":\"6h\""));
    EXPECT_THAT(get("/api/v1/status/flags", "").text, HasSubstr("\"query.lookback-delta\":\"5m\""));
    const auto tsdb = nlohmann::json::parse(get("/api/v1/status/tsdb", "limit=1").text).at("data");
    EXPECT_EQ(tsdb.at("headStats").at("numSeries"), 3);
    EXPECT_EQ(tsdb.at("seriesCountByMetricName").dump(), R"([{"name":"up","value":2}])");
    EXPECT_EQ(get("/-/ready", "").status, 200U);
    EXPECT_EQ(get("/-/healthy", "").status, 200U);
    EXPECT_EQ(get("/api/v1/metadata", "").text, R"({"status":"success","data":{}})");
    EXPECT_EQ(get("/api/v1/query_exemplars", "query=up&start=1&end=2").text, R"({"status":"success","data":[]})");
    EXPECT_EQ(get("/api/v1/format_query", "query=sum(up)by(job)").text, "{\"status\":\"success\",\"data\":\"sum by (job) (up)\"}");
}

/// A clock that moves by `each` whenever somebody looks, and timers that move it instead of waiting.
struct MovingTime final : Clock, Timers {
    [[nodiscard]] TimestampMs now() const override { return from_unix_ms(start_ms); }
    [[nodiscard]] SteadyMs steady() const override { return steady_ += each; }
    Task<Result<void>> sleep_for(Milliseconds duration) override {
        slept.push_back(duration);
        steady_ += duration;
        co_return Result<void>{};
    }
    Milliseconds each{0};
    std::vector<Milliseconds> slept;
    mutable SteadyMs steady_{Milliseconds(1'000)};
};

class BudgetTest : public testing::Test {
  protected:
    void SetUp() override {
        const tsdb::SeriesId id = *head_.open_series(model::Labels{{"__name__", "up"}});
        ASSERT_TRUE(head_.append(id, from_unix_ms(start_ms), 1));
    }
    unsigned status(const std::string& query) {
        return test::run(runtime_, routes_[0].handle({"GET", "/api/v1/query", query, {}, ""})).status;
    }
    Runtime runtime_{0};
    MovingTime time_;
    tsdb::Head head_{{}};
    std::vector<net::Route> routes_{prometheus_routes({head_, time_, time_, {}, [] { return std::vector<collect::TargetHealth>(); },
                                                       [] { return std::vector<rules::GroupStatus>(); }, [] { return DaemonFacts(); }})};
};

TEST_F(BudgetTest, A_query_that_takes_too_long_is_ended) {
    EXPECT_EQ(status("query=up"), 200U);
    time_.each = longest_evaluation;
    EXPECT_EQ(status("query=up"), 503U);
    time_.each = Milliseconds(20);
    EXPECT_EQ(status("query=up&timeout=10ms"), 503U);
    EXPECT_EQ(status("query=up&timeout=1h"), 200U);
}

TEST_F(BudgetTest, A_query_that_took_long_is_followed_by_as_long_a_rest) {
    EXPECT_EQ(status("query=1"), 200U);
    EXPECT_EQ(status("query=1"), 200U);
    EXPECT_TRUE(time_.slept.empty());
    time_.each = Milliseconds(1'000);
    EXPECT_EQ(status("query=1"), 200U);
    time_.each = Milliseconds(0);
    EXPECT_EQ(status("query=1&timeout=100ms"), 503U);  // its patience is shorter than the rest
    EXPECT_EQ(status("query=1"), 200U);
    ASSERT_EQ(time_.slept.size(), 2U);
    EXPECT_EQ(time_.slept[0], Milliseconds(100));
    EXPECT_GE(time_.slept[1], Milliseconds(900));
}

TEST(Parameters, Names_in_paths_are_unescaped_as_Prometheus_does) {
    for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
             {"job", "job"}, {"U__a_2e_b", "a.b"}, {"U__a__b", "a_b"}, {"U__", ""}, {"U___1F525_", "\xf0\x9f\x94\xa5"},
             {"U__a_", "U__a_"}, {"U__a_zz_", "U__a_zz_"}, {"U__a_1234567_", "U__a_1234567_"}, {"U__a_d800_", "U__a_d800_"},
             {"U__a_2e", "U__a_2e"}, {"U_a_2e_", "U_a_2e_"}}) {
        EXPECT_EQ(unescaped_name(text), want) << text;
    }
}

TEST_F(PrometheusTest, Histograms_are_written_with_their_populated_buckets_beside_numbers) {
    model::Histogram histogram;
    histogram.zero_threshold = 0.25;
    histogram.zero_count = 3;
    histogram.count = 7.5;
    histogram.sum = -1e21;
    histogram.positive = {{{0, 2}, {1, 1}}, {1, 0, 2}};
    histogram.negative = {{{2, 1}}, {1.5}};
    const model::Labels labels{{"__name__", "mixed"}};
    add(labels, {1, 2});
    for (const std::int64_t minute : {2, 3}) {
        const TimestampMs at = from_unix_ms(start_ms + minute * 60'000);
        ASSERT_TRUE(head_.append(*head_.open_series(labels), at, std::make_shared<const model::Histogram>(histogram)));
    }
    const std::string text = R"({"count":"7.5","sum":"-1e+21","buckets":[[1,"-4","-2","1.5"],[3,"-0.25","0.25","3"],)"
                             R"([0,"0.5","1","1"],[0,"4","8","2"]]})";
    EXPECT_EQ(get("/api/v1/query", "query=mixed&time=1700000120").text,
              R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"mixed"},"histogram":[1700000120,)" +
                  text + "]}]}}");
    const std::string points = R"([1700000120,)" + text + "],[1700000180," + text + "]";
    EXPECT_EQ(get("/api/v1/query", "query=mixed%5B5m%5D&time=1700000180").text,
              R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"mixed"},)"
              R"("values":[[1700000000,"1"],[1700000060,"2"]],"histograms":[)" + points + "]}]}}");
    EXPECT_EQ(get("/api/v1/query_range", "query=mixed&start=1700000120&end=1700000180&step=1m").text,
              R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"mixed"},"histograms":[)" +
                  points + "]}]}}");
    model::Histogram empty;
    ASSERT_TRUE(head_.append(*head_.open_series({{"__name__", "empty"}}), from_unix_ms(start_ms),
                             std::make_shared<const model::Histogram>(empty)));
    EXPECT_THAT(query("query=empty"), HasSubstr(R"("histogram":[1700000060,{"count":"0","sum":"0"}])"));
    EXPECT_EQ(get("/federate", "match%5B%5D=empty").text, "");
}

TEST(Parameters, Times_keep_their_milliseconds_and_their_bounds) {
    EXPECT_EQ(to_unix_ms(*parse_time("1700000000.123")), 1'700'000'000'123);
    EXPECT_EQ(to_unix_ms(*parse_time("1e9")), 1'000'000'000'000);
    EXPECT_EQ(*parse_time("-292273086-05-16T16:47:06Z"), earliest_time);
    EXPECT_EQ(*parse_time("+292277025-08-18T07:12:54.999999999Z"), latest_time);
    for (const char* text : {"", "NaN", "Inf", "-Inf", "1e300", "9223372036854775807", "now", "1 "}) {
        EXPECT_FALSE(parse_time(text)) << text;
    }
    EXPECT_EQ(*parse_step("0.25"), Milliseconds(250));
    EXPECT_EQ(*parse_step("1h30m"), Milliseconds(5'400'000));
    EXPECT_EQ(*parse_step("-2"), Milliseconds(-2'000));
    for (const char* text : {"", "NaN", "Inf", "1.5h", "9223372037", "-1e300", "5m "}) {
        EXPECT_FALSE(parse_step(text)) << text;
    }
}

}  // namespace
}  // namespace noroshi::api
