// src/waku/discovery/enr.cpp - node records: keys in order, signed and verified.
#include "enr.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>

#include "multiaddr.hpp"
#include "rlp.hpp"

namespace noroshi::waku {
namespace {

constexpr std::string_view text_prefix = "enr:";
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t rsv_bytes = 2 + 128;
constexpr std::size_t most_rs_shards = 63;
constexpr std::size_t most_multiaddrs = 16;
constexpr std::uint16_t max_shard = 1023;

tl::unexpected<Error> refuse(const char* word) { return fail(Errc::parse, word); }

using Pairs = std::map<std::string, rlp::Item, std::less<>>;

/// Keys must be unique and ascending, as EIP-778 wants it.
Result<Pairs> read_pairs(const std::vector<rlp::Item>& items) {
    Pairs out;
    std::string last;
    for (std::size_t i = 2; i + 1 < items.size(); i += 2) {
        if (items[i].list) {
            return refuse("malformed");
        }
        std::string key(as_text(items[i].payload));
        if (i > 2 && key <= last) {
            return refuse("not_sorted");
        }
        last = key;
        out.emplace(std::move(key), items[i + 1]);
    }
    return out;
}

Result<crypto::PublicKey> read_key(const Pairs& pairs) {
    const auto id = pairs.find("id");
    if (id == pairs.end() || id->second.list || as_text(id->second.payload) != "v4") {
        return refuse("no_v4");
    }
    const auto key = pairs.find("secp256k1");
    if (key == pairs.end() || key->second.list || key->second.payload.size() != 33) {
        return refuse("bad_key");
    }
    Result<crypto::PublicKey> out = crypto::PublicKey::from_bytes(key->second.payload);
    if (!out) {
        return refuse("bad_key");
    }
    return out;
}

Result<std::optional<std::string>> read_ip(const Pairs& pairs, std::string_view name, int family, std::size_t size) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) {
        return std::nullopt;
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (found->second.list || found->second.payload.size() != size ||
        ::inet_ntop(family, found->second.payload.data(), text.data(), text.size()) == nullptr) {
        return refuse("bad_address");
    }
    return std::string(text.data());
}

Result<std::optional<std::uint16_t>> read_port(const Pairs& pairs, std::string_view name) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) {
        return std::nullopt;
    }
    const Result<std::uint64_t> port = rlp::read_number(found->second);
    if (!port || *port > UINT16_MAX) {
        return refuse("bad_address");
    }
    return static_cast<std::uint16_t>(*port);
}

