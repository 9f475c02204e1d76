// src/rules/rule_tests.hpp - unit tests of rules in promtool's format: series in, expected alerts and samples out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace noroshi::rules {

struct RuleTestOptions {
    std::vector<std::string> run;       ///< regular expressions; only tests whose name one of them finds. Empty: all
    bool ignore_unknown_fields{false};  ///< in the rule files
    bool dump{false};                   ///< give all series, those of the rules too, as they are at the end of each test
};

/// One thing that was not as the test says.
struct RuleTestFailure {
    SourcePos where;                    ///< of the expectation, or of the test
    std::string what;                   ///< "alert X at 5m", or the error
    std::vector<std::string> expected;  ///< a line each, in one order with `got`; both empty for an error
    std::vector<std::string> got;
};

struct RuleTestCase {
    std::string name;  ///< or "tests[3]"
    SourcePos where;
    std::size_t checks{0};  ///< expectations looked at
    std::vector<RuleTestFailure> failures;
    std::vector<std::string> dump;
};

struct RuleTestReport {
    std::vector<Error> errors;  ///< of the test file and of rule files, each with its place; nothing was run then
    std::vector<std::string> warnings;
    std::vector<RuleTestCase> cases;
    [[nodiscard]] bool passed() const;
};

/// Reads a test file and the rule files it names, and runs its tests: each over a store of its own, with simulated time.
/// Thread: any.
[[nodiscard]] RuleTestReport run_rule_tests(const std::filesystem::path& file, const RuleTestOptions& options);

}  // namespace noroshi::rules
