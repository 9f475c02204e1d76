// src/waku/host.hpp - the libp2p host as this folder sees it: commands that don't wait, events as values.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

/// Peers are named by their base58 peer id, addresses are multiaddrs, streams and requests are numbered by the caller
/// (inbound streams by the host, from 2^32 on).
namespace noroshi::waku {

using PeerId = std::string;
using StreamId = std::uint64_t;
using RequestId = std::uint64_t;
using GossipId = std::array<std::uint8_t, 32>;  ///< SHA-256 of the gossip data, not the Waku message hash

enum class Verdict : std::uint8_t { accept, ignore, reject };
enum class PublishOutcome : std::uint8_t { published, no_peers, duplicate, too_large, queues_full, failed };
enum class StreamEnd : std::uint8_t { finished, not_connected, unsupported, timed_out, reset, cancelled, panic };

namespace event {
struct Listening {
    std::string address;  ///< with /p2p/<own id>
};
struct ListenClosed {
    std::string address;
    std::string reason;
};
struct Connected {
    PeerId peer;
    std::string address;
    bool inbound{false};
    std::uint64_t connections{1};  ///< with this peer now
};
struct Closed {
    PeerId peer;
    std::string reason;
    std::uint64_t connections{0};  ///< with this peer that remain
};
struct DialError {
    RequestId request{0};
    std::string reason;   ///< "refused", "timeout", "wrong peer" ..
    std::string details;
};
struct Identified {
    PeerId peer;
    std::string agent;
    std::vector<std::string> protocols;
};
/// Soon after a connection, then each 15 s.
struct PingRtt {
    PeerId peer;
    std::chrono::microseconds round_trip{0};
};
struct Subscription {
    PeerId peer;
    std::string topic;
    bool on{true};
};
/// Must be answered with `P2pHost::verdict` exactly once, unless the judge of HostOptions has done so.
struct Gossip {
    GossipId id{};
    PeerId peer;
    std::string topic;
    Bytes data;
    bool judged{false};
};
struct Published {
    RequestId request{0};
    PublishOutcome outcome{PublishOutcome::published};
    std::string details;
};
struct Mesh {
    std::string topic;
    std::vector<PeerId> members;
};
struct StreamIn {
    StreamId stream{0};
    PeerId peer;
    std::string protocol;
};
struct StreamOpen {
    StreamId stream{0};
};
struct StreamData {
    StreamId stream{0};
    Bytes data;
};
/// The peer has finished writing; we may still write.
struct StreamEof {
    StreamId stream{0};
};
/// The last event of a stream.
struct StreamEnded {
    StreamId stream{0};
    StreamEnd how{StreamEnd::finished};
    std::string reason;
};
/// Discovery runs. Comes again when our record has changed: it got the bound port, or others told our outside address.
struct Discv5Listening {
    std::string address;  ///< "ip:port" of the UDP socket
    std::string record;   ///< our ENR as it is now, "enr:..."
};
/// The ENR of another node, of whatever network; only its signature has been verified. Once in 10 minutes a record, at
/// most 4,096 of them.
struct Discovered {
    std::string record;  ///< "enr:...", at most 404 bytes
};
/// Of discv5, since the host was made.
struct Discv5Counters {
    std::uint64_t nodes{0};     ///< in the table, as of the last query: no sum but a number of now
    std::uint64_t sessions{0};  ///< with other nodes
    std::uint64_t queries{0};   ///< that ended, each over several nodes
    std::uint64_t unrecognized{0};  ///< datagrams: garbage, or of another network
    std::uint64_t unverifiable{0};  ///< sessions with a node whose record names another address
};
/// Discovery has ended, the host goes on; `discover` may be called again.
struct Discv5Failed {
    std::string reason;
};
/// The last event of a host that died by itself. It is still to be destroyed.
struct Stopped {
    std::string reason;
};
}  // namespace event

using HostEvent =
    std::variant<event::Listening, event::ListenClosed, event::Connected, event::Closed, event::DialError,
                 event::Identified, event::PingRtt, event::Subscription, event::Gossip, event::Published, event::Mesh, event::StreamIn,
                 event::StreamOpen, event::StreamData, event::StreamEof, event::StreamEnded, event::Discv5Listening,
                 event::Discovered, event::Discv5Counters, event::Discv5Failed, event::Stopped>;

/// Where events go. `deliver` is called on the I/O thread, never from inside a command, and never after the host is
/// destroyed.
struct HostEvents {
    std::function<void(HostEvent)> deliver;
};

/// What is to become of a gossip message, said on the network thread.
struct Judgement {
    std::optional<Verdict> verdict;  ///< none: Gossip follows and is answered with `P2pHost::verdict`
    bool told{true};                 ///< Gossip follows
};

struct HostOptions {
    const crypto::SecretKey& key;
    std::string agent;
    std::uint32_t max_connections{50};
    std::uint32_t max_transmit_bytes{0};  ///< a whole gossip frame
    std::uint32_t ip_colocation{0};       ///< 0: off
    std::uint32_t connections_per_ip{0};  ///< inbound; 0: off
    std::uint32_t gossip_messages_per_s{0};  ///< 0: no bound
    std::uint32_t gossip_kib_per_s{0};       ///< 0: no bound
    bool gossip{true};                    ///< false: relay is neither run nor announced
    bool hide_listen_addresses{false};
    std::string_view tls_certificate{};  ///< PEM, as NodeConfig::tls; empty: no /wss to listen at
    std::string_view tls_key{};          ///< PEM
    std::string_view extra_roots{};      ///< PEM, as NodeConfig::extra_roots_pem
    std::function<void(std::function<void()>)> post;  ///< to the I/O thread, from any
    /// Called on the network thread for each gossip message, one at a time; outlives no host. None: all are told.
    std::function<Judgement(std::string_view topic, ByteView data)> judge;
    Metrics& metrics;
    Log log;
};

/// Where discv5 listens (33/WAKU2-DISCV5), and what it begins with.
struct DiscoveryStart {
    std::string ip;                      ///< of the UDP socket, "0.0.0.0"; of loopback: no limits per address
    std::uint16_t port{0};               ///< 0: any
    std::string record;                  ///< own ENR, "enr:...", signed with the host's key; may lack the port
    std::vector<std::string> bootstrap;  ///< ENRs of others, at most 64; unreachable ones are passed over
};

/// One libp2p host. Thread: the I/O thread. Destroying it ends its connections and waits for its thread, below 2 s.
/// Commands fail with: limit, retryable (queue full); io (stopped); invalid_argument; not_found (no such stream).
/// A command that failed has had no effect.
class P2pHost {
  public:
    virtual ~P2pHost() = default;
    [[nodiscard]] virtual PeerId peer_id() const = 0;
    [[nodiscard]] virtual Result<void> listen(std::string_view address) = 0;
    /// Connected or DialError follows.
    [[nodiscard]] virtual Result<void> dial(RequestId request, std::string_view address) = 0;
    virtual void disconnect(std::string_view peer) = 0;
    /// Looks for other nodes until the host ends. Discv5Listening or Discv5Failed follows, then Discovered.
    /// Errors: invalid_argument (a record that does not verify, or is of another key), conflict (it runs already).
    [[nodiscard]] virtual Result<void> discover(const DiscoveryStart& start) = 0;
    /// Discv5Counters follows, when the host finds the time.
    virtual void ask_discv5() = 0;
    /// Ends its connections and refuses new ones in both directions, or allows them again.
    virtual void ban(std::string_view peer, bool on) = 0;

