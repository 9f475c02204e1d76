// test/unit/config/target_groups_test.cpp - target groups as JSON and YAML, and each way in which they are broken.
#include "config/target_groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/file.hpp"

namespace noroshi::config {
namespace {

std::string shown(const Result<std::vector<StaticConfig>>& groups) {
    if (!groups) {
        return groups.error().to_string();
    }
    std::string out;
    for (const StaticConfig& group : *groups) {
        out += fmt::format("{} {}\n", fmt::join(group.targets, ","), group.labels.to_string());
    }
    return out;
}

struct Case {
    const char* json;
    const char* yaml;
    const char* from_json;
    const char* from_yaml;
};

TEST(TargetGroups, Are_read_from_both_forms_or_refused_with_their_place) {
    const std::string twice = "a:1,b:2 {x=\"y\", é=\"z\"}\nc {}\n";
    const Case cases[] = {
        {R"([{"targets":["a:1","b:2"],"labels":{"x":"y","é":"z"}},{"targets":["c"]}])",
         "- targets: [a:1, b:2]\n  labels: {x: y, é: z}\n- targets: [c]\n", "", ""},
        {"[]", "[]", "", ""},
        {"null", "", "", ""},
        {R"([{"labels":null,"targets":null}])", "- {labels: , targets: }\n", " {}\n", " {}\n"},
        {"", "- targets: [a", "f:1:1: expected JSON here", "f:"},
        {"[{\n  \"targets\": [x]}]", "{}", "f:2:15: expected JSON here", "f:1:1: expected a list of target groups, got a mapping"},
        {R"({"targets":[]})", "a", "f:1:1: expected a list of target groups", "f:1:1: expected a list of target groups, got text"},
        {"[null]", "- \n", "f: [0]: expected a target group with targets and labels",
         "f:"},
        {R"([{"target":["a"]}])", "- target: [a]\n", "f: [0]: unknown key \"target\" (expected targets or labels)",
         "f:1:3: [0]: unknown key \"target\"; did you mean \"targets\"? (expected one of: targets, labels)"},
        {R"([{"targets":[1]}])", "- targets: {a: b}\n", "f: [0]: targets: expected a list of host:port",
         "f:1:12: [0].targets: expected a list of texts, got a mapping"},
        {R"([{"targets":[],"labels":{"a":1}}])", "- labels: [a]\n",
         "f: [0]: labels: expected a name with a text as its value at \"a\"",
         "f:1:11: [0].labels: expected a mapping of label names to values, got a list"},
    };
    for (const Case& each : cases) {
        const std::string json = shown(parse_target_groups_json("f", each.json));
        const std::string yaml = shown(parse_target_groups_yaml("f", each.yaml));
        if (&each == &cases[0]) {
            EXPECT_EQ(json, yaml);
            EXPECT_EQ(std::ranges::count(json, '\n'), 2) << json;
            continue;
        }
        EXPECT_EQ(json.substr(0, std::string(each.from_json).size()), each.from_json) << each.json;
        EXPECT_EQ(yaml.substr(0, std::string(each.from_yaml).size()), each.from_yaml) << each.yaml;
        EXPECT_EQ(json.empty(), std::string(each.from_json).empty()) << each.json;
        EXPECT_EQ(yaml.empty(), std::string(each.from_yaml).empty()) << each.yaml;
    }
}

TEST(TargetGroups, Are_bounded) {
    std::string text = "[{\"targets\":[\"a\"";
    for (std::size_t i = 0; i < max_discovered_targets; ++i) {
        text += ",\"a\"";
    }
    EXPECT_EQ(shown(parse_target_groups_json("f", text + "]}]")), "f: 20001 targets, 20000 allowed");
    EXPECT_FALSE(parse_target_groups_json("f", std::string(100'000, '[')));
}

TEST(TargetGroups, Of_a_file_say_which_it_was) {
    const fs::path folder = fs::temp_directory_path() / fmt::format("noroshi-groups-{}", ::getpid());
    fs::create_directories(folder);
    const std::string json = (folder / "a.JSON").string();
    const std::string yaml = (folder / "b.yml").string();
    std::ofstream(json) << R"([{"targets":["a"]}])";
    std::ofstream(yaml) << "- targets: [a]\n";
    EXPECT_EQ(read_target_groups(json)->at(0).labels.get("__meta_filepath"), json);
    EXPECT_EQ(read_target_groups(yaml)->at(0).labels.get("__meta_filepath"), yaml);
    EXPECT_EQ(read_target_groups((folder / "c.json").string()).error().code, Errc::not_found);
    fs::remove_all(folder);
}

}  // namespace
}  // namespace noroshi::config
