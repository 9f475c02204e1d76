// test/fuzz/waku_rpc_fuzz.cpp - any bytes as frames, metadata and lightpush answers.
#include <cstddef>
#include <cstdint>

#include "rpc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    const ByteView bytes(data, size);
    static_cast<void>(waku::decode_metadata(bytes));
    static_cast<void>(waku::decode_push_answer(bytes));
    waku::FrameReader reader(4096);
    for (std::size_t at = 0; at < size; at += 7) {
        const auto fed = reader.feed(bytes.subspan(at, std::min<std::size_t>(7, size - at)));
        if (!fed || *fed) {
            break;
        }
    }
    return 0;
}
