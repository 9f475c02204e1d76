// test/fuzz/waku_multiaddr_fuzz.cpp - any text as an address, a content topic, a pubsub topic.
#include <cstddef>
#include <cstdint>

#include "multiaddr.hpp"
#include "waku/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(waku::parse_peer_address(text));
    static_cast<void>(waku::check_listen_address(text));
    static_cast<void>(waku::without_peer(text));
    static_cast<void>(waku::parse_pubsub_topic(text));
    if (const auto topic = waku::parse_content_topic(text)) {
        static_cast<void>(waku::autoshard(*topic, 8));
    }
    return 0;
}
