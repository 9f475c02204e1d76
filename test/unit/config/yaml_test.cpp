// test/unit/config/yaml_test.cpp - YAML trees: kinds, positions, and caps against hostile files.
#include "config/yaml.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace noroshi::config::yaml {
namespace {

NodePtr root_of(std::string_view text) {
    const Result<Document> document = parse_document("f", text);
    EXPECT_TRUE(document) << document.error().to_string();
    return document ? document->root : std::make_shared<const Node>();
}

std::string error_of(std::string_view text, const Limits& limits = {}) {
    const Result<Document> document = parse_document("f", text, limits);
    return document ? "no error" : document.error().to_string();
}

std::string place(const SourcePos& where) { return fmt::format("{}:{}", where.line, where.column); }

TEST(Yaml, Keeps_raw_text_of_plain_scalars) {
    const NodePtr root = root_of("{a: 1.0, b: yes, c: 0x10, d: 'q', e: ~, f: }");
    EXPECT_EQ(root->find("a")->text, "1.0");
    EXPECT_EQ(root->find("b")->text, "yes");
    EXPECT_EQ(root->find("c")->text, "0x10");
    EXPECT_FALSE(root->find("c")->quoted);
    EXPECT_TRUE(root->find("d")->quoted);
    EXPECT_EQ(root->find("e"), nullptr);
    EXPECT_EQ(root->find("f"), nullptr);
}

TEST(Yaml, Gives_a_null_node_for_an_empty_text) {
    EXPECT_EQ(root_of("")->kind, Kind::null);
    EXPECT_EQ(root_of("# only a comment\n")->kind, Kind::null);
}

TEST(Yaml, Counts_lines_and_columns_from_one) {
    const NodePtr root = root_of("a:\n  - b\n  - c: d\n");
    const Node& list = *root->find("a");
    EXPECT_EQ(fmt::format("{}:{}", list.items[0]->line, list.items[0]->column), "2:5");
    EXPECT_EQ(fmt::format("{}:{}", list.items[1]->find("c")->line, list.items[1]->find("c")->column), "3:8");
}

TEST(Yaml, Finds_a_place_inside_a_plain_scalar) {
    EXPECT_EQ(place(root_of("expr: up == 1\n")->find("expr")->position_in("f", 1, 4)), "1:10");
}

TEST(Yaml, Finds_a_place_inside_a_quoted_scalar) {
    EXPECT_EQ(place(root_of("expr: 'up == 1'\n")->find("expr")->position_in("f", 1, 4)), "1:11");
}

TEST(Yaml, Finds_a_place_inside_a_literal_block) {
    const NodePtr root = root_of("a:\n  expr: |\n    up\n      == 1\n");
    EXPECT_EQ(place(root->find("a")->find("expr")->position_in("f", 2, 3)), "4:7");
}

TEST(Yaml, Finds_a_place_in_the_first_line_of_a_folded_block) {
    EXPECT_EQ(place(root_of("expr: >\n  up == 1\n")->find("expr")->position_in("f", 1, 4)), "2:6");
}

TEST(Yaml, Names_the_scalar_itself_where_the_place_is_not_certain) {
    EXPECT_EQ(place(root_of("expr: up\n  == 1\n")->find("expr")->position_in("f", 1, 6)), "1:7");
    EXPECT_EQ(place(root_of("expr: |2\n  up\n")->find("expr")->position_in("f", 1, 1)), "1:7");
}

TEST(Yaml, Refuses_what_is_nested_too_deep) {
    EXPECT_EQ(error_of(std::string(200, '[') + std::string(200, ']')), "f:1:65: nested deeper than 64 levels");
    EXPECT_NE(error_of(std::string(100'000, '[')), "no error");
}

TEST(Yaml, Refuses_an_alias_bomb) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        text += fmt::format("a{}: &a{} [", i, i);
        for (int j = 0; j < 10; ++j) {
            text += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
        }
        text += "]\n";
    }
    EXPECT_NE(error_of(text).find("more than 500000 values"), std::string::npos);
}

TEST(Yaml, Counts_the_bytes_of_an_aliased_text) {
    std::string text = "a: &a '" + std::string(64'000, 'x') + "'\nb: [";
    for (int i = 0; i < 1000; ++i) {
        text += "*a, ";
    }
    EXPECT_NE(error_of(text + "]\n").find("more than 500000 values"), std::string::npos);
}

TEST(Yaml, Refuses_an_alias_inside_its_own_anchor) {
    EXPECT_EQ(error_of("a: &a [*a]\n"), "f:1:8: alias stands inside the node that it names");
}

TEST(Yaml, Refuses_an_alias_of_nothing) { EXPECT_NE(error_of("a: *b\n"), "no error"); }

TEST(Yaml, Refuses_text_that_is_not_utf8) { EXPECT_EQ(error_of("a: \xff\n"), "f: expected UTF-8 text"); }

TEST(Yaml, Refuses_the_byte_that_the_library_takes_for_the_end) {
    EXPECT_EQ(error_of("a: 1\nb: \x04\nc: 2\n"), "f:2:4: control character 0x04 is not allowed");
}

TEST(Yaml, Finds_the_nearest_word) {
    constexpr std::array<std::string_view, 3> words{"scrape_interval", "scrape_timeout", "job_name"};
    EXPECT_EQ(nearest("scrape_intrval", words), "scrape_interval");
    EXPECT_EQ(nearest("jobname", words), "job_name");
    EXPECT_EQ(nearest("unrelated", words), "");
}

}  // namespace
}  // namespace noroshi::config::yaml
