// src/waku/node.hpp - a Waku node: joins a cluster through static peers, publishes and receives messages.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/runtime.hpp"
#include "waku/message.hpp"

namespace noroshi::waku {

class P2pHost;
struct HostOptions;
struct HostEvents;

/// Makes the libp2p host under a node, and makes it again after a crash: rust_host.hpp has the real one.
using HostFactory = std::function<Result<std::unique_ptr<P2pHost>>(const HostOptions&, HostEvents)>;

/// relay: takes part in gossip (11/WAKU2-RELAY). light: only pushes, through its peers (19/WAKU2-LIGHTPUSH).
enum class Mode : std::uint8_t { relay, light };

/// Bounds of one node.
struct NodeLimits {
    std::size_t received_messages{1'000};             ///< waiting for next_message
    std::size_t received_bytes{16 * 1024 * 1024};     ///< of them together
    std::size_t remembered_hashes{10'000};            ///< for dropping duplicates
    std::uint32_t connections{50};
    std::size_t published_bytes{max_published_bytes};
    std::uint32_t ip_colocation{0};                   ///< gossip score: peers of one address before a penalty; 0: off
};

struct NodeConfig {
    crypto::SecretKey key;                  ///< of the node, not of the owner
    std::vector<std::string> listen;        ///< multiaddrs without /p2p/; empty: outbound connections only
    std::vector<std::string> peers;         ///< multiaddrs with /p2p/<id>: kept connected for ever
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};  ///< 1..64 of them, each 0..1023
    Mode mode{Mode::relay};
    std::string agent{"noroshi"};           ///< shown to peers by identify
    NodeLimits limits{};
    /// Content topics whose missed messages are fetched from a peer that keeps them (13/WAKU2-STORE): after each
    /// connection, and once more when the gossip mesh has formed. Empty: no store is asked. At most 10.
    std::vector<std::string> catch_up_topics{};
    Milliseconds catch_up_window{0};        ///< how far back the first such query goes before the start
};

/// What became of a publish. More than "a peer took it" is not known here.
struct Publication {
    crypto::Digest hash{};           ///< message_hash on the topic it was published on
    std::vector<std::string> peers;  ///< ids of the peers it was handed to; empty when it had been published before
};

struct ReceivedMessage {
    WakuMessage message;
    std::string pubsub_topic;
    crypto::Digest hash{};
    std::string peer;  ///< who passed it on; not its author
};

struct PeerInfo {
    std::string id;
    std::string address;
    std::string agent;                       ///< as identify says, printable, at most 128 bytes
    std::vector<std::string> protocols;      ///< as identify says
    TimestampMs connected_since{};
    std::vector<std::string> topics;         ///< pubsub topics it is subscribed to
    std::vector<std::string> mesh_topics;    ///< of these, the ones in whose gossip mesh it is with us
};

enum class NodeState : std::uint8_t { stopped, running, restarting };

/// What a node needs from its surroundings. All references must outlive the node.
struct NodeEnvironment {
    Executor executor;
    Timers& timers;
    /// Runs work on the I/O thread soon; callable from any thread.
    std::function<void(std::function<void()>)> post;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
    Log log;
};

/// Thread: the I/O thread, all of it. Owns the libp2p host and one coroutine (its tick, twice a second).
///
/// Static peers are dialled again for ever, after 1, 2, 4 .. 60 s with jitter, counted anew after a connection that
/// held for 30 s. A peer that says it is of another cluster is disconnected and counted. A crash inside the host costs
/// its connections: a new host is made after 1 s (doubling to 60 s) with the same key, addresses and subscriptions.
class Node {
  public:
    /// Errors: invalid_argument, unsupported (an address, a peer or a shard, named in the message); io (the host).
    [[nodiscard]] static Result<std::unique_ptr<Node>> create(NodeConfig config, HostFactory factory, Runtime& runtime,
                                                              const Clock& clock, Random& random, Metrics& metrics,
                                                              Log log);
    /// The same with every part given by itself; for tests.
    [[nodiscard]] static Result<std::unique_ptr<Node>> create(NodeConfig config, HostFactory factory,
                                                              NodeEnvironment environment);
    /// `stop` must have ended, or `start` never been called.
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Makes the host, listens, subscribes and begins to dial. Ends when each listen address is open, not when a peer
    /// is connected. Errors: io (address in use, with the address), timeout (10 s), conflict (already started).
    [[nodiscard]] Task<Result<void>> start();
    /// Ends all waiting calls with `cancelled`, closes the host. May be called repeatedly.
    [[nodiscard]] Task<void> stop();

    /// Hands `message` to the network on `pubsub_topic`.
    /// relay: gossip to every subscribed peer; a message already published within 2 min counts as success.
    /// light: one push to one peer that offers lightpush, the next one when it fails; at most one push a second a peer.
    /// The first word of an error's message names the reason: no_peers, rate_limited, timeout, host_down, busy,
    /// refused, bad_reply (all retryable), too_large, invalid, foreign_topic (not).
    [[nodiscard]] Task<Result<Publication>> publish(std::string pubsub_topic, WakuMessage message);
    /// The next message from the relay or a store, each hash once; waits. In light mode it only waits. One caller at a time.
    /// Errors: cancelled (stopped).
    [[nodiscard]] Task<Result<ReceivedMessage>> next_message();

    /// `ready` is called whenever a peer becomes able to take messages: a reason to send at once what waits for peers.
    /// Call it before `start`.
    void on_peer_ready(std::function<void()> ready);

    /// Connected peers, by id.
    [[nodiscard]] std::vector<PeerInfo> peers() const;
    /// Own peer id, "16Uiu2HA...". Empty before `start`.
    [[nodiscard]] std::string peer_id() const;
    /// Open addresses with /p2p/<own id>, ready to be given to another node.
    [[nodiscard]] std::vector<std::string> listen_addresses() const;
    [[nodiscard]] NodeState state() const;

  private:
    class Impl;
    explicit Node(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace noroshi::waku
