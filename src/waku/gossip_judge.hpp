// src/waku/gossip_judge.hpp - the verdict on a gossip message that nobody here reads, given where it arrives.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "base/time.hpp"
#include "host.hpp"

namespace noroshi::waku {

/// Most of what a relay passes on is read by nobody in it. Such a message is checked and passed on at once, on the
/// network thread (11/WAKU2-RELAY); a way to the I/O thread and back would cost more than all else that is done with it.
/// A message whose content topic is read here goes that way: its verdict depends on the room there is for it.
/// Thread: `judge` on the network thread of one host at a time, `tell_all` and `read` on any.
class GossipJudge {
  public:
    GossipJudge(std::vector<std::string> topics, const std::vector<std::string>& content_topics, const Clock& clock,
                Metrics& metrics);
    /// Rejects what no relay takes for a Waku message, ignores foreign pubsub topics; both are counted by reason.
    [[nodiscard]] Judgement judge(std::string_view topic, ByteView data);
    /// Whether all messages are to be told of, because a server role keeps or pushes them.
    void tell_all(bool on) { tell_all_.store(on, std::memory_order_relaxed); }
    /// The content topics that are read from now on.
    void read(const std::vector<std::string>& content_topics);

    /// Of the messages that nobody needs one in so many milliseconds is told all the same: timestamps for ClockWatch.
    static constexpr Milliseconds sample_interval{100};

  private:
    std::vector<std::string> topics_;
    using Names = std::set<std::string, std::less<>>;
    std::atomic<std::shared_ptr<const Names>> content_topics_;  // replaced by one thread while another reads
    const Clock& clock_;
    Metrics& metrics_;
    Counter& accepted_;
    std::atomic<bool> tell_all_{false};
    SteadyMs sample_at_{};
};

/// The counter of messages that came by gossip, by what became of them.
Counter& received_by_relay(Metrics& metrics, std::string_view result);
/// Counts a message from others that is no Waku message.
void count_rejected(Metrics& metrics, const std::string& reason);
/// On a message that does not decode for that reason. Other relays pass some of them on: blaming their senders would let
/// anybody set us against honest peers.
[[nodiscard]] Verdict verdict_on_fault(std::string_view reason);

}  // namespace noroshi::waku
