// test/unit/collect/remote_write_test.cpp - remote write 1.0 and 2.0: what is stored, what is refused, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>

#include "base/net/snappy.hpp"
#include "collect/push/remote_write.hpp"

namespace noroshi::collect {
namespace {

using testing::HasSubstr;

constexpr std::int64_t now_ms = 1'700'000'000'000;
constexpr const char* v1 = "application/x-protobuf";
constexpr const char* v2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

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
std::string real(int field, double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    std::string out = varint(static_cast<std::uint64_t>(field) << 3 | 1);
    for (int i = 0; i < 64; i += 8) {
        out += static_cast<char>(bits >> i);
    }
    return out;
}
std::string label(const std::string& name, const std::string& value) { return bytes(1, bytes(1, name) + bytes(2, value)); }
std::string sample(double value, std::int64_t at) { return bytes(2, real(1, value) + number(2, static_cast<std::uint64_t>(at))); }
std::string series(const std::string& fields) { return bytes(1, fields); }
std::string series2(const std::string& fields) { return bytes(5, fields); }
std::string symbols(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) {
        out += bytes(4, text);
    }
    return out;
}
std::string refs(const std::vector<unsigned>& numbers) {
    std::string packed;
    for (const unsigned n : numbers) {
        packed += varint(n);
    }
    return bytes(1, packed);
}
/// Schema 0, two observations in (1,2], one in (2,4], sum 6.
std::string histogram(int field, std::uint64_t count, std::int64_t at) {
    return bytes(field, number(1, count) + real(3, 6) + bytes(11, number(1, 2) + number(2, 2)) +
                            bytes(12, varint(4) + varint(1)) + number(15, static_cast<std::uint64_t>(at)));
}

class RemoteWriteTest : public testing::Test {
  protected:
    WriteOutcome send(const char* type, const std::string& plain) { return receiver_.receive(type, "snappy", net::snap(plain)); }
    std::vector<model::Sample> samples(const std::string& name) {
        std::vector<model::Sample> out;
        const model::Matcher matcher = *model::Matcher::create(model::MatchOp::equal, "__name__", name);
        selected_ = head_.select(std::span(&matcher, 1), from_unix_ms(0), from_unix_ms(now_ms + 3'600'000));
        for (const auto& one : selected_) {
            for (model::Sample next{}; one.cursor->next(next);) {
                out.push_back(next);
            }
        }
        return out;
    }
    double dropped(const std::string& reason) {
        const std::string text = metrics_.expose();
        const std::string line = "noroshi_remote_write_dropped_total{reason=\"" + reason + "\"} ";
        const std::size_t at = text.find(line);
        return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size()));
    }

    ManualClock clock_{from_unix_ms(now_ms)};
    Metrics metrics_;
    tsdb::Head head_{{}};
    RemoteWriteReceiver receiver_{head_, clock_, metrics_, std::chrono::hours(24)};
    std::vector<tsdb::SelectedSeries> selected_;
};

