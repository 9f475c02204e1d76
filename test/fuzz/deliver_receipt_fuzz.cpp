// test/fuzz/deliver_receipt_fuzz.cpp - any bytes as a decrypted receipt: what decodes encodes again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "deliver/receipt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::deliver;
    const auto receipt = decode_receipt({data, size});
    if (!receipt) {
        return 0;
    }
    const auto again = decode_receipt(encode_receipt(*receipt));
    if (!again || again->ids != receipt->ids || again->at != receipt->at || again->ids.size() > most_receipt_ids) {
        std::abort();
    }
    return 0;
}
