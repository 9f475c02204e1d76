// test/fuzz/config_yaml_fuzz.cpp - any bytes as noroshi.yml: a configuration, or faults with their places.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto loaded = noroshi::config::parse("/nowhere/noroshi.yml", {reinterpret_cast<const char*>(data), size});
    if (loaded.config.has_value() != loaded.errors.empty()) {
        std::abort();
    }
    for (const noroshi::Error& error : loaded.errors) {
        if (error.message.empty() || error.where.file.empty()) {
            std::abort();
        }
    }
    return 0;
}
