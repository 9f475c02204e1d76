// test/unit/status/messenger_bench.hpp - messengers over a network in memory that loses, doubles, delays and reorders.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "manual_timers.hpp"
#include "run_task.hpp"
#include "status/messenger.hpp"

namespace noroshi::status::test {

using noroshi::test::ManualLoop;
using noroshi::test::run;

inline constexpr TimestampMs bench_start = from_unix_ms(1'767'225'600'000);  // 2026-01-01

/// Rows in memory. Can be killed in the middle of a life: `kill_at` counts commits from 1.
class FakeStore final : public StateStore {
  public:
    Task<Result<void>> commit(StateWrites writes) override {
        ++commits;
        if (dead || (commits == kill_at && !after)) {
            dead = true;
            co_return fail(Errc::cancelled, "killed");
        }
        for (StateWrite& write : writes) {
            if (write.value) {
                tables[write.table].insert_or_assign(write.key, std::move(*write.value));
            } else {
                tables[write.table].erase(write.key);
            }
        }
        if (commits == kill_at) {
            dead = true;
            co_return fail(Errc::cancelled, "killed");
        }
        co_return Result<void>{};
    }
    Result<StateRows> load(const std::string& table) override {
        const auto& rows = tables[table];
        return StateRows{rows.begin(), rows.end()};
    }

    std::map<std::string, std::map<std::string, Bytes>> tables;
    int commits{0};
    int kill_at{0};     ///< 0: never
    bool after{false};  ///< the commit is done, its caller does not hear of it
    bool dead{false};
};

/// What travels: every participant but its sender gets what it listens to.
struct Network {
    explicit Network(ManualLoop& l) : loop(l) {}
    struct Flying {
        SteadyMs due{};
        std::size_t from{0};
        waku::ReceivedMessage message;
    };
    ManualLoop& loop;
    SeededRandom random{7};
    std::vector<Flying> flying;
    std::vector<Flying> archive;  ///< all that was ever published
    unsigned loss_percent{0};
    unsigned double_percent{0};
    Milliseconds delay{0};        ///< up to so long, each message another: it reorders

    void publish(std::size_t from, const waku::ReceivedMessage& message) {
        const std::size_t copies = random.below(100) < double_percent ? 2 : 1;
        archive.push_back({loop.clock.steady(), from, message});
        for (std::size_t i = 0; i < copies; ++i) {
            if (random.below(100) < loss_percent) {
                continue;
            }
            const auto late = random.below(static_cast<std::uint64_t>(delay.count()) + 1);
            flying.push_back({loop.clock.steady() + Milliseconds(late), from, message});
        }
    }
};

class FakeNode final : public waku::Node {
  public:
    FakeNode(Network& network, std::size_t own) : network_(network), own_(own) {}

    using waku::Node::publish;
    Task<Result<waku::Publication>> publish(std::string pubsub_topic, waku::WakuMessage message,
                                            waku::PublishOptions /*options*/) override {
        ++publishes;
        if (takes_time.count() > 0) {
            NOROSHI_CO_TRY_VOID(co_await network_.loop.timers.sleep_for(takes_time));
        }
        if (dead || offline) {
            co_return fail(Error{Errc::io, "no_peers: nobody is connected", {}, true});
        }
        const crypto::Digest hash = waku::message_hash(pubsub_topic, message);
        network_.publish(own_, {std::move(message), std::move(pubsub_topic), hash, "peer"});
        co_return waku::Publication{hash, {"peer"}};
    }
    Task<Result<void>> start() override { co_return Result<void>{}; }
    Task<void> stop() override { co_return; }
    [[nodiscard]] std::vector<std::string> echoed_by(const crypto::Digest& /*hash*/) const override { return {}; }
    [[nodiscard]] std::optional<Milliseconds> clock_offset() const override { return std::nullopt; }
    Task<Result<waku::StoreWord>> find_stored(waku::Published /*what*/) override {
        co_return fail(Errc::not_found, "no_store");
    }
    void doubt(const std::vector<std::string>& /*peers*/) override {}
    Task<Result<waku::ReceivedMessage>> next_message() override { co_return fail(Errc::cancelled, "none"); }
    void set_content_topics(std::vector<std::string> /*topics*/) override {}
    void on_peer_ready(std::function<void()> /*ready*/) override {}
    [[nodiscard]] std::vector<waku::PeerInfo> peers() const override { return {}; }
    [[nodiscard]] std::string peer_id() const override { return "fake"; }
    [[nodiscard]] std::vector<std::string> listen_addresses() const override { return {}; }
    [[nodiscard]] waku::NodeState state() const override { return waku::NodeState::running; }

