// src/waku/discovery/discovery.hpp - finds peers beside the static ones: DNS trees, discv5, peer exchange; picks whom to dial.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "dns_tree.hpp"
#include "peer_book.hpp"
#include "peer_exchange_rpc.hpp"
#include "streams.hpp"
#include "waku/node.hpp"

namespace noroshi::waku {

/// Fills the peer book from every source that the configuration names, and gives the node one address after the other
/// while fewer useful peers are connected than wanted. Found peers are hints of strangers: each is dialled once and then
/// waits longer and longer (PeerBook); static peers are not its business. Thread: the I/O thread. Owns no task: the node
/// runs `read_trees` and calls `tick`.
class Discovery {
  public:
    Discovery(const NodeConfig& config, Streams& streams, NodeEnvironment& environment);

    /// Reads the book's file, if there is one. A file that cannot be read is told and left behind.
    void load();
    /// Writes the file when something has changed.
    void save();
    /// Each tree of the configuration at once, then every 30 minutes; one that fails is tried again after a minute. Until
    /// cancelled.
    [[nodiscard]] Task<void> read_trees();

    /// There is a host, and it listens. discv5 begins.
    void host_ready(P2pHost& host, const std::vector<std::string>& listening);
    void on(const event::Discovered& event);
    void on(const event::Discv5Listening& event);
    void on(const event::Discv5Failed& event);
    void on(const event::Discv5Counters& event);

    /// It is connected and offers peer exchange.
    void exchange_ready(const PeerId& peer);
    void connected(const PeerId& peer);
    void disconnected(const PeerId& peer);
    /// It is not what its record says, or took messages that nobody had.
    void blame(const PeerId& peer);
    void dial_failed(const PeerId& peer);
    /// Whom to dial now, given how many connected peers serve us; asks others for more and saves the book when due.
    [[nodiscard]] std::vector<PeerBook::Due> tick(SteadyMs now, std::size_t useful_peers);
    /// For the server of peer exchange.
    [[nodiscard]] std::vector<Bytes> share(std::size_t most) const;
    /// Our own record as text; empty before discv5 runs.
    [[nodiscard]] const std::string& own_record() const { return own_record_; }
    [[nodiscard]] std::size_t known() const { return book_.size(); }

    /// Peers that are wanted beside nobody: a mesh's worth for a relay, two sets of two for a light node.
    static constexpr std::size_t wanted_relay = 6;
    static constexpr std::size_t wanted_light = 4;
    static constexpr std::size_t dials_at_once = 3;
    static constexpr Milliseconds dial_deadline{30'000};
    static constexpr Milliseconds tree_interval{1'800'000};
    static constexpr Milliseconds tree_retry{60'000};
    static constexpr Milliseconds exchange_interval{600'000};   ///< with peers enough
    static constexpr Milliseconds exchange_hungry{10'000};      ///< with too few
    static constexpr Milliseconds save_interval{300'000};

  private:
    void learn(ByteView record, PeerSource source);
    [[nodiscard]] Task<Result<std::size_t>> read_trees_once();
    void ask_a_peer(SteadyMs now);
    void take_exchange(const PeerId& peer, const Result<Bytes>& answer);
    [[nodiscard]] Result<Bytes> make_record(const std::vector<std::string>& listening) const;
    void count(std::string_view name, std::string_view help, Metrics::LabelList labels);
    void show();

    const NodeConfig& config_;
    Streams& streams_;
    NodeEnvironment& environment_;
    PeerBook book_;
    std::string own_record_;
    std::set<PeerId> exchangers_;
    std::map<PeerId, SteadyMs> asked_;    ///< when each was asked last
    std::map<PeerId, SteadyMs> dialling_;
    SteadyMs next_exchange_{};
    SteadyMs next_save_{};
    event::Discv5Counters shown_;  ///< of this host, so far
};

}  // namespace noroshi::waku
