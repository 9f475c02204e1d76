// test/fuzz/waku_store_fuzz.cpp - any bytes as a page of a store, in both versions; a cursor that came can be sent back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "store_rpc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::waku;
    for (const StoreVersion version : {StoreVersion::v3, StoreVersion::v2}) {
        const auto page = decode_store_page(version, "r", {data, size});
        if (page) {
            if (page->messages.size() + page->malformed > 100) {
                std::abort();
            }
            static_cast<void>(encode_store_query(version, {"r", "/waku/2/rs/16/32", {"/a/1/b/c"}, 0, 1, page->cursor}));
        } else if (page.error().message.empty() || !page.error().retryable) {
            std::abort();
        }
    }
    return 0;
}
