// src/rules/test_file.hpp - a file of rule tests as values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"

namespace noroshi::rules {

/// Series and expressions stay text: a fault in one belongs to its test.
struct InputSeries {
    std::string series;
    std::string values;
    SourcePos where;
};

struct ExpectedAlert {
    model::Labels labels;  ///< without alertname
    model::Labels annotations;
};

struct AlertExpectation {
    Milliseconds at{0};  ///< since the start of the test
    std::string alert;
    std::vector<ExpectedAlert> expected;
    SourcePos where;
};

struct ExpectedSample {
    std::string labels;
    double value{0};
    std::string histogram;  ///< "" for none
};

struct ExpressionExpectation {
    std::string expression;
    Milliseconds at{0};
    std::vector<ExpectedSample> expected;
    SourcePos where;
};

struct RuleTest {
    std::string name;
    Milliseconds interval{0};  ///< between values of the input series; 0: the file's evaluation interval
    std::vector<InputSeries> input;
    std::vector<AlertExpectation> alerts;
    std::vector<ExpressionExpectation> expressions;
    model::Labels external_labels;
    std::string external_url;
    TimestampMs start{};
    SourcePos where;
};

struct RuleTestFile {
    std::vector<std::string> rule_files;  ///< globs, relative to the file
    Milliseconds evaluation_interval{0};
    std::vector<std::string> group_order;
    std::vector<RuleTest> tests;
    bool fuzzy{false};  ///< neighbouring doubles are equal
};

struct ParsedTests {
    RuleTestFile file;
    std::vector<Error> errors;
};
/// Every fault is reported with its place. `file` is only named in errors.
[[nodiscard]] ParsedTests parse_rule_tests(const std::string& file, std::string_view text);

}  // namespace noroshi::rules
