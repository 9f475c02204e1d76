// src/waku/node.hpp - a Waku node: publishes, receives, and finds out whether the network has what was published.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

/// relay: takes part in gossip (11/WAKU2-RELAY). light: pushes and subscribes through its peers (19/WAKU2-LIGHTPUSH,
/// 12/WAKU2-FILTER).
enum class Mode : std::uint8_t { relay, light };

/// Bounds of one node.
struct NodeLimits {
    std::size_t received_messages{1'000};             ///< waiting for next_message
    std::size_t received_bytes{16 * 1024 * 1024};     ///< of them together
    std::size_t remembered_hashes{10'000};            ///< for dropping duplicates
    std::uint32_t connections{50};                    ///< a quarter of them is kept for dials of our own
    std::uint32_t connections_per_ip{16};             ///< inbound, of an IPv4 address or IPv6 /64; 0: off
    /// New gossip messages from all peers together, five seconds' worth at once; what is more waits in the senders'
    /// sockets. They bound what gossipsub remembers. 0: no bound.
    std::uint32_t gossip_messages_per_s{1'000};
    std::uint32_t gossip_kib_per_s{2'048};
    std::size_t published_bytes{max_published_bytes};
    std::uint32_t ip_colocation{0};                   ///< gossip score: peers of one address before a penalty; 0: off
};

/// What a relay node does for others. Each peer has a budget of requests; what is over it is answered "rate limited".
struct ServiceConfig {
    bool filter{false};
    bool lightpush{false};
    bool store{false};
    bool peer_exchange{false};
    /// A push counts as taken when no other relay is connected: this node's store and subscribers are enough.
    bool alone{false};
    /// Shards of a network where the content topic decides (autosharding): where a push that names none goes.
    std::optional<std::uint16_t> autosharding{};
    std::string archive_file{};                    ///< SQLite file of the store; empty: in memory
    Milliseconds archive_age{48 * 3'600'000};      ///< older messages are forgotten
    std::size_t archive_bytes{256 * 1024 * 1024};  ///< the oldest are forgotten beyond it
    [[nodiscard]] bool any() const { return filter || lightpush || store || peer_exchange; }
};

/// Where other peers are looked for. Nothing is unless it is named here.
struct DiscoveryConfig {
    std::vector<std::string> dns{};              ///< "enrtree://..": signed node lists in DNS (EIP-1459)
    std::string resolver{};                      ///< "ip:port" of a name server; empty: those of the system
    bool discv5{false};                          ///< 33/WAKU2-DISCV5
    std::string discv5_address{"0.0.0.0"};       ///< of its UDP socket
    std::uint16_t discv5_port{9000};             ///< 0: any
    std::vector<std::string> bootstrap{};        ///< "enr:.." of nodes that discv5 asks first
    bool peer_exchange{false};                   ///< connected peers are asked for others (34/WAKU2-PEER-EXCHANGE)
    std::string book_file{};                     ///< where found peers are remembered; empty: nowhere
    [[nodiscard]] bool any() const { return !dns.empty() || discv5 || peer_exchange; }
};

/// Who a node is where it listens at /wss or /tls/ws.
struct TlsIdentity {
    std::string certificate_pem;  ///< the chain, own certificate first
    std::string key_pem;          ///< PKCS#8, PKCS#1 or SEC1
};

struct NodeConfig {
    crypto::SecretKey key;                  ///< of the node, not of the owner
    std::vector<std::string> listen;        ///< multiaddrs without /p2p/; empty: outbound connections only
    std::vector<std::string> peers;         ///< multiaddrs with /p2p/<id>: kept connected for ever
    std::vector<std::string> announce{};    ///< multiaddrs under which others reach us; empty: those it listens on
    DiscoveryConfig discovery{};
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};  ///< 1..64 of them, each 0..1023
    Mode mode{Mode::relay};
    std::string agent{"noroshi"};           ///< shown to peers by identify
    NodeLimits limits{};
    /// What next_message gives at first: messages with these content topics, from gossip, filter peers and stores. Others
    /// are passed on to peers and forgotten. At most 100, the limit of a filter request; set_content_topics changes them.
    std::vector<std::string> content_topics{};
    /// Asks a peer that keeps messages (13/WAKU2-STORE) for missed ones: after each connection, once more when the
    /// gossip mesh has formed, after a sleep of the machine, and every ten minutes.
    bool catch_up{false};
    /// How far back the first such query goes before the start, or before the call that added a content topic.
    Milliseconds catch_up_window{0};
    ServiceConfig services{};               ///< mode relay only
    std::optional<TlsIdentity> tls{};       ///< without it, TLS is the work of a proxy in front of /ws
    /// PEM certificates that a dialled /wss is believed for, beside the system's and Mozilla's roots.
    std::string extra_roots_pem{};
};

/// What became of a publish. More than "a peer took it" is not known here.
struct Publication {
    crypto::Digest hash{};           ///< message_hash on the topic it was published on
    std::vector<std::string> peers;  ///< ids of the peers it was handed to; empty when it had been published before
};

/// A published message that is to be found again.
struct Published {
    std::string pubsub_topic;
    std::string content_topic;
    std::int64_t timestamp_ns{0};    ///< 0: unknown; a store of version 2 is then asked for the last hour
    crypto::Digest hash{};
    std::vector<std::string> peers;  ///< who took it; another store is asked when there is one
};
struct PublishOptions {
    std::size_t most_peers{2};  ///< light: how many lightpush peers it goes to
};

/// A store's word.
struct StoreWord {
    bool found{false};
    std::string peer;         ///< who said so
    bool independent{false};  ///< it is none of those that took the message
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
    std::optional<std::chrono::microseconds> round_trip;  ///< of the last ping
    std::vector<std::string> topics;         ///< pubsub topics it is subscribed to
    std::vector<std::string> mesh_topics;    ///< of these, the ones in whose gossip mesh it is with us
};

/// The TXT records of a name, each with its parts joined. Errors: not_found, timeout, io; all retryable.
using LookUpTxt = std::function<Task<Result<std::vector<std::string>>>(std::string name)>;

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
    LookUpTxt look_up_txt{};  ///< needed only for node lists in DNS
};

/// Two kinds: `create` makes one that is itself a libp2p peer; rest_node.hpp drives another program's node.
/// Thread: the I/O thread, all of it.
///
/// The libp2p node owns its host and its coroutines. Static peers are dialled again for ever, after 1, 2, 4 .. 60 s
/// with jitter, counted anew after a connection that held for 30 s. A peer that says it is of another cluster is
/// disconnected and counted. A crash inside the host costs its connections: a new host is made after 1 s (doubling to
/// 60 s) with the same key, addresses and subscriptions.
class Node {
  public:
    /// Errors: invalid_argument, unsupported (an address, a peer or a shard, named in the message); io (the host, the
    /// archive).
    [[nodiscard]] static Result<std::unique_ptr<Node>> create(NodeConfig config, HostFactory factory, Runtime& runtime,
                                                              const Clock& clock, Random& random, Metrics& metrics,
                                                              Log log);
    /// The same with every part given by itself; for tests.
    [[nodiscard]] static Result<std::unique_ptr<Node>> create(NodeConfig config, HostFactory factory,
                                                              NodeEnvironment environment);
    Node() = default;
    /// `stop` must have ended, or `start` never been called.
    virtual ~Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Makes the host, listens, subscribes and begins to dial. Ends when each listen address is open, not when a peer
    /// is connected. Errors: io (address in use, with the address), timeout (10 s), conflict (already started).
    [[nodiscard]] virtual Task<Result<void>> start() = 0;
    /// Ends all waiting calls with `cancelled`, closes the host. May be called repeatedly.
    [[nodiscard]] virtual Task<void> stop() = 0;

    /// Hands `message` to the network on `pubsub_topic`.
    /// relay: gossip to every subscribed peer; a message already published within 2 min counts as success.
    /// light: one push to each of two peers that offer lightpush, others when they fail; at most one push a second a
    /// peer; success when one took it.
    /// The first word of an error's message names the reason: no_peers, rate_limited, timeout, host_down, busy,
    /// refused, bad_reply (all retryable); rln_required, wrong_shard (retryable: another peer may differ); too_large,
    /// invalid, foreign_topic (not).
    [[nodiscard]] virtual Task<Result<Publication>> publish(std::string pubsub_topic, WakuMessage message,
                                                            PublishOptions options) = 0;
    [[nodiscard]] Task<Result<Publication>> publish(std::string pubsub_topic, WakuMessage message) {
        return publish(std::move(pubsub_topic), std::move(message), PublishOptions{});
    }
    /// Filter peers that sent one of the last thousand own messages back. Empty in mode relay: gossip returns nothing.
    [[nodiscard]] virtual std::vector<std::string> echoed_by(const crypto::Digest& hash) const = 0;
    /// How far our clock is ahead of the senders of live messages (negative: behind); nothing before eight messages.
    /// Stores refuse what is 20 s off. It is logged as a warning from 10 s on, once an hour.
    [[nodiscard]] virtual std::optional<Milliseconds> clock_offset() const = 0;
    /// Whether a store has it. Asks a store that did not take the message, else one that did.
    /// Errors: no_peers (nobody is connected), no_store (nobody connected keeps messages), and the reasons of a store
    /// query; all retryable.
    [[nodiscard]] virtual Task<Result<StoreWord>> find_stored(Published what) = 0;
    /// These peers took a message that nobody has: others are asked first from now on.
    virtual void doubt(const std::vector<std::string>& peers) = 0;
    /// The next message on a content topic that is read, each hash once; waits. One caller at a time.
    /// Errors: cancelled (stopped).
    [[nodiscard]] virtual Task<Result<ReceivedMessage>> next_message() = 0;
    /// What next_message gives from now on, in place of the topics so far: callable at any time, also while the node
    /// runs. Filter peers are told; stores are asked for what came to the added topics in the `catch_up_window` before
    /// now, when `catch_up` is on. Messages that wait for next_message stay. At most 100; of more, the last ones are left
    /// out and a warning is logged.
    virtual void set_content_topics(std::vector<std::string> topics) = 0;

    /// `ready` is called whenever a peer becomes able to take messages: a reason to send at once what waits for peers.
    /// Call it before `start`.
    virtual void on_peer_ready(std::function<void()> ready) = 0;

    /// Connected peers, by id.
    [[nodiscard]] virtual std::vector<PeerInfo> peers() const = 0;
    /// Own peer id, "16Uiu2HA...". Empty before `start`.
    [[nodiscard]] virtual std::string peer_id() const = 0;
    /// Open addresses with /p2p/<own id>, ready to be given to another node.
    [[nodiscard]] virtual std::vector<std::string> listen_addresses() const = 0;
    [[nodiscard]] virtual NodeState state() const = 0;
    /// Why it cannot send or receive now, beginning with a reason as in `publish`; empty when it is not known to be so.
    [[nodiscard]] virtual std::string problem() const { return {}; }
};

}  // namespace noroshi::waku
