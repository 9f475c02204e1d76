// src/status/application.cpp - the rules for messages of others.
#include "application.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "identity.hpp"

namespace noroshi::status {
namespace {

/// The signed clock of those that have one.
std::optional<std::uint64_t> clock_of(const Payload& payload) {
    return std::visit(
        [](const auto& one) -> std::optional<std::uint64_t> {
            if constexpr (requires { one.clock; }) {
                return one.clock;
            } else {
                return std::nullopt;
            }
        },
        payload);
}

bool is_request(const Payload& payload) {
    if (const auto* chat = std::get_if<ChatMessage>(&payload)) {
        return chat->content == ContentType::contact_request;
    }
    const auto* update = std::get_if<ContactUpdate>(&payload);
    return update != nullptr && update->contact_request_clock > 0;
}

std::uint64_t unix_ms(TimestampMs at) { return static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(at), 0)); }

void note_name(Contact& contact, const std::string& name) {
    if (!name.empty()) {
        contact.display_name = name;
    }
}

}  // namespace

std::optional<Judgement> Application::refuse_time(const InboundMessage& message, std::uint64_t clock) const {
    const TimestampMs oldest = message.received_at - MessengerState::kept_for;
    if (message.sent_at > message.received_at + envelope_tolerance) {
        return Judgement{"from_future", false};
    }
    if (message.sent_at < oldest || clock < unix_ms(oldest) || clock < core_.state.own().oldest_clock) {
        return Judgement{"too_old", true};  // it will not become younger
    }
    const TimestampMs whole_seconds = std::chrono::floor<std::chrono::seconds>(message.sent_at);
    if (clock > unix_ms(whole_seconds + clock_tolerance)) {
        return Judgement{"clock_ahead", false};  // its repeats have later envelopes
    }
    return std::nullopt;
}

Judgement Application::take(const InboundMessage& message, Effects& effects) {
    const SignedPayload& frame = message.signed_payload;
    const bool known = core_.may_write(frame.signer);
    Result<Payload> payload = decode_payload(frame.type, frame.payload);
    if (!payload) {
        return {first_word(payload.error().message), known};
    }
    if (!known && !(core_.requests_open && is_request(*payload))) {
        return {"not_allowed", false};
    }
    if (core_.state.has_seen(frame.id)) {
        return {"duplicate", true};
    }
    const std::optional<std::uint64_t> clock = clock_of(*payload);
    if (clock) {
        if (std::optional<Judgement> refused = refuse_time(message, *clock)) {
            return {refused->word, refused->acknowledge && known};
        }
    }
    Judgement judged = apply(message, std::move(*payload), effects);
    if (clock && judged.acknowledge) {
        core_.state.note_seen(frame.id, *clock, effects.writes);
    }
    return judged;
}

Judgement Application::apply(const InboundMessage& message, Payload payload, Effects& effects) {
    return std::visit([&](auto&& one) { return on(message, std::forward<decltype(one)>(one), effects); },
                      std::move(payload));
}

Judgement Application::on(const InboundMessage& message, ChatMessage chat, Effects& effects) {
    if (chat.content != ContentType::contact_request) {
        return text(message, std::move(chat), effects);
    }
    const crypto::PublicKey& from = message.signed_payload.signer;
    if (!core_.may_write(from) && core_.state.contact(from) == nullptr && !has_room_for_request(effects)) {
        return {"too_many_requests", false};
    }
    Contact& contact = core_.state.contact_or_new(from);
    const Contact before = contact;
    note_name(contact, chat.display_name);
    contact.last_clock = std::max(contact.last_clock, chat.clock);
    static_cast<void>(contact.requested(chat.clock, message.signed_payload.id));
    const bool is_behind = chat.contact_state && contact.reconcile(*chat.contact_state);
    if (contact.local == ContactState::sent && contact.remote == ContactState::received) {
        // Asked again: the acceptance was lost with their data, or crossed with the request.
        contact.request_id = message.signed_payload.id;
        const Result<MvdsId> accepted = accept(contact, message.signed_payload.id, effects);
        tell_change(before, contact, effects);
        core_.state.put_contact(contact, effects.writes);
        return {accepted ? "contact_request" : "internal", true};
    }
    return asked(message, before, std::move(chat.text), is_behind, effects);
}

Judgement Application::on(const InboundMessage& message, ContactUpdate update, Effects& effects) {
    const crypto::PublicKey& from = message.signed_payload.signer;
    if (!core_.may_write(from) && core_.state.contact(from) == nullptr && !has_room_for_request(effects)) {
        return {"too_many_requests", false};
    }
    Contact& contact = core_.state.contact_or_new(from);
    const Contact before = contact;
    note_name(contact, update.display_name);
    contact.last_clock = std::max(contact.last_clock, update.clock);
    if (update.contact_request_clock > 0) {
        static_cast<void>(contact.requested(update.contact_request_clock, message.signed_payload.id));
    }
    const bool is_behind = update.contact_state && contact.reconcile(*update.contact_state);
    Judgement judged = asked(message, before, "", is_behind, effects);
    judged.word = "contact_update";
    return judged;
}

