// src/config/waku.cpp - the section waku: the embedded node, or the program that is used in its place.
#include <algorithm>
#include <array>
#include <limits>

#include "base/net/http_client.hpp"
#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

constexpr std::int64_t max_shard = 1023;

constexpr yaml::Refused refused_waku[] = {
    {"bootstrap", "name node records under discovery.discv5.bootstrap"},
};

constexpr std::array<std::string_view, 3> modes{"relay", "light", "rest"};  // in the order of WakuMode

std::optional<WakuMode> read_mode(Reader& reader, const Node& node) {
    const std::optional<std::size_t> index = yaml::read_word(reader, node, modes);
    return index ? std::optional(static_cast<WakuMode>(*index)) : std::nullopt;
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

std::optional<std::string> read_rest_url(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    const Result<net::Url> url = net::parse_url(*text);
    if (!url) {
        reader.fail(node, fmt::format("expected a URL such as http://127.0.0.1:8645; {}", url.error().message));
        return std::nullopt;
    }
    if (url->scheme == "http" && !is_loopback(url->host)) {
        reader.warn(node, "plain HTTP to another machine: who is on the way sees content topics and times, though no "
                          "contents, and can drop messages");
    }
    return text;
}

/// The external node has its own peers and addresses.
void check_rest(Reader& reader, const Node& node, const WakuConfig& waku) {
    const Node* rest = node.find("rest");
    if (waku.mode != WakuMode::rest) {
        if (rest != nullptr) {
            reader.fail(*rest, "rest: is for mode rest alone; expected mode: rest, or no rest");
        }
        return;
    }
    if (rest == nullptr) {
        reader.fail(node, "rest: expected in mode rest: the URL of the node's REST API, such as http://127.0.0.1:8645");
    }
    for (const char* key : {"peers", "listen", "announce", "discovery", "tls_config"}) {
        if (const Node* given = node.find(key)) {
            reader.fail(*given, fmt::format("{}: not in mode rest: this is a matter of the external node; configure it there", key));
        }
    }
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

std::optional<std::int64_t> read_autosharding(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 1, max_shard + 1);
}

void read_tls_config(Reader& reader, const Node& node, WakuConfig& out) {
    const std::vector<yaml::Field<WakuTls>> fields{
        yaml::field("cert_file", &WakuTls::cert_file, read_file_path, "PEM: the chain, own certificate first"),
        yaml::field("key_file", &WakuTls::key_file, read_file_path, "PEM: its private key"),
        yaml::field("ca_file", &WakuTls::ca_file, read_file_path, "PEM: roots beside those of the system"),
    };
    yaml::read_mapping(reader, node, fields, {}, out.tls);
    if (out.tls.cert_file.empty() != out.tls.key_file.empty()) {
        reader.fail(node, "expected cert_file and key_file together");
    }
}

void check_sharding(Reader& reader, const Node& node, WakuConfig& out) {
    const Node* autosharding = node.find("autosharding");
    if (autosharding != nullptr && node.find("shards") != nullptr) {
        reader.fail(*autosharding, "autosharding: not together with shards: either the content topic decides, or you do");
    }
    // The Waku Network and its successors: all of 8 shards.
    if (out.cluster >= 1 && out.cluster <= 3 && node.find("shards") == nullptr && !out.autosharding) {
        out.autosharding = 8;
    }
}

}  // namespace

void read_waku(Reader& reader, const Node& node, WakuConfig& out) {
    using W = WakuConfig;
    const auto read_listen = [](Reader& r, const Node& n) { return read_multiaddrs(r, n, false); };
    const auto read_peers = [](Reader& r, const Node& n) { return read_multiaddrs(r, n, true); };
    const std::vector<yaml::Field<W>> fields{
        yaml::field("mode", &W::mode, read_mode,
                    "relay: a full node; light: pushes through peers; rest: another program's node; default relay"),
        yaml::field("cluster", &W::cluster, read_cluster, "cluster id; default 16"),
        yaml::field("shards", &W::shards, read_shards, "shards of the cluster; default [32]"),
        yaml::field("autosharding", &W::autosharding, read_autosharding, "how many shards the network has, where content topics decide on which one they travel; in place of shards"),
        {"tls_config", read_tls_config, "certificate for listening at /wss, and roots for dialling it"},
        yaml::field("listen", &W::listen, read_listen, "multiaddrs to listen on; none: outbound connections only"),
        yaml::field("announce", &W::announce, read_listen, "multiaddrs under which others reach this node; default: those of listen"),
        {"discovery", [](Reader& r, const Node& n, W& w) { read_discovery(r, n, w.discovery); }, "where other peers are looked for; default: nowhere"},
        yaml::field("peers", &W::peers, read_peers, "multiaddrs with /p2p/<peer id> of nodes to dial"),
        yaml::field("rest", &W::rest, read_rest_url, "mode rest: URL of the REST API of nwaku or go-waku"),
    };
    yaml::read_mapping(reader, node, fields, refused_waku, out);
    check_rest(reader, node, out);
    check_sharding(reader, node, out);
    if (out.mode == WakuMode::rest) {
        return;
    }
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
