// test/fuzz/waku_rpc_fuzz.cpp - any bytes, in any pieces, as a frame, as metadata, and as what lightpush and filter say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "filter_rpc.hpp"
#include "lightpush_rpc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::waku;
    const ByteView input(data, size);
    if (const auto metadata = decode_metadata(input)) {
        const auto again = decode_metadata(encode_metadata(*metadata));
        if (!again || *again != *metadata) {
            std::abort();
        }
    }
    for (const LightpushVersion version : {LightpushVersion::v3, LightpushVersion::v2}) {
        if (const auto answer = decode_push_answer(version, input)) {
            static_cast<void>(judge_push(version, *answer));
            if (answer->info.size() > 200 ||
                std::ranges::any_of(answer->info, [](char c) { return c < ' ' || c > '~'; })) {
                std::abort();
            }
        }
        if (const auto push = decode_push(version, input)) {
            const auto again = decode_push(version, encode_push(version, *push));
            if (!again || again->message != push->message || again->request_id != push->request_id) {
                std::abort();
            }
        }
    }
    if (const auto request = decode_filter_request(input)) {
        const auto again = decode_filter_request(encode_filter_request(*request));
        if (again && again->content_topics != request->content_topics) {
            std::abort();
        }
    }
    static_cast<void>(decode_filter_answer(input));
    static_cast<void>(decode_filter_push(input));
    // The first byte says how long the pieces are; however a frame is cut, the same comes out.
    if (size < 2) {
        return 0;
    }
    constexpr std::size_t cap = 4096;
    const ByteView stream = input.subspan(1);
    FrameReader whole(cap);
    FrameReader pieces(cap);
    const auto expected = whole.feed(stream);
    const std::size_t step = std::max<std::size_t>(1, data[0]);
    std::optional<Bytes> body;
    bool failed = false;
    for (std::size_t at = 0; at < stream.size() && !failed; at += step) {
        auto got = pieces.feed(stream.subspan(at, std::min(step, stream.size() - at)));
        failed = !got;
        if (got && *got) {
            body = std::move(*got);
        }
    }
    if (failed == expected.has_value() || (expected && *expected != body)) {
        std::abort();
    }
    return 0;
}