Judgement Application::on(const InboundMessage& message, AcceptContactRequest accepted, Effects& effects) {
    Contact& contact = core_.state.contact_or_new(message.signed_payload.signer);
    const Contact before = contact;
    contact.last_clock = std::max(contact.last_clock, accepted.clock);
    static_cast<void>(contact.requested(accepted.clock, message.signed_payload.id));
    Judgement judged = asked(message, before, "", false, effects);
    judged.word = "contact_accepted";
    return judged;
}

/// After a message that says, in one way or another, that its sender wants to be a contact.
Judgement Application::asked(const InboundMessage& message, const Contact& before, std::string text, bool is_behind,
                             Effects& effects) {
    Contact& contact = *core_.state.contact(message.signed_payload.signer);
    const bool wants = contact.remote == ContactState::received;
    if (wants && contact.local != ContactState::sent && core_.is_owner(contact.key)) {
        if (!accept(contact, contact.request_id, effects)) {
            return {"internal", false};
        }
    } else if (wants && !core_.may_write(contact.key) && before.remote != ContactState::received) {
        add_event(ContactRequested{contact.key, contact.display_name, std::move(text)}, effects);
    } else if (is_behind && core_.may_write(contact.key)) {
        update(contact, effects);
    }
    tell_change(before, contact, effects);
    core_.state.put_contact(contact, effects.writes);
    return {"contact_request", true};
}

bool Application::has_room_for_request(Effects& effects) {
    const Contact* oldest = nullptr;
    std::size_t kept = 0;
    for (const auto& [key, contact] : core_.state.contacts()) {
        if (contact.remote == ContactState::received && !core_.may_write(contact.key)) {
            ++kept;
            oldest = oldest == nullptr || contact.remote_clock < oldest->remote_clock ? &contact : oldest;
        }
    }
    if (kept < most_requests) {
        return true;
    }
    if (oldest->remote_clock + static_cast<std::uint64_t>(request_age.count()) > unix_ms(core_.env.clock.now())) {
        return false;
    }
    const crypto::PublicKey gone = oldest->key;
    core_.encryption->forget(gone, effects.writes);
    core_.state.erase_contact(gone, effects.writes);
    return true;
}

Result<MvdsId> Application::accept(Contact& contact, std::string request_id, Effects& effects) {
    const TimestampMs now = core_.env.clock.now();
    const std::uint64_t clock = contact.next_clock(now);
    contact.ask(clock);
    // What came without an id of a request is answered by saying how things stand, which counts as one.
    const Payload answer = request_id.empty() ? Payload(core_.composer.contact_update(contact, now))
                                              : Payload(AcceptContactRequest{std::move(request_id), clock});
    NOROSHI_TRY(OutRow row, core_.composer.row(contact.key, answer, now));
    const MvdsId id = row.message.id();
    core_.state.put_out(id, std::move(row), effects.writes);
    effects.answers = true;
    effects.contacts_changed = true;
    return id;
}

void Application::update(Contact& contact, Effects& effects) {
    const SteadyMs now = core_.env.clock.steady();
    const auto last = updated_at_.find(contact.key.compressed());
    if (last != updated_at_.end() && now - last->second < update_every) {
        return;
    }
    updated_at_.insert_or_assign(contact.key.compressed(), now);
    const TimestampMs at = core_.env.clock.now();
    Result<OutRow> row = core_.composer.row(contact.key, core_.composer.contact_update(contact, at), at);
    if (row) {
        const MvdsId id = row->message.id();
        core_.state.put_out(id, std::move(*row), effects.writes);
        effects.answers = true;
    }
}

void Application::tell_change(const Contact& before, const Contact& after, Effects& effects) {
    if (before.mutual() != after.mutual()) {
        if (after.mutual()) {
            add_event(ContactMade{after.key}, effects);
        } else {
            add_event(ContactEnded{after.key}, effects);
        }
    }
    effects.contacts_changed = effects.contacts_changed || before.local != after.local || before.remote != after.remote;
}

Judgement Application::on(const InboundMessage& message, RetractContactRequest retracted, Effects& effects) {
    Contact* contact = core_.state.contact(message.signed_payload.signer);
    if (contact == nullptr) {
        return {"contact_retracted", true};
    }
    const Contact before = *contact;
    contact->last_clock = std::max(contact->last_clock, retracted.clock);
    contact->retracted(retracted.clock);
    tell_change(before, *contact, effects);
    core_.state.put_contact(*contact, effects.writes);
    if (!core_.may_write(contact->key)) {  // nor acknowledge
        for (const MvdsId& id : core_.state.out_to(contact->key)) {
            core_.state.erase_out(id, effects.writes);
            effects.acknowledged.push_back(id);
        }
    }
    return {"contact_retracted", true};
}

