// test/fuzz/deliver_notification_fuzz.cpp - any bytes as a decrypted notification: what decodes encodes again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "deliver/waku_channel.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    const auto decoded = deliver::decode_notification({data, size});
    if (!decoded) {
        return 0;
    }
    const auto encoded = deliver::encode_notification(decoded->message, decoded->sent_at);
    if (!encoded) {
        std::abort();
    }
    const auto again = deliver::decode_notification(*encoded);
    if (!again || !(again->message == decoded->message)) {
        std::abort();
    }
    return 0;
}
