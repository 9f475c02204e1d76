// src/deliver/outbox.cpp - one worker a receiver: send, commit the outcome, back off, hand over to be confirmed.
#include <algorithm>
#include <deque>

#include "confirm.hpp"
#include "deliver/deliver.hpp"

namespace noroshi::deliver {
namespace {

constexpr Milliseconds first_back_off = std::chrono::seconds(1);
constexpr Milliseconds longest_back_off = std::chrono::seconds(60);

}  // namespace

struct Outbox::State {
    State(store::Store& s, Timers& t, const Executor& e, const Clock& c, Random& r, Metrics& m, Log l)
        : store(s), timers(t), executor(e), clock(c), random(r), metrics(m), log(std::move(l)), confirmer(confirmer_parts()), tasks(e) {}

    Confirmer::Parts confirmer_parts() {
        return {store, timers, executor, clock, metrics, log,
                [this](const std::string& receiver) {
                    const auto found = channels.find(receiver);
                    return found == channels.end() ? nullptr : found->second;
                },
                [this](store::OutboxRow row) { take(std::move(row)); }};
    }

    /// A queued row, at the end of its receiver's lane.
    void take(store::OutboxRow row) {
        const std::string receiver = row.message.receiver;
        lane(receiver).rows.push_back(std::move(row));
        start_lane(receiver);
        show_waiting();
    }

    /// The rows of one receiver, oldest first, and the worker that empties them.
    struct Lane {
        explicit Lane(const Executor& executor) : wake(executor), attempted(executor) {}
        std::deque<store::OutboxRow> rows;
        Signal wake;
        bool running{false};
        bool attempting{false};  ///< the first row is under way
        Bell attempted;
    };

    store::Store& store;
    Timers& timers;
    Executor executor;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
    Log log;
    std::map<std::string, std::shared_ptr<Channel>> channels;
    std::map<std::string, std::unique_ptr<Lane>> lanes;
    bool started{false};
    Confirmer confirmer;
    TaskGroup tasks;

    Lane& lane(const std::string& receiver) {
        std::unique_ptr<Lane>& found = lanes[receiver];
        if (!found) {
            found = std::make_unique<Lane>(executor);
        }
        return *found;
    }

    void start_lane(const std::string& receiver) {
        Lane& target = lane(receiver);
        if (started && !target.running) {
            target.running = true;
            tasks.spawn("outbox_lane", work(receiver));
        }
        target.wake.notify();
    }

    void count(const std::string& receiver, std::string_view result) {
        metrics
            .counter("noroshi_outbox_attempts_total", "Attempts to hand a message over, by what became of them.",
                     {{"receiver", receiver}, {"result", std::string(result)}})
            .add();
    }

    void show_waiting() {
        std::size_t waiting = 0;
        for (const auto& [receiver, target] : lanes) {
            waiting += target->rows.size();
        }
        metrics.gauge("noroshi_outbox_waiting", "Messages that no peer has taken yet.").set(static_cast<double>(waiting));
    }

