// test/fuzz/status_mvds_fuzz.cpp - any bytes as an MVDS payload; what is read is read back with the same ids.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "mvds.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::status;
    const auto payload = decode_mvds(ByteView(data, size));
    if (!payload) {
        return 0;
    }
    if (payload->empty() || payload->acks.size() > 1000 || payload->messages.size() > 100) {
        std::abort();
    }
    const auto again = decode_mvds(encode_mvds(*payload));
    if (!again || *again != *payload) {
        std::abort();
    }
    for (std::size_t i = 0; i < payload->messages.size(); ++i) {
        if (payload->messages[i].id() != again->messages[i].id()) {
            std::abort();
        }
    }
    return 0;
}
