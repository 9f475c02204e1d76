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
    std::array<unsigned char, sizeof(in6_addr)> buffer{};
    return ::inet_pton(kind == "ip4" ? AF_INET : AF_INET6, std::string(text).c_str(), buffer.data()) == 1;
}

bool is_port(std::string_view text, unsigned min) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port >= min && port <= 65535;
}

bool is_peer_id(std::string_view text) {
    return text.size() >= min_peer_id && text.size() <= max_peer_id &&
           std::ranges::all_of(text, [](char c) { return base58.find(c) != std::string_view::npos; });
}

/// Checks "/ip4/../tcp/.." at the front of `parts`.
Result<void> check_transport(const std::vector<std::string_view>& parts, unsigned min_port, std::string_view example) {
    if (parts.size() >= 2 && parts[0].starts_with("dns")) {
        return fail(Errc::unsupported, fmt::format("/{}/ is not resolved; expected an IP address such as {}", parts[0],
                                                   example));
    }
    const bool ip = parts.size() >= 2 && (parts[0] == "ip4" || parts[0] == "ip6") && is_ip(parts[0], parts[1]);
    if (ip && parts.size() >= 4 && parts[2] == "udp") {
        return fail(Errc::unsupported, fmt::format("only TCP can be used; expected {}", example));
    }
    if (!ip || parts.size() < 4 || parts[2] != "tcp" || !is_port(parts[3], min_port)) {
        return fail(Errc::parse, fmt::format("expected a multiaddr such as {}", example));
    }
    if (parts.size() >= 5 && (parts[4] == "ws" || parts[4] == "wss" || parts[4] == "tls")) {
        return fail(Errc::unsupported, fmt::format("/{} is not supported; expected {}", parts[4], example));
    }
    return {};
}

}  // namespace

Result<PeerAddress> parse_peer_address(std::string_view text) {
    constexpr std::string_view example = "/ip4/192.0.2.1/tcp/60000/p2p/16Uiu2HA...";
    const std::vector<std::string_view> parts = split(text.substr(0, max_address_bytes));
    NOROSHI_TRY_VOID(check_transport(parts, 1, example));
    if (parts.size() != 6 || parts[4] != "p2p" || !is_peer_id(parts[5]) || text.size() > max_address_bytes) {
        return fail(Errc::parse, fmt::format("expected a multiaddr that ends with the peer's id, such as {}", example));
    }
    return PeerAddress{std::string(text), std::string(parts[5])};
}

Result<void> check_listen_address(std::string_view text) {
    constexpr std::string_view example = "/ip4/127.0.0.1/tcp/60000";
    const std::vector<std::string_view> parts = split(text.substr(0, max_address_bytes));
    NOROSHI_TRY_VOID(check_transport(parts, 0, example));
    if (parts.size() != 4) {
        return fail(Errc::parse, fmt::format("expected an address to listen on such as {}", example));
    }
    return {};
}

std::string without_peer(std::string_view address) { return std::string(address.substr(0, address.find("/p2p/"))); }

}  // namespace noroshi::waku
