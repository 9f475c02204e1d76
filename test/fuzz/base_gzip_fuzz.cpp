// test/fuzz/base_gzip_fuzz.cpp - any bytes as gzip, never more than the limit; and the texts that base reads.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/net/http_client.hpp"
#include "base/numbers.hpp"
#include "base/time.hpp"
#include "net/gzip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    constexpr std::size_t limit = 64 * 1024;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto unpacked = net::gunzip(text, limit); unpacked && unpacked->size() > limit) {
        std::abort();
    }
    static_cast<void>(net::parse_url(text));
    static_cast<void>(parse_float(text));
    static_cast<void>(parse_int(text));
    if (const auto duration = parse_duration(text)) {
        const auto again = parse_duration(format_duration(*duration));
        if (!again || *again != *duration) {
            std::abort();
        }
    }
    return 0;
}
