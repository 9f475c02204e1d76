// src/status/sender_work.cpp - what is due: acknowledgements, first copies, repeats, name and picture, the contact code.
#include <algorithm>
#include <utility>

#include "sender.hpp"

namespace noroshi::status {
namespace {

constexpr Milliseconds hour{3'600'000};
constexpr Milliseconds advertise_retry{600'000};
/// Acknowledgements that wait for one peer; who loses his place repeats his message.
constexpr std::size_t most_waiting_acks = 1'000;

/// The longest pause that mvds_pause gives after so many sends, and after a failed one.
Milliseconds longest_pause(std::uint32_t sends) {
    constexpr Milliseconds first{27'000};
    constexpr Milliseconds jitter{9'000};
    return std::max<Milliseconds>(first * (1L << (std::max(sends, 1U) - 1)) + jitter, SendBudget::window + jitter);
}

}  // namespace

void Sender::acknowledge(const crypto::PublicKey& to, const MvdsId& id) {
    Acks& acks = acks_[to.compressed()];
    if (acks.ids.empty()) {
        acks.due = core_.env.clock.steady() + tick;
    }
    if (std::ranges::find(acks.ids, id) == acks.ids.end() && acks.ids.size() < most_waiting_acks) {
        acks.ids.push_back(id);
    }
    wake();
}

void Sender::advertise_soon() {
    advertisement_wanted_ = true;
    next_advertisement_ = core_.env.clock.steady();
    wake();
}

Task<void> Sender::work() {
    while (true) {
        const Result<bool> worked = co_await step();
        if (worked && *worked) {
            continue;
        }
        alarm(rest());
        if (!co_await wake_.wait()) {
            co_return;
        }
    }
}

/// One thing that is due; false when nothing was.
Task<Result<bool>> Sender::step() {
    StateWrites writes;
    expire(writes);
    if (core_.env.clock.steady() >= next_forgetting_) {
        next_forgetting_ = core_.env.clock.steady() + hour;
        core_.state.forget_old(core_.env.clock.now(), writes);
    }
    if (!writes.empty()) {
        NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(writes)));
    }
    if (core_.env.clock.steady() < no_network_until_) {
        co_return false;
    }
    if (std::optional<Due> next = due()) {
        const Result<Sent> sent = co_await dispatch(next->to, std::move(next->ids), {}, next->urgency);
        if (!sent && sent.error().code == Errc::cancelled) {
            co_return fail(sent.error());
        }
        co_return true;
    }
    if (is_push_due()) {
        NOROSHI_CO_TRY_VOID(co_await push());
        co_return true;
    }
    if (!identity_wanted_.empty()) {
        const MessengerState::PeerKey next = *identity_wanted_.begin();
        identity_wanted_.erase(identity_wanted_.begin());
        NOROSHI_CO_TRY_VOID(co_await tell_identity(*crypto::PublicKey::from_bytes(next)));
        co_return true;
    }
    if (is_advertisement_due()) {
        NOROSHI_CO_TRY_VOID(co_await advertise());
        co_return true;
    }
    co_return false;
}

std::optional<Milliseconds> Sender::rest_of(const MvdsId& id, const OutRow& row) const {
    const auto parcel = unpublished_.find(id);
    if (parcel != unpublished_.end() && parcel->second->in_flight) {
        return std::nullopt;
    }
    const auto rest = std::chrono::duration_cast<Milliseconds>(row.next_at - core_.env.clock.now());
    // The wall clock may have been set back: nothing rests longer than it ever would.
    return rest > longest_pause(row.sends) ? Milliseconds(0) : std::max(rest, Milliseconds(0));
}

/// Acknowledgements first, then what was never sent, then repeats; each only when there is room for it.
std::optional<Sender::Due> Sender::due() {
    const SteadyMs now = core_.env.clock.steady();
    if (budget_.pause(1, Urgency::answer, now).count() > 0) {
        return std::nullopt;
    }
    for (const auto& [peer, acks] : acks_) {
        if (acks.due <= now) {
            Due out{*crypto::PublicKey::from_bytes(peer), {}, Urgency::answer};
            add_rows(out, budget_.pause(1, Urgency::later, now).count() > 0);
            return out;
        }
    }
    if (std::optional<Due> first = due_row(Urgency::answer)) {
        return first;
    }
    return budget_.pause(1, Urgency::later, now).count() > 0 ? std::nullopt : due_row(Urgency::later);
}

std::optional<Sender::Due> Sender::due_row(Urgency urgency) {
    const OutRow* oldest = nullptr;
    for (const auto& [id, row] : core_.state.all_out()) {
        const bool first_copy = row.sends == 0;
        if (first_copy == (urgency == Urgency::answer) && rest_of(id, row) == Milliseconds(0) &&
            (oldest == nullptr || row.next_at < oldest->next_at)) {
            oldest = &row;
        }
    }
    if (oldest == nullptr) {
        return std::nullopt;
    }
    Due out{oldest->to, {}, urgency};
    add_rows(out, urgency == Urgency::answer);
    return out;
}

/// The due rows of that peer, oldest first, as many as one parcel bears.
void Sender::add_rows(Due& out, bool first_copies_only) const {
    std::vector<std::pair<TimestampMs, MvdsId>> rows;
    for (const auto& [id, row] : core_.state.all_out()) {
        if (row.to == out.to && (row.sends == 0 || !first_copies_only) && rest_of(id, row) == Milliseconds(0)) {
            rows.emplace_back(row.next_at, id);
        }
    }
    std::ranges::sort(rows);
    std::size_t bytes = 0;
    for (const auto& [at, id] : rows) {
        bytes += core_.state.all_out().at(id).message.body.size();
        if (out.ids.size() == most_messages_of_parcel || (!out.ids.empty() && bytes > most_bytes_of_parcel)) {
            break;
        }
        out.ids.push_back(id);
    }
}

void Sender::expire(StateWrites& writes) {
    const TimestampMs now = core_.env.clock.now();
    std::vector<MvdsId> over;
    for (const auto& [id, row] : core_.state.all_out()) {
        const bool too_old = now - from_unix_ms(row.message.timestamp_s * 1'000) > MessengerState::kept_for;
        if (rest_of(id, row) == Milliseconds(0) && (row.sends >= mvds_most_sends || too_old)) {
            over.push_back(id);
        }
    }
    for (const MvdsId& id : over) {
        const OutRow& row = *core_.state.out(id);
        core_.env.log.warn("expired", {{"message", core_.composer.id_of(row)}, {"key", row.key}, {"sends", row.sends}});
        core_.env.metrics
            .counter("noroshi_status_expired_total", "Messages given up because no device acknowledged any of their copies.")
            .add();
        core_.state.erase_out(id, writes);
        unpublished_.erase(id);
    }
    if (!over.empty()) {
        core_.show_unacknowledged();
    }
}

/// Name and picture follow what was just sent when they are new to the contact or a day old: the network took something,
/// and no alert waits for a picture.
void Sender::want_identity(const crypto::PublicKey& to) {
    const Contact* contact = core_.state.contact(to);
    if (contact == nullptr || contact->local != ContactState::sent) {
        return;
    }
    const TimestampMs told_at = from_unix_ms(static_cast<std::int64_t>(contact->identity_told_at));
    const TimestampMs now = core_.env.clock.now();
    if (contact->identity_told != core_.composer.identity_digest() || now - told_at >= identity_age || told_at > now + hour) {
        identity_wanted_.insert(to.compressed());
    }
}

/// Not by MVDS, as the app does it. Errors: cancelled; what the network refuses is told with the next message.
Task<Result<void>> Sender::tell_identity(crypto::PublicKey to) {
    const TimestampMs now = core_.env.clock.now();
    const Result<Bytes> payload = core_.composer.sign(core_.composer.identity(now));
    if (!payload) {
        core_.env.log.warn("identity_not_told", {{"reason", payload.error().message}});
        co_return Result<void>{};
    }
    const std::size_t envelopes = 1 + (payload->size() + 2'048) / Mailbox::most_envelope_payload;
    if (!budget_.take(envelopes, Urgency::later, core_.env.clock.steady())) {
        co_return Result<void>{};
    }
    StateWrites writes;
    const Encryption::Sealed sealed = core_.encryption->seal(to, *payload, now, writes);
    NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(writes)));
    auto parcel = std::make_shared<Parcel>();
    parcel->kind = "identity";
    NOROSHI_CO_TRY(parcel->envelopes, core_.mailbox.seal(sealed.protocol_message, to, sealed.negotiated, now));
    const Result<Sent> sent = co_await publish(std::move(parcel));
    Contact* contact = core_.state.contact(to);
    if (sent && contact != nullptr) {
        contact->identity_told = core_.composer.identity_digest();
        contact->identity_told_at = static_cast<std::uint64_t>(to_unix_ms(now));
        StateWrites told;
        core_.state.put_contact(*contact, told);
        NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(told)));
    }
    co_return Result<void>{};
}

