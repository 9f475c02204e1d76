// test/unit/waku/fake_host.hpp - a P2pHost that writes down what it is told, and a node on top whose time a test owns.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/runtime.hpp"
#include "waku/host.hpp"
#include "waku/node.hpp"
#include "waku/rpc.hpp"

namespace noroshi::waku {

/// What the hosts of one test were told; it outlives them.
struct HostNotes {
    struct Dial {
        RequestId request{0};
        std::string address;
    };
    struct Publish {
        RequestId request{0};
        std::string topic;
        Bytes data;
    };
    struct Stream {
        PeerId peer;
        std::string protocol;
        Bytes written;
        bool finished{false};
        bool reset{false};
        std::uint64_t credit{0};
    };
    struct Answer {
        GossipId id{};
        PeerId peer;
        Verdict verdict{Verdict::ignore};
    };

    int hosts_made{0};
    int hosts_alive{0};
    std::vector<std::string> listens;
    std::vector<std::string> accepted;
    std::vector<std::string> accepted_before_use;  ///< at the first listen or dial
    std::vector<std::string> topics;
    std::vector<std::string> mesh_asked;
    std::vector<Dial> dials;
    std::vector<Publish> publishes;
    std::vector<PeerId> disconnected;
    std::vector<PeerId> banned;
    std::vector<Answer> answers;
    std::map<StreamId, Stream> streams;
    std::vector<DiscoveryStart> discoveries;
    int discv5_asked{0};
    bool gossip{false};
    bool hides_addresses{false};
    std::string tls_certificate;
    std::string extra_roots;

    // What the host refuses from now on.
    bool no_host{false};
    bool busy{false};        ///< every command that can be refused
    bool writes_full{false};

    std::function<void(HostEvent)> deliver;
};

class FakeHost final : public P2pHost {
  public:
    explicit FakeHost(HostNotes& notes) : notes_(notes) { ++notes_.hosts_alive; }
    ~FakeHost() override {
        --notes_.hosts_alive;
        notes_.deliver = nullptr;
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    PeerId peer_id() const override { return "16Uiu2HAkwdaqR4NGxQ6cDsUtqGaMpsboURRkh2hvXaHxxCs6CXfW"; }
    Result<void> listen(std::string_view address) override {
        begin_use();
        notes_.listens.emplace_back(address);
        return taken();
    }
    Result<void> dial(RequestId request, std::string_view address) override {
        begin_use();
        notes_.dials.push_back({request, std::string(address)});
        return taken();
    }
    Result<void> discover(const DiscoveryStart& start) override {
        NOROSHI_TRY_VOID(taken());
        notes_.discoveries.push_back(start);
        return {};
    }
    void ask_discv5() override { ++notes_.discv5_asked; }
    void disconnect(std::string_view peer) override { notes_.disconnected.emplace_back(peer); }
    void ban(std::string_view peer, bool on) override {
        std::erase(notes_.banned, peer);
        if (on) {
            notes_.banned.emplace_back(peer);
        }
    }
    Result<void> subscribe(std::string_view topic) override {
        notes_.topics.emplace_back(topic);
        return taken();
    }
    Result<void> publish(RequestId request, std::string_view topic, ByteView data) override {
        NOROSHI_TRY_VOID(taken());
        notes_.publishes.push_back({request, std::string(topic), Bytes(data.begin(), data.end())});
        return {};
    }
    void verdict(const GossipId& id, std::string_view peer, Verdict verdict) override {
        notes_.answers.push_back({id, std::string(peer), verdict});
    }
    void ask_mesh(std::string_view topic) override { notes_.mesh_asked.emplace_back(topic); }
    Result<void> accept(std::string_view protocol, std::uint32_t /*max_streams*/) override {
        notes_.accepted.emplace_back(protocol);
        return taken();
    }
    Result<void> open(StreamId stream, std::string_view peer, std::string_view protocol,
                      Milliseconds /*timeout*/) override {
        NOROSHI_TRY_VOID(taken());
        EXPECT_FALSE(notes_.streams.contains(stream)) << "stream id used twice";
        notes_.streams[stream].peer = peer;
        notes_.streams[stream].protocol = protocol;
        return {};
    }
    Result<void> write(StreamId stream, ByteView data) override {
        if (notes_.writes_full) {
            return fail(Error{Errc::limit, "write: full", {}, true});
        }
        Bytes& written = notes_.streams[stream].written;
        written.insert(written.end(), data.begin(), data.end());
        return {};
    }
    void credit(StreamId stream, std::uint64_t bytes) override { notes_.streams[stream].credit += bytes; }
    void finish(StreamId stream) override { notes_.streams[stream].finished = true; }
    void reset(StreamId stream) override { notes_.streams[stream].reset = true; }

  private:
    void begin_use() {
        if (notes_.listens.empty() && notes_.dials.empty()) {
            notes_.accepted_before_use = notes_.accepted;
        }
    }
    [[nodiscard]] Result<void> taken() const {
        if (notes_.busy) {
            return fail(Error{Errc::limit, "the p2p host is busy", {}, true});
        }
        return {};
    }

    HostNotes& notes_;
};

/// Time that passes only in `advance`. Sleepers wake up in the order of their time.
class ManualTimers final : public Timers {
  public:
    ManualTimers(Executor executor, ManualClock& clock) : executor_(std::move(executor)), clock_(clock) {}
    Task<Result<void>> sleep_for(Milliseconds duration) override {
        const auto sleeper = sleepers_.emplace(sleepers_.end(), clock_.steady() + duration, executor_);
        Result<void> slept;
        while (slept && clock_.steady() < sleeper->due) {
            slept = co_await sleeper->signal.wait();
        }
        sleepers_.erase(sleeper);
        co_return slept;
    }
    void wake() {
        for (Sleeper& sleeper : sleepers_) {
            sleeper.signal.notify();
        }
    }