    bool offline{false};
    bool dead{false};
    Milliseconds takes_time{0};
    int publishes{0};

  private:
    Network& network_;
    std::size_t own_;
};

inline crypto::SecretKey secret(std::uint8_t fill) { return *crypto::SecretKey::from_bytes(Bytes(32, fill)); }

/// One user: a messenger that can be killed and started again on the same store, and what it told.
class Party {
  public:
    Party(Network& network, std::size_t index, crypto::SecretKey key, bool ratchet, std::string name)
        : node(std::make_unique<FakeNode>(network, index)),
          identity(std::move(key)),
          publish_bundles(ratchet),
          display_name(std::move(name)),
          random(100 + index),
          network_(network),
          index_(index) {}

    void start() {
        MessengerConfig config{identity.clone(), display_name, picture, publish_bundles, push};
        ManualLoop& loop = network_.loop;
        messenger = make_messenger(std::move(config), {*node, store, loop.timers, loop.runtime.executor(), loop.clock, random,
                                                       metrics, Log::none()});
        messenger->allow(owners);
        messenger->let_requests_in(requests_open);
        const Result<void> started = run(loop.runtime, messenger->start());
        if (!started) {
            EXPECT_TRUE(store.dead) << started.error().to_string();
            return;
        }
        tasks_ = std::make_unique<TaskGroup>(loop.runtime.executor());
        tasks_->spawn("listen", listen());
    }
    void stop() {
        if (!messenger) {
            return;
        }
        ManualLoop& loop = network_.loop;
        run(loop.runtime, messenger->stop());
        if (tasks_) {
            run(loop.runtime, tasks_->stop());
            tasks_.reset();
        }
        messenger.reset();
    }
    /// Ends this life as a power cut does, and begins the next.
    void restart() {
        store.dead = true;
        node->dead = true;
        stop();
        store.dead = false;
        store.kill_at = 0;
        node = std::make_unique<FakeNode>(network_, index_);
        start();
    }

    [[nodiscard]] crypto::PublicKey key() const { return identity.public_key(); }
    [[nodiscard]] std::uint64_t received(const std::string& result) {
        return metrics.counter("noroshi_status_received_total", "", {{"result", result}}).value();
    }
    template <class Kind>
    [[nodiscard]] std::vector<Kind> told() const {
        std::vector<Kind> out;
        for (const auto& [id, content] : events) {
            if (const Kind* one = std::get_if<Kind>(&content)) {
                out.push_back(*one);
            }
        }
        return out;
    }
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> out;
        for (const TextReceived& text : told<TextReceived>()) {
            out.push_back(text.line.text);
        }
        return out;
    }
    [[nodiscard]] bool is_mutual_with(const Party& other) const {
        const std::vector<ContactInfo> all = messenger->contacts();
        return std::ranges::any_of(all, [&](const ContactInfo& one) { return one.key == other.key() && one.mutual; });
    }
    Result<Sent> send(const Party& to, const std::string& id, const std::string& text, const std::string& replies_to = "") {
        return run(network_.loop.runtime, messenger->send({id, to.key(), text, replies_to, std::nullopt}));
    }
    Result<Sent> ask(const Party& to, const std::string& text = "please add me") {
        return run(network_.loop.runtime, messenger->request_contact(to.key(), text));
    }

