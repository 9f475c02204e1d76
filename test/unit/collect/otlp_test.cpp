// test/unit/collect/otlp_test.cpp - OTLP over HTTP: what is stored of a request, what is refused, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "collect/push/otlp.hpp"
#include "model/sample.hpp"

namespace noroshi::collect {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t now_ms = 1'700'000'000'000;
constexpr const char* protobuf = "application/x-protobuf";

// The messages are written by hand here: a test that used the generated code would not notice a wrong field number.
std::string varint(std::uint64_t n) {
    std::string out;
    for (; n >= 0x80; n >>= 7) {
        out += static_cast<char>(n | 0x80);
    }
    return out + static_cast<char>(n);
}
std::string bytes(unsigned field, const std::string& text) { return varint(field << 3 | 2) + varint(text.size()) + text; }
std::string number(unsigned field, std::uint64_t n) { return varint(field << 3) + varint(n); }
std::string eight(std::uint64_t bits) {
    std::string out;
    for (int i = 0; i < 64; i += 8) {
        out += static_cast<char>(bits >> i);
    }
    return out;
}
std::string fixed(unsigned field, std::uint64_t n) { return varint(field << 3 | 1) + eight(n); }
std::string real(unsigned field, double value) { return fixed(field, std::bit_cast<std::uint64_t>(value)); }
std::string attribute(unsigned field, const std::string& key, const std::string& value) { return bytes(field, bytes(1, key) + bytes(2, value)); }
std::string text(const std::string& value) { return bytes(1, value); }
std::string at(std::uint64_t ms = now_ms) { return fixed(3, ms * 1'000'000); }
std::string metric(const std::string& name, const std::string& unit, unsigned kind, const std::string& data) {
    return bytes(2, bytes(1, name) + bytes(3, unit) + bytes(kind, data));
}
std::string point(const std::string& fields) { return bytes(1, fields); }
const std::string cumulative = number(2, 2);
const std::string resource = bytes(1, attribute(1, "service.name", text("shop")) + attribute(1, "service.namespace", text("web")) +
                                          attribute(1, "service.instance.id", text("i1")) + attribute(1, "host.name", text("h")));
std::string request(const std::string& metrics, const std::string& of = resource) { return bytes(1, of + bytes(2, metrics)); }

class OtlpTest : public testing::Test {
  protected:
    /// Every series as its labels and its newest value.
    std::map<std::string, std::string> stored() {
        std::map<std::string, std::string> out;
        const model::Matcher any = *model::Matcher::create(model::MatchOp::regex, "__name__", ".+");
        for (const auto& one : head_.select(std::span(&any, 1), from_unix_ms(0), from_unix_ms(now_ms + 3'600'000))) {
            for (model::Sample next{}; one.cursor->next(next);) {
                const model::HistogramPtr& histogram = one.cursor->histogram();
                out[one.labels->to_string()] = model::is_stale_marker(next.value) ? "stale"
                                               : histogram                        ? histogram->to_string()
                                                                                  : std::to_string(next.value).substr(0, 4);
            }
        }
        return out;
    }
    double dropped(const std::string& reason) {
        const std::string all = metrics_.expose();
        const std::string line = "noroshi_otlp_dropped_total{reason=\"" + reason + "\"} ";
        const std::size_t place = all.find(line);
        return place == std::string::npos ? 0 : std::stod(all.substr(place + line.size()));
    }

