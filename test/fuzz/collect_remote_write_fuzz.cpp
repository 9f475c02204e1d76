// test/fuzz/collect_remote_write_fuzz.cpp - any bytes as a remote write; the first byte chooses version and compression.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/net/snappy.hpp"
#include "collect/push/remote_write.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    if (size == 0) {
        return 0;
    }
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string body = (data[0] & 2) != 0 ? std::string(rest) : net::snap(rest);
    const char* type = (data[0] & 1) != 0 ? "application/x-protobuf;proto=io.prometheus.write.v2.Request" : "application/x-protobuf";
    const ManualClock clock(from_unix_ms(1'700'000'000'000));
    Metrics metrics;
    tsdb::Head head{{}};
    collect::RemoteWriteReceiver receiver(head, clock, metrics, std::chrono::hours(24 * 15));
    const collect::WriteOutcome outcome = receiver.receive(type, "snappy", body);
    if ((outcome.status == 204) != outcome.text.empty() || outcome.text.size() > (64u << 20)) {
        std::abort();
    }
    return 0;
}