bool Sender::is_push_due() {
    return core_.pushes.rest() == Milliseconds(0) &&
           budget_.pause(1, Urgency::later, core_.env.clock.steady()) == Milliseconds(0);
}

/// The messages themselves do not depend on it. Errors: cancelled.
Task<Result<void>> Sender::push() {
    const std::optional<PushStep> step = core_.pushes.next();
    if (!step || !budget_.take(1, Urgency::later, core_.env.clock.steady())) {
        co_return Result<void>{};
    }
    const TimestampMs now = core_.env.clock.now();
    Result<waku::WakuMessage> sealed =
        step->server ? core_.mailbox.seal_from(*step->signer, step->wrapped, *step->server, now)
                     : core_.mailbox.seal_from(*step->signer, step->wrapped, step->chat_id, now);
    NOROSHI_CO_TRY(waku::WakuMessage message, std::move(sealed));
    auto parcel = std::make_shared<Parcel>();
    parcel->kind = step->kind;
    parcel->envelopes.push_back(std::move(message));
    const Result<Sent> sent = co_await publish(std::move(parcel));
    if (!sent && sent.error().code == Errc::cancelled) {
        co_return fail(sent.error());
    }
    core_.pushes.count(!sent ? "not_sent" : step->server ? "requested" : "queried");
    co_return Result<void>{};
}

