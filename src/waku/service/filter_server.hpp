// src/waku/service/filter_server.hpp - who subscribed to what (12/WAKU2-FILTER), and the pushes on their way to them.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "filter_rpc.hpp"
#include "streams.hpp"

namespace noroshi::waku {

/// Bounded whatever subscribers do: 200 of them, 1,000 topics of 64 KiB together each, 100 messages and 2 MiB that wait
/// for each, 32 MiB for all; what a slow one cannot take is dropped, oldest first of who has most, and counted. A subscription dies 5 minutes after its last request,
/// or when for 30 s pushes failed and none was taken: a client that halts for one deadline is not forgotten. Thread: the I/O thread.
class FilterServer {
  public:
    FilterServer(Streams& streams, const std::vector<std::string>& topics, Metrics& metrics)
        : streams_(streams), topics_(topics), metrics_(metrics) {}
    [[nodiscard]] FilterAnswer answer(const PeerId& peer, const FilterRequest& request, SteadyMs now);
    void push(const std::string& pubsub_topic, const std::string& content_topic, ByteView message, SteadyMs now);
    void tick(SteadyMs now);
    [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }
    [[nodiscard]] bool has(const PeerId& peer) const { return subscribers_.contains(peer); }

    static constexpr std::size_t most_subscribers = 200;
    static constexpr std::size_t most_criteria = 1'000;
    static constexpr std::size_t most_criteria_bytes = 64 * 1024;
    static constexpr std::size_t most_waiting = 100;
    static constexpr std::size_t most_waiting_bytes = 2 * 1024 * 1024;
    static constexpr std::size_t most_bytes_of_all = 32 * 1024 * 1024;
    static constexpr std::size_t pushes_at_once = 4;
    /// Of one subscriber, unless it is a single push: 200 of them fit into `most_bytes_of_all`.
    static constexpr std::size_t most_pushing_bytes = 160 * 1024;
    static constexpr Milliseconds most_failing{30'000};
    static constexpr Milliseconds lifetime{300'000};

  private:
    struct Subscriber {
        std::set<std::pair<std::string, std::string>> criteria;  ///< pubsub topic, content topic
        SteadyMs last_request{};
        std::deque<Bytes> waiting;  ///< encoded pushes
        std::size_t waiting_bytes{0};
        std::size_t under_way{0};
        std::size_t under_way_bytes{0};
        std::optional<SteadyMs> failing_since;  ///< the first push that failed since one was taken
    };
    [[nodiscard]] FilterAnswer subscribe(const PeerId& peer, const FilterRequest& request, SteadyMs now);
    [[nodiscard]] FilterAnswer unsubscribe(const PeerId& peer, const FilterRequest& request);
    void send(const PeerId& peer, SteadyMs now);
    void sent(const PeerId& peer, std::size_t bytes, const Result<void>& result);
    void drop_oldest(Subscriber& subscriber);
    void make_room();
    std::map<PeerId, Subscriber>::iterator lose(std::map<PeerId, Subscriber>::iterator subscriber);
    void count(std::string_view result);

    Streams& streams_;
    const std::vector<std::string>& topics_;
    Metrics& metrics_;
    SteadyMs now_{};
    std::size_t waiting_bytes_{0};    ///< of all subscribers
    std::size_t under_way_bytes_{0};  ///< of all pushes, also of subscribers that have gone
    std::map<PeerId, Subscriber> subscribers_;
};

}  // namespace noroshi::waku
