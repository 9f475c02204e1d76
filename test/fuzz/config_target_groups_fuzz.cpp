// test/fuzz/config_target_groups_fuzz.cpp - any bytes as target groups; the first bit chooses JSON or YAML.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/target_groups.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::config;
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto groups = (data[0] & 1) == 0 ? parse_target_groups_json("f", text) : parse_target_groups_yaml("f", text);
    if (!groups && (groups.error().message.empty() || groups.error().where.file != "f")) {
        std::abort();
    }
    return 0;
}