std::uint16_t u16(ByteView bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

void append_u16(Bytes& out, std::uint16_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

Result<std::vector<std::string>> read_multiaddrs(const Pairs& pairs) {
    std::vector<std::string> out;
    const auto found = pairs.find("multiaddrs");
    if (found == pairs.end()) {
        return out;
    }
    if (found->second.list) {
        return refuse("bad_address");
    }
    for (ByteView rest = found->second.payload; !rest.empty();) {
        if (rest.size() < 2 || rest.size() - 2 < u16(rest, 0)) {
            return refuse("bad_address");
        }
        const std::size_t length = u16(rest, 0);
        const Result<std::string> address = multiaddr_from_bytes(rest.subspan(2, length));
        // Forms that we cannot dial (QUIC, circuits) are no fault of the record.
        if (address && out.size() < most_multiaddrs) {
            out.push_back(*address);
        }
        rest = rest.subspan(2 + length);
    }
    return out;
}

Result<ShardSet> read_rs(ByteView bytes) {
    if (bytes.size() < 3 || bytes.size() != 3 + std::size_t{bytes[2]} * 2) {
        return refuse("bad_shards");
    }
    ShardSet out{u16(bytes, 0), {}};
    for (std::size_t at = 3; at < bytes.size(); at += 2) {
        out.shards.push_back(u16(bytes, at));
    }
    std::ranges::sort(out.shards);
    const auto twice = std::ranges::unique(out.shards);
    out.shards.erase(twice.begin(), twice.end());
    if (!out.shards.empty() && out.shards.back() > max_shard) {
        return refuse("bad_shards");
    }
    return out;
}

/// Bit `shard % 8` of byte `shard / 8`, lowest first, as go-waku and the Nim node write it. The specification's text and
/// js-waku each have another order.
Result<ShardSet> read_rsv(ByteView bytes) {
    if (bytes.size() != rsv_bytes) {
        return refuse("bad_shards");
    }
    ShardSet out{u16(bytes, 0), {}};
    for (std::uint16_t shard = 0; shard <= max_shard; ++shard) {
        if ((bytes[2 + shard / 8] >> (shard % 8) & 1) != 0) {
            out.shards.push_back(shard);
        }
    }
    return out;
}

Result<std::optional<ShardSet>> read_shards(const Pairs& pairs) {
    const auto rs = pairs.find("rs");
    const auto found = rs == pairs.end() ? pairs.find("rsv") : rs;
    if (found == pairs.end()) {
        return std::nullopt;
    }
    if (found->second.list) {
        return refuse("bad_shards");
    }
    return rs == pairs.end() ? read_rsv(found->second.payload) : read_rs(found->second.payload);
}

Result<std::optional<std::uint8_t>> read_flags(const Pairs& pairs) {
    const auto found = pairs.find("waku2");
    if (found == pairs.end()) {
        return std::nullopt;
    }
    if (found->second.list || found->second.payload.size() > 1) {
        return refuse("malformed");
    }
    // go-waku and the Nim node write one byte, which RLP makes the empty string when it is written as a number.
    return found->second.payload.empty() ? std::uint8_t{0} : found->second.payload.front();
}

Result<void> read_values(const Pairs& pairs, Enr& out) {
    NOROSHI_TRY(out.ip4, read_ip(pairs, "ip", AF_INET, sizeof(in_addr)));
    NOROSHI_TRY(out.ip6, read_ip(pairs, "ip6", AF_INET6, sizeof(in6_addr)));
    NOROSHI_TRY(out.tcp, read_port(pairs, "tcp"));
    NOROSHI_TRY(out.udp, read_port(pairs, "udp"));
    NOROSHI_TRY(out.tcp6, read_port(pairs, "tcp6"));
    NOROSHI_TRY(out.udp6, read_port(pairs, "udp6"));
    NOROSHI_TRY(out.multiaddrs, read_multiaddrs(pairs));
    NOROSHI_TRY(out.waku2, read_flags(pairs));
    NOROSHI_TRY(out.shards, read_shards(pairs));
    return {};
}

Bytes shards_value(const ShardSet& set) {
    Bytes out;
    append_u16(out, set.cluster);
    if (set.shards.size() <= most_rs_shards) {
        out.push_back(static_cast<std::uint8_t>(set.shards.size()));
        for (const std::uint16_t shard : set.shards) {
            append_u16(out, shard);
        }
        return out;
    }
    out.resize(rsv_bytes);
    for (const std::uint16_t shard : set.shards) {
        out[2 + shard / 8] |= static_cast<std::uint8_t>(1 << (shard % 8));
    }
    return out;
}

Result<Bytes> ip_value(int family, const std::string& text, std::size_t size) {
    Bytes out(size);
    if (::inet_pton(family, text.c_str(), out.data()) != 1) {
        return fail(Errc::invalid_argument, text + " is no IP address");
    }
    return out;
}

/// Values by key, encoded as RLP.
Result<std::map<std::string, Bytes>> values_of(const Enr& enr) {
    std::map<std::string, Bytes> out;
    const auto string = [&out](const char* key, ByteView value) { rlp::append_string(out[key], value); };
    const auto port = [&out](const char* key, const std::optional<std::uint16_t>& value) {
        if (value) {
            rlp::append_number(out[key], *value);
        }
    };
    string("id", as_bytes("v4"));
    string("secp256k1", enr.key.compressed());
    if (enr.ip4) {
        NOROSHI_TRY(const Bytes ip, ip_value(AF_INET, *enr.ip4, sizeof(in_addr)));
        string("ip", ip);
    }
    if (enr.ip6) {
        NOROSHI_TRY(const Bytes ip, ip_value(AF_INET6, *enr.ip6, sizeof(in6_addr)));
        string("ip6", ip);
    }
    port("tcp", enr.tcp);
    port("udp", enr.udp);
    port("tcp6", enr.tcp6);
    port("udp6", enr.udp6);
    if (!enr.multiaddrs.empty()) {
        Bytes all;
        for (const std::string& address : enr.multiaddrs) {
            NOROSHI_TRY(const Bytes one, multiaddr_to_bytes(address));
            append_u16(all, static_cast<std::uint16_t>(one.size()));
            all.insert(all.end(), one.begin(), one.end());
        }
        string("multiaddrs", all);
    }
    if (enr.shards) {
        string(enr.shards->shards.size() <= most_rs_shards ? "rs" : "rsv", shards_value(*enr.shards));
    }
    if (enr.waku2) {
        string("waku2", Bytes{*enr.waku2});
    }
    return out;
}

}  // namespace

Result<Enr> decode_enr(ByteView bytes) {
    if (bytes.size() > max_enr_bytes) {
        return refuse("too_large");
    }
    NOROSHI_TRY(const std::vector<rlp::Item> items, rlp::read_list(bytes));
    if (items.size() < 2 || items.size() % 2 != 0 || items[0].list || items[0].payload.size() != signature_bytes) {
        return refuse("malformed");
    }
    NOROSHI_TRY(const std::uint64_t sequence, rlp::read_number(items[1]));
    NOROSHI_TRY(const Pairs pairs, read_pairs(items));
    NOROSHI_TRY(crypto::PublicKey key, read_key(pairs));
    // Signed is the list without the signature.
    const ByteView signed_members(items[1].whole.data(), bytes.data() + bytes.size());
    const crypto::Digest digest = crypto::keccak256(rlp::list(signed_members));
    if (!crypto::verify(key, digest, items[0].payload.first<signature_bytes>())) {
        return refuse("bad_signature");
    }
    Enr out(std::move(key));
    out.sequence = sequence;
    NOROSHI_TRY_VOID(read_values(pairs, out));
    return out;
}

Result<Bytes> encode_enr(const Enr& enr, const crypto::SecretKey& key) {
    Bytes members;
    rlp::append_number(members, enr.sequence);
    NOROSHI_TRY(const auto values, values_of(enr));
    for (const auto& [name, value] : values) {
        rlp::append_string(members, as_bytes(name));
        members.insert(members.end(), value.begin(), value.end());
    }
    const crypto::RecoverableSignature signature = key.sign(crypto::keccak256(rlp::list(members)));
    Bytes all;
    rlp::append_string(all, ByteView(signature).first(signature_bytes));
    all.insert(all.end(), members.begin(), members.end());
    Bytes out = rlp::list(all);
    if (out.size() > max_enr_bytes) {
        return fail(Errc::limit, "the node record is over 300 bytes: name fewer or shorter addresses");
    }
    return out;
}

std::string enr_to_text(ByteView bytes) { return std::string(text_prefix) + to_base64url(bytes); }

Result<Bytes> enr_from_text(std::string_view text) {
    if (!text.starts_with(text_prefix) || text.size() > text_prefix.size() + max_enr_bytes * 4 / 3 + 4) {
        return fail(Errc::parse, "expected a node record: enr:... of at most 300 bytes");
    }
    return from_base64url(text.substr(text_prefix.size()));
}

std::string peer_id_of(const crypto::PublicKey& key) {
    // Identity multihash (00, length) of PublicKey{type: secp256k1, data: the compressed key}.
    Bytes bytes{0x00, 0x25, 0x08, 0x02, 0x12, 0x21};
    const auto point = key.compressed();
    bytes.insert(bytes.end(), point.begin(), point.end());
    return to_base58(bytes);
}

std::vector<std::string> dial_addresses(const Enr& enr) {
    std::vector<std::string> plain = enr.multiaddrs;
    if (enr.ip4 && enr.tcp) {
        plain.push_back("/ip4/" + *enr.ip4 + "/tcp/" + std::to_string(*enr.tcp));
    }
    if (enr.ip6 && (enr.tcp6 || enr.tcp)) {
        plain.push_back("/ip6/" + *enr.ip6 + "/tcp/" + std::to_string(enr.tcp6 ? *enr.tcp6 : *enr.tcp));
    }
    std::ranges::stable_partition(plain, [](const std::string& a) { return !a.ends_with("/ws") && !a.ends_with("/wss"); });
    std::vector<std::string> out;
    const std::string end = "/p2p/" + peer_id_of(enr.key);
    for (const std::string& address : plain) {
        std::string whole = address + end;
        if (std::ranges::count(out, whole) == 0 && parse_peer_address(whole)) {
            out.push_back(std::move(whole));
        }
    }
    return out;
}

}  // namespace noroshi::waku
