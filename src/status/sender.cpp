// src/status/sender.cpp - one parcel: sealed, claimed, committed, published.
#include "sender.hpp"

#include <algorithm>
#include <utility>

namespace noroshi::status {
namespace {

/// An envelope made longer ago gets a new timestamp: stores refuse those that are 20 s off.
constexpr Milliseconds fresh_for{5'000};
constexpr std::int64_t ns_per_ms = 1'000'000;
/// Of the frames around a payload, bundles among them.
constexpr std::size_t frame_bytes = 2'048;

Error retryable(Errc code, std::string message) { return Error{code, std::move(message), {}, true}; }

/// Edits and reactions, acceptances and updates wake nobody.
bool is_chat_message(ByteView body) { return type_of_wrapped(body) == static_cast<std::int32_t>(MessageType::chat_message); }

EnvelopeRef ref_of(const waku::WakuMessage& message, const std::string& pubsub_topic) {
    return {message.content_topic, message.timestamp_ns.value_or(0), waku::message_hash(pubsub_topic, message)};
}

}  // namespace

/// Marks a parcel as being published, for as long as it lives; also when the call is given up.
struct Sender::InFlight {
    InFlight(Sender& s, ParcelPtr p) : sender(s), parcel(std::move(p)) { parcel->in_flight = true; }
    InFlight(InFlight&& other) noexcept : sender(other.sender), parcel(std::move(other.parcel)) {}
    InFlight& operator=(InFlight&&) = delete;
    ~InFlight() {
        if (parcel) {
            parcel->in_flight = false;
            sender.wake();
        }
    }
    Sender& sender;
    ParcelPtr parcel;
};

Sender::Sender(MessengerCore& core, TaskGroup& tasks) : core_(core), tasks_(tasks), wake_(core.env.executor) {}

Task<Result<Sent>> Sender::dispatch(crypto::PublicKey to, std::vector<MvdsId> ids, StateWrites writes, Urgency urgency) {
    Error refusal{Errc::not_found, "nothing_to_send"};
    std::vector<InFlight> parcels;
    std::vector<MvdsId> unsealed;
    for (const MvdsId& id : ids) {
        const auto waiting = unpublished_.find(id);
        if (core_.state.out(id) == nullptr) {
            continue;
        }
        if (waiting == unpublished_.end()) {
            unsealed.push_back(id);
        } else if (std::ranges::any_of(parcels, [&](const InFlight& one) { return one.parcel == waiting->second; })) {
            continue;
        } else if (waiting->second->in_flight) {
            refusal = retryable(Errc::conflict, "busy: it is being sent");
        } else if (const Result<void> room = take_room(waiting->second->envelopes.size(), urgency); room) {
            parcels.emplace_back(*this, waiting->second);
        } else {
            refusal = room.error();
            put_off(waiting->second->rows, budget_.pause(waiting->second->envelopes.size(), urgency, core_.env.clock.steady()),
                    0, writes);
        }
    }
    if (!unsealed.empty() || acks_.contains(to.compressed())) {
        Result<ParcelPtr> sealed = seal_rows(to, unsealed, urgency, writes);
        if (sealed) {
            parcels.emplace_back(*this, std::move(*sealed));
        } else {
            refusal = std::move(sealed).error();
        }
    }
    for (const InFlight& one : parcels) {
        claim(*one.parcel, writes);
    }
    NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(writes)));
    core_.show_unacknowledged();
    Result<Sent> out = fail(std::move(refusal));
    for (const InFlight& one : parcels) {
        Result<Sent> published = co_await publish(one.parcel);
        if (!published) {
            co_return published;
        }
        out = std::move(published);
        want_identity(to);
        if (!one.parcel->tells.empty()) {
            core_.pushes.told(to, one.parcel->tells);
        }
    }
    co_return out;
}

