// src/waku/p2p_node.cpp - life of a node: start, tick, the crash of a host and its successor, stop.
#include "p2p_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace noroshi::waku {
namespace {

constexpr Milliseconds tick_interval{500};
constexpr Milliseconds listen_deadline{10'000};
constexpr Milliseconds publish_deadline{10'000};
constexpr Milliseconds first_restart_delay{1'000};
constexpr Milliseconds longest_restart_delay{60'000};
constexpr Milliseconds stable_host_after{300'000};
constexpr Milliseconds listen_again_after{5'000};
constexpr Milliseconds mesh_interval{5'000};
/// Room for the gossip frame around one message.
constexpr std::uint32_t frame_overhead = 64 * 1024;
/// Of one protocol, inbound: more than Streams keeps of all, so that it decides who loses one.
constexpr std::uint32_t max_streams = 1'024;

/// "/ip4/" or "/ip6/", and what follows the port: "/ws", "/wss", "/tls/ws".
std::string kind_of(std::string_view address) {
    const std::string plain = without_peer(address);
    const std::size_t behind = plain.find('/', plain.find("/tcp/") + 5);
    return plain.substr(0, 5) + (behind == std::string::npos ? "" : plain.substr(behind));
}

}  // namespace

P2pNode::P2pNode(NodeConfig config, const std::vector<PeerAddress>& peers, HostFactory factory,
                 NodeEnvironment environment)
    : config_(std::move(config)),
      factory_(std::move(factory)),
      environment_(std::move(environment)),
      topics_(pubsub_topics(config_.cluster, config_.shards)),
      content_topics_(config_.content_topics),
      redialler_(peers, environment_.random),
      judge_(std::make_shared<GossipJudge>(topics_, config_.content_topics, environment_.clock, environment_.metrics)),
      received_(environment_.executor, config_.limits),
      seen_(config_.limits.remembered_hashes),
      filter_(streams_, topics_, content_topics_.list(), environment_.random, environment_.metrics, environment_.log),
      calls_(environment_.executor),
      tasks_(environment_.executor) {
    if (config_.discovery.any() || config_.services.peer_exchange) {
        discovery_.emplace(config_, streams_, environment_);
    }
    streams_.set_witness({[this](const PeerId& id) { note_use(id); },
                          [this](const PeerId& id, std::string_view reason) { note_fault(id, reason); }});
    streams_.serve(metadata_protocol, max_small_frame_bytes,
                   [this](const PeerId& id, const Bytes& request, const Streams::Reply& reply) {
                       serve_metadata(id, request, reply);
                   });
    streams_.take(filter_push_protocol, max_push_frame_bytes,
                  [this](const PeerId& id, const Bytes& frame) { return on_filter_push(id, frame); });
}

Result<void> P2pNode::open_services() {
    if (!config_.services.any()) {
        return {};
    }
    ServiceHost host{streams_, topics_, environment_, {}, {}, {}};
    host.share = [this](std::size_t most) { return discovery_->share(most); };
    host.relay = [this](std::string topic, Bytes data, std::function<void(Result<std::size_t>)> done) {
        tasks_.spawn("waku relay for a client", relay_for(std::move(topic), std::move(data), std::move(done)));
    };
    host.tell_all = [judge = judge_](bool on) { judge->tell_all(on); };
    NOROSHI_TRY(services_, Services::create(config_.services, std::move(host)));
    return {};
}

Task<Result<void>> P2pNode::start() {
    if (started_) {
        co_return fail(Errc::conflict, "node is already started");
    }
    started_ = true;
    const Calls::Inside call(calls_);
    begin_catch_up();
    const auto listening = std::make_shared<Pending<bool>>(environment_.executor);
    first_listen_ = listening;
    listening->since = environment_.clock.steady();
    Result<void> made = make_host();
    if (made) {
        tasks_.spawn("waku node", run_ticks());
        if (config_.listen.empty()) {
            listening->complete(true);
        }
        const Result<void> woken = co_await listening->ready.wait();
        if (!woken) {
            made = fail(woken.error());
        } else if (!*listening->result) {
            made = fail(listening->result->error());
        }
    }
    first_listen_.reset();
    if (!made) {
        co_await tasks_.stop();
        streams_.set_host(nullptr);
        host_.reset();
        co_return made;
    }
    state_ = NodeState::running;
    if (discovery_) {
        discovery_->load();
        tasks_.spawn("waku node lists", discovery_->read_trees());
    }
    environment_.log.info("started", {{"peer", peer_id_}, {"cluster", config_.cluster}});
    dial_due(environment_.clock.steady());
    co_return Result<void>{};
}

Task<void> P2pNode::stop() {
    stopping_ = true;
    co_await tasks_.stop();
    streams_.set_host(nullptr);
    fail_waiting(Error{Errc::cancelled, "node stopped", {}, false});
    received_.close();
    forget_peers();
    host_.reset();
    if (services_) {
        services_->flush();
    }
    if (discovery_) {
        discovery_->save();
    }
    state_ = NodeState::stopped;
    co_await calls_.all_ended();
}

Result<void> P2pNode::make_host() {
    const HostOptions options{
        .key = config_.key,
        .agent = config_.agent,
        .max_connections = config_.limits.connections,
        .max_transmit_bytes = static_cast<std::uint32_t>(max_message_bytes) + frame_overhead,
        .ip_colocation = config_.limits.ip_colocation,
        .connections_per_ip = config_.limits.connections_per_ip,
        .gossip_messages_per_s = config_.limits.gossip_messages_per_s,
        .gossip_kib_per_s = config_.limits.gossip_kib_per_s,
        .gossip = config_.mode == Mode::relay,
        .hide_listen_addresses = config_.listen.empty(),
        .tls_certificate = config_.tls ? std::string_view(config_.tls->certificate_pem) : std::string_view(),
        .tls_key = config_.tls ? std::string_view(config_.tls->key_pem) : std::string_view(),
        .extra_roots = config_.extra_roots_pem,
        .post = environment_.post,
        .judge = [judge = judge_](std::string_view topic, ByteView data) { return judge->judge(topic, data); },
        .metrics = environment_.metrics,
        .log = environment_.log};
    NOROSHI_TRY(host_, factory_(options, HostEvents{[this](HostEvent event) { on_event(std::move(event)); }}));
    host_dead_ = false;
    discv5_begun_ = false;
    host_since_ = environment_.clock.steady();
    peer_id_ = host_->peer_id();
    streams_.set_host(host_.get());
    // Before anything can connect: peers that find no metadata protocol here disconnect at once.
    NOROSHI_TRY_VOID(host_->accept(metadata_protocol, max_streams));
    if (config_.mode == Mode::light) {  // also when nothing is read yet
        NOROSHI_TRY_VOID(host_->accept(filter_push_protocol, max_streams));
    }
    if (services_) {
        for (const std::string_view protocol : services_->protocols()) {
            NOROSHI_TRY_VOID(host_->accept(protocol, max_streams));
        }
    }
    if (config_.mode == Mode::relay) {
        for (const std::string& topic : topics_) {
            NOROSHI_TRY_VOID(host_->subscribe(topic));
        }
    }
    listening_.clear();
    listen_again_at_ = host_since_ + listen_again_after;
    for (const std::string& address : wanted_addresses()) {
        NOROSHI_TRY_VOID(host_->listen(address));
    }
    redialler_.reset(host_since_);
    return {};
}

/// The configured addresses; one with port 0 keeps the port it got first, so that peers find the node after a restart.
std::vector<std::string> P2pNode::wanted_addresses() const {
    std::vector<std::string> out = config_.listen;
    for (std::string& address : out) {
        const bool any_port = address.ends_with("/tcp/0") || address.find("/tcp/0/") != std::string::npos;
        const auto known = first_opened_.find(kind_of(address));
        if (any_port && known != first_opened_.end()) {
            const std::string plain = without_peer(known->second);
            address.replace(address.find("/tcp/"), std::string::npos, plain.substr(plain.find("/tcp/")));
        }
    }
    return out;
}

Task<void> P2pNode::run_ticks() {
    while (true) {
        const Result<void> slept = co_await environment_.timers.sleep_for(tick_interval);
        if (!slept) {
            co_return;
        }
        tick();
    }
}

void P2pNode::tick() {
    const SteadyMs now = environment_.clock.steady();
    if (first_listen_ && now - first_listen_->since >= listen_deadline) {
        first_listen_->complete(fail(Errc::timeout, "listen addresses did not open within 10 s"));
    }
    expire_publishing(now);
    restart_when_due(now);
    if (!host_ || host_dead_ || state_ != NodeState::running) {
        return;
    }
    streams_.tick(now);
    filter_.tick(now);
    if (services_) {
        services_->tick(now);
    }
    disconnect_refused();
    pardon(now);
    make_room_for_newcomers(now);
    redial_mute(now);
    catch_up_when_due(now);
    clock_watch_.show(now, environment_.metrics, environment_.log);
    listen_again_when_due(now);
    redialler_.expire(now);
    dial_due(now);
    if (discovery_) {
        discover(now);
    }
    if (config_.mode == Mode::relay && now - mesh_asked_at_ >= mesh_interval) {
        mesh_asked_at_ = now;
        for (const std::string& topic : topics_) {
            host_->ask_mesh(topic);
        }
    }
}

void P2pNode::host_died(const std::string& reason) {
    const SteadyMs now = environment_.clock.steady();
    host_dead_ = true;
    state_ = NodeState::restarting;
    if (restart_delay_ == Milliseconds(0) || now - host_since_ >= stable_host_after) {
        restart_delay_ = first_restart_delay;
    } else {
        restart_delay_ = std::min(longest_restart_delay, restart_delay_ * 2);
    }
    restart_at_ = now + restart_delay_;
    streams_.set_host(nullptr);
    fail_waiting(Error{Errc::io, "host_down: " + reason, {}, true});
    forget_peers();
    count("noroshi_waku_p2p_restarts_total", "Times the libp2p host crashed and was made anew.", {});
    environment_.log.error("p2p_host_died", {{"reason", reason}, {"restart_in_ms", restart_delay_.count()}});
}

void P2pNode::restart_when_due(SteadyMs now) {
    if (!host_dead_) {
        return;
    }
    host_.reset();  // here and not at the event: a host cannot be destroyed from inside its own callback
    if (now < restart_at_) {
        return;
    }
    const Result<void> made = make_host();
    if (!made) {
        host_died(made.error().message);
        return;
    }
    state_ = NodeState::running;
    environment_.log.info("p2p_host_restarted");
}

void P2pNode::listen_again_when_due(SteadyMs now) {
    if (config_.listen.empty() || !listening_.empty() || now < listen_again_at_) {
        return;
    }
    listen_again_at_ = now + listen_again_after;
    for (const std::string& address : wanted_addresses()) {
        static_cast<void>(host_->listen(address));  // a refusal comes again as ListenClosed, or at the next turn
    }
}

void P2pNode::expire_publishing(SteadyMs now) {
    std::erase_if(publishing_, [now](const auto& entry) {
        const auto& [request, pending] = entry;
        if (now - pending->since < publish_deadline) {
            return false;
        }
        pending->complete(fail(Error{Errc::timeout, "timeout: no answer of the p2p host", {}, true}));
        return true;
    });
}

void P2pNode::fail_waiting(const Error& error) {
    if (first_listen_) {
        first_listen_->complete(fail(error));
    }
    for (const auto& [request, pending] : publishing_) {
        pending->complete(fail(error));
    }
    publishing_.clear();
    streams_.fail_all();
}

void P2pNode::on_event(HostEvent event) {
    if (stopping_ || host_dead_) {
        return;
    }
    std::visit([this](auto&& one) { on(std::forward<decltype(one)>(one)); }, std::move(event));
}

void P2pNode::on(event::Listening event) {
    environment_.log.info("listening", {{"address", event.address}});
    first_opened_.try_emplace(kind_of(event.address), event.address);
    listening_.push_back(std::move(event.address));
    if (first_listen_ && listening_.size() >= config_.listen.size()) {
        first_listen_->complete(true);
    }
}

void P2pNode::on(const event::ListenClosed& event) {
    const std::string reason = printable(event.reason, 200);
    environment_.log.error("listen_failed", {{"address", event.address}, {"reason", reason}});
    std::erase_if(listening_, [&event](const std::string& open) {
        return without_peer(open) == without_peer(event.address);
    });
    if (first_listen_) {
        first_listen_->complete(fail(Errc::io, fmt::format("cannot listen on {}: {}", event.address, reason)));
    }
    listen_again_at_ = environment_.clock.steady() + listen_again_after;
}

void P2pNode::on(event::Published event) {
    const auto found = publishing_.find(event.request);
    if (found != publishing_.end()) {
        found->second->complete(std::move(event));
        publishing_.erase(found);
    }
}

void P2pNode::on(const event::Stopped& event) { host_died(printable(event.reason, 200)); }

void P2pNode::count(std::string_view name, std::string_view help, Metrics::LabelList labels) {
    environment_.metrics.counter(name, help, std::move(labels)).add();
}

}  // namespace noroshi::waku