  private:
    struct Sleeper {
        Sleeper(SteadyMs when, const Executor& executor) : due(when), signal(executor) {}
        SteadyMs due;
        Signal signal;
    };
    Executor executor_;
    ManualClock& clock_;
    std::list<Sleeper> sleepers_;
};

/// Where a spawned call leaves its result.
template <class T>
struct Outcome {
    std::optional<Result<T>> result;
    [[nodiscard]] bool ended() const { return result.has_value(); }
    /// The error's message; "pending" or "ok" when there is none.
    [[nodiscard]] std::string error() const { return !result ? "pending" : *result ? "ok" : result->error().message; }
    [[nodiscard]] bool retryable() const { return result && !*result && result->error().retryable; }
};

/// A node over fake hosts. Every step is finished when the call returns: no test waits for real time.
class NodeBench {
  public:
    static constexpr std::string_view shard = "/waku/2/rs/16/32";
    static constexpr std::string_view static_address =
        "/ip4/127.0.0.1/tcp/60001/p2p/16Uiu2HAmQSMNExfUYUqfuXWkD5DaNZnMYnigRxFKbk3tcEFQeQeE";
    static constexpr std::string_view static_peer = "16Uiu2HAmQSMNExfUYUqfuXWkD5DaNZnMYnigRxFKbk3tcEFQeQeE";

    NodeBench() : timers_(runtime_.executor(), clock_), tasks_(runtime_.executor()) {}
    ~NodeBench() {
        if (node_) {
            stop();
        }
    }
    NodeBench(const NodeBench&) = delete;
    NodeBench& operator=(const NodeBench&) = delete;

    static NodeConfig config() {
        return NodeConfig{.key = *crypto::SecretKey::from_bytes(Bytes(32, 1)),
                          .listen = {},
                          .peers = {},
                          .content_topics = {"/noroshi/1/alerts/proto"}};
    }
    static WakuMessage message(std::uint8_t payload = 1) {
        WakuMessage out;
        out.payload = {payload};
        out.content_topic = "/noroshi/1/alerts/proto";
        out.timestamp_ns = 1;
        return out;
    }

    /// Makes the node and starts it; it stays in `start` while it listens.
    std::shared_ptr<Outcome<void>> begin(NodeConfig config) {
        NodeEnvironment environment{runtime_.executor(), timers_, {}, clock_, random_, metrics_, Log::none(), look_up_txt};
        environment.post = [this](std::function<void()> work) { runtime_.post(std::move(work)); };
        node_ = *Node::create(std::move(config), factory(), std::move(environment));
        return call(node_->start());
    }
    void start(NodeConfig config) {
        const auto started = begin(std::move(config));
        ASSERT_EQ(started->error(), "ok");
    }
    void stop() {
        const auto stopped = begin_stop();
        while (!stopped->ended()) {
            advance(Milliseconds(500));
        }
        static_cast<void>(runtime_.run(stop_tasks()));
        node_.reset();
    }
    /// The stop of the node, to be watched.
    std::shared_ptr<Outcome<void>> begin_stop() { return call(stop_node()); }