Result<void> Sender::take_room(std::size_t envelopes, Urgency urgency) {
    if (budget_.take(envelopes, urgency, core_.env.clock.steady())) {
        return {};
    }
    return fail(retryable(Errc::limit, "rate_limited: 100 envelopes in ten minutes were sent"));
}

MvdsPayload Sender::payload_of(const crypto::PublicKey& to, const std::vector<MvdsId>& ids) {
    MvdsPayload out;
    for (const MvdsId& id : ids) {
        out.messages.push_back(core_.state.out(id)->message);
    }
    const auto acks = acks_.find(to.compressed());
    if (acks != acks_.end()) {
        std::vector<MvdsId>& waiting = acks->second.ids;
        const std::size_t taken = std::min(waiting.size(), most_acks_of_parcel);
        out.acks.assign(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(taken));
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(taken));
        if (waiting.empty()) {
            acks_.erase(acks);
        }
    }
    return out;
}

/// Room is taken before anything is sealed: a refusal costs no step of a ratchet.
Result<Sender::ParcelPtr> Sender::seal_rows(const crypto::PublicKey& to, const std::vector<MvdsId>& ids, Urgency urgency,
                                            StateWrites& writes) {
    std::size_t bytes = frame_bytes;
    bool repeated = !ids.empty();
    for (const MvdsId& id : ids) {
        const OutRow& row = *core_.state.out(id);
        bytes += row.message.body.size() + frame_bytes / 16;
        repeated = repeated && row.sends > 0;
    }
    const std::size_t envelopes = 1 + bytes / Mailbox::most_envelope_payload;
    const Result<void> room = take_room(envelopes, urgency);
    if (!room) {
        put_off(ids, budget_.pause(envelopes, urgency, core_.env.clock.steady()), 0, writes);
        return fail(room.error());
    }
    const TimestampMs now = core_.env.clock.now();
    // Whoever asks, and whoever was removed, gets acknowledgements as a stranger.
    const Recipient recipient = core_.may_write(to) ? Recipient::contact : Recipient::stranger;
    const Encryption::Sealed sealed =
        core_.encryption->seal(to, encode_mvds(payload_of(to, ids)), now, writes, recipient);
    auto parcel = std::make_shared<Parcel>();
    parcel->kind = ids.empty() ? "ack" : repeated ? "repeat" : "message";
    parcel->rows = ids;
    Result<std::vector<waku::WakuMessage>> made = core_.mailbox.seal(sealed.protocol_message, to, sealed.negotiated, now);
    if (!made) {
        budget_.give_back(envelopes);
        put_off(ids, network_retry, 0, writes);
        return fail(std::move(made).error());
    }
    parcel->envelopes = std::move(*made);
    for (const MvdsId& id : ids) {
        unpublished_.insert_or_assign(id, parcel);
    }
    note_last(*parcel, writes);
    return parcel;
}

void Sender::note_last(const Parcel& parcel, StateWrites& writes) {
    const EnvelopeRef last = ref_of(parcel.envelopes.back(), core_.mailbox.pubsub_topic());
    for (const MvdsId& id : parcel.rows) {
        const OutRow& row = *core_.state.out(id);
        const SentRow* sent = row.key.empty() ? nullptr : core_.state.sent(row.to, row.key);
        if (sent != nullptr && sent->last != last) {
            SentRow changed = *sent;
            changed.last = last;
            core_.state.put_sent(std::move(changed), writes);
        }
    }
}

/// Counts the send before it is made: a kill in between costs one of fifteen, and the repeat comes as after a send.
void Sender::claim(Parcel& parcel, StateWrites& writes) {
    std::erase_if(parcel.rows, [this](const MvdsId& id) { return core_.state.out(id) == nullptr; });
    for (const MvdsId& id : parcel.rows) {
        OutRow row = *core_.state.out(id);
        row.sends = std::min(row.sends + 1, mvds_most_sends);
        row.next_at = core_.env.clock.now() + mvds_pause(row.sends, core_.env.random);
        if (core_.config.push && row.sends == 1 && parcel.tells.empty() && is_chat_message(row.message.body)) {
            parcel.tells = core_.composer.id_of(row);
        }
        core_.state.put_out(id, std::move(row), writes);
    }
}

