// test/fuzz/promql_parser_fuzz.cpp - any text as PromQL: what parses is printed, and its print parses to the same print.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "promql/promql.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using noroshi::promql::Expression;
    using noroshi::promql::ParseOptions;
    for (const ParseOptions options : {ParseOptions{}, ParseOptions{.experimental = true, .fill_modifiers = true, .unquoted_names = true}}) {
        const auto parsed = Expression::parse({reinterpret_cast<const char*>(data), size}, options);
        if (!parsed) {
            continue;
        }
        const std::string printed = parsed->to_string();
        const auto again = Expression::parse(printed, options);
        if (!again || again->to_string() != printed) {
            std::abort();
        }
    }
    return 0;
}
