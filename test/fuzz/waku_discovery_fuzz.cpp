// test/fuzz/waku_discovery_fuzz.cpp - any bytes as a node record, a binary address, a DNS tree's text, a peer exchange, a peer book.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "discovery/dns_tree.hpp"
#include "discovery/enr.hpp"
#include "discovery/peer_book.hpp"
#include "discovery/peer_exchange_rpc.hpp"
#include "discovery/rlp.hpp"
#include "multiaddr.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace noroshi;
    using namespace noroshi::waku;
    const ByteView input(data, size);
    const std::string_view text = as_text(input);
    if (const auto items = rlp::read_list(input)) {
        Bytes members;
        for (const rlp::Item& item : *items) {
            members.insert(members.end(), item.whole.begin(), item.whole.end());
        }
        // There is one encoding of each list.
        if (rlp::list(members) != Bytes(input.begin(), input.end())) {
            std::abort();
        }
    }
    static_cast<void>(decode_enr(input));
    if (const auto record = enr_from_text(text); record && enr_to_text(*record) != text) {
        std::abort();
    }
    if (const auto address = multiaddr_from_bytes(input)) {
        if (const auto again = multiaddr_to_bytes(*address); !again || multiaddr_from_bytes(*again) != address) {
            std::abort();
        }
    }
    static_cast<void>(multiaddr_to_bytes(text));
    static_cast<void>(decode_peer_exchange_query(input));
    if (const auto answer = decode_peer_exchange_answer(input); answer && answer->records.size() > max_exchanged_peers) {
        std::abort();
    }
    static const auto signer =
        *crypto::PublicKey::from_hex("02deb46d1504a0736e2e59ec335dac5363c84300707cb209f1afd93c4636f919e4");
    static_cast<void>(parse_tree_root(text, signer));
    static_cast<void>(parse_tree_link(text));
    static_cast<void>(parse_tree_entry(text, tree_hash(text)));
    PeerBook book({16, {32}, 0xff}, "own");
    if (book.load(text, from_unix_ms(1'700'000'000'000)) > PeerBook::capacity) {
        std::abort();
    }
    return 0;
}
