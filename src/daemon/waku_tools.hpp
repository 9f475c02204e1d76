// src/daemon/waku_tools.hpp - Waku nodes beside the daemon: a stand-alone service node, and a look at the network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "waku/waku.hpp"

namespace noroshi::daemon {

/// A node that serves others until a signal ends it.
struct ServeOptions {
    waku::NodeConfig node;
    std::uint16_t http_port{0};  ///< of /metrics and /healthz on loopback; 0: none
    Log log = Log::none();
    /// Called once with the addresses under which others reach it.
    std::function<void(const std::vector<std::string>& addresses)> on_ready;
};
/// Blocks until SIGINT or SIGTERM, and until all is closed. Errors: as waku::Node::create and start.
[[nodiscard]] Result<void> serve_waku(ServeOptions options);

/// Peers to look at, through a node of its own that listens nowhere.
struct LookOptions {
    std::vector<std::string> peers;
    waku::DiscoveryConfig discovery{};  ///< found peers are looked at too, for the whole of `patience`
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};
    Milliseconds patience{5'000};  ///< how long peers have to connect and to say who they are
    Log log = Log::none();
};
/// Who answered. Peers of another cluster, and those that could not be reached, are missing.
[[nodiscard]] Result<std::vector<waku::PeerInfo>> look_at_peers(const LookOptions& options);

/// What each store among the peers says of one message.
struct Trace {
    std::string peer;
    std::string word;  ///< "found", "not_found", or why there is no answer
};
/// `what.pubsub_topic` and `what.content_topic` are needed only by stores of version 2.
[[nodiscard]] Result<std::vector<Trace>> trace_message(const LookOptions& options, const waku::Published& what);

}  // namespace noroshi::daemon
