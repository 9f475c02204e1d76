// src/waku/node.cpp - checks a node's configuration and hands its calls to the inside.
#include "waku/node.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/net/dns_txt.hpp"
#include "discovery/dns_tree.hpp"
#include "discovery/enr.hpp"
#include "multiaddr.hpp"
#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t max_static_peers = 100;
constexpr std::size_t max_agent_bytes = 128;
constexpr std::uint16_t waku_network = 1;  // the cluster whose relays want a proof (17/WAKU2-RLN) with each message

Result<void> check(const NodeConfig& config) {
    NOROSHI_TRY_VOID(check_topics(config.shards, config.content_topics));
    if (config.cluster == waku_network && config.mode == Mode::relay) {
        return fail(Errc::unsupported,
                    "cluster 1 takes no relay without RLN proofs, which noroshi can neither make nor check: use mode light "
                    "or another cluster");
    }
    if (config.peers.size() > max_static_peers) {
        return fail(Errc::invalid_argument, "peers: expected at most 100 of them");
    }
    if (config.agent.size() > max_agent_bytes) {
        return fail(Errc::invalid_argument, "agent: expected at most 128 bytes");
    }
    if (config.services.any() && config.mode != Mode::relay) {
        return fail(Errc::invalid_argument, "services: only a relay node can serve others");
    }
    for (const std::string& address : config.listen) {
        Result<void> checked = check_listen_address(address, config.tls ? ListenTls::certificate : ListenTls::none);
        if (!checked) {
            return fail(std::move(checked).error().with(fmt::format("listen: \"{}\"", address)));
        }
    }
    return {};
}

Result<void> check_discovery(const NodeConfig& config) {
    const auto named = [](const char* key, const std::string& text, Error error) {
        return fail(std::move(error).with(fmt::format("{}: \"{}\"", key, printable(text, 100))));
    };
    for (const std::string& text : config.discovery.dns) {
        if (Result<TreeLink> link = parse_tree_link(text); !link) {
            return named("discovery.dns", text, std::move(link).error());
        }
    }
    for (const std::string& text : config.discovery.bootstrap) {
        const Result<Bytes> record = enr_from_text(text);
        Result<Enr> enr = record ? decode_enr(*record) : fail(record.error());
        if (!enr) {
            return named("discovery.bootstrap", text, std::move(enr).error());
        }
    }
    for (const std::string& text : config.announce) {
        if (!multiaddr_to_bytes(text)) {
            return fail(Errc::parse, fmt::format("announce: \"{}\": expected an address without /p2p/<id>, such as "
                                                 "/ip4/192.0.2.1/tcp/60000", printable(text, 100)));
        }
    }
    return {};
}

Result<std::vector<PeerAddress>> parse_peers(const std::vector<std::string>& texts) {
    std::vector<PeerAddress> out;
    for (const std::string& text : texts) {
        Result<PeerAddress> address = parse_peer_address(text);
        if (!address) {
            return fail(std::move(address).error().with(fmt::format("peers: \"{}\"", text)));
        }
        out.push_back(std::move(*address));
    }
    return out;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::create(NodeConfig config, HostFactory factory, NodeEnvironment environment) {
    NOROSHI_TRY_VOID(check(config));
    NOROSHI_TRY_VOID(check_discovery(config));
    NOROSHI_TRY(const std::vector<PeerAddress> peers, parse_peers(config.peers));
    auto node = std::make_unique<P2pNode>(std::move(config), peers, std::move(factory), std::move(environment));
    NOROSHI_TRY_VOID(node->open_services());
    return node;
}

Result<std::unique_ptr<Node>> Node::create(NodeConfig config, HostFactory factory, Runtime& runtime, const Clock& clock,
                                           Random& random, Metrics& metrics, Log log) {
    NodeEnvironment environment{runtime.executor(), runtime, {}, clock, random, metrics, std::move(log), {}};
    environment.look_up_txt = [&runtime, resolver = config.discovery.resolver](std::string name) {
        return net::look_up_txt(runtime, std::move(name), net::DnsOptions{.server = resolver});
    };
    environment.post = [&runtime](std::function<void()> work) { runtime.post(std::move(work)); };
    return create(std::move(config), std::move(factory), std::move(environment));
}

}  // namespace noroshi::waku
