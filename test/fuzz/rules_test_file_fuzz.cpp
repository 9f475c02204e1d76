// test/fuzz/rules_test_file_fuzz.cpp - any bytes as a file of rule tests, with the series, metrics and histograms in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "promql/series_text.hpp"
#include "test_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace promql = noroshi::promql;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = noroshi::rules::parse_rule_tests("tests.yml", text);
    for (const auto& test : parsed.file.tests) {
        for (const auto& input : test.input) {
            const auto series = promql::parse_series(input.series + " " + input.values);
            if (series && series->values.size() > promql::max_series_values) {
                std::abort();
            }
        }
        for (const auto& expectation : test.expressions) {
            for (const auto& sample : expectation.expected) {
                static_cast<void>(promql::parse_metric(sample.labels));
                static_cast<void>(promql::parse_series_values(sample.histogram));
            }
        }
    }
    // The notation itself, without YAML around it.
    static_cast<void>(promql::parse_series(text));
    return 0;
}
