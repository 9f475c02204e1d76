// test/fuzz/waku_message_fuzz.cpp - any bytes as a WakuMessage: what decodes encodes, and decodes to the same bytes again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "waku/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    const auto message = waku::decode_message({data, size});
    if (!message) {
        return 0;
    }
    const auto encoded = waku::encode_message(*message);
    if (!encoded) {
        return 0;  // decoding is lenient where sending is not
    }
    const auto again = waku::decode_message(*encoded);
    if (!again || waku::message_hash("/waku/2/rs/16/32", *again) != waku::message_hash("/waku/2/rs/16/32", *message)) {
        std::abort();
    }
    return 0;
}
