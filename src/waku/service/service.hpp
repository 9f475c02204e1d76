// src/waku/service/service.hpp - the server roles of a relay node: filter, lightpush, store, peer exchange.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive.hpp"
#include "budget.hpp"
#include "filter_rpc.hpp"
#include "filter_server.hpp"
#include "lightpush_rpc.hpp"
#include "store_rpc.hpp"
#include "streams.hpp"
#include "waku/node.hpp"

namespace noroshi::waku {

/// What the roles need of the node they are part of.
struct ServiceHost {
    Streams& streams;
    const std::vector<std::string>& topics;  ///< the node's shards
    NodeEnvironment& environment;
    /// Publishes encoded bytes by gossip; the answer, later, is the number of peers they went to. Errors: as
    /// Node::publish.
    std::function<void(std::string topic, Bytes data, std::function<void(Result<std::size_t>)>)> relay;
    /// At most so many node records of others.
    std::function<std::vector<Bytes>(std::size_t most)> share;
    /// Whether `on_message` is wanted for each message, and not only for those that the node itself reads.
    std::function<void(bool)> tell_all;
};

/// Answers the requests of others and pushes to subscribers. Every request costs its peer one token of its budget (20 a
/// second, 60 at once); without one the answer is code 429. Thread: the I/O thread. Owns the archive.
class Services {
  public:
    /// Registers with the streams. Errors: io (the archive).
    [[nodiscard]] static Result<std::unique_ptr<Services>> create(const ServiceConfig& config, ServiceHost host);
    /// What the host is to accept and announce.
    [[nodiscard]] std::vector<std::string_view> protocols() const;
    /// A valid message of one of our shards, each hash once, whoever sent it: kept and pushed on.
    void on_message(const std::string& pubsub_topic, const WakuMessage& message, const crypto::Digest& hash,
                    ByteView data);
    void on_disconnected(const PeerId& peer) { budget_.forget(peer); }
    [[nodiscard]] bool pushes_to(const PeerId& peer) const { return filter_.has(peer); }
    void tick(SteadyMs now);
    /// Puts on disk what waits. Called by `tick` and once at the end.
    void flush();

    static constexpr double requests_per_second = 20;
    static constexpr double requests_at_once = 60;

  private:
    Services(const ServiceConfig& config, ServiceHost host);
    void serve();
    void want_messages() { host_.tell_all(config_.store || filter_.subscribers() > 0); }
    [[nodiscard]] bool may(const PeerId& peer, std::string_view role);
    void on_push(LightpushVersion version, const PeerId& peer, const Bytes& request, Streams::Reply reply);
    [[nodiscard]] std::string meant_topic(const std::string& content_topic) const;
    void on_query(const PeerId& peer, const Bytes& request, const Streams::Reply& reply);
    [[nodiscard]] StoreAnswer find(const Bytes& request);
    void on_peer_exchange(const PeerId& peer, const Bytes& request, const Streams::Reply& reply);
    void keep(const std::string& pubsub_topic, const WakuMessage& message, const crypto::Digest& hash, ByteView data);
    void count(std::string_view role, std::string_view result);

    ServiceConfig config_;
    ServiceHost host_;
    Budget budget_{requests_per_second, requests_at_once};
    std::unique_ptr<Archive> archive_;
    FilterServer filter_;
    bool archive_failing_{false};
};

}  // namespace noroshi::waku
