// test/fuzz/collect_protobuf_fuzz.cpp - any bytes as a protobuf exposition; the first byte chooses what becomes of histograms.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collect/collect.hpp"
#include "scrape/protobuf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::collect;
    if (size == 0) {
        return 0;
    }
    HistogramOptions options{.native = (data[0] & 1) != 0, .classic_too = (data[0] & 2) != 0};
    const ParseLimits limits{.max_line_bytes = 4096, .max_labels = 20, .max_samples = 1000, .max_all_labels = 5000,
                             .max_all_label_bytes = 100'000, .max_all_buckets = 5000};
    auto parsed = parse_exposition({reinterpret_cast<const char*>(data) + 1, size - 1}, ExpositionFormat::protobuf, limits, nullptr, options);
    if (!parsed) {
        if (parsed.error().message.empty()) {
            std::abort();
        }
        return 0;
    }
    options.bucket_limit = data[0] >> 2;
    for (ScrapedSample& sample : *parsed) {
        if (sample.labels.metric_name().empty() || sample.labels.size() > limits.max_labels + 2 ||
            (sample.histogram && !model::validate(*sample.histogram, false))) {
            std::abort();
        }
        if (sample.histogram && limit_histogram(sample.histogram, options) && !model::validate(*sample.histogram, false)) {
            std::abort();
        }
    }
    return 0;
}
