// src/waku/p2p_node.hpp - the node that is itself a libp2p peer: its state, and what each host event does to it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "host.hpp"
#include "clock_watch.hpp"
#include "conduct.hpp"
#include "content_topics.hpp"
#include "discovery/discovery.hpp"
#include "filter_client.hpp"
#include "gossip_judge.hpp"
#include "lightpush_rpc.hpp"
#include "node_parts.hpp"
#include "redialler.hpp"
#include "rpc.hpp"
#include "service/service.hpp"
#include "store_rpc.hpp"
#include "streams.hpp"
#include "waku/node.hpp"

namespace noroshi::waku {

class P2pNode final : public Node {
  public:
    P2pNode(NodeConfig config, const std::vector<PeerAddress>& peers, HostFactory factory, NodeEnvironment environment);
    /// Opens the archive, when the node has one. Errors: io.
    [[nodiscard]] Result<void> open_services();

    [[nodiscard]] Task<Result<void>> start() override;
    [[nodiscard]] Task<void> stop() override;
    using Node::publish;
    [[nodiscard]] Task<Result<Publication>> publish(std::string pubsub_topic, WakuMessage message,
                                                    PublishOptions options) override;
    [[nodiscard]] std::vector<std::string> echoed_by(const crypto::Digest& hash) const override;
    [[nodiscard]] std::optional<Milliseconds> clock_offset() const override { return clock_watch_.offset(); }
    [[nodiscard]] Task<Result<StoreWord>> find_stored(Published what) override;
    void doubt(const std::vector<std::string>& peers) override;
    [[nodiscard]] Task<Result<ReceivedMessage>> next_message() override;
    void set_content_topics(std::vector<std::string> topics) override;
    void on_peer_ready(std::function<void()> ready) override { peer_ready_ = std::move(ready); }
    [[nodiscard]] std::vector<PeerInfo> peers() const override;
    [[nodiscard]] std::string peer_id() const override { return peer_id_; }
    [[nodiscard]] std::vector<std::string> listen_addresses() const override { return listening_; }
    [[nodiscard]] NodeState state() const override { return state_; }

  private:
    struct Peer {
        PeerInfo info;
        std::set<std::string> topics;
        std::set<std::string> mesh_topics;
        bool metadata_asked{false};
        bool foreign{false};  ///< of another cluster: being disconnected
        bool inbound{false};
        bool announced{false};  ///< has told of a topic, ours or not
        SteadyMs announces_by{};
        SteadyMs useful_at{};  ///< last request, push or message of it
        SteadyMs next_push{};
        unsigned pushes_limited{0};  ///< answers in a row that named the rate limit
    };

    // p2p_node.cpp: life of the host
    [[nodiscard]] Result<void> make_host();
    void host_died(const std::string& reason);
    [[nodiscard]] Task<void> run_ticks();
    void tick();
    void restart_when_due(SteadyMs now);
    void listen_again_when_due(SteadyMs now);
    [[nodiscard]] std::vector<std::string> wanted_addresses() const;
    void expire_publishing(SteadyMs now);
    void fail_waiting(const Error& error);
    void on_event(HostEvent event);
    void on(event::Listening event);
    void on(const event::ListenClosed& event);
    void on(event::Published event);
    void on(const event::Stopped& event);
    void on(const event::StreamIn& event) { streams_.on(event, environment_.clock.steady()); }
    void on(const event::StreamOpen& /*event*/) {}
    void on(const event::StreamData& event) { streams_.on(event, environment_.clock.steady()); }
    void on(const event::StreamEof& event) { streams_.on(event); }
    void on(const event::StreamEnded& event) { streams_.on(event); }

    void on(const event::PingRtt& event);
    void on(const event::Discv5Listening& event);
    void on(const event::Discv5Failed& event);
    void on(const event::Discovered& event);
    void on(const event::Discv5Counters& event);

    // p2p_node_peers.cpp: who is connected, of which cluster
    void discover(SteadyMs now);
    /// Connected peers that relay our shards, or that a light node can use.
    [[nodiscard]] std::size_t useful_peers() const;
    void dial_due(SteadyMs now);
    void on(const event::Connected& event);
    void on(const event::Closed& event);
    void on(const event::DialError& event);
    void on(event::Identified event);
    void on(const event::Subscription& event);
    void on(const event::Mesh& event);
    void ask_metadata(const PeerId& id);
    void take_metadata(const PeerId& id, const Result<Bytes>& answer);
    void serve_metadata(const PeerId& id, const Bytes& request, const Streams::Reply& reply);
    /// Why a peer with this metadata cannot stay; null when it can.
    [[nodiscard]] const char* refusal(const Metadata& metadata) const;
    void refuse(const PeerId& id, const char* reason);
    void disconnect_refused();
    void note_use(const PeerId& id);
    void note_fault(const PeerId& id, std::string_view reason);
    void pardon(SteadyMs now);
    void make_room_for_newcomers(SteadyMs now);
    void redial_mute(SteadyMs now);
    [[nodiscard]] Metadata own_metadata() const { return {config_.cluster, config_.shards}; }
    void forget_peers();
    void show_peers();

