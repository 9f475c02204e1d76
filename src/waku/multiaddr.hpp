// src/waku/multiaddr.hpp - the multiaddrs a configuration may hold:
// /ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>[/ws|/wss|/tls/ws][/p2p/<peer id>].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace noroshi::waku {

/// A dialable address and whom it leads to.
struct PeerAddress {
    std::string address;  ///< whole, with /p2p/<id>
    std::string peer;     ///< base58 peer id
};

/// Errors: parse (what was expected), unsupported (transports other than TCP and WebSocket).
[[nodiscard]] Result<PeerAddress> parse_peer_address(std::string_view text);
/// Whether a listener can speak TLS.
enum class ListenTls : std::uint8_t { none, certificate };
/// Checks an address to listen on: an IP address, port 0 allowed, and nothing, /ws, or with a certificate /wss or /tls/ws
/// after it. Errors: as above.
[[nodiscard]] Result<void> check_listen_address(std::string_view text, ListenTls tls = ListenTls::none);
/// `address` without a trailing /p2p/<id>.
[[nodiscard]] std::string without_peer(std::string_view address);
/// The binary form of an address without /p2p/<id>, as node records hold it. Errors: parse.
[[nodiscard]] Result<Bytes> multiaddr_to_bytes(std::string_view address);
/// Reads the binary form. Errors: parse (malformed), unsupported (a protocol that is not dialled here).
[[nodiscard]] Result<std::string> multiaddr_from_bytes(ByteView bytes);

}  // namespace noroshi::waku
