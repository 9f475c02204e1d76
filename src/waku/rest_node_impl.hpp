// src/waku/rest_node_impl.hpp - the node behind make_rest_node: its state, and its turns of asking.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clock_watch.hpp"
#include "content_topics.hpp"
#include "filter_rpc.hpp"
#include "lightpush_rpc.hpp"
#include "node_parts.hpp"
#include "rest_api.hpp"
#include "waku/rest_node.hpp"

namespace noroshi::waku {

/// One coroutine asks the program in turns: is it there and still the same, what has its cache, who are its peers.
/// Publishes and questions to stores run beside it, in the node's own group, so that `stop` ends them.
class RestNode final : public Node {
  public:
    RestNode(RestConfig config, net::Url url, std::unique_ptr<net::HttpClient> http, NodeEnvironment environment);

    [[nodiscard]] Task<Result<void>> start() override;
    [[nodiscard]] Task<void> stop() override;
    using Node::publish;
    [[nodiscard]] Task<Result<Publication>> publish(std::string pubsub_topic, WakuMessage message,
                                                    PublishOptions options) override;
    [[nodiscard]] std::vector<std::string> echoed_by(const crypto::Digest& /*hash*/) const override { return {}; }
    [[nodiscard]] std::optional<Milliseconds> clock_offset() const override { return clock_watch_.offset(); }
    [[nodiscard]] Task<Result<StoreWord>> find_stored(Published what) override;
    void doubt(const std::vector<std::string>& /*peers*/) override {}
    [[nodiscard]] Task<Result<ReceivedMessage>> next_message() override;
    void set_content_topics(std::vector<std::string> topics) override;
    void on_peer_ready(std::function<void()> ready) override { peer_ready_ = std::move(ready); }
    [[nodiscard]] std::vector<PeerInfo> peers() const override;
    [[nodiscard]] std::string peer_id() const override { return info_.peer_id; }
    [[nodiscard]] std::vector<std::string> listen_addresses() const override { return info_.addresses; }
    [[nodiscard]] NodeState state() const override { return state_; }
    [[nodiscard]] std::string problem() const override;

  private:
    enum class Program : std::uint8_t { nwaku, go_waku };
    /// How the program lets us have messages; relay is tried first.
    enum class Way : std::uint8_t { unknown, relay, filter };
    /// A store that the program can ask; without an address its own archive, or one that it picks.
    struct Store {
        StoreVersion version{StoreVersion::v3};
        std::string address;
        std::string id;
    };

    // rest_node.cpp: life, who answers, messages out
    [[nodiscard]] Task<void> run();
    /// One round of questions; gives the pause until the next.
    [[nodiscard]] Task<Milliseconds> turn();
    /// Finds out who answers. Errors: host_down, timeout, bad_reply.
    [[nodiscard]] Task<Result<void>> meet();
    [[nodiscard]] Task<Result<rest::Info>> ask_info();
    [[nodiscard]] Task<std::string> ask_version();
    /// Whether it is still the same, its health, its peers, the filter subscription.
    [[nodiscard]] Task<void> look_around();
    [[nodiscard]] Task<void> ask_health();
    [[nodiscard]] Task<void> ask_peers();
    void forget_session();
    void lost(const Error& error);
    void became_ready();
    /// Whether it was written.
    bool warn(std::string_view event, const Error& error);
    [[nodiscard]] std::string name() const;
    [[nodiscard]] Task<Result<Publication>> check_and_publish(std::string pubsub_topic, WakuMessage message);
    [[nodiscard]] Task<Result<void>> hand_over(std::string pubsub_topic, WakuMessage message);
    [[nodiscard]] Task<Result<void>> post_relay(std::string pubsub_topic, std::string json);
    [[nodiscard]] Task<Result<void>> post_lightpush(std::string json);
    [[nodiscard]] Result<void> judge_push(LightpushVersion version, const rest::Answer& answer);

    // rest_node_receive.cpp: messages in
    /// How many messages were new.
    [[nodiscard]] Task<Result<std::size_t>> receive();
    [[nodiscard]] Task<Result<std::size_t>> receive_by_relay();
    [[nodiscard]] Task<Result<std::size_t>> receive_by_filter();
    [[nodiscard]] Task<Result<void>> subscribe_relay(std::string topic);
    /// Makes the program's subscription that to the content topics that are read now.
    [[nodiscard]] Task<Result<void>> subscribe_filter();
    [[nodiscard]] Task<Result<void>> change_filter(FilterAct act, std::vector<std::string> content_topics);
    [[nodiscard]] Task<void> check_filter();
    [[nodiscard]] Result<std::size_t> take_all(std::string_view way, const std::string& topic,
                                               const rest::Answer& answer);
    void count_malformed(const rest::Messages& messages);

