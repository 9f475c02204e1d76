// src/waku/multiaddr_binary.cpp - multiaddrs as bytes: varint code of a protocol, then its value.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "multiaddr.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t longest_name = 253;

enum class Value : std::uint8_t { none, ip4, ip6, port, name };
struct Protocol {
    std::uint32_t code;
    std::string_view word;
    Value value;
};
/// The table of multicodec, as far as it is dialled here.
constexpr std::array<Protocol, 9> protocols{{
    {4, "ip4", Value::ip4}, {41, "ip6", Value::ip6}, {53, "dns", Value::name}, {54, "dns4", Value::name},
    {55, "dns6", Value::name}, {6, "tcp", Value::port}, {448, "tls", Value::none}, {477, "ws", Value::none},
    {478, "wss", Value::none},
}};

tl::unexpected<Error> malformed() { return fail(Errc::parse, "malformed"); }

void append_varint(Bytes& out, std::size_t value) {
    for (; value >= 0x80; value >>= 7) {
        out.push_back(static_cast<std::uint8_t>(value | 0x80));
    }
    out.push_back(static_cast<std::uint8_t>(value));
}

std::optional<std::uint32_t> take_varint(ByteView& bytes) {
    std::uint32_t out = 0;
    for (unsigned shift = 0; shift < 21 && !bytes.empty(); shift += 7) {
        const std::uint8_t byte = bytes.front();
        bytes = bytes.subspan(1);
        out |= std::uint32_t{byte & 0x7fU} << shift;
        if ((byte & 0x80) == 0) {
            return out;
        }
    }
    return std::nullopt;
}

Result<std::string> take_ip(ByteView& bytes, int family, std::size_t size) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (bytes.size() < size || ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) {
        return malformed();
    }
    bytes = bytes.subspan(size);
    return std::string(text.data());
}

Result<std::string> take_name(ByteView& bytes) {
    const std::optional<std::uint32_t> length = take_varint(bytes);
    if (!length || *length == 0 || *length > longest_name || *length > bytes.size()) {
        return malformed();
    }
    std::string out(as_text(bytes.first(*length)));
    if (!std::ranges::all_of(out, [](char c) { return c > ' ' && c <= '~' && c != '/'; })) {
        return malformed();
    }
    bytes = bytes.subspan(*length);
    return out;
}

Result<std::string> take_value(ByteView& bytes, Value kind) {
    switch (kind) {
        case Value::none:
            return std::string();
        case Value::ip4:
            return take_ip(bytes, AF_INET, sizeof(in_addr));
        case Value::ip6:
            return take_ip(bytes, AF_INET6, sizeof(in6_addr));
        case Value::name:
            return take_name(bytes);
        case Value::port:
            break;
    }
    if (bytes.size() < 2) {
        return malformed();
    }
    std::string port = std::to_string(bytes[0] << 8 | bytes[1]);
    bytes = bytes.subspan(2);
    return port;
}

Result<void> append_value(Bytes& out, Value kind, const std::string& text) {
    if (kind == Value::name) {
        append_varint(out, text.size());
        out.insert(out.end(), text.begin(), text.end());
        return {};
    }
    if (kind == Value::port) {
        unsigned port = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
        if (error != std::errc{} || end != text.data() + text.size() || port > UINT16_MAX) {
            return malformed();
        }
        out.push_back(static_cast<std::uint8_t>(port >> 8));
        out.push_back(static_cast<std::uint8_t>(port));
        return {};
    }
    std::array<std::uint8_t, sizeof(in6_addr)> ip{};
    const bool is_ip4 = kind == Value::ip4;
    if (::inet_pton(is_ip4 ? AF_INET : AF_INET6, text.c_str(), ip.data()) != 1) {
        return malformed();
    }
    out.insert(out.end(), ip.begin(), ip.begin() + (is_ip4 ? sizeof(in_addr) : sizeof(in6_addr)));
    return {};
}

std::string take_word(std::string_view& text) {
    text.remove_prefix(1);
    std::string out(text.substr(0, text.find('/')));
    text.remove_prefix(out.size());
    return out;
}

}  // namespace

Result<Bytes> multiaddr_to_bytes(std::string_view address) {
    Bytes out;
    while (address.starts_with('/')) {
        const std::string word = take_word(address);
        const auto protocol = std::ranges::find(protocols, std::string_view(word), &Protocol::word);
        if (protocol == protocols.end()) {
            return malformed();
        }
        append_varint(out, protocol->code);
        if (protocol->value == Value::none) {
            continue;
        }
        if (!address.starts_with('/')) {
            return malformed();
        }
        const std::string value = take_word(address);
        if (value.empty() || value.size() > longest_name) {
            return malformed();
        }
        NOROSHI_TRY_VOID(append_value(out, protocol->value, value));
    }
    if (out.empty() || !address.empty()) {
        return malformed();
    }
    return out;
}

Result<std::string> multiaddr_from_bytes(ByteView bytes) {
    std::string out;
    while (!bytes.empty()) {
        const std::optional<std::uint32_t> code = take_varint(bytes);
        if (!code) {
            return malformed();
        }
        const auto protocol = std::ranges::find(protocols, *code, &Protocol::code);
        if (protocol == protocols.end()) {
            return fail(Errc::unsupported, fmt::format("protocol {} is not dialled", *code));
        }
        NOROSHI_TRY(const std::string value, take_value(bytes, protocol->value));
        out += '/';
        out += protocol->word;
        if (protocol->value != Value::none) {
            out += '/' + value;
        }
    }
    if (out.empty()) {
        return malformed();
    }
    return out;
}

}  // namespace noroshi::waku