    /// 1, 2, 4 .. 60 s with a fifth of jitter, so that several daemons don't come back in step.
    Milliseconds back_off(std::uint32_t attempts) {
        const std::uint32_t doublings = std::min(attempts == 0 ? 0U : attempts - 1, 6U);
        const Milliseconds base = std::min(first_back_off * (1 << doublings), longest_back_off);
        const auto jitter = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(base.count()) / 5 + 1));
        return base + Milliseconds(jitter);
    }

    Task<void> work(std::string receiver) {
        Lane& own = lane(receiver);
        bool at_once = false;
        while (true) {
            if (own.rows.empty() || !channels.contains(receiver)) {
                const Result<void> woken = co_await own.wake.wait();
                if (!woken) {
                    co_return;
                }
                at_once = true;
                continue;
            }
            // No longer than the longest back-off, whatever the wall clock did since the row was written. A new message
            // or channel is a reason to try at once. Waiting also when nothing is left to wait for takes the
            // notification that asked for this attempt, which would cut the back-off after it short.
            const auto rest = std::chrono::duration_cast<Milliseconds>(own.rows.front().next_attempt_at - clock.now());
            const Milliseconds pause = at_once ? Milliseconds(0) : std::clamp(rest, Milliseconds(0), longest_back_off * 2);
            at_once = false;
            const Result<bool> woken = co_await own.wake.wait(pause);
            if (!woken) {
                co_return;
            }
            own.attempting = true;
            const Result<void> tried = co_await attempt(receiver, own);
            own.attempting = false;
            own.attempted.ring();
            if (!tried) {
                co_return;
            }
        }
    }

    /// A receipt may overtake the hand-over: it waits for the end of the attempt that is under way. What is queued and yet
    /// with the receiver, by an attempt whose end was not seen, need not be sent again.
    Task<Result<void>> take_receipt(std::string receiver, model::Receipt receipt) {
        Lane& own = lane(receiver);
        const auto is_it = [&receipt](const store::OutboxRow& row) { return row.message.id == receipt.message_id; };
        while (own.attempting && !own.rows.empty() && is_it(own.rows.front())) {
            NOROSHI_CO_TRY_VOID(co_await own.attempted.wait(longest_back_off));
        }
        const auto queued = std::ranges::find_if(own.rows, is_it);
        if (queued == own.rows.end()) {
            co_return co_await confirmer.take_receipt(std::move(receiver), std::move(receipt));
        }
        store::OutboxRow row = std::move(*queued);
        own.rows.erase(queued);
        show_waiting();
        co_return co_await confirmer.note(std::move(row), std::move(receipt));
    }

    // NOLINTNEXTLINE(*-reference-coroutine-parameters): the lane is owned by `lanes`, which outlives the worker
    Task<Result<void>> attempt(std::string receiver, Lane& own) {
        const auto found = channels.find(receiver);
        if (found == channels.end() || own.rows.empty()) {
            co_return Result<void>{};  // a reload took the channel away meanwhile, or a receipt the row
        }
        const std::shared_ptr<Channel> channel = found->second;  // held over the send, whatever a reload does
        store::OutboxRow row = own.rows.front();
        const SendOptions options{};
        Result<model::Receipt> receipt = co_await channel->send(row.message, options);
        if (!receipt && receipt.error().code == Errc::cancelled) {
            co_return fail(receipt.error());
        }
        ++row.attempts;
        store::Batch batch;
        if (receipt) {
            settle(row, *receipt, channel->kind());
            batch.put_receipt(*receipt);
        } else {
            postpone(row, receipt.error());
        }
        batch.put_outbox(row);
        // Stopping between the send and this commit means one more send of the same id after the next start.
        NOROSHI_CO_TRY_VOID(co_await store::commit_for_sure(store, timers, log, std::move(batch)));
        if (row.state == store::OutboxState::queued) {
            own.rows.front() = std::move(row);
        } else {
            own.rows.pop_front();
            if (row.unconfirmed) {
                confirmer.watch(std::move(row));
            }
        }
        show_waiting();
        co_return Result<void>{};
    }

    void settle(store::OutboxRow& row, const model::Receipt& receipt, const std::string& kind) {
        row.state = store::OutboxState::handed_over;
        row.unconfirmed = true;
        row.envelope_ns = receipt.envelope_ns;
        row.taken_by = receipt.taken_by;
        row.pubsub_topic = receipt.pubsub_topic;
        row.content_topic = receipt.content_topic;
        row.handed_over_at = receipt.at;
        row.envelope_hash = receipt.envelope_hash;
        row.last_error.clear();
        count(row.message.receiver, "handed_over");
        observe_stage(metrics, row.message, model::ReceiptKind::handed_over, receipt.at);
        const auto waited = receipt.at - row.message.created_at;
        log.info("handed_over", {{"message", row.message.id},
                                 {"receiver", row.message.receiver},
                                 {"channel", kind},
                                 {"status", model::message_status_name(row.message.status)},
                                 {"envelope", receipt.envelope_hash},
                                 {"by", receipt.by},
                                 {"attempts", row.attempts},
                                 {"after_ms", waited.count()}});
    }

    void postpone(store::OutboxRow& row, const Error& error) {
        count(row.message.receiver, errc_name(error.code));
        const bool changed = row.last_error != error.message;
        row.last_error = error.message;
        if (!error.retryable) {
            row.state = store::OutboxState::expired;
            log.error("message_refused", {{"message", row.message.id}, {"reason", error.to_string()}});
            return;
        }
        const Milliseconds pause = back_off(row.attempts);
        row.next_attempt_at = clock.now() + pause;
        if (changed) {
            log.warn("not_handed_over", {{"message", row.message.id},
                                         {"receiver", row.message.receiver},
                                         {"reason", error.to_string()},
                                         {"next_attempt_in", format_duration(pause)}});
        }
    }
};

Outbox::Outbox(store::Store& store, Timers& timers, const Executor& executor, const Clock& clock, Random& random,
               Metrics& metrics, Log log)
    : state_(std::make_unique<State>(store, timers, executor, clock, random, metrics, std::move(log))) {}
Outbox::~Outbox() = default;

void Outbox::set_channels(std::map<std::string, std::shared_ptr<Channel>> channels) {
    state_->channels = std::move(channels);
    for (const auto& [receiver, unused] : state_->lanes) {
        state_->start_lane(receiver);
    }
}

void Outbox::enqueue(std::vector<store::OutboxRow> rows) {
    for (store::OutboxRow& row : rows) {
        if (row.unconfirmed) {
            state_->confirmer.watch(std::move(row));
        } else {
            state_->take(std::move(row));
        }
    }
    state_->show_waiting();
}

void Outbox::start() {
    state_->started = true;
    state_->confirmer.start();
    for (const auto& [receiver, unused] : state_->lanes) {
        state_->start_lane(receiver);
    }
}

void Outbox::retry_now() {
    for (const auto& [receiver, target] : state_->lanes) {
        target->wake.notify();
    }
    state_->confirmer.wake();
}

Task<void> Outbox::stop() {
    co_await state_->tasks.stop();
    co_await state_->confirmer.stop();
    for (const auto& [receiver, target] : state_->lanes) {
        target->running = false;
        target->attempting = false;
    }
    state_->started = false;
}

Task<Result<void>> Outbox::take_receipt(std::string receiver, model::Receipt receipt) {
    return state_->take_receipt(std::move(receiver), std::move(receipt));
}

std::size_t Outbox::unconfirmed() const { return state_->confirmer.size(); }

std::size_t Outbox::waiting() const {
    std::size_t out = 0;
    for (const auto& [receiver, target] : state_->lanes) {
        out += target->rows.size();
    }
    return out;
}

}  // namespace noroshi::deliver