Judgement Application::text(const InboundMessage& message, ChatMessage chat, Effects& effects) {
    if (!has_room_for_event()) {
        return {"events_full", false};
    }
    const SignedPayload& frame = message.signed_payload;
    Contact& contact = core_.state.contact_or_new(frame.signer);
    const Contact before = contact;
    note_name(contact, chat.display_name);
    contact.last_clock = std::max(contact.last_clock, chat.clock);
    const bool is_behind = chat.contact_state && contact.reconcile(*chat.contact_state);
    static_cast<void>(asked(message, before, "", is_behind, effects));
    const bool has_text = chat.content == ContentType::text || chat.content == ContentType::emoji ||
                          chat.content == ContentType::image;
    if (!has_text || chat.text.empty()) {
        return {"no_text", true};
    }
    const SentRow* replied = core_.state.sent_with(frame.signer, chat.response_to);
    std::string reply_key = replied == nullptr ? "" : replied->key;
    const bool for_us = chat.chat_id == contact_id(core_.own);
    model::InboundLine line{frame.signer,
                            std::move(chat.chat_id),
                            for_us,
                            chat.clock,
                            std::move(chat.text),
                            std::move(chat.response_to),
                            Bytes(message.wrapped.begin(), message.wrapped.end()),
                            frame.id,
                            message.sent_at,
                            message.received_at};
    add_event(TextReceived{std::move(line), std::move(reply_key)}, effects);
    return {"text", true};
}

Judgement Application::on(const InboundMessage& message, EmojiReaction reaction, Effects& effects) {
    if (reaction.chat_id != contact_id(core_.own)) {
        return {"other_chat", true};
    }
    if (!has_room_for_event()) {
        return {"events_full", false};
    }
    const crypto::PublicKey& from = message.signed_payload.signer;
    const SentRow* of = core_.state.sent_with(from, reaction.message_id);
    add_event(Reacted{from, of == nullptr ? "" : of->key, reaction.emoji, reaction.retracted, std::move(reaction.chat_id)},
              effects);
    return {"reaction", true};
}

Judgement Application::on(const InboundMessage& message, ChatIdentity identity, Effects& effects) {
    Contact* contact = core_.state.contact(message.signed_payload.signer);
    if (contact != nullptr && !identity.display_name.empty() && contact->display_name != identity.display_name) {
        contact->display_name = std::move(identity.display_name);
        core_.state.put_contact(*contact, effects.writes);
    }
    return {"identity", true};
}

/// Edits and deletions among them: a command that was edited is no new command, and what was read was read.
template <class Other>
Judgement Application::on(const InboundMessage& /*message*/, Other /*other*/, Effects& /*effects*/) {
    return {"passed_over", true};
}

Judgement Application::take_contact_code(const InboundMessage& message, Effects& effects) {
    Result<Payload> payload = decode_payload(message.signed_payload.type, message.signed_payload.payload);
    if (!payload) {
        return {first_word(payload.error().message), false};
    }
    auto* advertisement = std::get_if<ContactCodeAdvertisement>(&*payload);
    if (advertisement == nullptr) {
        return {"not_advertisement", false};
    }
    core_.pushes.take_contact_code(message.signed_payload.signer, advertisement->push_infos);
    if (advertisement->identity) {
        static_cast<void>(on(message, std::move(*advertisement->identity), effects));
    }
    return {"contact_code", false};
}

bool Application::take_acknowledgement(const crypto::PublicKey& from, const MvdsId& id, Effects& effects) {
    const OutRow* found = core_.state.out(id);
    if (found == nullptr || found->to != from) {
        return false;
    }
    const OutRow row = *found;
    core_.state.erase_out(id, effects.writes);
    effects.acknowledged.push_back(id);
    effects.contacts_changed = effects.contacts_changed || !core_.may_write(from);
    const SentRow* sent = row.key.empty() ? nullptr : core_.state.sent(from, row.key);
    if (sent == nullptr) {
        return true;
    }
    SentRow changed = *sent;
    const std::string message = core_.composer.id_of(row);
    for (SentRow::Part& part : changed.parts) {
        part.acknowledged = part.acknowledged || part.message_id == message;
    }
    if (std::ranges::all_of(changed.parts, &SentRow::Part::acknowledged)) {
        add_event(Delivered{row.key, from}, effects);
    }
    core_.state.put_sent(std::move(changed), effects.writes);
    return true;
}

void Application::add_event(EventContent content, Effects& effects) {
    effects.events.push_back(core_.state.new_event(std::move(content), core_.env.clock.now(), effects.writes));
}

}  // namespace noroshi::status
