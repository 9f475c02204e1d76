// test/fuzz/waku_multiaddr_fuzz.cpp - any text as an address of a peer, one to listen on, and a topic.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "multiaddr.hpp"
#include "waku/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi::waku;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto peer = parse_peer_address(text);
    if (peer && (peer->address != text || !text.ends_with("/p2p/" + peer->peer))) {
        std::abort();
    }
    // What can be listened on can be dialled, but for port 0 and the peer's id.
    constexpr const char* id = "/p2p/16Uiu2HAkwdaqR4NGxQ6cDsUtqGaMpsboURRkh2hvXaHxxCs6CXfW";
    const bool listenable = check_listen_address(text, ListenTls::certificate).has_value();
    if (listenable && text.find("/tcp/0") == std::string_view::npos && !parse_peer_address(std::string(text) + id)) {
        std::abort();
    }
    if (listenable && peer) {
        std::abort();
    }
    if (check_listen_address(text) && !listenable) {
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