    // rest_node_store.cpp: what was missed, and what others have
    void begin_catch_up();
    void catch_up_soon();
    void catch_up_soon(const std::vector<std::string>& content_topics);
    void catch_up_when_due();
    [[nodiscard]] Task<void> catch_up();
    [[nodiscard]] Task<void> catch_up_once();
    [[nodiscard]] Task<Result<void>> fetch_all(Store store, TimestampMs until);
    [[nodiscard]] Task<Result<void>> fetch_range(Store store, ContentTopics::Range range, TimestampMs until);
    [[nodiscard]] Result<void> keep_stored(const Store& store, const std::string& topic, WakuMessage message);
    [[nodiscard]] Task<Result<rest::Page>> fetch_page(Store store, rest::Query query);
    [[nodiscard]] std::vector<Store> named_stores() const;
    [[nodiscard]] std::vector<Store> own_stores() const;
    [[nodiscard]] Task<Result<StoreWord>> ask_stores(Published what);
    [[nodiscard]] Task<Result<bool>> ask_store(Store store, Published what);

    /// Runs `work` in the group and waits for it: `stop` can end it, whoever waits. Errors: of `work`, cancelled.
    template <class T>
    [[nodiscard]] Task<Result<T>> in_group(Task<Result<T>> work) {
        if (stopping_) {
            co_return fail(Errc::cancelled, "node stopped");
        }
        const auto pending = std::make_shared<Pending<T>>(environment_.executor);
        tasks_.spawn("waku rest call", complete<T>(std::move(work), pending));
        NOROSHI_CO_TRY_VOID(co_await pending->ready.wait());
        co_return std::move(*pending->result);
    }
    template <class T>
    static Task<void> complete(Task<Result<T>> work, std::shared_ptr<Pending<T>> pending) {
        // A cancelled coroutine may end by an exception: whoever waits is told in any case.
        struct Teller {
            Pending<T>& pending;
            ~Teller() { pending.complete(fail(Errc::cancelled, "node stopped")); }
        } teller{*pending};
        Result<T> result = co_await std::move(work);
        teller.pending.complete(std::move(result));
    }

    void count(std::string_view name, std::string_view help, Metrics::LabelList labels);

    RestConfig config_;
    rest::Api api_;
    NodeEnvironment environment_;
    std::vector<std::string> topics_;
    ContentTopics content_topics_;
    NodeState state_{NodeState::stopped};
    std::function<void()> peer_ready_{[] {}};
    bool started_{false};
    bool stopping_{false};

    // Of one life of the program: forgotten when it does not answer, or is another.
    bool answers_{false};
    bool ready_{false};  ///< it was asked for messages once: what is published goes where it can
    Way way_{Way::unknown};
    rest::Info info_;
    Program program_{Program::go_waku};
    std::string agent_;
    bool admin_{true};  ///< its admin API is on, as far as we know
    std::vector<PeerInfo> peers_;
    std::string health_;  ///< nwaku's word when it is not READY
    std::vector<std::string> filter_topics_;  ///< content topics of the program's subscription, in alphabetical order
    std::optional<LightpushVersion> push_version_;

    std::string away_{"host_down: not asked yet"};
    std::string receive_problem_;
    std::optional<SteadyMs> warned_at_;
    bool told_up_{false};
    SteadyMs look_at_{};
    SteadyMs filter_check_at_{};
    SteadyMs filter_retry_at_{};
    Milliseconds filter_delay_{0};
    SteadyMs next_push_{};
    unsigned pushes_limited_{0};  ///< answers in a row that named the rate limit

    ReceivedQueue received_;
    HashMemory seen_;
    ClockWatch clock_watch_;
    std::optional<SteadyMs> polled_at_;  ///< messages that waited longer in the cache say nothing of our clock
    SteadyMs catch_up_at_{};
    bool catching_up_{false};
    bool catch_up_wanted_{false};
    std::set<std::string> catch_up_topics_;  ///< of the catch-up that is wanted or under way

    Calls calls_;
    TaskGroup tasks_;
};

}  // namespace noroshi::waku
