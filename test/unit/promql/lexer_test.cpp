// test/unit/promql/lexer_test.cpp - tokens of PromQL: numbers, durations, strings with Go's escapes, comments (spec: alerting 2.1).
#include "lexer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace noroshi::promql {
namespace {

std::string tokens(std::string_view text) {
    constexpr std::string_view kinds = "eindsp";  // end, identifier, number, duration, string, punctuation
    const Result<std::vector<Token>> found = tokenize(text);
    if (!found) {
        return "fault: " + found.error().message;
    }
    std::string out;
    for (const Token& token : *found) {
        if (token.kind != TokenKind::end) {
            out += fmt::format("{}{}:{}", out.empty() ? "" : " ", kinds[static_cast<std::size_t>(token.kind)], token.text);
        }
    }
    return out;
}

TEST(Lexer, Tells_names_numbers_and_durations_apart) {
    EXPECT_EQ(tokens("a_1:b 12 1.5e-3 .5 0x1F 1_000 5m 1h30m 10ms"),
              "i:a_1:b n:12 n:1.5e-3 n:.5 n:0x1F n:1_000 d:5m d:1h30m d:10ms");
}

TEST(Lexer, Takes_the_longest_operator) {
    EXPECT_EQ(tokens("a<=b>=c!=d==e=~f!~g<h"), "i:a p:<= i:b p:>= i:c p:!= i:d p:== i:e p:=~ i:f p:!~ i:g p:< i:h");
}

TEST(Lexer, A_colon_belongs_to_names_outside_brackets_only) {
    EXPECT_EQ(tokens("a:b[5m:1m]"), "i:a:b p:[ d:5m p:: d:1m p:]");
}

TEST(Lexer, Drops_comments_to_the_end_of_the_line) { EXPECT_EQ(tokens("a # b \" c\n+ d # end"), "i:a p:+ i:d"); }

TEST(Lexer, Reads_the_escapes_of_quoted_strings) {
    EXPECT_EQ(tokens(R"("\a\n\t\\\"'")"), "s:\a\n\t\\\"'");
    EXPECT_EQ(tokens(R"('\'"')"), "s:'\"");
    EXPECT_EQ(tokens(R"("\x41\101é\U0001F600")"), "s:AA\u00e9\U0001F600");
}

TEST(Lexer, Leaves_backquoted_strings_as_they_are) { EXPECT_EQ(tokens("`a\\n\n\"b`"), "s:a\\n\n\"b"); }

TEST(Lexer, Names_what_is_wrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"\"a", "unterminated quoted string"},
        {"\"a\nb\"", "unterminated quoted string"},
        {"`a", "unterminated quoted string"},
        {R"("\q")", "unknown escape sequence"},
        {R"("\'")", "unknown escape sequence"},
        {R"("\xZZ")", "illegal character in escape sequence"},
        {R"("\ud800")", "escape sequence is an invalid code point"},
        {R"("\400")", "escape sequence is an invalid code point"},
        {"1.5h", "bad number or duration syntax: \"1.5h\""},
        {"12abc", "bad number or duration syntax: \"12a\""},
        {"a ? b", "unexpected character: '?'"},
        {"\x01", "unexpected character: '\\x01'"},
    };
    for (const auto& [text, fault] : cases) {
        EXPECT_NE(tokens(text).find(fault), std::string::npos) << text << "\n  got " << tokens(text);
    }
}

TEST(Lexer, Takes_names_of_other_letters_only_when_told_so) {
    EXPECT_EQ(tokenize("http.requests").error().code, Errc::parse);
    EXPECT_EQ(tokenize("temp\u00e9rature").error().code, Errc::parse);
    for (const std::string name : {"http.requests", "temp\u00e9rature", "\u6e29\u5ea6", "a..b.", "_.:x", ":a.1"}) {
        const auto tokens = tokenize(name, true);
        ASSERT_TRUE(tokens) << name;
        ASSERT_EQ(tokens->size(), 2U) << name;
        EXPECT_EQ(tokens->front().kind, TokenKind::identifier);
        EXPECT_EQ(tokens->front().text, name);
    }
    EXPECT_EQ(tokenize("m[5m:1m]", true)->size(), 7U) << "a colon in brackets is none of a name";
    // A dot in front, a digit of another script, a combining mark alone, bytes that are no UTF-8.
    for (const char* text : {".a", "\u0663", "\u0308a", "\xff", "a\xc3"}) {
        EXPECT_FALSE(tokenize(text, true)) << text;
    }
    EXPECT_EQ(tokenize("1 + .").error().code, Errc::parse);
}

TEST(Lexer, Gives_line_and_column_of_a_fault) {
    const Error error = parse_fault("ab\ncde\nf", 5, "here").value();
    EXPECT_EQ(error.where.line, 2);
    EXPECT_EQ(error.where.column, 3);
    EXPECT_EQ(error.message, "parse error: here");
}

}  // namespace
}  // namespace noroshi::promql
