// test/fuzz/collect_exposition_fuzz.cpp - any bytes as an exposition; the first bit chooses the format.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collect/collect.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::collect;
    if (size == 0) {
        return 0;
    }
    const auto format = (data[0] & 1) == 0 ? ExpositionFormat::text_0_0_4 : ExpositionFormat::openmetrics_1_0;
    const ParseLimits limits{.max_line_bytes = 4096, .max_labels = 20, .max_samples = 1000, .max_all_labels = 5000};
    const auto parsed = parse_exposition({reinterpret_cast<const char*>(data) + 1, size - 1}, format, limits);
    if (parsed) {
        for (const ScrapedSample& sample : *parsed) {
            if (sample.labels.metric_name().empty() || sample.labels.size() > limits.max_labels + 1) {
                std::abort();
            }
        }
    } else if (parsed.error().message.empty()) {
        std::abort();
    }
    return 0;
}