    ManualClock clock_{from_unix_ms(now_ms)};
    Metrics metrics_;
    tsdb::Head head_{{}};
    OtlpReceiver receiver_{head_, clock_, metrics_, std::chrono::hours(24)};
};

TEST_F(OtlpTest, Each_kind_of_metric_becomes_what_prometheus_makes_of_it) {
    const std::string body = request(
        metric("temp", "Cel", 5, point(at() + real(4, 21.5) + attribute(7, "room", text("attic")))) +
        metric("jobs", "1", 7, point(at() + fixed(6, 7)) + cumulative + number(3, 1)) +
        metric("queue", "", 7, point(at() + fixed(6, static_cast<std::uint64_t>(-3))) + cumulative) +
        metric("lag", "s", 9, point(at() + fixed(4, 6) + real(5, 9) + bytes(6, eight(1) + eight(2) + eight(3)) + bytes(7, eight(std::bit_cast<std::uint64_t>(0.5)) + eight(std::bit_cast<std::uint64_t>(2.0)))) + cumulative) +
        metric("size", "By", 10, point(at() + fixed(4, 6) + real(5, 20) + number(6, 0) + fixed(7, 1) + bytes(8, number(1, 0) + bytes(2, varint(2) + varint(0) + varint(3)))) + cumulative) +
        metric("wait", "s", 11, point(at() + fixed(4, 5) + real(5, 2.5) + bytes(6, real(1, 0.5) + real(2, 0.25)))));
    const OtlpOutcome outcome = receiver_.receive(protobuf, "", body);
    EXPECT_EQ(outcome.status, 200U);
    EXPECT_EQ(outcome.body, "");
    const std::string of = R"(instance="i1", job="web/shop")";
    EXPECT_EQ(stored(), (std::map<std::string, std::string>{
        {"temp_celsius{" + of + R"(, room="attic"})", "21.5"}, {"jobs_total{" + of + "}", "7.00"}, {"queue{" + of + "}", "-3.0"},
        {"lag_seconds_sum{" + of + "}", "9.00"}, {"lag_seconds_count{" + of + "}", "6.00"}, {"lag_seconds_bucket{" + of + R"(, le="0.5"})", "1.00"},
        {"lag_seconds_bucket{" + of + R"(, le="2"})", "3.00"}, {"lag_seconds_bucket{" + of + R"(, le="+Inf"})", "6.00"},
        {"size_bytes{" + of + "}", "{count:6, sum:20, [-1e-128,1e-128]:1, (1,2]:2, (4,8]:3}"},
        {"wait_seconds{" + of + R"(, quantile="0.5"})", "0.25"}, {"wait_seconds_sum{" + of + "}", "2.50"}, {"wait_seconds_count{" + of + "}", "5.00"},
        {R"(target_info{host_name="h", )" + of + "}", "1.00"}}));
}

TEST_F(OtlpTest, A_point_without_a_value_ends_its_series_and_a_fine_histogram_is_made_coarser) {
    const OtlpOutcome outcome = receiver_.receive(protobuf, "", request(
        metric("gone", "", 5, point(at() + number(8, 1))) +
        metric("fine", "", 10, point(at() + fixed(4, 4) + real(5, 4) + number(6, 20) + bytes(8, number(1, 1) + bytes(2, varint(1) + varint(1) + varint(1) + varint(1)))) + cumulative) +
        metric("none", "", 10, point(at() + number(10, 1)) + cumulative), ""));
    EXPECT_EQ(outcome.text, "");
    // Scale 10 at offset -1: indices -1, 0, 1, 2 of which two bits go.
    EXPECT_EQ(stored(), (std::map<std::string, std::string>{{"gone", "stale"}, {"none", "stale"},
        {"fine", "{count:4, sum:4, (0.9972960560854698,1]:1, (1,1.0027112750502025]:3}"}}));
}

TEST_F(OtlpTest, Attributes_become_texts_and_those_of_one_label_are_joined) {
    const std::string list = bytes(5, bytes(1, text("a\"b")) + bytes(1, number(3, 5)) + bytes(1, number(2, 1)) + bytes(1, "") + bytes(1, real(4, 0.5)));
    const std::string map = bytes(6, bytes(1, bytes(1, "z") + bytes(2, text("<"))) + bytes(1, bytes(1, "a") + bytes(2, bytes(7, "\x01\x02"))));
    const OtlpOutcome outcome = receiver_.receive(protobuf, "", request(metric("m", "", 5, point(at() + real(4, 1) +
        attribute(7, "b.c", text("2")) + attribute(7, "b/c", number(3, static_cast<std::uint64_t>(-1))) + attribute(7, "b.c", number(2, 0)) + attribute(7, "list", list) + attribute(7, "map", map) +
        attribute(7, "real", real(4, 1e21)) + attribute(7, "small", real(4, -1e-7)) + attribute(7, "none", "") + attribute(7, "__name__", text("x")))), ""));
    EXPECT_EQ(outcome.text, "");
    EXPECT_EQ(stored().begin()->first, R"(m{b_c="2;false;-1", list="[\"a\\\"b\",5,true,null,0.5]", map="{\"a\":\"AQI=\",\"z\":\"<\"}", real="1e+21", small="-1e-7"})");
}

TEST_F(OtlpTest, What_is_refused_is_said_and_counted_and_the_rest_is_stored) {
    const OtlpOutcome outcome = receiver_.receive(protobuf, "", request(
        metric("ok", "", 5, point(at() + real(4, 1))) + metric("steps", "", 7, point(at()) + point(at()) + number(2, 1)) +
        metric("unset", "", 9, point(at())) + metric("..", "", 5, point(at())) + metric("old", "", 5, point(at(now_ms - 90'000'000))) +
        metric("bad", "", 5, point(at() + attribute(7, "..", text("x")))) + metric("utf", "", 5, point(at() + attribute(7, "a", text("\xff")))) +
        metric("coarse", "", 10, point(at() + number(6, 9)) + cumulative) + metric("wrong", "", 10, point(at() + fixed(4, 9)) + cumulative) +
        bytes(2, bytes(1, "later")), ""));
    EXPECT_EQ(outcome.status, 200U);
    EXPECT_EQ(outcome.rejected, 10U);
    EXPECT_THAT(outcome.text, HasSubstr("the metric \"steps\" is not cumulative: set the temporality preference"));
    EXPECT_THAT(outcome.body, HasSubstr("\"steps\" is not cumulative"));
    for (const auto& [reason, times] : std::vector<std::pair<std::string, double>>{
             {"delta", 3}, {"name", 1}, {"out_of_bounds", 1}, {"labels", 2}, {"histogram", 2}, {"type", 1}}) {
        EXPECT_EQ(dropped(reason), times) << reason;
    }
    EXPECT_EQ(stored(), (std::map<std::string, std::string>{{"ok", "1.00"}}));
}

TEST_F(OtlpTest, A_request_that_is_none_is_answered_with_a_status) {
    for (const auto& [type, encoding, body, status] : std::vector<std::tuple<std::string, std::string, std::string, unsigned>>{
             {"application/json", "", "{}", 415}, {protobuf, "zstd", "", 415}, {protobuf, "gzip", "x", 400}, {protobuf, "", "\xff", 400}}) {
        const OtlpOutcome outcome = receiver_.receive(type, encoding, body);
        EXPECT_EQ(outcome.status, status);
        EXPECT_THAT(outcome.body, HasSubstr(outcome.text));
        EXPECT_FALSE(outcome.text.empty());
    }
    EXPECT_EQ(receiver_.receive(protobuf, "", "").status, 200U);
}

TEST_F(OtlpTest, Target_info_stands_every_two_and_a_half_minutes_and_no_request_makes_it_endless) {
    std::string body = request(metric("m", "", 5, point(at(now_ms - 300'000) + real(4, 1)) + point(at() + real(4, 2))));
    ASSERT_EQ(receiver_.receive(protobuf, "", body).text, "");
    const auto count = [&] {
        std::size_t samples = 0;
        const model::Matcher info = *model::Matcher::create(model::MatchOp::equal, "__name__", "target_info");
        for (const auto& one : head_.select(std::span(&info, 1), from_unix_ms(0), from_unix_ms(now_ms + 1))) {
            for (model::Sample next{}; one.cursor && one.cursor->next(next);) {
                ++samples;
            }
        }
        return samples;
    };
    EXPECT_EQ(count(), 3U);
    body.clear();
    for (int i = 0; i < 200; ++i) {
        body += request(metric("n", "", 5, point(real(4, 1)) + point(at() + real(4, 2))),
                        bytes(1, attribute(1, "service.name", text("s" + std::to_string(i))) + attribute(1, "x", text("y"))));
    }
    EXPECT_EQ(receiver_.receive(protobuf, "", body).rejected, 200U);  // the points of 1970
    EXPECT_LE(count(), 3U + 10'000 + 200);
}

}  // namespace
}  // namespace noroshi::collect
