// src/status/receiver.cpp - one envelope, layer by layer.
#include "receiver.hpp"

#include <cstring>
#include <utility>

namespace noroshi::status {

bool SeenEnvelopes::insert(const crypto::Digest& hash) {
    if (!hashes_.insert(hash).second) {
        return false;
    }
    order_.push_back(hash);
    if (order_.size() > most) {
        hashes_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

std::size_t SeenEnvelopes::Hash::operator()(const crypto::Digest& digest) const {
    std::size_t out = 0;
    std::memcpy(&out, digest.data(), sizeof out);
    return out;
}

Receiver::Receiver(MessengerCore& core, Application& application, Sender& sender, std::function<void(Event)> give)
    : core_(core),
      application_(application),
      sender_(sender),
      give_(std::move(give)),
      queue_(core.env.executor, most_waiting) {}

void Receiver::receive(waku::ReceivedMessage message) {
    const std::size_t bytes = message.message.payload.size();
    if (queued_bytes_ + bytes > most_waiting_bytes || !queue_.push(std::move(message))) {
        core_.count_received("queue_full");
        return;
    }
    queued_bytes_ += bytes;
}

Task<void> Receiver::work() {
    while (true) {
        Result<waku::ReceivedMessage> message = co_await queue_.take();
        if (!message) {
            co_return;
        }
        queued_bytes_ -= message->message.payload.size();
        if (!co_await take(std::move(*message))) {
            co_return;
        }
    }
}

/// Fails only when all is being stopped.
Task<Result<void>> Receiver::take(waku::ReceivedMessage message) {
    // Before decrypting: the key of a ratchet's message is forgotten with its first use.
    if (!seen_.insert(crypto::sha256(message.message.payload))) {
        core_.count_received("duplicate_envelope");
        co_return Result<void>{};
    }
    Result<OpenedEnvelope> envelope = core_.mailbox.open(message.message);
    if (envelope && envelope->use == TopicUse::answer) {
        core_.count_received(take_answer(*envelope));
        co_return Result<void>{};
    }
    Result<void> allowed;
    if (!envelope) {
        allowed = fail(envelope.error());
    } else {
        allowed = may_come(*envelope);
    }
    if (!allowed) {
        core_.count_received(first_word(allowed.error().message));
        co_return Result<void>{};
    }
    Result<std::optional<Bytes>> whole =
        joiner_.take(envelope->signer, std::exchange(envelope->payload, {}), core_.env.clock.steady());
    if (!whole || !*whole) {
        core_.count_received(whole ? "segment" : first_word(whole.error().message));
        co_return Result<void>{};
    }
    Effects effects;
    judge(*envelope, std::move(**whole), effects);
    co_return co_await carry_out(envelope->signer, std::move(effects));
}

/// What a push server answers changes nothing that is kept.
std::string Receiver::take_answer(const OpenedEnvelope& envelope) {
    const Result<SignedPayload> frame = unwrap_payload(envelope.payload);
    if (!frame) {
        return std::string(first_word(frame.error().message));
    }
    if (frame->signer != envelope.signer) {
        return "other_signer";
    }
    core_.pushes.take_answer(*envelope.topic_of, *frame);
    sender_.wake();
    return "push_answer";
}

/// Who may cost us more than one decryption.
Result<void> Receiver::may_come(const OpenedEnvelope& envelope) const {
    if (envelope.signer == core_.own) {
        return fail(Errc::refused, "own");
    }
    if (envelope.topic_of && *envelope.topic_of != envelope.signer) {
        return fail(Errc::refused, "other_signer");
    }
    if (!core_.requests_open && !core_.is_awaited(envelope.signer)) {
        return fail(Errc::refused, "unknown_sender");
    }
    return {};
}

void Receiver::judge(const OpenedEnvelope& envelope, Bytes whole, Effects& effects) {
    Result<Encryption::Opened> opened =
        core_.encryption->open(envelope.signer, std::move(whole), effects.writes);
    if (!opened) {
        core_.count_received(first_word(opened.error().message));
        return;
    }
    if (opened->new_negotiated_topic) {
        effects.contacts_changed = true;
    }
    if (opened->payload.empty()) {
        core_.count_received("bundle");
        return;
    }
    if (envelope.use == TopicUse::contact_code) {
        core_.count_received(judge_message(envelope, opened->payload, true, effects).word);
        return;
    }
    // The signatures say who wrote it; only the encryption says that nobody else reads it.
    if (opened->protection == Protection::none) {
        core_.count_received("not_encrypted");
        return;
    }
    judge_private(envelope, std::move(*opened), effects);
}

void Receiver::judge_private(const OpenedEnvelope& envelope, Encryption::Opened opened, Effects& effects) {
    const Result<MvdsPayload> payload = decode_mvds(opened.payload);
    if (!payload && payload.error().message == "too_many") {
        core_.count_received("too_many");
        return;
    }
    if (!payload) {  // the same content may come without MVDS; then nobody waits for an acknowledgement
        core_.count_received(judge_message(envelope, opened.payload, false, effects).word);
        return;
    }
    for (const MvdsId& id : payload->acks) {
        core_.count_received(application_.take_acknowledgement(envelope.signer, id, effects) ? "ack" : "ack_of_nothing");
    }
    const MvdsId group = mvds_group(envelope.signer, core_.own);
    for (const MvdsMessage& message : payload->messages) {
        if (message.group != group) {
            core_.count_received("other_group");
            continue;
        }
        const Judgement judged = judge_message(envelope, message.body, false, effects);
        core_.count_received(judged.word);
        if (judged.acknowledge) {
            effects.acknowledge.push_back(message.id());
        }
    }
}

Judgement Receiver::judge_message(const OpenedEnvelope& envelope, ByteView wrapped, bool is_public, Effects& effects) {
    Result<SignedPayload> frame = unwrap_payload(wrapped);
    if (!frame) {
        return {first_word(frame.error().message), false};
    }
    if (frame->signer != envelope.signer) {
        return {"other_signer", false};
    }
    const InboundMessage message{std::move(*frame), wrapped, envelope.sent_at, core_.env.clock.now()};
    return is_public ? application_.take_contact_code(message, effects) : application_.take(message, effects);
}

Task<Result<void>> Receiver::carry_out(crypto::PublicKey from, Effects effects) {
    // Before anything is sent to a new contact, which would answer there.
    if (effects.contacts_changed) {
        core_.listen();
    }
    NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(effects.writes)));
    for (const MvdsId& id : effects.acknowledged) {
        sender_.forget(id);
    }
    for (const MvdsId& id : effects.acknowledge) {
        sender_.acknowledge(from, id);
    }
    for (Event& event : effects.events) {
        if (std::holds_alternative<ContactMade>(event.content)) {
            sender_.advertise_soon();
        }
        give_(std::move(event));
    }
    if (effects.answers) {
        sender_.wake();
    }
    core_.show_unacknowledged();
    co_return Result<void>{};
}

}  // namespace noroshi::status
