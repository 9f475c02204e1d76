// test/unit/base/values_edge_test.cpp - edges of numbers, durations, times, URLs, files and logs.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/net/http_client.hpp"
#include "base/numbers.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace noroshi {
namespace {

using namespace std::chrono_literals;

TEST(Number, A_second_sign_or_a_word_after_0x_is_no_number) {
    for (const char* text : {"0x-1p1", "0x+1p1", "0xnan(p)", "0xinfp1", "0x", "0xp1", "+-1", "-+1", "- 1", ".", "+", "0x1p",
                             "nan(1)", "1f", "0b1"}) {
        EXPECT_FALSE(parse_float(text)) << text;
    }
}

TEST(Number, Takes_every_form_of_Go) {
    EXPECT_EQ(*parse_float(".5"), 0.5);
    EXPECT_EQ(*parse_float("5."), 5);
    EXPECT_EQ(*parse_float("+5"), 5);
    EXPECT_EQ(*parse_float("-0X.8P1"), -1);
    EXPECT_EQ(*parse_float("1e-400"), 0);
    EXPECT_EQ(*parse_float("-1e999"), -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::signbit(*parse_float("-0")));
    EXPECT_EQ(*parse_float("0x1p9999"), std::numeric_limits<double>::infinity());
    EXPECT_EQ(*parse_float("0x1p-9999"), 0);
}

TEST(Number, Reads_back_what_it_printed) {
    SeededRandom random(5);
    for (int i = 0; i < 2'000; ++i) {
        const double value = std::bit_cast<double>(random.below(std::numeric_limits<std::uint64_t>::max()));
        if (std::isnan(value)) {
            continue;
        }
        EXPECT_EQ(*parse_float(format_float(value)), value);
        EXPECT_EQ(*parse_float(format_float_go(value)), value);
    }
}

TEST(Number, Whole_numbers_keep_to_their_bounds) {
    EXPECT_EQ(*parse_int("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(*parse_int("+7"), 7);
    for (const char* text : {"", "+", "+-7", "7 ", "0x7", "7.0", "1e3"}) {
        EXPECT_EQ(parse_int(text).error().code, Errc::parse) << text;
    }
}

TEST(Duration, Says_what_it_expected) {
    EXPECT_EQ(parse_duration("soon").error().message, R"(expected a duration such as 30s, 5m or 1h30m, got "soon")");
    EXPECT_EQ(parse_duration("293y").error().code, Errc::limit);
    EXPECT_EQ(parse_duration("290y1000000d").error().code, Errc::limit);
    EXPECT_TRUE(parse_duration("292y"));
}

TEST(Duration, Weeks_and_years_are_printed_only_when_whole) {
    EXPECT_EQ(format_duration(8 * 24h), "8d");
    EXPECT_EQ(format_duration(14 * 24h), "2w");
    EXPECT_EQ(format_duration(366 * 24h), "366d");
    EXPECT_EQ(format_duration(-90s), "-1m30s");
    EXPECT_EQ(format_duration(3'661'001ms), "1h1m1s1ms");
}

TEST(Time, Before_1970_and_far_ahead_have_texts) {
    EXPECT_EQ(format_rfc3339(from_unix_ms(-1)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(from_unix_ms(253'402'300'799'999)), "9999-12-31T23:59:59.999Z");
    EXPECT_EQ(to_unix_seconds(from_unix_ms(1'500)), 1.5);
}

TEST(Time, A_step_of_the_wall_clock_leaves_the_steady_one) {
    ManualClock clock(from_unix_ms(1'000));
    const SteadyMs before = clock.steady();
    clock.jump_wall(-500ms);
    EXPECT_EQ(clock.now(), from_unix_ms(500));
    EXPECT_EQ(clock.steady(), before);
    clock.advance(10ms);
    EXPECT_EQ(clock.steady() - before, 10ms);
}

TEST(Url, Leaves_the_fragment_out) {
    EXPECT_EQ(*net::parse_url("http://h#x"), (net::Url{"http", "h", 80, "/"}));
    EXPECT_EQ(*net::parse_url("http://h:1/a?b#c?d"), (net::Url{"http", "h", 1, "/a?b"}));
    EXPECT_EQ(*net::parse_url("http://h?b"), (net::Url{"http", "h", 80, "/?b"}));
}

TEST(Url, Refuses_what_could_be_read_two_ways) {
    for (const char* text : {"http://user:secret@h/", "http://h:", "http://h:0/", "http://h:+80/", "http://h:80x/", "http://[::1/",
                             "http://[::1]80/", "HTTP://h/", "http:/h", "http://h/\x7f"}) {
        EXPECT_EQ(net::parse_url(text).error().code, Errc::parse) << text;
    }
}

TEST(Random, Small_bounds_give_every_value) {
    SeededRandom random(3);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 200; ++i) {
        seen.insert(random.below(5));
    }
    EXPECT_EQ(seen.size(), 5U);
    EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, Another_seed_gives_another_sequence) { EXPECT_NE(SeededRandom(1).id(), SeededRandom(2).id()); }

TEST(Secret, A_clone_is_asked_for_by_name_and_is_apart) {
    const std::array<std::uint8_t, 2> bytes{1, 2};
    Secret<2> first{std::span<const std::uint8_t, 2>(bytes)};
    const Secret<2> second = first.clone();
    first.expose_mutable()[0] = 9;
    EXPECT_EQ(second.expose()[0], 1);
    static_assert(!std::is_copy_assignable_v<Secret<2>>);
    static_assert(!std::is_constructible_v<LogField, std::string_view, Secret<2>>);
}

TEST(Secret, Moving_over_another_wipes_the_source) {
    const std::array<std::uint8_t, 2> bytes{1, 2};
    Secret<2> first{std::span<const std::uint8_t, 2>(bytes)};
    Secret<2> second;
    second = std::move(first);
    EXPECT_EQ(second.expose()[1], 2);
    EXPECT_EQ(first.expose()[1], 0);  // NOLINT(bugprone-use-after-move): that is the question
}

TEST(Errors, Every_kind_has_a_word_of_its_own) {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) {
        words.insert(errc_name(static_cast<Errc>(i)));
    }
    EXPECT_EQ(words.size(), static_cast<std::size_t>(Errc::internal) + 1);
}

std::string logged(std::string value) {
    std::string out;
    Log::to([&out](std::string_view line) { out = line; }).info("e", {{"v", std::move(value)}});
    return out.substr(out.find(" v=") + 3);
}

TEST(Log, A_strangers_text_stays_within_its_quotes_and_its_line) {
    EXPECT_EQ(logged("plain"), "plain");
    EXPECT_EQ(logged(""), "\"\"");
    EXPECT_EQ(logged("a b=c"), "\"a b=c\"");
    EXPECT_EQ(logged("\x1b[31m\r\n"), "\"\\x1b[31m\\x0d\\n\"");
    EXPECT_EQ(logged(std::string(5'000, 'x')).size(), 2'003U);
}

TEST(Bytes, Base32_base58_and_url_safe_base64_are_the_vectors) {
    EXPECT_EQ(to_base32(as_bytes("foobar")), "MZXW6YTBOI");  // RFC 4648, section 10
    EXPECT_EQ(to_base32(as_bytes("f")), "MY");
    EXPECT_EQ(as_text(from_base32("MZXW6YTBOI").value()), "foobar");
    EXPECT_FALSE(from_base32("MZ1"));
    EXPECT_FALSE(from_base32("M"));
    EXPECT_FALSE(from_base32("MZ"));  // unused bits are set
    EXPECT_EQ(to_base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
    EXPECT_EQ(to_base58(Bytes{0, 0, 1}), "112");
    EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
    EXPECT_FALSE(from_base64url("-_8="));
    EXPECT_FALSE(from_base64url("-_\xd7"));
}

TEST(Bytes, Base58_is_read_back) {
    EXPECT_EQ(as_text(from_base58("2NEpo7TZRRrLZSi2U").value()), "Hello World!");
    EXPECT_EQ(from_base58("112").value(), (Bytes{0, 0, 1}));
    EXPECT_EQ(from_base58("").value(), Bytes{});
    EXPECT_EQ(from_base58("1").value(), Bytes{0});
    for (const char* wrong : {"0", "O", "I", "l", "2NE po", "\xd7", "+"}) {
        EXPECT_EQ(from_base58(wrong).error().code, Errc::parse) << wrong;
    }
    SeededRandom random(1);
    for (std::size_t size = 0; size < 40; ++size) {
        Bytes bytes(size);
        random.fill(bytes);
        EXPECT_EQ(from_base58(to_base58(bytes)).value(), bytes);
    }
}

TEST(Error, The_first_word_of_its_message_is_its_reason) {
    EXPECT_EQ(first_word("no_peers: nobody"), "no_peers");
    EXPECT_EQ(first_word("queue_full"), "queue_full");
    EXPECT_EQ(first_word(""), "");
}

TEST(Log, Is_named_and_has_its_level_in_words) {
    std::string out;
    const Log log = Log::to([&out](std::string_view line) { out = line; }, LogLevel::warn);
    log.named("waku").error("lost");
    EXPECT_NE(out.find("Z ERROR waku event=lost"), std::string::npos) << out;
    EXPECT_FALSE(log.enabled(LogLevel::info));
    EXPECT_FALSE(Log::none().enabled(LogLevel::error));
    EXPECT_EQ(*parse_log_level("warn"), LogLevel::warn);
    EXPECT_FALSE(parse_log_level("WARN"));
}

TEST(Metrics, One_name_and_label_set_is_one_number_in_any_order_of_labels) {
    Metrics metrics;
    Counter& first = metrics.counter("a_total", "", {{"x", "1"}, {"y", "2"}});
    Counter& second = metrics.counter("a_total", "", {{"y", "2"}, {"x", "1"}});
    EXPECT_EQ(&first, &second);
}

TEST(Metrics, A_histogram_counts_up_to_each_bound_and_sums) {
    Metrics metrics;
    Histogram& seconds = metrics.histogram("h_seconds", "h", {0.5, 2}, {{"a", "b"}});
    for (const double value : {0.5, 0.75, 2.0, 100.0}) {
        seconds.observe(value);
    }
    EXPECT_EQ(&metrics.histogram("h_seconds", "h", {7}, {{"a", "b"}}), &seconds) << "its bounds stay";
    EXPECT_EQ(metrics.expose(), "# HELP h_seconds h\n# TYPE h_seconds histogram\n"
                                "h_seconds_bucket{a=\"b\",le=\"0.5\"} 1\n"
                                "h_seconds_bucket{a=\"b\",le=\"2\"} 3\n"
                                "h_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\n"
                                "h_seconds_sum{a=\"b\"} 103.25\n"
                                "h_seconds_count{a=\"b\"} 4\n");
}

TEST(Metrics, A_gauge_function_is_asked_at_each_exposition) {
    Metrics metrics;
    double value = 1;
    metrics.gauge_function("a", "h", [&value] { return value; });
    EXPECT_NE(metrics.expose().find("\na 1\n"), std::string::npos);
    value = std::numeric_limits<double>::infinity();
    EXPECT_NE(metrics.expose().find("\na +Inf\n"), std::string::npos);
}

TEST(File, A_write_into_a_folder_that_is_not_there_is_an_error) {
    EXPECT_EQ(write_file_atomically("/nonexistent/x", "", FileMode::owner_only).error().code, Errc::not_found);
    EXPECT_EQ(require_private_file("/nonexistent/x").error().code, Errc::not_found);
    EXPECT_EQ(read_file("/nonexistent/x", 1).error().code, Errc::not_found);
}

TEST(File, A_file_where_a_folder_should_be_is_refused) {
    EXPECT_EQ(make_private_folder("/dev/null").error().code, Errc::refused);
}

}  // namespace
}  // namespace noroshi