    [[nodiscard]] virtual Result<void> subscribe(std::string_view topic) = 0;
    /// Published follows.
    [[nodiscard]] virtual Result<void> publish(RequestId request, std::string_view topic, ByteView data) = 0;
    /// Never lost: kept and sent later when the host is busy.
    virtual void verdict(const GossipId& id, std::string_view peer, Verdict verdict) = 0;
    /// Mesh follows, when the host finds the time.
    virtual void ask_mesh(std::string_view topic) = 0;

    /// Announces `protocol` and accepts its streams; to be called before `listen` and `dial`.
    [[nodiscard]] virtual Result<void> accept(std::string_view protocol, std::uint32_t max_streams) = 0;
    /// StreamOpen or StreamEnded follows. `stream` is below 2^32.
    [[nodiscard]] virtual Result<void> open(StreamId stream, std::string_view peer, std::string_view protocol,
                                            Milliseconds timeout) = 0;
    [[nodiscard]] virtual Result<void> write(StreamId stream, ByteView data) = 0;
    /// Allows that many more bytes to be read; nothing is read without.
    virtual void credit(StreamId stream, std::uint64_t bytes) = 0;
    /// Half-close.
    virtual void finish(StreamId stream) = 0;
    /// StreamEnded follows.
    virtual void reset(StreamId stream) = 0;
};

}  // namespace noroshi::waku
