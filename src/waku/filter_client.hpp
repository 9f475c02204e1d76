// src/waku/filter_client.hpp - keeps a light node subscribed at two peers (12/WAKU2-FILTER), whatever they do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "filter_rpc.hpp"
#include "streams.hpp"

namespace noroshi::waku {

/// Subscribes at up to two connected peers that offer filter, pings them each minute, subscribes anew every five minutes
/// and after each connection, because a ping only proves that some subscription exists. A peer that fails twice in a
/// row gives its place to another; the only one is tried again for ever after 1, 2, 4 .. 60 s. "Rate limited" is
/// waited out. Topics that are no longer wanted are given up at peers that may still push them. Never more than one
/// request in 1.1 s a peer. Thread: the I/O thread, driven by `tick`.
class FilterClient {
  public:
    /// Of content topics at most 100; with none, nobody is asked.
    FilterClient(Streams& streams, std::vector<std::string> pubsub_topics, std::vector<std::string> content_topics,
                 Random& random, Metrics& metrics, Log log);

    /// At most 100, in place of those so far.
    void set_content_topics(std::vector<std::string> topics, SteadyMs now);

    /// It is connected and speaks the protocol.
    void peer_ready(const PeerId& peer, SteadyMs now);
    void peer_gone(const PeerId& peer);
    void forget_all() { peers_.clear(); }
    void tick(SteadyMs now);
    /// Whether a push of this peer on that topic was asked for.
    [[nodiscard]] bool expects(const PeerId& peer, const std::string& pubsub_topic) const;
    /// Peers that confirmed all subscriptions.
    [[nodiscard]] std::size_t subscribed() const;

    static constexpr std::size_t wanted_peers = 2;
    static constexpr Milliseconds ping_interval{60'000};
    static constexpr Milliseconds renew_interval{300'000};

  private:
    struct Peer {
        bool used{false};
        bool asking{false};
        bool asked{false};  ///< to push; it may go on for a while when its place is another's
        bool subscribed{false};
        std::size_t next_topic{0};  ///< index of the pubsub topic to subscribe next; all of them: done
        std::size_t next_gone{0};   ///< index of the pubsub topic where content topics are given up next
        std::set<std::string> held{};  ///< content topics that it may push
        SteadyMs asked_at{};
        SteadyMs next_request{};
        SteadyMs renewed_at{};
        unsigned failures{0};
        unsigned limited{0};
    };
    void fill_places(SteadyMs now);
    /// Those it may push and nobody wants; as many as one request may name.
    [[nodiscard]] std::vector<std::string> gone(const Peer& peer) const;
    [[nodiscard]] bool is_subscribing(const Peer& peer) const;
    [[nodiscard]] std::optional<FilterRequest> next_request(Peer& peer, SteadyMs now) const;
    void ask(const PeerId& id, Peer& peer, SteadyMs now);
    void take(const PeerId& id, const FilterRequest& request, unsigned revision, const Result<Bytes>& body);
    void succeeded(const PeerId& id, Peer& peer, const FilterRequest& request);
    void failed(const PeerId& id, Peer& peer, const std::string& reason);
    void limited(Peer& peer);
    void count(FilterAct act, std::string_view result);

    Streams& streams_;
    std::vector<std::string> pubsub_topics_;
    std::vector<std::string> content_topics_;
    unsigned revision_{0};  ///< of content_topics_: an answer to what was asked before means nothing
    Random& random_;
    Metrics& metrics_;
    Log log_;
    SteadyMs now_{};
    std::map<PeerId, Peer> peers_;
};

}  // namespace noroshi::waku
