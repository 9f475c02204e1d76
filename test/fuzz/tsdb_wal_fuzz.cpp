// test/fuzz/tsdb_wal_fuzz.cpp - a segment of the log may be any bytes; what is kept of a damaged one reads the same again.
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "wal_format.hpp"

using namespace noroshi;

namespace {

/// Remembers what it is given, as text.
struct Seen final : tsdb::WalSink {
    void series(std::uint64_t id, model::Labels labels) override {
        NOROSHI_ASSERT(!labels.has(""), "no label without a name");
        text += fmt::format("{}={};", id, labels.to_string());
    }
    void sample(std::uint64_t id, std::int64_t at_ms, const tsdb::Value& value) override {
        NOROSHI_ASSERT(!value.histogram || model::validate_layout(*value.histogram), "a layout that others may walk");
        text += fmt::format("{}@{} {};", id, at_ms, value.histogram ? value.histogram->to_string() : std::to_string(value.number));
    }
    std::string text;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    Seen seen;
    const tsdb::WalScan scan = tsdb::scan_wal(bytes, seen);
    NOROSHI_ASSERT(scan.damaged_bytes + scan.torn_bytes <= size, "what is lost was there");
    if (scan.damaged_parts > 0) {
        Seen again;
        NOROSHI_ASSERT(tsdb::scan_wal(scan.kept, again).torn_bytes == 0 && again.text == seen.text,
                       "what is kept is what was read");
    }
    // The checksum keeps the fuzzer out of the entries: once more with the input as the entries of one batch.
    Seen inside;
    static_cast<void>(tsdb::scan_wal(tsdb::whole_batch(bytes), inside));
    return 0;
}
