// src/waku/p2p_node_peers.cpp - connected peers: dialling, identify, metadata, subscriptions.
#include <algorithm>

#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

constexpr std::size_t max_agent_bytes = 128;
constexpr std::size_t max_protocols = 128;
constexpr std::size_t max_protocol_bytes = 128;
constexpr std::size_t max_reason_bytes = 200;
/// Who has made no use of its connection for so long may lose it to a newcomer.
constexpr Milliseconds idle_after{30'000};
constexpr const char* idle = "idle";
constexpr Milliseconds discv5_retry{60'000};
constexpr std::string_view relay_protocol = "/vac/waku/relay/2.0.0";
/// A relay tells of its topics as the first thing after connecting.
constexpr Milliseconds announces_within{12'000};
constexpr unsigned most_mute_redials = 3;
/// Between two looks at its counters.
constexpr Milliseconds discv5_interval{5'000};

}  // namespace

void P2pNode::dial_due(SteadyMs now) {
    for (const Redialler::Due& due : redialler_.due(now)) {
        const RequestId request = next_request_++;
        redialler_.dialling(due.peer, request, now);
        const Result<void> begun = host_->dial(request, due.address);
        if (!begun) {
            environment_.log.warn("dial_failed", {{"address", due.address}, {"reason", begun.error().message}});
            redialler_.dial_failed(request, now);
        }
    }
}

void P2pNode::discover(SteadyMs now) {
    if (!discv5_begun_ && now >= discv5_again_at_ && listening_.size() >= config_.listen.size()) {
        discv5_begun_ = true;
        discovery_->host_ready(*host_, listening_);
    }
    if (discv5_begun_ && config_.discovery.discv5 && now >= discv5_asked_at_ + discv5_interval) {
        discv5_asked_at_ = now;
        host_->ask_discv5();
    }
    for (const PeerBook::Due& due : discovery_->tick(now, useful_peers())) {
        if (peers_.contains(due.peer)) {  // it came before its record did, or is a static one
            discovery_->connected(due.peer);
            continue;
        }
        const RequestId request = next_request_++;
        found_dials_[request] = due.peer;
        environment_.log.debug("found_peer_dialled", {{"peer", due.peer}, {"address", due.address}});
        if (!host_->dial(request, due.address)) {
            found_dials_.erase(request);
            discovery_->dial_failed(due.peer);
        }
    }
}

std::size_t P2pNode::useful_peers() const {
    return static_cast<std::size_t>(std::ranges::count_if(peers_, [this](const auto& entry) {
        const Peer& peer = entry.second;
        const bool serves = push_version(peer) || std::ranges::count(peer.info.protocols, filter_subscribe_protocol) > 0;
        return !peer.foreign && (config_.mode == Mode::relay ? !peer.topics.empty() : serves);
    }));
}

void P2pNode::on(const event::PingRtt& event) {
    if (const auto found = peers_.find(event.peer); found != peers_.end()) {
        found->second.info.round_trip = event.round_trip;
    }
}

void P2pNode::on(const event::Discovered& event) {
    if (discovery_) {
        discovery_->on(event);
    }
}

void P2pNode::on(const event::Discv5Counters& event) {
    if (discovery_) {
        discovery_->on(event);
    }
}

void P2pNode::on(const event::Discv5Listening& event) {
    if (discovery_) {
        discovery_->on(event);
    }
}

void P2pNode::on(const event::Discv5Failed& event) {
    if (discovery_) {
        discovery_->on(event);
        discv5_begun_ = false;
        discv5_again_at_ = environment_.clock.steady() + discv5_retry;
    }
}

void P2pNode::on(const event::Connected& event) {
    if (discovery_) {
        discovery_->connected(event.peer);
        std::erase_if(found_dials_, [&event](const auto& dial) { return dial.second == event.peer; });
    }
    redialler_.connected(event.peer, environment_.clock.steady());
    const auto [entry, is_new] = peers_.try_emplace(event.peer);
    if (!is_new) {
        return;
    }
    entry->second.info.id = event.peer;
    entry->second.info.address = event.address;
    entry->second.info.connected_since = environment_.clock.now();
    entry->second.inbound = event.inbound;
    entry->second.useful_at = environment_.clock.steady();
    entry->second.announces_by = entry->second.useful_at + announces_within;
    count("noroshi_waku_connections_total", "Peers that became connected.",
          {{"direction", event.inbound ? "in" : "out"}});
    environment_.log.info("peer_connected", {{"peer", event.peer}, {"address", event.address}});
    show_peers();
}

void P2pNode::on(const event::Closed& event) {
    if (event.connections > 0) {
        return;
    }
    redialler_.disconnected(event.peer, environment_.clock.steady());
    filter_.peer_gone(event.peer);
    if (discovery_) {
        discovery_->disconnected(event.peer);
    }
    if (services_) {
        services_->on_disconnected(event.peer);
    }
    if (peers_.erase(event.peer) > 0) {
        environment_.log.info("peer_disconnected",
                              {{"peer", event.peer}, {"reason", printable(event.reason, max_reason_bytes)}});
        show_peers();
    }
}

void P2pNode::on(const event::DialError& event) {
    count("noroshi_waku_dial_errors_total", "Dials that failed, by reason.", {{"reason", event.reason}});
    if (const auto found = found_dials_.find(event.request); found != found_dials_.end()) {
        // A stranger's record that leads nowhere is the rule, not an event.
        environment_.log.debug("found_peer_unreachable", {{"peer", found->second}, {"reason", event.reason}});
        discovery_->dial_failed(found->second);
        found_dials_.erase(found);
        return;
    }
    const std::optional<std::string> peer = redialler_.peer_of(event.request);
    environment_.log.warn("dial_failed", {{"peer", peer.value_or("")},
                                          {"reason", event.reason},
                                          {"details", printable(event.details, max_reason_bytes)}});
    redialler_.dial_failed(event.request, environment_.clock.steady());
}

void P2pNode::on(event::Identified event) {
    const auto found = peers_.find(event.peer);
    if (found == peers_.end()) {
        return;
    }
    Peer& peer = found->second;
    peer.info.agent = printable(event.agent, max_agent_bytes);
    peer.info.protocols.clear();
    for (const std::string& protocol : event.protocols) {
        if (peer.info.protocols.size() < max_protocols) {
            peer.info.protocols.push_back(printable(protocol, max_protocol_bytes));
        }
    }
    environment_.log.debug("peer_identified", {{"peer", event.peer}, {"agent", peer.info.agent}});
    if (!peer.metadata_asked && std::ranges::count(peer.info.protocols, metadata_protocol) > 0) {
        peer.metadata_asked = true;
        ask_metadata(event.peer);
    }
    if (discovery_ && std::ranges::count(peer.info.protocols, peer_exchange_protocol) > 0) {
        discovery_->exchange_ready(event.peer);
    }
    catch_up_through(event.peer, content_topics_.list());
    if (config_.mode == Mode::relay) {
        return;
    }
    if (std::ranges::count(peer.info.protocols, filter_subscribe_protocol) > 0) {
        filter_.peer_ready(event.peer, environment_.clock.steady());
    }
    if (push_version(peer)) {
        peer_ready_();
    }
}

void P2pNode::on(const event::Subscription& event) {
    const auto found = peers_.find(event.peer);
    if (found != peers_.end() && event.on) {
        found->second.announced = true;
        mute_redials_.erase(event.peer);
    }
    // Topics of others are of no use here, and a peer can name any number of them.
    if (found == peers_.end() || std::ranges::count(topics_, event.topic) == 0) {
        return;
    }
    if (event.on) {
        found->second.topics.insert(event.topic);
        if (config_.mode == Mode::relay) {
            peer_ready_();
        }
    } else {
        found->second.topics.erase(event.topic);
        found->second.mesh_topics.erase(event.topic);
    }
}

void P2pNode::on(const event::Mesh& event) {
    if (std::ranges::count(topics_, event.topic) == 0) {
        return;
    }
    for (auto& [id, peer] : peers_) {
        if (std::ranges::count(event.members, id) > 0) {
            peer.mesh_topics.insert(event.topic);
        } else {
            peer.mesh_topics.erase(event.topic);
        }
    }
    environment_.metrics
        .gauge("noroshi_waku_mesh_peers", "Peers in the gossip mesh of a shard.", {{"pubsub_topic", event.topic}})
        .set(static_cast<double>(event.members.size()));
}

void P2pNode::ask_metadata(const PeerId& id) {
    const Bytes request = encode_metadata(own_metadata());
    streams_.request(id, metadata_protocol, request, environment_.clock.steady(),
                     [this, id](const Result<Bytes>& answer) { take_metadata(id, answer); });
}

void P2pNode::take_metadata(const PeerId& id, const Result<Bytes>& answer) {
    const auto counted = [this](std::string_view result) {
        count("noroshi_waku_metadata_total", "Metadata requests made, by what came of them.",
              {{"result", std::string(result)}});
    };
    if (!answer) {
        // No ground to part: js-waku and light nodes answer poorly, and a wrong cluster shows itself in gossip.
        counted("failed");
        environment_.log.debug("metadata_failed", {{"peer", id}, {"reason", answer.error().message}});
        return;
    }
    const Result<Metadata> metadata = decode_metadata(*answer);
    if (!metadata) {
        counted("malformed");
        return;
    }
    const char* reason = refusal(*metadata);
    counted(reason == nullptr ? "ok" : "refused");
    if (reason != nullptr) {
        refuse(id, reason);
    }
}

void P2pNode::serve_metadata(const PeerId& id, const Bytes& request, const Streams::Reply& reply) {
    const Result<Metadata> metadata = decode_metadata(request);
    if (!metadata) {
        reply(fail(metadata.error()));
        return;
    }
    if (const char* reason = refusal(*metadata); reason != nullptr) {
        refuse(id, reason);
    }
    reply(encode_metadata(own_metadata()));
}

const char* P2pNode::refusal(const Metadata& metadata) const {
    if (!metadata.cluster) {
        return config_.cluster == 0 ? nullptr : "no_cluster";
    }
    return *metadata.cluster == config_.cluster ? nullptr : "foreign_cluster";
}

void P2pNode::refuse(const PeerId& id, const char* reason) {
    const auto found = peers_.find(id);
    if (found == peers_.end() || found->second.foreign) {
        return;
    }
    found->second.foreign = true;
    to_refuse_.insert(id);
    if (discovery_ && std::string_view(reason) != idle) {
        discovery_->blame(id);
    }
    count("noroshi_waku_peers_refused_total", "Peers disconnected for what they are, by reason.", {{"reason", reason}});
    environment_.log.warn("peer_refused", {{"peer", id}, {"reason", reason}});
}

void P2pNode::disconnect_refused() {
    for (const PeerId& id : to_refuse_) {
        host_->disconnect(id);
    }
    to_refuse_.clear();
}

void P2pNode::note_use(const PeerId& id) {
    if (const auto found = peers_.find(id); found != peers_.end()) {
        found->second.useful_at = environment_.clock.steady();
    }
}

/// Static peers are the owner's choice: counted, never banned. Who lost a stream because others need room is no culprit.
void P2pNode::note_fault(const PeerId& id, std::string_view reason) {
    count("noroshi_waku_faults_total", "What peers did on their streams that no honest one does, by reason.",
          {{"reason", std::string(reason)}});
    if (reason == "no_room" || redialler_.keeps(id) || !conduct_.fault(id, environment_.clock.steady())) {
        return;
    }
    host_->ban(id, true);
    if (discovery_) {
        discovery_->blame(id);
    }
    count("noroshi_waku_peers_refused_total", "Peers disconnected for what they are, by reason.", {{"reason", "faults"}});
    environment_.log.warn("peer_banned", {{"peer", id}, {"reason", reason}});
}

void P2pNode::pardon(SteadyMs now) {
    for (const PeerId& id : conduct_.pardon(now)) {
        host_->ban(id, false);
    }
}

/// When few inbound places are left, the one that was idle longest goes, one a tick. Static peers, members of a mesh and
/// filter subscribers may be silent.
void P2pNode::make_room_for_newcomers(SteadyMs now) {
    const std::size_t places = config_.limits.connections - config_.limits.connections / 4;
    const auto is_inbound = [](const auto& entry) { return entry.second.inbound; };
    if (static_cast<std::size_t>(std::ranges::count_if(peers_, is_inbound)) + places / 8 < places) {
        return;
    }
    const PeerId* idlest = nullptr;
    SteadyMs since = now - idle_after;
    for (const auto& [id, peer] : peers_) {
        const bool needed = !peer.inbound || peer.foreign || redialler_.keeps(id) || !peer.mesh_topics.empty() ||
                            (services_ && services_->pushes_to(id));
        if (!needed && peer.useful_at <= since) {
            idlest = &id;
            since = peer.useful_at;
        }
    }
    if (idlest != nullptr) {
        refuse(*idlest, idle);
    }
}

/// go-libp2p opens its gossip stream once a connection. When that one fails neither side hears of the other's topics, and
/// only a new connection helps. A relay that has no topics at all looks the same, so it is left alone after a few.
void P2pNode::redial_mute(SteadyMs now) {
    if (config_.mode != Mode::relay) {
        return;
    }
    for (auto& [id, peer] : peers_) {
        const bool due = !peer.announced && !peer.foreign && now >= peer.announces_by;
        if (!due || !redialler_.keeps(id) || std::ranges::count(peer.info.protocols, relay_protocol) == 0) {
            continue;
        }
        unsigned& redials = mute_redials_[id];
        if (redials < most_mute_redials) {
            ++redials;
            peer.announces_by = now + announces_within;
            to_refuse_.insert(id);
            count("noroshi_waku_mute_redials_total", "Static peers that relay and told of no topic: connected anew.", {});
            environment_.log.warn("peer_mute", {{"peer", id}, {"try", redials}});
        }
    }
}

void P2pNode::forget_peers() {
    if (discovery_) {
        for (const auto& [id, peer] : peers_) {
            discovery_->disconnected(id);
        }
    }
    found_dials_.clear();
    peers_.clear();
    conduct_.forget_all();
    filter_.forget_all();
    to_refuse_.clear();
    show_peers();
}

void P2pNode::show_peers() {
    environment_.metrics.gauge("noroshi_waku_peers", "Connected peers.").set(static_cast<double>(peers_.size()));
}

std::vector<PeerInfo> P2pNode::peers() const {
    std::vector<PeerInfo> out;
    for (const auto& [id, peer] : peers_) {
        PeerInfo info = peer.info;
        info.topics.assign(peer.topics.begin(), peer.topics.end());
        info.mesh_topics.assign(peer.mesh_topics.begin(), peer.mesh_topics.end());
        out.push_back(std::move(info));
    }
    return out;
}

}  // namespace noroshi::waku