    std::unique_ptr<FakeNode> node;
    crypto::SecretKey identity;
    bool publish_bundles;
    std::string display_name;
    std::optional<Image> picture;
    SeededRandom random;
    FakeStore store;
    Metrics metrics;
    std::vector<crypto::PublicKey> owners;
    bool requests_open{false};
    bool push{false};
    bool keeps_events{false};  ///< does not say that they are done
    std::unique_ptr<Messenger> messenger;
    std::map<std::string, EventContent> events;  ///< by id: what is told again after a kill is the same
    int told_times{0};

  private:
    Task<void> listen() {
        while (true) {
            const Result<Event> event = co_await messenger->next_event();
            if (!event) {
                co_return;
            }
            ++told_times;
            events.insert_or_assign(event->id, event->content);
            if (!keeps_events && !co_await messenger->done(event->id)) {
                co_return;
            }
        }
    }

    Network& network_;
    std::size_t index_;
    std::unique_ptr<TaskGroup> tasks_;
};

/// Parties on one network, and time.
class Bench {
  public:
    explicit Bench(bool ratchet = false) : ratchet_(ratchet) {}
    ~Bench() {
        for (const auto& party : parties) {
            party->stop();
        }
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    Party& add(std::uint8_t key, std::string name = "somebody") { return add(secret(key), std::move(name)); }
    Party& add(crypto::SecretKey key, std::string name) {
        parties.push_back(std::make_unique<Party>(network, parties.size(), std::move(key), ratchet_, std::move(name)));
        return *parties.back();
    }
    /// Lets everything that can happen now happen.
    void settle() {
        for (int quiet = 0; quiet < 3;) {
            const int before = activity();
            loop.settle();
            quiet = deliver() || activity() != before ? 0 : quiet + 1;
        }
    }
    void pass(Milliseconds by) {
        const SteadyMs end = loop.clock.steady() + by;
        settle();
        while (loop.clock.steady() < end) {
            SteadyMs next = end;
            if (const std::optional<SteadyMs> due = loop.timers.next_due(); due && *due > loop.clock.steady()) {
                next = std::min(next, *due);
            }
            for (const Network::Flying& one : network.flying) {
                next = std::min(next, std::max(one.due, loop.clock.steady() + Milliseconds(1)));
            }
            loop.clock.advance(next - loop.clock.steady());
            loop.timers.wake();
            settle();
        }
    }
    /// Gives `message` to whoever listens to it, as if it came from the network.
    void inject(const waku::WakuMessage& message, const std::string& pubsub_topic = "/waku/2/rs/16/32") {
        const crypto::Digest hash = waku::message_hash(pubsub_topic, message);
        network.flying.push_back({loop.clock.steady(), parties.size(), {message, pubsub_topic, hash, "peer"}});
    }

    ManualLoop loop{bench_start};
    Network network{loop};
    std::vector<std::unique_ptr<Party>> parties;

  private:
    [[nodiscard]] int activity() const {
        int out = 0;
        for (const auto& party : parties) {
            out += party->store.commits + party->node->publishes + party->told_times;
        }
        return out;
    }
    bool deliver() {
        std::vector<Network::Flying> now;
        std::erase_if(network.flying, [&](Network::Flying& one) {
            const bool due = one.due <= loop.clock.steady();
            if (due) {
                now.push_back(std::move(one));
            }
            return due;
        });
        for (const Network::Flying& one : now) {
            for (std::size_t i = 0; i < parties.size(); ++i) {
                Party& party = *parties[i];
                if (i == one.from || !party.messenger || party.node->offline || party.store.dead) {
                    continue;
                }
                const std::vector<std::string> topics = party.messenger->content_topics();
                if (std::ranges::count(topics, one.message.message.content_topic) > 0) {
                    party.messenger->receive(one.message);
                }
            }
        }
        return !now.empty();
    }

    bool ratchet_;
};

}  // namespace noroshi::status::test
