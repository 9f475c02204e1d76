// test/fuzz/waku_message_fuzz.cpp - any bytes as a WakuMessage: what decodes encodes, and is the same message again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "waku/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::waku;
    const auto message = decode_message({data, size});
    if (!message) {
        return 0;
    }
    // What was accepted can be passed on, and reads back as the same message with the same hash.
    const auto bytes = encode_message(*message);
    if (!bytes) {
        // The written form is minimal, so never longer than what was read.
        std::abort();
    }
    constexpr const char* shard = "/waku/2/rs/16/32";
    const auto again = decode_message(*bytes);
    if (!again || *again != *message || message_hash(shard, *again) != message_hash(shard, *message)) {
        std::abort();
    }
    return 0;
}