bool Sender::is_advertisement_due() const {
    const auto age = core_.env.clock.now() - core_.state.own().advertised_at;
    return core_.config.ratchet && core_.env.clock.steady() >= next_advertisement_ &&
           (advertisement_wanted_ || age >= advertise_every || age < -hour);
}

Task<Result<void>> Sender::advertise() {
    const TimestampMs now = core_.env.clock.now();
    next_advertisement_ = core_.env.clock.steady() + advertise_retry;
    const Result<Bytes> payload = core_.composer.sign(core_.composer.advertisement(now));
    if (!payload || !budget_.take(1, Urgency::later, core_.env.clock.steady())) {
        co_return Result<void>{};
    }
    StateWrites writes;
    const Bytes open_message = core_.encryption->seal_public(*payload, now, writes);
    NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(writes)));
    auto parcel = std::make_shared<Parcel>();
    parcel->kind = "contact_code";
    NOROSHI_CO_TRY(parcel->envelopes, core_.mailbox.seal_contact_code(open_message, now));
    if (co_await publish(std::move(parcel))) {
        advertisement_wanted_ = false;
        OwnRow row = core_.state.own();
        row.advertised_at = now;
        StateWrites advertised;
        core_.state.put_own(std::move(row), advertised);
        NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(advertised)));
    }
    co_return Result<void>{};
}

/// Until the next thing is due.
Milliseconds Sender::rest() {
    const SteadyMs now = core_.env.clock.steady();
    Milliseconds out = std::max(next_forgetting_ - now, Milliseconds(0));
    const auto sooner = [&](Milliseconds rest, Urgency urgency) {
        out = std::min(out, std::max({rest, budget_.pause(1, urgency, now), no_network_until_ - now}));
    };
    if (!identity_wanted_.empty()) {
        sooner(Milliseconds(0), Urgency::later);
    }
    if (const std::optional<Milliseconds> push = core_.pushes.rest()) {
        sooner(*push, Urgency::later);
    }
    for (const auto& [peer, acks] : acks_) {
        sooner(acks.due - now, Urgency::answer);
    }
    for (const auto& [id, row] : core_.state.all_out()) {
        if (const std::optional<Milliseconds> rest = rest_of(id, row)) {
            sooner(*rest, row.sends == 0 ? Urgency::answer : Urgency::later);
        }
    }
    if (core_.config.ratchet) {
        const auto age = core_.env.clock.now() - core_.state.own().advertised_at;
        const auto until = advertisement_wanted_ ? Milliseconds(0)
                                                 : std::chrono::duration_cast<Milliseconds>(advertise_every - age);
        sooner(std::max(until, next_advertisement_ - now), Urgency::later);
    }
    return out;
}

/// Wakes `work` then; an alarm that rings before does it as well.
void Sender::alarm(Milliseconds pause) {
    const SteadyMs at = core_.env.clock.steady() + pause;
    if (alarms_.empty() || *alarms_.begin() > at) {
        alarms_.insert(at);
        tasks_.spawn("status_alarm", ring(at));
    }
}

Task<void> Sender::ring(SteadyMs at) {
    static_cast<void>(co_await core_.env.timers.sleep_for(at - core_.env.clock.steady()));
    alarms_.erase(alarms_.find(at));
    wake();
}

}  // namespace noroshi::status
