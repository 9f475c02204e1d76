// src/waku/node.cpp - checks a node's configuration and hands its calls to the inside.
#include "waku/node.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "multiaddr.hpp"
#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t max_shards = 64;
constexpr std::uint16_t max_shard = 1023;
constexpr std::size_t max_static_peers = 100;
constexpr std::size_t max_agent_bytes = 128;
constexpr std::uint16_t waku_network = 1;  // the cluster whose relays want a proof (17/WAKU2-RLN) with each message

Result<void> check(const NodeConfig& config) {
    if (config.shards.empty() || config.shards.size() > max_shards) {
        return fail(Errc::invalid_argument, "shards: expected 1 to 64 of them");
    }
    for (const std::uint16_t shard : config.shards) {
        if (shard > max_shard) {
            return fail(Errc::invalid_argument, fmt::format("shards: expected 0 to 1023, got {}", shard));
        }
        if (std::ranges::count(config.shards, shard) > 1) {
            return fail(Errc::invalid_argument, fmt::format("shards: {} is named twice", shard));
        }
    }
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
    if (config.content_topics.size() > max_store_topics) {
        return fail(Errc::invalid_argument, "content_topics: expected at most 10 of them");
    }
    if (config.services.any() && config.mode != Mode::relay) {
        return fail(Errc::invalid_argument, "services: only a relay node can serve others");
    }
    for (const std::string& address : config.listen) {
        Result<void> checked = check_listen_address(address);
        if (!checked) {
            return fail(std::move(checked).error().with(fmt::format("listen: \"{}\"", address)));
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
    NOROSHI_TRY(const std::vector<PeerAddress> peers, parse_peers(config.peers));
    auto node = std::make_unique<P2pNode>(std::move(config), peers, std::move(factory), std::move(environment));
    NOROSHI_TRY_VOID(node->open_services());
    return node;
}

Result<std::unique_ptr<Node>> Node::create(NodeConfig config, HostFactory factory, Runtime& runtime, const Clock& clock,
                                           Random& random, Metrics& metrics, Log log) {
    NodeEnvironment environment{runtime.executor(), runtime, {}, clock, random, metrics, std::move(log)};
    environment.post = [&runtime](std::function<void()> work) { runtime.post(std::move(work)); };
    return create(std::move(config), std::move(factory), std::move(environment));
}

}  // namespace noroshi::waku
