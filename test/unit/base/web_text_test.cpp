// test/unit/base/web_text_test.cpp - forms, JSON text and RFC 3339 times: what is read and written, and what is refused.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json_writer.hpp"
#include "base/net/form.hpp"
#include "base/rfc3339.hpp"

namespace noroshi {
namespace {

TEST(Form, Reads_names_and_values_in_their_order) {
    const auto form = net::parse_form("match[]=up&match%5B%5D=a%7Bb%3D%22c%20d%22%7D&&x=1+2%2B3&empty=&bare&=v");
    ASSERT_TRUE(form);
    EXPECT_EQ(*form, (net::Form{{"match[]", "up"}, {"match[]", "a{b=\"c d\"}"}, {"x", "1 2+3"}, {"empty", ""}, {"bare", ""}, {"", "v"}}));
    EXPECT_TRUE(net::parse_form("")->empty());
}

TEST(Form, A_broken_escape_is_named) {
    for (const char* text : {"a=%", "a=%2", "a=%zz", "%g1=1", "a=1&b=%1"}) {
        const auto form = net::parse_form(text);
        ASSERT_FALSE(form) << text;
        EXPECT_EQ(form.error().code, Errc::parse);
    }
    EXPECT_EQ(net::parse_form("a=x%zz1").error().message, "invalid URL escape \"%zz\"");
}

TEST(Form, What_is_written_reads_back) {
    const net::Form form{{"query", "a + b{c=~\"d|e\"}\n"}, {"query", "\xff%&="}};
    EXPECT_EQ(*net::parse_form(net::form_text(form)), form);
}

TEST(Json_writer, Commas_stand_between_values_and_nowhere_else) {
    std::string out;
    JsonWriter json(out);
    json.open('{').key("a").open('[').raw("1").string("b").open('[').close(']').close(']').key("c").open('{').close('}').close('}');
    EXPECT_EQ(out, R"({"a":[1,"b",[]],"c":{}})");
}

TEST(Json_writer, Goes_on_in_another_text) {
    std::string first;
    std::string second;
    JsonWriter json(first);
    json.open('[').raw("1");
    json.continue_in(second);
    json.raw("2").close(']');
    EXPECT_EQ(first + second, "[1,2]");
}

TEST(Json_writer, Any_bytes_become_a_JSON_string) {
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all += static_cast<char>(i);
    }
    for (const std::string& text : {all, std::string("\xed\xa0\x80 \xf4\x90\x80\x80 \xc0\x80 \xe0\x80\x80 \xf0\x80\x80\x80"),
                                    std::string("\xe7\x8b"), std::string("a\"\\\n\t\r\x01\0b", 9)}) {
        std::string out;
        append_json_string(out, text);
        EXPECT_NO_THROW(static_cast<void>(nlohmann::json::parse(out))) << out;
    }
    std::string out;
    append_json_string(out, "\xe7\x8b\xbc \xf0\x9f\x94\xa5 \"q\" \\ \n\x01");
    EXPECT_EQ(out, "\"\xe7\x8b\xbc \xf0\x9f\x94\xa5 \\\"q\\\" \\\\ \\n\\u0001\"");
    EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), "\xe7\x8b\xbc \xf0\x9f\x94\xa5 \"q\" \\ \n\x01");
}

TEST(Rfc3339, Reads_fractions_and_offsets) {
    EXPECT_EQ(to_unix_ms(*parse_rfc3339("1970-01-01T00:00:00Z")), 0);
    EXPECT_EQ(to_unix_ms(*parse_rfc3339("2026-01-31T12:00:00.5Z")), 1'769'860'800'500);
    EXPECT_EQ(*parse_rfc3339("2026-01-31T13:30:00.123999+01:30"), *parse_rfc3339("2026-01-31T12:00:00.123Z"));
    EXPECT_EQ(*parse_rfc3339("2026-01-31T11:00:00-01:00"), *parse_rfc3339("2026-01-31T12:00:00Z"));
    EXPECT_EQ(format_rfc3339(*parse_rfc3339("2024-02-29T23:59:59.999Z")), "2024-02-29T23:59:59.999Z");
}

TEST(Rfc3339, Refuses_what_is_no_time) {
    for (const char* text : {"", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-13-01T00:00:00Z",
                             "2026-02-29T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
                             "2026-01-31T12:00:60Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+1:00", "2026-01-31T12:00:00+01:60",
                             "2026-01-31T12:00:00Zx", "+026-01-31T12:00:00Z", "2026-1-31T12:00:00Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

}  // namespace
}  // namespace noroshi
