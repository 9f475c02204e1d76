// test/unit/base/values_test.cpp - results, times, numbers, bytes: texts of a value and back.
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

namespace noroshi {
namespace {

using namespace std::chrono_literals;

TEST(Error, Prints_what_it_knows_of_its_place) {
    EXPECT_EQ((Error{Errc::parse, "bad", {"f.yml", 3, 7}}).to_string(), "f.yml:3:7: bad");
    EXPECT_EQ((Error{Errc::parse, "bad", {"f.yml", 3, 0}}).to_string(), "f.yml:3: bad");
    EXPECT_EQ((Error{Errc::parse, "bad", {"f.yml"}}).to_string(), "f.yml: bad");
    EXPECT_EQ((Error{Errc::parse, "bad"}).with("reading").to_string(), "reading: bad");
}

TEST(Duration, Reads_and_prints_Prometheus_form) {
    const std::pair<const char*, Milliseconds> cases[] = {{"0", 0ms},      {"30s", 30s},     {"1h30m", 90min},
                                                          {"250ms", 250ms}, {"1d", 24h},      {"1w2d", 9 * 24h},
                                                          {"1y", 365 * 24h}};
    for (const auto& [text, value] : cases) {
        EXPECT_EQ(*parse_duration(text), value) << text;
        EXPECT_EQ(*parse_duration(format_duration(value)), value);
    }
    EXPECT_EQ(format_duration(90min), "1h30m");
    EXPECT_EQ(format_duration(0ms), "0s");
    for (const char* text : {"", "5", "m", "1m1h", "1s1s", "-1s", "1.5h", " 1s", "1 s", "300y", "99999999999999999999s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Time, Is_printed_as_RFC_3339) { EXPECT_EQ(format_rfc3339(from_unix_ms(1'700'000'000'123)), "2023-11-14T22:13:20.123Z"); }

TEST(Number, Is_read_as_Go_reads_it) {
    EXPECT_EQ(*parse_float("1e3"), 1000);
    EXPECT_EQ(*parse_float("+inf"), std::numeric_limits<double>::infinity());
    EXPECT_EQ(*parse_float("-Infinity"), -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(*parse_float("nan")));
    EXPECT_EQ(*parse_float("0x1p-2"), 0.25);
    EXPECT_EQ(*parse_float("1e400"), std::numeric_limits<double>::infinity());
    for (const char* text : {"", "1 ", " 1", "1_000", "0x10", "e5", "--1", "1e", "infinite"}) {
        EXPECT_FALSE(parse_float(text)) << text;
    }
    EXPECT_EQ(parse_int("9223372036854775808").error().code, Errc::limit);
}

TEST(Number, Is_printed_with_the_fewest_digits) {
    EXPECT_EQ(format_float(0.1), "0.1");
    EXPECT_EQ(format_float(1234567), "1234567");
    EXPECT_EQ(format_float(1e21), "1e+21");
    EXPECT_EQ(format_float(123456789012345680000.0), "123456789012345680000");
    EXPECT_EQ(format_float(-1e20), "-100000000000000000000");
    EXPECT_EQ(format_float(18014398509481984.0), "18014398509481984");
    EXPECT_EQ(format_float(9007199254740992.0), "9007199254740992");
    EXPECT_EQ(format_float(1e-7), "1e-07");
    EXPECT_EQ(format_float(-0.0), "-0");
    EXPECT_EQ(format_float_go(1e6), "1e+06");
    EXPECT_EQ(format_float_go(123456), "123456");
}

TEST(Bytes, Hex_and_base64_read_back_and_refuse_others) {
    EXPECT_EQ(to_hex(*from_hex("00ffA0")), "00ffa0");
    EXPECT_EQ(to_hex(*from_hex("0x00ff")), "00ff");
    EXPECT_TRUE(from_hex("")->empty());
    EXPECT_TRUE(from_base64("")->empty());
    EXPECT_EQ(as_text(*from_base64("aGVsbG8=")), "hello");
    EXPECT_EQ(to_base64(as_bytes("hello")), "aGVsbG8=");
    for (const char* text : {"0", "0g", "0x0", "00 00"}) {
        EXPECT_FALSE(from_hex(text)) << text;
    }
    for (const char* text : {"a", "aGVsbG8=\n", "a=b=", "!!!!"}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(Utf8, Knows_overlong_forms_surrogates_and_cut_characters) {
    EXPECT_TRUE(is_utf8("a\xc3\xa9\xf0\x9f\x94\xa5"));
    for (const char* text : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

TEST(Random, Seeds_repeat_and_bounds_hold) {
    SeededRandom a(1);
    SeededRandom b(1);
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = a.below(7);
        EXPECT_EQ(value, b.below(7));
        EXPECT_LT(value, 7);
    }
    SystemRandom system;
    EXPECT_EQ(system.id().size(), 32);
    EXPECT_NE(system.id(), system.id());
}

TEST(Secret, Is_wiped_where_it_moved_from) {
    const std::array<std::uint8_t, 4> bytes{1, 2, 3, 4};
    Secret<4> first{std::span<const std::uint8_t, 4>(bytes)};
    const Secret<4> second = std::move(first);
    EXPECT_EQ(second.expose()[3], 4);
    EXPECT_EQ(first.expose()[3], 0);  // NOLINT(bugprone-use-after-move): that is the question
    static_assert(!std::is_copy_constructible_v<Secret<4>>);
}

}  // namespace
}  // namespace noroshi
