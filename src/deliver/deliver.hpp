// src/deliver/deliver.hpp - the Channel interface and the outbox that empties itself through channels.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "model/message.hpp"
#include "store/store.hpp"

namespace noroshi::deliver {

struct Capabilities {
    std::size_t max_bytes{0};  ///< of title + body
    bool edits{false};
    bool verified_identity{false};
};

struct SendOptions {
    Milliseconds deadline{10'000};
};

enum class Health : std::uint8_t { unknown, ok, failing };

/// One way to reach one receiver. `send` may be repeated with the same message id; the receiver sees one message.
/// What every kind is asked for: test/support/channel_contract.hpp.
/// Called only by the Outbox, one call at a time a channel. Thread: the I/O thread.
class Channel {
  public:
    virtual ~Channel() = default;
    /// Errors: limit and invalid_argument (not retryable), timeout, refused, io (retryable), cancelled.
    /// The receipt says handed_over: a peer took it, not that a person has it.
    [[nodiscard]] virtual Task<Result<model::Receipt>> send(model::Message message, SendOptions options) = 0;
    /// Asks the network whether it has what `handed_over` speaks of; the answer is a receipt `stored`.
    /// Errors: not_found (asked, and nobody has it), unavailable words of others, retryable (nobody to ask, no answer);
    /// unsupported (this kind of channel cannot know).
    [[nodiscard]] virtual Task<Result<model::Receipt>> confirm(model::Receipt handed_over);
    /// What these peers took is nowhere: they are to be the last choice from now on.
    virtual void doubt(const model::Receipt& /*handed_over*/) {}
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    [[nodiscard]] virtual Health health() const = 0;
    /// "waku", "status", ...: label of metrics and history.
    [[nodiscard]] virtual std::string kind() const = 0;
};

/// Sends every queued row through its receiver's channel until a receipt comes, for ever, with back-off 1, 2, 4 .. 60 s
/// and jitter, at once after a start; one slow receiver never delays another. A row is in the store before it gets here;
/// its outcome is committed before it is forgotten. A message with an error that is not retryable ends as `expired` and
/// is logged. What was handed over is then confirmed (confirm.hpp), and sent again when nobody has it.
/// Thread: the I/O thread.
class Outbox {
  public:
    Outbox(store::Store& store, Timers& timers, const Executor& executor, const Clock& clock, Random& random,
           Metrics& metrics, Log log);
    ~Outbox();

    /// Names the channel of a receiver, before `start` or on reload. Rows of a receiver without one wait.
    void set_channels(std::map<std::string, std::shared_ptr<Channel>> channels);
    /// Takes rows that are committed already; also the persisted ones at start.
    void enqueue(std::vector<store::OutboxRow> rows);
    void start();
    /// Sends what waits at once: the reason for waiting may be gone.
    void retry_now();
    /// Ends when no send runs any more; what is unfinished stays queued on disk.
    [[nodiscard]] Task<void> stop();
    /// What the receiver itself says of a message, signed by `receipt.by`: `delivered` by a device, `answered` by a
    /// person. Ends when it is on disk; also works before `start`. Nothing happens for a message to another receiver, or
    /// one that is not known. Errors: cancelled, io.
    [[nodiscard]] Task<Result<void>> take_receipt(std::string receiver, model::Receipt receipt);
    /// Rows not yet handed over.
    [[nodiscard]] std::size_t waiting() const;
    /// Rows handed over that the network is still to be asked about.
    [[nodiscard]] std::size_t unconfirmed() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::deliver
