// src/cli/test.cpp - `noroshi test rules`: runs tests of rules in promtool's format; exit code 1 when one fails.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.hpp"
#include "cli.hpp"
#include "daemon/check.hpp"
#include "printable.hpp"

namespace noroshi::cli {
namespace {

struct TestOptions {
    std::vector<std::string> files;
    rules::RuleTestOptions rules;
    bool diff{false};
    std::string junit;
};

void print_lines(std::string_view title, const std::vector<std::string>& lines) {
    fmt::print(stderr, "    {}{}\n", title, lines.empty() ? " nothing" : "");
    for (const std::string& line : lines) {
        fmt::print(stderr, "      {}\n", escaped_line(line));
    }
}

/// `-` before what is missing, `+` before what should not be there.
void print_difference(const rules::RuleTestFailure& failure) {
    const auto print_missing = [](char sign, const std::vector<std::string>& these, const std::vector<std::string>& those) {
        for (const std::string& line : these) {
            if (std::ranges::find(those, line) == those.end()) {
                fmt::print(stderr, "    {} {}\n", sign, escaped_line(line));
            }
        }
    };
    print_missing('-', failure.expected, failure.got);
    print_missing('+', failure.got, failure.expected);
}

void print_failure(const rules::RuleTestCase& test, const rules::RuleTestFailure& failure, bool diff) {
    fmt::print(stderr, "{}:{}:{}: test {}: {}\n", failure.where.file, failure.where.line, failure.where.column,
               escaped_line(test.name), escaped_line(failure.what));
    if (failure.expected.empty() && failure.got.empty()) {
        return;  // an error, with nothing to compare
    }
    if (diff) {
        print_difference(failure);
        return;
    }
    print_lines("expected:", failure.expected);
    print_lines("got:", failure.got);
}

bool report(const std::string& file, const rules::RuleTestReport& report, const TestOptions& options) {
    std::size_t failed = 0;
    std::size_t checks = 0;
    for (const std::string& warning : report.warnings) {
        fmt::print(stderr, "warning: {}\n", warning);
    }
    for (const Error& error : report.errors) {
        print_error(error);
    }
    for (const rules::RuleTestCase& test : report.cases) {
        checks += test.checks;
        failed += test.failures.empty() ? 0 : 1;
        for (const rules::RuleTestFailure& failure : test.failures) {
            print_failure(test, failure, options.diff);
        }
        for (const std::string& line : test.dump) {
            fmt::print(stderr, "debug: {}: {}\n", escaped_line(test.name), escaped_line(line));
        }
    }
    if (!report.errors.empty()) {
        fmt::print(stderr, "{}: {} error{}, nothing was tested\n", file, report.errors.size(), report.errors.size() == 1 ? "" : "s");
    } else if (failed > 0) {
        fmt::print(stderr, "{}: {} of {} tests failed\n", file, failed, report.cases.size());
    } else {
        fmt::print("{}: ok, {} tests, {} checks\n", file, report.cases.size(), checks);
    }
    return report.passed();
}

/// Text for an attribute or element: what XML 1.0 does not allow becomes a question mark.
std::string xml(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += byte < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return out;
}

std::string junit_text(const rules::RuleTestFailure& failure) {
    std::string out = failure.what;
    for (const auto& [title, lines] : {std::pair("expected", &failure.expected), std::pair("got", &failure.got)}) {
        for (const std::string& line : *lines) {
            out += fmt::format("\n{}: {}", title, line);
        }
    }
    return out;
}

std::string junit_suite(const std::string& file, const rules::RuleTestReport& report) {
    const auto failed = std::ranges::count_if(report.cases, [](const auto& test) { return !test.failures.empty(); });
    std::string out = fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n", xml(file),
                                  report.cases.size(), failed, report.errors.size());
    for (const rules::RuleTestCase& test : report.cases) {
        out += fmt::format("    <testcase name=\"{}\">\n", xml(test.name));
        for (const rules::RuleTestFailure& failure : test.failures) {
            out += fmt::format("      <failure message=\"{}\">{}</failure>\n", xml(failure.what), xml(junit_text(failure)));
        }
        out += "    </testcase>\n";
    }
    for (const Error& error : report.errors) {
        out += fmt::format("    <system-err>{}</system-err>\n", xml(error.to_string()));
    }
    return out + "  </testsuite>\n";
}

int test_rules(const TestOptions& options) {
    bool passed = true;
    std::string suites;
    for (const std::string& file : options.files) {
        const rules::RuleTestReport result = daemon::test_rules(file, options.rules);
        passed = report(file, result, options) && passed;
        suites += junit_suite(file, result);
    }
    if (!options.junit.empty()) {
        const std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" + suites + "</testsuites>\n";
        if (const Result<void> written = write_file_atomically(options.junit, text, FileMode::world_readable); !written) {
            print_error(written.error());
            return exit_fault;
        }
    }
    return passed ? exit_ok : exit_fault;
}

}  // namespace

void add_test(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("test", "run tests of rules");
    command->require_subcommand(1);
    auto options = std::make_shared<TestOptions>();  // shared: lives as long as the callback
    CLI::App* rules = command->add_subcommand("rules", "run files of rule tests in promtool's format");
    rules->add_option("FILE", options->files, "test files")->required();
    rules->add_option("--run", options->rules.run, "only tests whose name this regular expression finds; may be given again");
    rules->add_flag("--diff", options->diff, "of expected and got, print only what differs");
    rules->add_flag("--debug", options->rules.dump, "print all series as they are at the end of each test");
    rules->add_flag("--ignore-unknown-fields", options->rules.ignore_unknown_fields, "pass over unknown keys of rule files");
    rules->add_option("--junit", options->junit, "write the results to this file as JUnit XML");
    rules->footer("A test file:\n"
                  "  rule_files: [rules.yml]\n"
                  "  tests:\n"
                  "    - name: a dead target\n"
                  "      interval: 1m\n"
                  "      input_series: [{series: 'up{job=\"db\"}', values: '1 0x10'}]\n"
                  "      alert_rule_test:\n"
                  "        - {eval_time: 10m, alertname: Down, exp_alerts: [{exp_labels: {job: db}}]}\n"
                  "      promql_expr_test:\n"
                  "        - {expr: 'sum(up)', eval_time: 0, exp_samples: [{value: 1}]}\n"
                  "Example: noroshi test rules tests/*.yml");
    rules->callback([options, &exit_code] { exit_code = test_rules(*options); });
}

}  // namespace noroshi::cli
