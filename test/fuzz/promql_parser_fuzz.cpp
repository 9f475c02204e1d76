// test/fuzz/promql_parser_fuzz.cpp - any text as PromQL: what parses is printed, and its print parses to the same print.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "promql/promql.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using noroshi::promql::Expression;
    const auto parsed = Expression::parse({reinterpret_cast<const char*>(data), size});
    if (!parsed) {
        return 0;
    }
    const std::string printed = parsed->to_string();
    const auto again = Expression::parse(printed);
    if (!again || again->to_string() != printed) {
        std::abort();
    }
    return 0;
}
