// src/waku/node.cpp - checks a node's configuration and hands its calls to the inside.
#include "waku/node.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "multiaddr.hpp"
#include "node_impl.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t max_shards = 64;
constexpr std::uint16_t max_shard = 1023;
constexpr std::size_t max_static_peers = 100;
constexpr std::size_t max_agent_bytes = 128;

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
    if (config.peers.size() > max_static_peers) {
        return fail(Errc::invalid_argument, "peers: expected at most 100 of them");
    }
    if (config.agent.size() > max_agent_bytes) {
        return fail(Errc::invalid_argument, "agent: expected at most 128 bytes");
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

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::create(NodeConfig config, HostFactory factory, NodeEnvironment environment) {
    NOROSHI_TRY_VOID(check(config));
    NOROSHI_TRY(const std::vector<PeerAddress> peers, parse_peers(config.peers));
    return std::unique_ptr<Node>(
        new Node(std::make_unique<Impl>(std::move(config), peers, std::move(factory), std::move(environment))));
}

Result<std::unique_ptr<Node>> Node::create(NodeConfig config, HostFactory factory, Runtime& runtime, const Clock& clock,
                                           Random& random, Metrics& metrics, Log log) {
    NodeEnvironment environment{runtime.executor(), runtime, {}, clock, random, metrics, std::move(log)};
    environment.post = [&runtime](std::function<void()> work) { runtime.post(std::move(work)); };
    return create(std::move(config), std::move(factory), std::move(environment));
}

Task<Result<void>> Node::start() { return impl_->start(); }
Task<void> Node::stop() { return impl_->stop(); }
Task<Result<Publication>> Node::publish(std::string pubsub_topic, WakuMessage message) {
    return impl_->publish(std::move(pubsub_topic), std::move(message));
}
Task<Result<ReceivedMessage>> Node::next_message() { return impl_->next_message(); }
void Node::on_peer_ready(std::function<void()> ready) { impl_->on_peer_ready(std::move(ready)); }
std::vector<PeerInfo> Node::peers() const { return impl_->peers(); }
std::string Node::peer_id() const { return impl_->peer_id(); }
std::vector<std::string> Node::listen_addresses() const { return impl_->listen_addresses(); }
NodeState Node::state() const { return impl_->state(); }

}  // namespace noroshi::waku
