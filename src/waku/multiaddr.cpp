// src/waku/multiaddr.cpp - reading of the few multiaddr forms in use.
#include "multiaddr.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace noroshi::waku {
namespace {

constexpr std::size_t max_address_bytes = 512;
constexpr std::size_t min_peer_id = 40;
constexpr std::size_t max_peer_id = 64;
constexpr std::string_view base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty() && text.front() == '/') {
        text.remove_prefix(1);
        const std::string_view part = text.substr(0, text.find('/'));
        parts.push_back(part);
        text.remove_prefix(part.size());
    }
    return text.empty() ? parts : std::vector<std::string_view>{};
}

bool is_ip(std::string_view kind, std::string_view text) {
    // inet_pton reads up to a NUL byte: what stands behind one would go unseen.
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
        return false;
    }
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    return ::inet_pton(kind == "ip4" ? AF_INET : AF_INET6, std::string(text).c_str(), buffer.data()) == 1;
}

bool is_port(std::string_view text, unsigned min) {
    constexpr std::size_t most_digits = 5;
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && text.size() <= most_digits && port >= min &&
           port <= 65535;
}

bool is_peer_id(std::string_view text) {
    return text.size() >= min_peer_id && text.size() <= max_peer_id &&
           std::ranges::all_of(text, [](char c) { return base58.find(c) != std::string_view::npos; });
}

bool is_name(std::string_view kind, std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    };
    return (kind == "dns" || kind == "dns4" || kind == "dns6") && !text.empty() && text.size() <= 253 &&
           std::ranges::all_of(text, allowed);
}

/// Checks "/ip4/../tcp/../ws" at the front of `parts`; gives how many of them it is.
Result<std::size_t> check_transport(const std::vector<std::string_view>& parts, unsigned min_port, bool names,
                                    std::string_view example) {
    const auto expected = [example] { return fail(Errc::parse, fmt::format("expected a multiaddr such as {}", example)); };
    if (parts.size() < 4) {
        return expected();
    }
    const bool ip = (parts[0] == "ip4" || parts[0] == "ip6") && is_ip(parts[0], parts[1]);
    if (!names && parts[0].starts_with("dns")) {
        return fail(Errc::unsupported, fmt::format("a name cannot be listened on; expected {}", example));
    }
    if (!ip && !is_name(parts[0], parts[1])) {
        return expected();
    }
    if (parts[2] == "udp") {
        return fail(Errc::unsupported, fmt::format("only TCP and WebSocket can be used; expected {}", example));
    }
    if (parts[2] != "tcp" || !is_port(parts[3], min_port)) {
        return expected();
    }
    if (parts.size() >= 5 && (parts[4] == "ws" || parts[4] == "wss")) {
        return 5;
    }
    return parts.size() >= 6 && parts[4] == "tls" && parts[5] == "ws" ? 6 : 4;
}

}  // namespace

Result<PeerAddress> parse_peer_address(std::string_view text) {
    constexpr std::string_view example = "/ip4/192.0.2.1/tcp/60000/p2p/16Uiu2HA...";
    const std::vector<std::string_view> parts = split(text.substr(0, max_address_bytes));
    NOROSHI_TRY(const std::size_t used, check_transport(parts, 1, true, example));
    if (parts.size() != used + 2 || parts[used] != "p2p" || !is_peer_id(parts[used + 1]) ||
        text.size() > max_address_bytes) {
        return fail(Errc::parse, fmt::format("expected a multiaddr that ends with the peer's id, such as {}", example));
    }
    return PeerAddress{std::string(text), std::string(parts[used + 1])};
}

Result<void> check_listen_address(std::string_view text, ListenTls tls) {
    constexpr std::string_view example = "/ip4/127.0.0.1/tcp/60000";
    const std::vector<std::string_view> parts = split(text.substr(0, max_address_bytes));
    NOROSHI_TRY(const std::size_t used, check_transport(parts, 0, false, example));
    if (used > 4 && parts[4] != "ws" && tls == ListenTls::none) {
        return fail(Errc::unsupported,
                    fmt::format("TLS needs a certificate, or a proxy in front of /ws; expected {}/ws", example));
    }
    if (parts.size() != used || text.size() > max_address_bytes) {
        return fail(Errc::parse, fmt::format("expected an address to listen on such as {}", example));
    }
    return {};
}

std::string without_peer(std::string_view address) { return std::string(address.substr(0, address.find("/p2p/"))); }

}  // namespace noroshi::waku
