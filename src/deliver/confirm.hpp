// src/deliver/confirm.hpp - what was handed over is looked for in the network: a peer's "yes" is not delivery.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "deliver/deliver.hpp"

namespace noroshi::deliver {

/// Asks the channel 3, 6, 12 and 24 s after a message was handed over. "Nobody has it" after 24 s is a loss: stores
/// refuse a timestamp that is 20 s old, so the message is queued again, to be sent with a fresh one under its own id,
/// through other peers; five times, each wait twice as long. When no answer comes, the question is put again for an
/// hour; the time without any connection does not count, up to two days. What stays open then is `handed_over` for good,
/// counted and logged: never called more than it is.
/// Thread: the I/O thread. One question at a time a receiver.
class Confirmer {
  public:
    struct Parts {
        store::Store& store;
        Timers& timers;
        Executor executor;
        const Clock& clock;
        Metrics& metrics;
        Log log;
        /// The receiver's channel now; null when a reload took it away.
        std::function<std::shared_ptr<Channel>(const std::string& receiver)> channel;
        /// Takes a row that is to be sent again; it is on disk as queued.
        std::function<void(store::OutboxRow)> resend;
    };
    explicit Confirmer(Parts parts);
    /// Begins to ask; what is watched before waits until then.
    void start();
    /// Takes a row that is on disk as unconfirmed.
    void watch(store::OutboxRow row);
    /// A word of the receiver about a message that waits in no lane: it ends the question, and is found on disk when there
    /// is none. Ends when it is written. Errors: cancelled, io.
    [[nodiscard]] Task<Result<void>> take_receipt(std::string receiver, model::Receipt receipt);
    /// The same for a row that the caller has.
    [[nodiscard]] Task<Result<void>> note(store::OutboxRow row, model::Receipt receipt);
    /// Looks at once what is due, and what could not be asked for want of peers: the time or they may have changed.
    void wake();
    [[nodiscard]] Task<void> stop();
    [[nodiscard]] std::size_t size() const;

    static constexpr Milliseconds lost_after{24'000};
    static constexpr Milliseconds patience{3'600'000};
    static constexpr Milliseconds longest_outage{48 * 3'600'000};
    static constexpr std::uint32_t most_resends = 5;

  private:
    struct Watch {
        store::OutboxRow row;
        TimestampMs due{};
        unsigned questions{0};
        std::optional<TimestampMs> connected_since{};  ///< of the questions without an answer
        bool offline{false};                           ///< the last one found nobody connected
    };
    struct Lane {
        explicit Lane(const Executor& executor) : wake(executor) {}
        std::map<std::string, Watch> open;  ///< by message id
        Signal wake;
        bool running{false};
    };
    [[nodiscard]] Task<void> work(std::string receiver);
    [[nodiscard]] Task<Result<void>> ask(std::string receiver, std::string id);
    [[nodiscard]] Task<Result<void>> end(std::string receiver, store::OutboxRow row, store::Batch batch);
    [[nodiscard]] Task<Result<void>> lose(std::string receiver, store::OutboxRow row, std::shared_ptr<Channel> channel);
    [[nodiscard]] Task<Result<void>> give_up(std::string receiver, store::OutboxRow row, std::string reason);
    [[nodiscard]] Task<Result<void>> confirmed(std::string receiver, store::OutboxRow row, model::Receipt receipt);
    void start_lane(const std::string& receiver, Lane& lane);
    [[nodiscard]] bool is_out_of_patience(Watch& watch, const Error& error) const;
    void postpone(Watch& watch);
    void count(const std::string& receiver, std::string_view result);
    void show();

    Parts parts_;
    bool started_{false};
    std::map<std::string, std::unique_ptr<Lane>> lanes_;
    TaskGroup tasks_;
};

/// How long after the message was made it got as far as `kind`, for /metrics.
void observe_stage(Metrics& metrics, const model::Message& message, model::ReceiptKind kind, TimestampMs at);

}  // namespace noroshi::deliver