/// No peer took it: that was no send.
void Sender::release(const Parcel& parcel, StateWrites& writes) {
    put_off(parcel.rows, network_retry, 1, writes);
}

void Sender::put_off(const std::vector<MvdsId>& ids, Milliseconds pause, std::uint32_t sends_not_made,
                     StateWrites& writes) {
    constexpr std::uint64_t jitter_ms = 6'000;
    for (const MvdsId& id : ids) {
        if (const OutRow* row = core_.state.out(id)) {
            OutRow later = *row;
            later.sends -= std::min(later.sends, sends_not_made);
            later.next_at = core_.env.clock.now() + pause + Milliseconds(core_.env.random.below(jitter_ms));
            core_.state.put_out(id, std::move(later), writes);
        }
    }
}

void Sender::settle(const Parcel& parcel) {
    std::erase_if(unpublished_, [&](const auto& entry) { return entry.second.get() == &parcel; });
}

Task<Result<Sent>> Sender::publish(ParcelPtr parcel) {
    Result<Sent> out = fail(Errc::not_found, "nothing_to_send");
    while (!parcel->envelopes.empty()) {
        out = co_await publish_front(parcel);
        count_published(parcel->kind, out ? "ok" : first_word(out.error().message));
        note_network(out || !out.error().retryable);
        if (out) {
            parcel->envelopes.erase(parcel->envelopes.begin());
            continue;
        }
        const Error& error = out.error();
        // Somebody may have it after all when only the answer is missing.
        budget_.give_back(parcel->envelopes.size() - (error.code == Errc::timeout ? 1 : 0));
        StateWrites writes;
        if (error.retryable || error.code == Errc::cancelled) {
            release(*parcel, writes);
        } else {
            core_.env.log.warn("not_publishable", {{"reason", error.message}});
            settle(*parcel);
        }
        NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(writes)));
        co_return out;
    }
    settle(*parcel);
    co_return out;
}

/// One that fails speaks for all: else each row would try, and commit, by itself through an outage.
void Sender::note_network(bool works) {
    if (works) {
        network_pause_ = Milliseconds(0);
        no_network_until_ = {};
        return;
    }
    network_pause_ = std::clamp(network_pause_ * 2, network_retry, longest_network_retry);
    no_network_until_ = core_.env.clock.steady() + network_pause_;
}

Task<Result<Sent>> Sender::publish_front(ParcelPtr parcel) {
    waku::WakuMessage& message = parcel->envelopes.front();
    const std::int64_t now_ns = to_unix_ms(core_.env.clock.now()) * ns_per_ms;
    if (std::abs(now_ns - message.timestamp_ns.value_or(0)) > std::chrono::nanoseconds(fresh_for).count()) {
        message.timestamp_ns = now_ns;
        StateWrites with_the_next_change;  // a kill before it costs a look-up in a store
        note_last(*parcel, with_the_next_change);
    }
    Sent sent{{}, core_.mailbox.pubsub_topic(), message.content_topic, *message.timestamp_ns};
    NOROSHI_CO_TRY(sent.publication, co_await core_.env.node.publish(sent.pubsub_topic, message));
    co_return sent;
}

void Sender::count_published(const char* kind, std::string_view result) {
    core_.env.metrics
        .counter("noroshi_status_published_total", "Envelopes given to the network, by what they carry and what became of them.",
                 {{"kind", kind}, {"result", std::string(result)}})
        .add();
    core_.env.metrics.gauge("noroshi_status_envelopes_in_ten_minutes", "Envelopes sent in the last ten minutes; at most 100.")
        .set(static_cast<double>(budget_.used(core_.env.clock.steady())));
}

}  // namespace noroshi::status
