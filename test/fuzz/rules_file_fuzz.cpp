// test/fuzz/rules_file_fuzz.cpp - any bytes as a rule file: groups, or faults with their places.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "rules/rules.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parsed = noroshi::rules::parse_rules("rules.yml", {reinterpret_cast<const char*>(data), size});
    if (!parsed.errors.empty() && !parsed.groups.empty()) {
        std::abort();
    }
    return 0;
}
