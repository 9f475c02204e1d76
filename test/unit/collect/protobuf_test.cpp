// test/unit/collect/protobuf_test.cpp - the protobuf exposition: the series of each type, native histograms, faults, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/numbers.hpp"
#include "model/sample.hpp"
#include "scrape/negotiation.hpp"
#include "scrape/protobuf.hpp"

namespace noroshi::collect {
namespace {

using testing::HasSubstr;

// The messages are written by hand here: a test that used the generated code would not notice a wrong field number.
std::string varint(std::uint64_t n) {
    std::string out;
    for (; n >= 0x80; n >>= 7) {
        out += static_cast<char>(n | 0x80);
    }
    return out + static_cast<char>(n);
}
std::string bytes(int field, const std::string& text) {
    return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(text.size()) + text;
}
std::string number(int field, std::uint64_t n) { return varint(static_cast<std::uint64_t>(field) << 3) + varint(n); }
/// sint32 and sint64.
std::string zigzag(int field, std::int64_t n) {
    return number(field, (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63));
}
std::string real(int field, double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    std::string out = varint(static_cast<std::uint64_t>(field) << 3 | 1);
    for (int i = 0; i < 64; i += 8) {
        out += static_cast<char>(bits >> i);
    }
    return out;
}
enum Kind { counter, gauge, summary, untyped, histogram, gauge_histogram };
std::string label(const std::string& name, const std::string& value) { return bytes(1, bytes(1, name) + bytes(2, value)); }
std::string metric(const std::string& fields) { return bytes(4, fields); }
std::string family(const std::string& name, int kind, const std::string& metrics) {
    const std::string out = bytes(1, name) + bytes(2, "what it is") + number(3, static_cast<std::uint64_t>(kind)) + metrics;
    return varint(out.size()) + out;
}
/// Field of a Metric that holds a value of this type.
std::string value(Kind kind, double v) {
    const int field = kind == counter ? 3 : kind == gauge ? 2 : 5;
    return bytes(field, real(1, v));
}
std::string of_histogram(const std::string& fields) { return bytes(7, fields); }
std::string span(int field, int offset, unsigned length) { return bytes(field, zigzag(1, offset) + number(2, length)); }
std::string bucket(double upper, std::uint64_t count) { return bytes(3, number(1, count) + real(2, upper)); }
/// Schema 3, zero bucket 1, positive buckets 2, 3, 1 at -1, 0 and 3; seven observations.
const std::string native = number(1, 7) + real(2, 12.5) + zigzag(5, 3) + real(6, 0.001) + number(7, 1) + span(12, -1, 2) +
                           span(12, 2, 1) + zigzag(13, 2) + zigzag(13, 1) + zigzag(13, -2);

std::string shown(const Result<std::vector<ScrapedSample>>& parsed) {
    if (!parsed) {
        return "fault: " + parsed.error().to_string();
    }
    std::string out;
    for (const ScrapedSample& sample : *parsed) {
        out += sample.labels.to_string() + " " + (sample.histogram ? sample.histogram->to_string() : format_float(sample.value));
        out += sample.at ? fmt::format(" @{}", to_unix_ms(*sample.at)) : "";
        out += "\n";
    }
    return out;
}
std::string read(const std::string& body, const HistogramOptions& options = {.native = true}, const ParseLimits& limits = {}) {
    return shown(parse_exposition(body, ExpositionFormat::protobuf, limits, nullptr, options));
}

TEST(Protobuf, Numbers_become_a_sample_each) {
    const std::string body = family("c_total", counter, metric(label("a", "x") + value(counter, 1.5)) + metric(value(counter, 2))) +
                             family("g", gauge, metric(label("b", "") + value(gauge, -0.0) + number(6, 1700))) +
                             family("u", untyped, metric(value(untyped, std::numeric_limits<double>::infinity()))) +
                             family("nothing", gauge, "") + family("empty", gauge, metric(""));
    EXPECT_EQ(read(body), "c_total{a=\"x\"} 1.5\nc_total 2\ng -0 @1700\nu +Inf\nempty 0\n");
    EXPECT_EQ(parse_protobuf(body, {}, {})->at(2).emptied, std::vector<std::string>{"b"});
    EXPECT_EQ(read(""), "");
}

TEST(Protobuf, A_summary_becomes_its_series) {
    const std::string quantiles = bytes(3, real(1, 0.5) + real(2, 0.25)) + bytes(3, real(1, 1) + real(2, std::nan("")));
    EXPECT_EQ(read(family("s", summary, metric(bytes(4, number(1, 4) + real(2, 2.5) + quantiles)))),
              "s_count 4\ns_sum 2.5\ns{quantile=\"0.5\"} 0.25\ns{quantile=\"1.0\"} NaN\n");
}

TEST(Protobuf, A_classic_histogram_becomes_its_series_with_the_last_bucket) {
    const std::string buckets = bucket(0.5, 1) + bucket(1, 3) + bucket(1e6, 4);
    const std::string series = "h_count 5\nh_sum 7.5\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"1.0\"} 3\nh_bucket{le=\"1e+06\"} 4\n"
                               "h_bucket{le=\"+Inf\"} 5\n";
    const std::string head = number(1, 5) + real(2, 7.5);
    EXPECT_EQ(read(family("h", histogram, metric(of_histogram(head + buckets)))), series);
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(read(family("h", histogram, metric(of_histogram(head + buckets + bucket(infinity, 5))))), series) << "given, not added";
    EXPECT_EQ(read(family("h", gauge_histogram, metric(of_histogram(real(4, 5.5) + bytes(3, real(4, 2.5) + real(2, 1)))))),
              "h_count 5.5\nh_sum 0\nh_bucket{le=\"1.0\"} 2.5\nh_bucket{le=\"+Inf\"} 5.5\n");
}

TEST(Protobuf, A_native_histogram_is_one_sample) {
    const std::string body = family("h", histogram, metric(label("a", "x") + of_histogram(native) + number(6, 5)));
    const auto parsed = parse_protobuf(body, {}, {.native = true});
    ASSERT_EQ(shown(parsed), "h{a=\"x\"} {count:7, sum:12.5, [-0.001,0.001]:1, (0.8408964152537144,0.9170040432046711]:2, "
                             "(0.9170040432046711,1]:3, (1.189207115002721,1.2968395546510096]:1} @5\n");
    const model::Histogram& h = *parsed->at(0).histogram;
    EXPECT_EQ(h.schema, 3);
    EXPECT_EQ(h.hint, model::ResetHint::unknown);
    EXPECT_EQ(h.positive.spans, (std::vector<model::BucketSpan>{{-1, 2}, {2, 1}}));
}

TEST(Protobuf, Classic_buckets_of_a_native_histogram_come_when_asked_for_or_in_its_place) {
    const std::string body = family("h", histogram, metric(of_histogram(native + bucket(1, 6))));
    const std::string series = "h_count 7\nh_sum 12.5\nh_bucket{le=\"1.0\"} 6\nh_bucket{le=\"+Inf\"} 7\n";
    EXPECT_EQ(read(body, {.native = false}), series);
    EXPECT_EQ(read(body, {.native = true}).find("h_bucket"), std::string::npos);
    EXPECT_THAT(read(body, {.native = true, .classic_too = true}), HasSubstr("]:1}\n" + series));
    EXPECT_EQ(read(family("h", histogram, metric(of_histogram(native))), {.native = true, .classic_too = true}).find("h_"),
              std::string::npos) << "there are none";
}

TEST(Protobuf, Float_gauge_and_negative_histograms) {
    const std::string fields = real(4, 5.5) + real(2, -1) + zigzag(5, 0) + real(6, 0.5) + real(8, 1.5) + span(9, 1, 1) +
                               real(11, 2.5) + span(12, 1, 2) + bytes(14, real(1, 1.25).substr(1) + real(1, 0.25).substr(1));
    const auto parsed = parse_protobuf(family("h", gauge_histogram, metric(of_histogram(fields))), {}, {.native = true});
    EXPECT_EQ(shown(parsed), "h {count:5.5, sum:-1, [-2,-1):2.5, [-0.5,0.5]:1.5, (1,2]:1.25, (2,4]:0.25}\n");
    EXPECT_EQ(parsed->at(0).histogram->hint, model::ResetHint::gauge);
    EXPECT_EQ(read(family("h", histogram, metric(of_histogram(span(12, 0, 0))))), "h {count:0, sum:0}\n") << "the mark of an empty one";
    EXPECT_EQ(read(family("h", histogram, metric(of_histogram("")))), "h_count 0\nh_sum 0\nh_bucket{le=\"+Inf\"} 0\n");
}

TEST(Protobuf, Empty_buckets_are_left_out_and_schemas_of_the_future_made_coarser) {
    const std::string zeros = number(1, 3) + real(2, 3) + zigzag(5, 9) + span(12, 0, 4) + zigzag(13, 0) + zigzag(13, 3) +
                              zigzag(13, -3) + zigzag(13, 0);
    const auto parsed = parse_protobuf(family("h", histogram, metric(of_histogram(zeros))), {}, {.native = true});
    ASSERT_TRUE(parsed) << shown(parsed);
    EXPECT_EQ(parsed->at(0).histogram->schema, 8);
    EXPECT_EQ(parsed->at(0).histogram->positive.counts, std::vector<double>{3});
}

TEST(Protobuf, No_target_writes_a_stale_marker) {
    const auto parsed = parse_protobuf(family("g", gauge, metric(value(gauge, model::stale_marker()))) +
                                           family("h", histogram, metric(of_histogram(real(2, model::stale_marker()) + span(12, 0, 0)))),
                                       {}, {.native = true});
    ASSERT_EQ(parsed->size(), 2u);
    EXPECT_FALSE(model::is_stale_marker(parsed->at(0).value));
    EXPECT_FALSE(parsed->at(1).histogram->is_stale());
}

TEST(Protobuf, Faults_name_the_family) {
    const std::string good = family("good", gauge, metric(value(gauge, 1)));
    const std::pair<std::string, const char*> cases[] = {
        {good.substr(0, good.size() - 1), "family 1: the answer was cut short"},
        {good + std::string(3, '\xff'), "family 2: the answer was cut short"},
        {good + "\x03\x0a\x05z", "family 2: a family is not the protobuf message"},
        {family("", gauge, ""), "family 1: a family without a name"},
        {family("\xff", gauge, ""), "not valid UTF-8"},
        {good + family("t", 6, metric("")), "family 2 \"t\": unknown metric type 6"},
        {family("g", gauge, metric("\x0a\x7f")), "family 1 \"g\": a metric is not the protobuf message"},
        {family("g", gauge, metric(label("", "x"))), "a label without a name"},
        {family("g", gauge, metric(label("a", "\xff"))), "a label is not valid UTF-8"},
        {family("g", gauge, metric(label("a", "x") + label("a", "y"))), "label \"a\" given twice"},
        {family("g", gauge, metric(label("__name__", "x"))), "given twice"},
        {family("h", histogram, metric(of_histogram(number(1, 1) + span(12, 0, 2) + zigzag(13, 1)))), "spans: "},
        {family("h", histogram, metric(of_histogram(number(1, 3) + span(12, 0, 1) + zigzag(13, 1)))), "counts: "},
        {family("h", histogram, metric(of_histogram(number(1, 1) + zigzag(5, 60) + span(12, 0, 1) + zigzag(13, 1)))), "schema: "},
        {family("h", histogram, metric(of_histogram(zigzag(5, 99) + span(12, 0, 0)))), "schema: "},
    };
    for (const auto& [body, text] : cases) {
        EXPECT_THAT(read(body), testing::AllOf(testing::StartsWith("fault: "), HasSubstr(text)));
    }
}

TEST(Protobuf, Limits) {
    const std::string body = family("h", histogram, metric(label("a", "x") + of_histogram(native)) + metric(of_histogram(native)));
    const std::pair<ParseLimits, const char*> cases[] = {
        {{.max_line_bytes = 20}, "a metric longer than 20 bytes"},
        {{.max_labels = 0}, "more than 0 labels"},
        {{.max_samples = 1}, "more than 1 metrics in a family"},
        {{.max_all_labels = 2}, "more than 2 labels"},
        {{.max_all_label_bytes = 15}, "15 bytes of labels"},
        {{.max_all_buckets = 9}, "more than 9 buckets"},
    };
    for (const auto& [limits, text] : cases) {
        const auto parsed = parse_protobuf(body, limits, {.native = true});
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::limit);
        EXPECT_THAT(parsed.error().to_string(), HasSubstr(text));
    }
    EXPECT_THAT(read(family("s", summary, metric("") + metric("")), {}, {.max_samples = 3}), HasSubstr("more than 3 samples"));
}

TEST(Protobuf, A_histogram_is_brought_within_its_target_s_limits) {
    auto wide = std::make_shared<model::Histogram>();
    wide->schema = 8;
    wide->positive.spans = {{1, 64}};
    wide->positive.counts.assign(64, 1);
    wide->count = 64;
    const auto limited = [&wide](const HistogramOptions& options) {
        model::HistogramPtr histogram = wide;
        const Result<void> fits = limit_histogram(histogram, options);
        return fits ? fmt::format("{}: {}", histogram->schema, histogram->positive.counts.size()) : fits.error().message;
    };
    EXPECT_EQ(limited({}), "8: 64");
    EXPECT_EQ(limited({.bucket_limit = 64}), "8: 64");
    EXPECT_EQ(limited({.bucket_limit = 63}), "7: 32");
    EXPECT_EQ(limited({.bucket_limit = 5}), "4: 4");
    EXPECT_EQ(limited({.min_bucket_factor = 1.1}), "2: 1");
    EXPECT_EQ(limited({.bucket_limit = 1, .min_bucket_factor = 1.01}), "2: 1");
    wide->positive.spans = {{-2'000, 1}, {300'000, 1}};
    wide->positive.counts = {1, 1};
    EXPECT_EQ(limited({.bucket_limit = 1}), "a native histogram has 2 buckets, 1 allowed");
}

TEST(Protobuf, The_finest_schema_of_a_factor_is_Prometheus_s) {
    const std::pair<double, int> cases[] = {{0, 8},   {1, 8},   {1.002, 8}, {1.00271, 8}, {1.003, 7}, {1.1, 2},
                                            {1.19, 1}, {1.5, 0}, {2, 0},     {4, -1},      {65536, -4}, {1e300, -4}};
    for (const auto& [factor, schema] : cases) {
        EXPECT_EQ(finest_schema(factor), schema) << factor;
    }
    EXPECT_EQ(finest_schema(std::nan("")), 8);
}

TEST(Protobuf, Is_asked_for_as_Prometheus_asks) {
    Target target;
    EXPECT_EQ(make_request(target).headers.at("Accept"),
              "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=0.0.1;q=0.6,"
              "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3");
    target.protocols = {"PrometheusProto", "PrometheusText0.0.4"};
    EXPECT_EQ(make_request(target).headers.at("Accept"),
              "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
              "text/plain;version=0.0.4;q=0.6,*/*;q=0.5");
    EXPECT_EQ(*choose_format("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", {}),
              ExpositionFormat::protobuf);
}

}  // namespace
}  // namespace noroshi::collect
