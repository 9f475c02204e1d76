// test/fuzz/waku_multiaddr_fuzz.cpp - any text as an address of a peer, one to listen on, and a topic.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "multiaddr.hpp"
#include "waku/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::waku;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto peer = parse_peer_address(text);
    // What is before the peer's id can be dialled, so it can be listened on.
    if (peer && (peer->address != text || !check_listen_address(without_peer(text)))) {
        std::abort();
    }
    if (check_listen_address(text) && peer) {
        std::abort();
    }
    if (const auto topic = parse_pubsub_topic(text); topic && topic->to_string() != text) {
        std::abort();
    }
    if (const auto topic = parse_content_topic(text)) {
        if (const auto shard = autoshard(*topic, 8); shard && *shard > 7) {
            std::abort();
        }
    }
    return 0;
}