TEST_F(RemoteWriteTest, Samples_of_version_1_are_stored_with_their_stale_markers) {
    const std::string body = series(label("__name__", "up") + label("job", "a") + sample(1.5, now_ms - 1'000) +
                                    sample(model::stale_marker(), now_ms));
    const WriteOutcome outcome = send(v1, body);
    EXPECT_EQ(outcome.status, 204U);
    EXPECT_FALSE(outcome.counted);
    const auto stored = samples("up");
    ASSERT_EQ(stored.size(), 2U);
    EXPECT_EQ(stored[0].value, 1.5);
    EXPECT_TRUE(model::is_stale_marker(stored[1].value));
    EXPECT_EQ(selected_[0].labels->to_string(), R"(up{job="a"})");
    const std::string last = series(label("__name__", "up") + label("job", "a") + sample(model::stale_marker(), now_ms));
    EXPECT_EQ(send("", last).status, 204U);  // the newest once more changes nothing
    EXPECT_EQ(send("", body).status, 400U);  // the one before it is out of order
    EXPECT_EQ(samples("up").size(), 2U);
}

TEST_F(RemoteWriteTest, Version_2_takes_labels_from_its_symbols_and_says_how_much_was_stored) {
    const WriteOutcome outcome = send(v2, symbols({"", "__name__", "up", "job", "a"}) +
                                              series2(refs({1, 2, 3, 4}) + sample(7, now_ms)) +
                                              series2(refs({1, 4}) + histogram(3, 3, now_ms)));
    EXPECT_EQ(outcome.status, 204U) << outcome.text;
    EXPECT_TRUE(outcome.counted);
    EXPECT_EQ(outcome.samples, 1U);
    EXPECT_EQ(outcome.histograms, 1U);
    EXPECT_EQ(samples("up").size(), 1U);
    EXPECT_EQ(samples("a").size(), 1U);
    ASSERT_EQ(selected_.size(), 1U);
    ASSERT_TRUE(selected_[0].cursor->histogram());
    EXPECT_EQ(selected_[0].cursor->histogram()->to_string(), "{count:3, sum:6, (1,2]:2, (2,4]:1}");
}

TEST_F(RemoteWriteTest, What_is_refused_is_said_and_counted_and_the_rest_is_stored) {
    const std::vector<std::string> words{"", "__name__", "m", "x", "\xff"};
    ASSERT_EQ(send(v2, symbols(words) + series2(refs({1, 2}) + sample(1, now_ms))).status, 204U);
    const WriteOutcome outcome =
        send(v2, symbols(words) + series2(refs({1, 2}) + sample(1, now_ms - 1) + sample(2, now_ms) + sample(3, now_ms + 1)) +
                     series2(refs({3, 3}) + sample(1, now_ms)) + series2(refs({1, 3, 3, 4}) + sample(1, now_ms)) +
                     series2(refs({1, 3, 1, 2}) + sample(1, now_ms)) + series2(refs({1, 9}) + sample(1, now_ms)) +
                     series2(refs({1, 2, 3}) + sample(1, now_ms)) + series2(refs({1, 3})) +
                     series2(refs({1, 3}) + sample(1, now_ms + 700'000) + sample(1, now_ms - 90'000'000)) +
                     series2(refs({1, 3}) + histogram(3, 99, now_ms)));
    EXPECT_EQ(outcome.status, 400U);
    EXPECT_EQ(outcome.samples, 1U);
    EXPECT_EQ(outcome.histograms, 0U);
    EXPECT_THAT(outcome.text, HasSubstr("out of order sample for series m\n"));
    EXPECT_THAT(outcome.text, HasSubstr("and 1 more\n"));
    for (const auto& [reason, times] : std::vector<std::pair<std::string, double>>{
             {"conflict", 2}, {"labels", 3}, {"symbols", 2}, {"empty", 1}, {"out_of_bounds", 2}, {"histogram", 1}}) {
        EXPECT_EQ(dropped(reason), times) << reason;
    }
}

TEST_F(RemoteWriteTest, Labels_are_bounded) {
    const std::string name = label("__name__", "m");
    EXPECT_EQ(send(v1, series(name + label("a", std::string(most_label_bytes, 'x')) + sample(1, now_ms))).status, 400U);
    std::string many = name;
    for (std::size_t i = 0; i < most_labels; ++i) {
        many += label("l" + std::to_string(i), "x");
    }
    EXPECT_EQ(send(v1, series(many + sample(1, now_ms))).status, 400U);
    EXPECT_EQ(dropped("label_limit"), 2);
    EXPECT_EQ(send(v1, series(label("job", "a") + sample(1, now_ms))).status, 204U);  // without a name: passed over
    EXPECT_EQ(dropped("labels"), 1);
}

TEST_F(RemoteWriteTest, A_body_that_is_none_is_refused) {
    EXPECT_EQ(receiver_.receive("text/plain", "snappy", "").status, 415U);
    EXPECT_EQ(receiver_.receive("application/x-protobuf;proto=other", "snappy", "").status, 415U);
    EXPECT_EQ(receiver_.receive(v1, "gzip", "").status, 415U);
    EXPECT_EQ(receiver_.receive(v1, "snappy", "\xff\xff\xff\xff\xff\xff").status, 400U);
    EXPECT_EQ(receiver_.receive(v1, "snappy", varint(most_write_bytes + 1) + "x").status, 400U);
    EXPECT_EQ(send(v1, "\x0a\xff").status, 400U);
    EXPECT_EQ(send(v2, symbols({"a"}) + series2(refs({0, 0}))).status, 400U);
}

TEST(RemoteWrite, A_full_store_asks_to_come_again) {
    const ManualClock clock(from_unix_ms(now_ms));
    Metrics metrics;
    tsdb::Options options;
    options.max_series = 1;
    tsdb::Head head(std::move(options));
    RemoteWriteReceiver receiver(head, clock, metrics, std::chrono::hours(24));
    const std::string one = series(label("__name__", "a") + sample(1, now_ms));
    const std::string two = series(label("__name__", "b") + sample(1, now_ms));
    EXPECT_EQ(receiver.receive(v1, "snappy", net::snap(one + two)).status, 429U);
}

}  // namespace
}  // namespace noroshi::collect
