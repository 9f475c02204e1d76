// src/deliver/confirm.cpp - questions, losses, receipts.
#include "confirm.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace noroshi::deliver {
namespace {

constexpr std::array<Milliseconds, 4> first_questions{Milliseconds(3'000), Milliseconds(6'000), Milliseconds(12'000),
                                                      Confirmer::lost_after};
constexpr Milliseconds longest_pause{600'000};

model::Receipt receipt_of(const store::OutboxRow& row) {
    model::Receipt out{row.message.id, model::ReceiptKind::handed_over, row.handed_over_at.value_or(TimestampMs{}),
                       row.taken_by.empty() ? "" : row.taken_by.front(), row.envelope_hash};
    out.envelope_ns = row.envelope_ns;
    out.taken_by = row.taken_by;
    out.pubsub_topic = row.pubsub_topic;
    out.content_topic = row.content_topic;
    return out;
}

/// Seconds: from one hop on the machine to a phone that was off over night.
const std::vector<double> stage_bounds{0.1, 0.3, 1, 3, 10, 30, 100, 300, 1'000, 3'600, 10'800, 86'400};

store::OutboxState state_of(model::ReceiptKind kind) {
    switch (kind) {
        case model::ReceiptKind::handed_over: return store::OutboxState::handed_over;
        case model::ReceiptKind::stored: return store::OutboxState::stored;
        case model::ReceiptKind::delivered: return store::OutboxState::delivered;
        case model::ReceiptKind::answered: return store::OutboxState::answered;
    }
    return store::OutboxState::handed_over;
}

}  // namespace

void observe_stage(Metrics& metrics, const model::Message& message, model::ReceiptKind kind, TimestampMs at) {
    metrics
        .histogram("noroshi_outbox_stage_seconds", "Time from the making of a message until it got that far.", stage_bounds,
                   {{"receiver", message.receiver}, {"stage", std::string(model::receipt_kind_name(kind))}})
        .observe(static_cast<double>((at - message.created_at).count()) / 1000.0);
}

Task<Result<model::Receipt>> Channel::confirm(model::Receipt /*handed_over*/) {
    co_return fail(Errc::unsupported, "unsupported: this channel cannot ask");
}

Confirmer::Confirmer(Parts parts) : parts_(std::move(parts)), tasks_(parts_.executor) {}

void Confirmer::watch(store::OutboxRow row) {
    const std::string receiver = row.message.receiver;
    std::unique_ptr<Lane>& lane = lanes_[receiver];
    if (!lane) {
        lane = std::make_unique<Lane>(parts_.executor);
    }
    const TimestampMs due = row.handed_over_at.value_or(parts_.clock.now()) + first_questions[0];
    const std::string id = row.message.id;
    lane->open.insert_or_assign(id, Watch{std::move(row), due, 0, {}, false});
    show();
    start_lane(receiver, *lane);
}

void Confirmer::start() {
    started_ = true;
    for (const auto& [receiver, lane] : lanes_) {
        start_lane(receiver, *lane);
    }
}

void Confirmer::start_lane(const std::string& receiver, Lane& lane) {
    if (started_ && !std::exchange(lane.running, true)) {
        tasks_.spawn("outbox_confirm", work(receiver));
    }
    lane.wake.notify();
}

void Confirmer::wake() {
    for (const auto& [receiver, lane] : lanes_) {
        for (auto& [id, watch] : lane->open) {
            if (std::exchange(watch.offline, false)) {
                watch.due = parts_.clock.now();
            }
        }
        lane->wake.notify();
    }
}

Task<void> Confirmer::stop() {
    co_await tasks_.stop();
    started_ = false;
    for (const auto& [receiver, lane] : lanes_) {
        lane->running = false;
    }
}

std::size_t Confirmer::size() const {
    std::size_t out = 0;
    for (const auto& [receiver, lane] : lanes_) {
        out += lane->open.size();
    }
    return out;
}

Task<void> Confirmer::work(std::string receiver) {
    Lane& lane = *lanes_.at(receiver);
    while (true) {
        if (lane.open.empty()) {
            if (!co_await lane.wake.wait()) {
                co_return;
            }
            continue;
        }
        const auto next = std::ranges::min_element(lane.open, {}, [](const auto& entry) { return entry.second.due; });
        const std::string id = next->first;
        const auto rest = std::chrono::duration_cast<Milliseconds>(next->second.due - parts_.clock.now());
        if (rest.count() > 0) {
            // Never longer than the longest pause, whatever the wall clock does.
            if (!co_await lane.wake.wait(std::min(rest, longest_pause))) {
                co_return;
            }
            continue;
        }
        if (!co_await ask(receiver, id)) {
            co_return;
        }
    }
}

/// Fails only when all is being stopped.
Task<Result<void>> Confirmer::ask(std::string receiver, std::string id) {
    Lane& lane = *lanes_.at(receiver);
    Watch& watch = lane.open.at(id);
    const std::shared_ptr<Channel> channel = parts_.channel(receiver);
    if (!channel) {
        const auto age = parts_.clock.now() - watch.row.handed_over_at.value_or(TimestampMs{});
        if (age >= longest_outage) {
            co_return co_await give_up(receiver, watch.row, "no_receiver: it is in the configuration no more");
        }
        postpone(watch);
        co_return Result<void>{};
    }
    Result<model::Receipt> receipt = co_await channel->confirm(receipt_of(watch.row));
    const auto found = lane.open.find(id);  // anew: an acknowledgement may have ended it meanwhile
    if (found == lane.open.end()) {
        co_return Result<void>{};
    }
    const store::OutboxRow row = found->second.row;
    if (receipt) {
        co_return co_await confirmed(receiver, row, std::move(*receipt));
    }
    const Error error = receipt.error();
    if (error.code == Errc::cancelled) {
        co_return fail(error);
    }
    const auto age = parts_.clock.now() - row.handed_over_at.value_or(TimestampMs{});
    if (error.code == Errc::not_found && age >= lost_after * (1U << row.resends)) {
        co_return co_await lose(receiver, row, channel);
    }
    if (error.code == Errc::unsupported || is_out_of_patience(found->second, error)) {
        co_return co_await give_up(receiver, row, error.message);
    }
    postpone(found->second);
    co_return Result<void>{};
}

/// An outage of ours is no reason to stop asking: what was handed over just before it may be nowhere.
bool Confirmer::is_out_of_patience(Watch& watch, const Error& error) const {
    const TimestampMs now = parts_.clock.now();
    watch.offline = first_word(error.message) == "no_peers";
    if (watch.offline) {
        watch.connected_since.reset();
    } else if (!watch.connected_since) {
        watch.connected_since = now;
    }
    return now - watch.row.handed_over_at.value_or(TimestampMs{}) >= longest_outage ||
           (watch.connected_since && now - *watch.connected_since >= patience);
}

void Confirmer::postpone(Watch& watch) {
    ++watch.questions;
    const TimestampMs handed_over = watch.row.handed_over_at.value_or(parts_.clock.now());
    if (watch.questions < first_questions.size()) {
        watch.due = std::max(parts_.clock.now() + Milliseconds(1'000), handed_over + first_questions[watch.questions]);
        return;
    }
    const unsigned doublings = std::min<unsigned>(watch.questions - static_cast<unsigned>(first_questions.size()), 6U);
    watch.due = parts_.clock.now() + std::min(longest_pause, lost_after * (1 << doublings));
}

Task<Result<void>> Confirmer::confirmed(std::string receiver, store::OutboxRow row, model::Receipt receipt) {
    row.state = store::OutboxState::stored;
    row.unconfirmed = false;
    row.last_error.clear();
    count(receiver, "stored");
    observe_stage(parts_.metrics, row.message, model::ReceiptKind::stored, receipt.at);
    parts_.log.info("stored", {{"message", row.message.id},
                               {"receiver", receiver},
                               {"envelope", row.envelope_hash},
                               {"by", receipt.by},
                               {"after_ms", (receipt.at - row.handed_over_at.value_or(receipt.at)).count()}});
    store::Batch batch;
    batch.put_receipt(std::move(receipt));
    co_return co_await end(std::move(receiver), std::move(row), std::move(batch));
}

Task<Result<void>> Confirmer::lose(std::string receiver, store::OutboxRow row, std::shared_ptr<Channel> channel) {
    channel->doubt(receipt_of(row));
    if (row.resends >= most_resends) {
        co_return co_await give_up(std::move(receiver), std::move(row), "not_stored: no store has it");
    }
    count(receiver, "lost");
    parts_.log.warn("lost", {{"message", row.message.id},
                             {"receiver", receiver},
                             {"envelope", row.envelope_hash},
                             {"taken_by", row.taken_by.empty() ? "" : row.taken_by.front()},
                             {"resends", row.resends}});
    row.state = store::OutboxState::queued;
    row.unconfirmed = false;
    row.last_error = "not_stored: a peer took it and no store has it";
    row.next_attempt_at = parts_.clock.now();
    ++row.resends;
    store::Batch batch;
    batch.put_outbox(row);
    NOROSHI_CO_TRY_VOID(co_await store::commit_for_sure(parts_.store, parts_.timers, parts_.log, std::move(batch)));
    const bool still_lost = lanes_.at(receiver)->open.erase(row.message.id) > 0;
    show();
    if (still_lost) {  // no receipt came meanwhile
        parts_.resend(std::move(row));
    }
    co_return Result<void>{};
}

Task<Result<void>> Confirmer::give_up(std::string receiver, store::OutboxRow row, std::string reason) {
    count(receiver, first_word(reason));
    if (first_word(reason) != "unsupported") {
        parts_.log.warn("unconfirmed", {{"message", row.message.id}, {"receiver", receiver}, {"reason", reason}});
        row.last_error = reason;
    }
    row.unconfirmed = false;
    co_return co_await end(std::move(receiver), std::move(row), {});
}

Task<Result<void>> Confirmer::end(std::string receiver, store::OutboxRow row, store::Batch batch) {
    batch.put_outbox(row);
    NOROSHI_CO_TRY_VOID(co_await store::commit_for_sure(parts_.store, parts_.timers, parts_.log, std::move(batch)));
    lanes_.at(receiver)->open.erase(row.message.id);
    show();
    co_return Result<void>{};
}

Task<Result<void>> Confirmer::take_receipt(std::string receiver, model::Receipt receipt) {
    if (const auto lane = lanes_.find(receiver); lane != lanes_.end()) {
        if (const auto open = lane->second->open.find(receipt.message_id); open != lane->second->open.end()) {
            store::OutboxRow row = std::move(open->second.row);
            lane->second->open.erase(open);
            co_return co_await note(std::move(row), std::move(receipt));
        }
    }
    std::string id = receipt.message_id;
    NOROSHI_CO_TRY(std::optional<store::OutboxRow> row, co_await parts_.store.find_outbox(std::move(id)));
    if (!row || row->message.receiver != receiver) {
        co_return Result<void>{};
    }
    co_return co_await note(std::move(*row), std::move(receipt));
}

Task<Result<void>> Confirmer::note(store::OutboxRow row, model::Receipt receipt) {
    const store::OutboxState reached = state_of(receipt.kind);
    if (row.state == reached || row.state == store::OutboxState::expired) {
        co_return Result<void>{};  // said before
    }
    row.state = std::max(row.state, reached);
    row.unconfirmed = false;
    row.last_error.clear();
    receipt.envelope_hash = row.envelope_hash;
    const std::string_view kind = model::receipt_kind_name(receipt.kind);
    count(row.message.receiver, kind);
    observe_stage(parts_.metrics, row.message, receipt.kind, receipt.at);
    parts_.log.info(kind, {{"message", row.message.id},
                           {"receiver", row.message.receiver},
                           {"by", receipt.by},
                           {"after_ms", (receipt.at - row.message.created_at).count()}});
    store::Batch batch;
    batch.put_outbox(std::move(row));
    batch.put_receipt(std::move(receipt));
    co_return co_await store::commit_for_sure(parts_.store, parts_.timers, parts_.log, std::move(batch));
}

void Confirmer::count(const std::string& receiver, std::string_view result) {
    parts_.metrics
        .counter("noroshi_outbox_confirmations_total", "Messages handed over, by what the network said of them later.",
                 {{"receiver", receiver}, {"result", std::string(result)}})
        .add();
    show();
}

void Confirmer::show() {
    parts_.metrics.gauge("noroshi_outbox_unconfirmed", "Messages that a peer took and that no store has shown yet.")
        .set(static_cast<double>(size()));
}

}  // namespace noroshi::deliver
