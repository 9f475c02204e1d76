// src/config/waku.cpp - the section waku: the embedded node.
#include <algorithm>
#include <array>
#include <limits>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

constexpr std::int64_t max_shard = 1023;

constexpr yaml::Refused refused_waku[] = {
    {"bootstrap", "name node records under discovery.discv5.bootstrap"},
    {"rest", "name the node's multiaddr under peers"},
};

constexpr std::array<std::string_view, 2> modes{"relay", "light"};

std::optional<WakuMode> read_mode(Reader& reader, const Node& node) {
    if (node.kind == yaml::Kind::scalar && node.text == "rest") {
        reader.fail(node, "\"rest\" is not supported by this version; expected one of relay, light",
                    Errc::unsupported);
        return std::nullopt;
    }
    const std::optional<std::size_t> index = yaml::read_word(reader, node, modes);
    return index ? std::optional(*index == 0 ? WakuMode::relay : WakuMode::light) : std::nullopt;
}

std::optional<std::int64_t> read_cluster(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 0, std::numeric_limits<std::uint16_t>::max());
}

std::optional<std::vector<std::uint16_t>> read_shards(Reader& reader, const Node& node) {
    std::vector<std::uint16_t> out;
    yaml::read_sequence(reader, node, "shard numbers", [&](const Node& item, std::size_t) {
        const std::optional<std::int64_t> shard = yaml::read_integer(reader, item, 0, max_shard);
        if (!shard) {
            return;
        }
        if (std::ranges::find(out, static_cast<std::uint16_t>(*shard)) != out.end()) {
            reader.fail(item, fmt::format("duplicate shard {}", *shard));
            return;
        }
        out.push_back(static_cast<std::uint16_t>(*shard));
    });
    if (node.kind == yaml::Kind::sequence && node.items.empty()) {
        reader.fail(node, "expected at least one shard number");
    }
    return out;
}

/// A light check; the p2p host is the judge of the rest.
std::optional<std::vector<std::string>> read_multiaddrs(Reader& reader, const Node& node, bool with_peer) {
    const std::string_view example = with_peer ? "/ip4/192.0.2.1/tcp/60000/p2p/16Uiu2..." : "/ip4/0.0.0.0/tcp/60000";
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "multiaddrs", [&](const Node& item, std::size_t) {
        std::optional<std::string> text = yaml::read_text(reader, item);
        if (!text) {
            return;
        }
        const bool formed = text->starts_with('/') && std::ranges::count(*text, '/') >= 2 &&
                            text->find_first_of(" \t\n") == std::string::npos;
        if (!formed) {
            reader.fail(item, fmt::format("expected a multiaddr such as {}, got {}", example, yaml::shown(*text)));
        } else if (const std::size_t id = text->find("/p2p/");
                   with_peer && (id == std::string::npos || id + 5 == text->size())) {
            reader.fail(item, fmt::format("expected a multiaddr that ends in /p2p/<peer id>, such as {}, got {}", example,
                                          yaml::shown(*text)));
        } else {
            out.push_back(std::move(*text));
        }
    });
    return out;
}

}  // namespace

void read_waku(Reader& reader, const Node& node, WakuConfig& out) {
    using W = WakuConfig;
    const auto read_listen = [](Reader& r, const Node& n) { return read_multiaddrs(r, n, false); };
    const auto read_peers = [](Reader& r, const Node& n) { return read_multiaddrs(r, n, true); };
    const std::vector<yaml::Field<W>> fields{
        yaml::field("mode", &W::mode, read_mode, "relay: a full node; light: pushes through peers; default relay"),
        yaml::field("cluster", &W::cluster, read_cluster, "cluster id; default 16"),
        yaml::field("shards", &W::shards, read_shards, "shards of the cluster; default [32]"),
        yaml::field("listen", &W::listen, read_listen, "multiaddrs to listen on; none: outbound connections only"),
        yaml::field("announce", &W::announce, read_listen, "multiaddrs under which others reach this node; default: those of listen"),
        {"discovery", [](Reader& r, const Node& n, W& w) { read_discovery(r, n, w.discovery); }, "where other peers are looked for; default: nowhere"},
        yaml::field("peers", &W::peers, read_peers, "multiaddrs with /p2p/<peer id> of nodes to dial"),
    };
    yaml::read_mapping(reader, node, fields, refused_waku, out);
    const Node* peers = node.find("peers");
    if (out.discovery.any()) {
        return;
    }
    if (out.mode == WakuMode::light && out.peers.empty() && (peers == nullptr || peers->items.empty())) {
        reader.fail(node, "peers: expected at least one in mode light, through which messages are pushed, or discovery");
    } else if (out.peers.empty() && out.listen.empty() && peers == nullptr) {
        reader.warn(node, "neither peers nor listen are set: messages wait in the outbox");
    }
}

}  // namespace noroshi::config
