// test/fuzz/collect_otlp_fuzz.cpp - any bytes as an OTLP export request; the first byte chooses compression.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "collect/push/otlp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    if (size == 0) {
        return 0;
    }
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const ManualClock clock(from_unix_ms(1'700'000'000'000));
    Metrics metrics;
    tsdb::Head head{{}};
    collect::OtlpReceiver receiver(head, clock, metrics, std::chrono::hours(24 * 15));
    const collect::OtlpOutcome outcome = receiver.receive("application/x-protobuf", (data[0] & 1) != 0 ? "gzip" : "", body);
    if ((outcome.status == 200 && outcome.rejected == 0) != outcome.body.empty() || outcome.text.size() > (64u << 20)) {
        std::abort();
    }
    return 0;
}
