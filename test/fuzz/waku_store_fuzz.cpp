// test/fuzz/waku_store_fuzz.cpp - any bytes as a page of a store, in both versions, and as a query; a cursor that came can be sent back.
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
            static_cast<void>(encode_store_query(version, {"r", "/waku/2/rs/16/32", {"/a/1/b/c"}, 0, 1, {}, page->cursor}));
        } else if (page.error().message.empty() || !page.error().retryable) {
            std::abort();
        }
    }
    if (const auto query = decode_store_query({data, size})) {
        if (query->page_size == 0 || query->page_size > max_store_page_size || query->hashes.size() > max_store_hashes) {
            std::abort();
        }
        const auto again = decode_store_query(encode_store_query(StoreVersion::v3, *query));
        if (!again || again->hashes != query->hashes || again->cursor != query->cursor) {
            std::abort();
        }
    }
    return 0;
}
