// test/unit/base/utf8_test.cpp - characters of UTF-8 text.
#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace noroshi {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, Writes_what_it_reads) {
    for (const char32_t code : {U'\0', U'a', U'\x7f', U'\x80', U'é', U'߿', U'ࠀ', U'\xd7ff', U'\xe000', U'\xffff', U'\x10000', U'\x10ffff'}) {
        std::string text = "x";
        append_utf8(text, code);
        const Utf8Character read = utf8_at(text, 1);
        EXPECT_TRUE(read.valid);
        EXPECT_EQ(read.code, code);
        EXPECT_EQ(read.length, text.size() - 1);
        EXPECT_TRUE(is_utf8(text));
    }
    for (const char32_t code : {U'\xd800', U'\xdfff', char32_t{0x110000}, char32_t{0xffffffff}}) {
        std::string text;
        append_utf8(text, code);
        EXPECT_EQ(text, "\xef\xbf\xbd");
    }
}

TEST(Utf8, Refuses_what_is_no_character) {
    for (const std::string_view text : {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc3"sv, "\xc3("sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xe2\x82"sv,
                                        "\xe2(\xa1"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xf0\x9f\x98"sv}) {
        EXPECT_FALSE(is_utf8(text));
        const Utf8Character read = utf8_at(text, 0);
        EXPECT_FALSE(read.valid);
        EXPECT_EQ(read.length, 1u);
        EXPECT_EQ(read.code, replacement_character);
    }
    EXPECT_EQ(utf8_length("aé\xff" "😀"), 4u);
}

TEST(Utf8, Changes_the_case_one_character_for_one) {
    EXPECT_EQ(to_upper_utf8("aéßωя1\xff"), "AÉßΩЯ1\xef\xbf\xbd");
    EXPECT_EQ(to_lower_utf8("AÉΩЯ"), "aéωя");
    EXPECT_TRUE(is_printable(U'é') && is_printable(' ') && !is_printable(U'\xa0') && !is_printable(U'\x200b') && !is_printable('\n'));
    EXPECT_TRUE(is_letter(U'ж') && !is_letter('1') && !is_letter('_'));
}

}  // namespace
}  // namespace noroshi