    /// Lets a call run until it waits.
    template <class T>
    std::shared_ptr<Outcome<T>> call(Task<Result<T>> task) {
        auto outcome = std::make_shared<Outcome<T>>();
        tasks_.spawn("test call", keep(std::move(task), outcome));
        settle();
        return outcome;
    }
    auto publish(WakuMessage message) { return call(node_->publish(std::string(shard), std::move(message))); }
    auto next_message() { return call(node_->next_message()); }

    void event(HostEvent event) {
        if (notes.deliver) {
            notes.deliver(std::move(event));
        }
        settle();
    }
    /// In steps of the node's tick, or larger ones when hours are to pass.
    void advance(Milliseconds by, Milliseconds step = Milliseconds(500)) {
        while (by.count() > 0) {
            clock_.advance(std::min(step, by));
            by -= std::min(step, by);
            timers_.wake();
            settle();
        }
    }

    /// The wall clock goes on, the steady one does not: the machine slept.
    void sleep(Milliseconds by) { clock_.jump_wall(by); }

    /// A peer that is connected, identified and subscribed; what it speaks besides is up to the test.
    void connect(const PeerId& peer, std::vector<std::string> protocols = {}, bool inbound = false) {
        event(event::Connected{peer, "/ip4/127.0.0.1/tcp/1", inbound, 1});
        event(event::Identified{peer, "agent", std::move(protocols)});
        event(event::Subscription{peer, std::string(shard), true});
    }
    /// The streams that were opened to `protocol`, oldest first.
    std::vector<StreamId> streams_of(std::string_view protocol) const {
        std::vector<StreamId> out;
        for (const auto& [id, stream] : notes.streams) {
            if (stream.protocol == protocol) {
                out.push_back(id);
            }
        }
        return out;
    }
    void answer(StreamId stream, ByteView body) {
        event(event::StreamData{stream, frame(body)});
        event(event::StreamEnded{stream, StreamEnd::finished, ""});
    }
    std::uint64_t counter(std::string_view name, Metrics::LabelList labels = {}) {
        return metrics_.counter(name, "", std::move(labels)).value();
    }
    Node& node() { return *node_; }
    Runtime& runtime() { return runtime_; }
    ManualClock& clock() { return clock_; }
    Timers& timers() { return timers_; }
    Random& random() { return random_; }
    Metrics& metrics() { return metrics_; }
    HostNotes notes;
    LookUpTxt look_up_txt;

  private:
    HostFactory factory() {
        return [this](const HostOptions& options, HostEvents events) -> Result<std::unique_ptr<P2pHost>> {
            ++notes.hosts_made;
            if (notes.no_host) {
                return fail(Errc::io, "no thread");
            }
            notes.gossip = options.gossip;
            notes.hides_addresses = options.hide_listen_addresses;
            notes.tls_certificate = options.tls_certificate;
            notes.extra_roots = options.extra_roots;
            auto host = std::make_unique<FakeHost>(notes);
            notes.deliver = std::move(events.deliver);
            return host;
        };
    }
    template <class T>
    static Task<void> keep(Task<Result<T>> task, std::shared_ptr<Outcome<T>> outcome) {
        outcome->result = co_await std::move(task);
    }
    Task<Result<void>> stop_node() {
        co_await node_->stop();
        co_return Result<void>{};
    }
    Task<int> stop_tasks() {
        co_await tasks_.stop();
        co_return 0;
    }
    /// Enough turns of the loop for every chain of wake-ups there is.
    Task<int> turns() {
        for (int i = 0; i < 8; ++i) {
            static_cast<void>(co_await runtime_.sleep_for(Milliseconds(0)));
        }
        co_return 0;
    }
    void settle() { static_cast<void>(runtime_.run(turns())); }

    Runtime runtime_{0};
    ManualClock clock_{from_unix_ms(1'700'000'000'000)};
    SeededRandom random_{7};
    Metrics metrics_;
    ManualTimers timers_;
    TaskGroup tasks_;
    std::unique_ptr<Node> node_;
};

}  // namespace noroshi::waku