    // p2p_node_publish.cpp: messages out
    [[nodiscard]] Task<Result<Publication>> check_and_publish(std::string pubsub_topic, WakuMessage message,
                                                              PublishOptions options);
    [[nodiscard]] Task<Result<Publication>> publish_relay(std::string topic, crypto::Digest hash, Bytes data);
    [[nodiscard]] Task<Result<Publication>> publish_light(std::string topic, crypto::Digest hash, Bytes data,
                                                          std::size_t most_peers);
    /// Gossip alone. Errors: as publish, and duplicate.
    [[nodiscard]] Task<Result<std::vector<PeerId>>> gossip(std::string topic, Bytes data);
    /// For others, as their lightpush server.
    [[nodiscard]] Task<void> relay_for(std::string topic, Bytes data, std::function<void(Result<std::size_t>)> done);
    [[nodiscard]] Task<Result<void>> push_once(PeerId id, LightpushVersion version, std::string topic, Bytes data);
    [[nodiscard]] Result<void> judge_answer(const PeerId& id, LightpushVersion version, const std::string& request_id,
                                            const Result<Bytes>& body);
    [[nodiscard]] std::optional<LightpushVersion> push_version(const Peer& peer) const;
    [[nodiscard]] std::optional<PeerId> pick_push_peer(const std::set<PeerId>& tried) const;
    [[nodiscard]] std::vector<PeerId> subscribers(const std::string& topic) const;
    void count_published(const Result<Publication>& result);
    void remember_published(const crypto::Digest& hash);

    // p2p_node_receive.cpp: messages in
    void on(event::Gossip event);
    [[nodiscard]] Verdict judge(const event::Gossip& event);
    /// A push of a filter peer. False when it is none that was asked for.
    [[nodiscard]] bool on_filter_push(const PeerId& id, const Bytes& frame);
    enum class Taken : std::uint8_t { fresh, duplicate, no_room };
    /// A valid message from outside: to who reads, to the store, to subscribers; each hash once.
    [[nodiscard]] Taken take_in(const PeerId& id, const std::string& topic, WakuMessage message, ByteView data);
    void note_echo(const crypto::Digest& hash, const PeerId& from);

    // p2p_node_store.cpp: what was missed, and what others have
    [[nodiscard]] std::optional<StoreVersion> store_version(const PeerId& id) const;
    void begin_catch_up();
    void catch_up_through(const PeerId& id, const std::vector<std::string>& content_topics);
    void catch_up_when_due(SteadyMs now);
    [[nodiscard]] Task<void> catch_up(PeerId id);
    [[nodiscard]] Task<Result<void>> catch_up_once(PeerId id, StoreVersion version,
                                                   std::vector<std::string> content_topics);
    [[nodiscard]] Task<Result<void>> fetch_all(PeerId id, StoreVersion version, ContentTopics::Range range,
                                               TimestampMs until);
    [[nodiscard]] Task<Result<StorePage>> fetch_page(PeerId id, StoreVersion version, StoreQuery query);
    [[nodiscard]] Result<void> keep_stored(const PeerId& id, const std::string& topic, WakuMessage message);
    [[nodiscard]] std::vector<PeerId> stores_for(const Published& what) const;
    [[nodiscard]] Task<Result<bool>> ask_store(PeerId id, Published what);

    void count(std::string_view name, std::string_view help, Metrics::LabelList labels);

    NodeConfig config_;
    HostFactory factory_;
    NodeEnvironment environment_;
    std::vector<std::string> topics_;
    ContentTopics content_topics_;
    NodeState state_{NodeState::stopped};
    std::function<void()> peer_ready_{[] {}};
    bool started_{false};
    bool stopping_{false};

    std::unique_ptr<P2pHost> host_;
    bool host_dead_{false};
    std::string peer_id_;
    std::vector<std::string> listening_;
    std::map<std::string, std::string> first_opened_;  ///< by kind_of; survives the host
    std::shared_ptr<Pending<bool>> first_listen_;  // shared with the coroutine of start
    SteadyMs host_since_{};
    SteadyMs restart_at_{};
    Milliseconds restart_delay_{0};
    SteadyMs listen_again_at_{};
    SteadyMs mesh_asked_at_{};

    Streams streams_;
    Redialler redialler_;
    std::map<PeerId, Peer> peers_;
    std::set<PeerId> to_refuse_;  ///< disconnected at the next tick, when they have read our answer
    std::optional<Discovery> discovery_;
    std::map<RequestId, PeerId> found_dials_;  ///< dials of peers that discovery found
    bool discv5_begun_{false};
    SteadyMs discv5_again_at_{};
    SteadyMs discv5_asked_at_{};
    RequestId next_request_{1};
    std::map<RequestId, std::shared_ptr<Pending<event::Published>>> publishing_;  // shared with their coroutines
    Conduct conduct_;
    PeerId last_good_push_peer_;
    std::map<PeerId, unsigned> mute_redials_;  ///< of static peers, since they last told of a topic
    std::map<PeerId, unsigned> doubts_;  ///< messages that a peer took and nobody had; bounded

    std::shared_ptr<GossipJudge> judge_;  // shared with the hosts, whose threads call it
    ReceivedQueue received_;
    HashMemory seen_;
    /// The last messages published here, and which filter peers sent them back.
    std::map<crypto::Digest, std::vector<PeerId>> echoes_;
    std::deque<crypto::Digest> published_;
    FilterClient filter_;
    std::unique_ptr<Services> services_;
    ClockWatch clock_watch_;
    SteadyMs catch_up_at_{};
    TimestampMs last_tick_{};
    /// What a store is being asked about.
    struct CatchUp {
        std::set<std::string> content_topics;
        unsigned looks{0};  ///< still to be taken
        SteadyMs next_look{};
    };
    std::map<PeerId, CatchUp> catching_up_;

    Calls calls_;
    TaskGroup tasks_;
};

}  // namespace noroshi::waku
