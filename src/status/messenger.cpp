// src/status/messenger.cpp - the messenger's front: what callers ask for, and the rooms behind it.
#include "messenger.hpp"

#include <algorithm>
#include <utility>

#include "application.hpp"
#include "identity.hpp"
#include "messenger_core.hpp"
#include "receiver.hpp"
#include "sender.hpp"

namespace noroshi::status {
namespace {

constexpr std::size_t longest_key = 64;
/// Of one call: over a dozen parts nobody reads.
constexpr std::size_t longest_text_bytes = 64 * 1024;

tl::unexpected<Error> invalid(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

class MessengerImpl final : public Messenger {
  public:
    MessengerImpl(MessengerConfig config, MessengerEnvironment environment)
        : core_(std::move(config), std::move(environment)),
          tasks_(core_.env.executor),
          sender_(core_, tasks_),
          application_(core_),
          receiver_(core_, application_, sender_, [this](Event event) { give(std::move(event)); }),
          events_(core_.env.executor, std::numeric_limits<std::size_t>::max()),
          call_ended_(core_.env.executor) {}

    Task<Result<void>> start() override;
    Task<void> stop() override;

    [[nodiscard]] std::vector<std::string> content_topics() const override { return core_.mailbox.content_topics(); }
    void on_topics(std::function<void()> changed) override { core_.topics_changed = std::move(changed); }
    void receive(waku::ReceivedMessage message) override { receiver_.receive(std::move(message)); }
    Task<Result<Event>> next_event() override {
        const Inside call(*this);
        co_return co_await events_.take();
    }
    Task<Result<void>> done(std::string event_id) override;

    void allow(std::vector<crypto::PublicKey> owners) override { core_.set_owners(std::move(owners)); }
    void let_requests_in(bool open) override { core_.requests_open = open; }

    Task<Result<Sent>> send(Outgoing message) override;
    Task<Result<Sent>> edit(std::string key, crypto::PublicKey to, std::string of_key, std::string text) override;
    Task<Result<Sent>> request_contact(crypto::PublicKey to, std::string text) override;
    Task<Result<Sent>> accept_contact(crypto::PublicKey from) override;
    Task<Result<void>> remove_contact(crypto::PublicKey other) override;
    [[nodiscard]] std::vector<ContactInfo> contacts() const override;
    [[nodiscard]] std::size_t unacknowledged() const override { return core_.state.all_out().size(); }

  private:
    /// A call from outside; `stop` waits for its end.
    class Inside {
      public:
        explicit Inside(MessengerImpl& messenger) : messenger_(messenger) { ++messenger_.calls_; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() {
            --messenger_.calls_;
            messenger_.call_ended_.notify();
        }

      private:
        MessengerImpl& messenger_;
    };

    void give(Event event);
    void show_events() const;
    /// The mutual contact that a message can go to.
    [[nodiscard]] Result<Contact*> paired(const crypto::PublicKey& to);
    [[nodiscard]] Result<std::vector<Payload>> texts_of(Contact& to, Outgoing& message) const;
    [[nodiscard]] Result<std::vector<Payload>> edits_of(Contact& to, const SentRow& of, const std::string& text) const;
    [[nodiscard]] Task<Result<Sent>> send_new(Contact changed, std::string key, std::vector<Payload> payloads);
    [[nodiscard]] Task<Result<Sent>> send_again(SentRow row);

    MessengerCore core_;
    TaskGroup tasks_;
    Sender sender_;
    Application application_;
    Receiver receiver_;
    Queue<Event> events_;
    std::size_t calls_{0};
    Signal call_ended_;
    bool started_{false};
};

Task<Result<void>> MessengerImpl::start() {
    if (started_) {
        co_return fail(Errc::conflict, "already started");
    }
    started_ = true;
    tasks_.spawn("status_commits", core_.commits.work());
    const Result<void> loaded = co_await core_.load();
    if (!loaded) {
        co_await stop();
        co_return loaded;
    }
    for (Event& event : core_.state.take_loaded_events()) {
        give(std::move(event));
    }
    tasks_.spawn("status_sender", sender_.work());
    tasks_.spawn("status_receiver", receiver_.work());
    core_.env.log.info("started", {{"contacts", core_.state.contacts().size()},
                                   {"unacknowledged", unacknowledged()},
                                   {"topics", content_topics().size()},
                                   {"ratchet", core_.config.ratchet ? "on" : "off"},
                                   {"push", core_.config.push ? "on" : "off"}});
    co_return Result<void>{};
}

Task<void> MessengerImpl::stop() {
    co_await tasks_.stop();
    core_.commits.close();
    events_.close();
    while (calls_ > 0) {
        static_cast<void>(co_await call_ended_.wait(Milliseconds(50)));
    }
}

void MessengerImpl::give(Event event) {
    static_cast<void>(events_.push(std::move(event)));
    show_events();
}

void MessengerImpl::show_events() const {
    core_.env.metrics.gauge("noroshi_status_events_waiting", "Events that nobody has dealt with yet.")
        .set(static_cast<double>(core_.state.events()));
}

Task<Result<void>> MessengerImpl::done(std::string event_id) {
    const Inside call(*this);
    StateWrites writes;
    if (!core_.state.erase_event(event_id, writes)) {
        co_return Result<void>{};
    }
    show_events();
    co_return co_await core_.commits.commit(std::move(writes));
}

Result<Contact*> MessengerImpl::paired(const crypto::PublicKey& to) {
    Contact* contact = core_.state.contact(to);
    if (contact == nullptr || !contact->mutual()) {
        return fail(Error{Errc::not_found, "not_paired: the recipient is no contact of ours", {}, true});
    }
    return contact;
}

Task<Result<Sent>> MessengerImpl::send(Outgoing message) {
    const Inside call(*this);
    if (message.key.empty() || message.key.size() > longest_key) {
        co_return invalid("bad_key: a key of 1 to 64 characters");
    }
    if (const SentRow* sent = core_.state.sent(message.to, message.key)) {
        co_return co_await send_again(*sent);
    }
    NOROSHI_CO_TRY(const Contact* contact, paired(message.to));
    Contact changed = *contact;  // clocks are taken only when all parts can be made
    NOROSHI_CO_TRY(std::vector<Payload> payloads, texts_of(changed, message));
    co_return co_await send_new(std::move(changed), std::move(message.key), std::move(payloads));
}

Result<std::vector<Payload>> MessengerImpl::texts_of(Contact& to, Outgoing& message) const {
    if (message.text.size() > longest_text_bytes || !is_utf8(message.text)) {
        return invalid("bad_text: UTF-8 of at most 64 KiB");
    }
    const TimestampMs now = core_.env.clock.now();
    std::vector<Payload> out;
    for (std::string& part : cut_text(message.text)) {
        out.emplace_back(core_.composer.text(to, std::move(part), now));
    }
    if (message.image) {
        out.emplace_back(core_.composer.image(to, std::move(*message.image), now));
    }
    if (out.empty()) {
        return invalid("bad_text: neither text nor picture");
    }
    if (const SentRow* of = core_.state.sent(message.to, message.replies_to)) {
        std::get<ChatMessage>(out.front()).response_to = of->parts.front().message_id;
    }
    return out;
}

Task<Result<Sent>> MessengerImpl::edit(std::string key, crypto::PublicKey to, std::string of_key, std::string text) {
    const Inside call(*this);
    if (key.empty() || key.size() > longest_key) {
        co_return invalid("bad_key: a key of 1 to 64 characters");
    }
    if (const SentRow* sent = core_.state.sent(to, key)) {
        co_return co_await send_again(*sent);
    }
    NOROSHI_CO_TRY(const Contact* contact, paired(to));
    const SentRow* of = core_.state.sent(to, of_key);
    if (of == nullptr) {
        co_return fail(Errc::not_found, "unknown_message: nothing known was sent under that key");
    }
    Contact changed = *contact;
    NOROSHI_CO_TRY(std::vector<Payload> payloads, edits_of(changed, *of, text));
    co_return co_await send_new(std::move(changed), std::move(key), std::move(payloads));
}

/// The parts of the new text in the places of the old ones; old parts that are left over are deleted.
Result<std::vector<Payload>> MessengerImpl::edits_of(Contact& to, const SentRow& of, const std::string& text) const {
    const std::vector<std::string> parts = is_utf8(text) ? cut_text(text) : std::vector<std::string>{};
    if (parts.empty() || parts.size() > of.parts.size()) {
        return invalid("bad_text: UTF-8 of no more parts than were sent");
    }
    const TimestampMs now = core_.env.clock.now();
    std::vector<Payload> out;
    for (std::size_t i = 0; i < of.parts.size(); ++i) {
        const std::uint64_t clock = to.next_clock(now);
        if (i < parts.size()) {
            out.emplace_back(EditMessage{clock, parts[i], contact_id(to.key), of.parts[i].message_id, ContentType::text});
        } else {
            out.emplace_back(DeleteMessage{clock, contact_id(to.key), of.parts[i].message_id});
        }
    }
    return out;
}

Task<Result<Sent>> MessengerImpl::send_new(Contact changed, std::string key, std::vector<Payload> payloads) {
    if (core_.state.all_out().size() + payloads.size() > MessengerState::most_out) {
        co_return fail(Error{Errc::limit, "busy: 10000 messages are unacknowledged", {}, true});
    }
    const TimestampMs now = core_.env.clock.now();
    SentRow sent{changed.key, key, now, {}, {}};
    std::vector<OutRow> rows;
    for (const Payload& payload : payloads) {
        NOROSHI_CO_TRY(OutRow row, core_.composer.row(changed.key, payload, now));
        row.key = key;
        sent.parts.push_back({core_.composer.id_of(row), false});
        rows.push_back(std::move(row));
    }
    StateWrites writes;
    std::vector<MvdsId> ids;
    for (OutRow& row : rows) {
        ids.push_back(row.message.id());
        core_.state.put_out(ids.back(), std::move(row), writes);
    }
    core_.state.put_sent(std::move(sent), writes);
    Contact& contact = core_.state.contact_or_new(changed.key);
    contact = std::move(changed);
    core_.state.put_contact(contact, writes);
    co_return co_await sender_.dispatch(contact.key, std::move(ids), std::move(writes), Urgency::message);
}

/// The parts that nobody acknowledged, once more now. When there is none left, what is known of the last envelope.
Task<Result<Sent>> MessengerImpl::send_again(SentRow row) {
    std::vector<MvdsId> ids = core_.state.out_to(row.to);
    std::erase_if(ids, [&](const MvdsId& id) { return core_.state.out(id)->key != row.key; });
    if (!ids.empty()) {
        co_return co_await sender_.dispatch(row.to, std::move(ids), {}, Urgency::message);
    }
    if (!std::ranges::all_of(row.parts, &SentRow::Part::acknowledged)) {
        co_return fail(Errc::not_found, "expired: it was given up after 15 copies");
    }
    Sent out{{}, core_.mailbox.pubsub_topic(), row.last.content_topic, row.last.timestamp_ns};
    out.publication.hash = row.last.hash;
    co_return out;
}

Task<Result<Sent>> MessengerImpl::request_contact(crypto::PublicKey to, std::string text) {
    const Inside call(*this);
    const TimestampMs now = core_.env.clock.now();
    const Contact* known = core_.state.contact(to);
    const Contact before = known != nullptr ? *known : MessengerState::new_contact(to);
    Contact changed = before;
    const ChatMessage request = core_.composer.contact_request(changed, std::move(text), now);
    NOROSHI_CO_TRY(OutRow row, core_.composer.row(to, request, now));
    row.contact_request = true;
    Effects effects;
    for (const MvdsId& id : core_.state.out_to(to)) {
        if (core_.state.out(id)->contact_request) {  // of an earlier call: it says the same
            core_.state.erase_out(id, effects.writes);
            sender_.forget(id);
        }
    }
    core_.state.contact_or_new(to) = changed;
    core_.state.put_contact(changed, effects.writes);
    application_.tell_change(before, changed, effects);  // they may have asked before us
    const MvdsId id = row.message.id();
    core_.state.put_out(id, std::move(row), effects.writes);
    core_.listen();
    NOROSHI_CO_TRY_VOID(co_await receiver_.carry_out(to, std::move(effects)));
    co_return co_await sender_.dispatch(to, {id}, {}, Urgency::message);
}

Task<Result<Sent>> MessengerImpl::accept_contact(crypto::PublicKey from) {
    const Inside call(*this);
    Contact* contact = core_.state.contact(from);
    if (contact == nullptr || contact->remote != ContactState::received) {
        co_return fail(Errc::not_found, "no_request: that identity did not ask to be a contact");
    }
    const Contact before = *contact;
    Effects effects;
    NOROSHI_CO_TRY(const MvdsId id, application_.accept(*contact, contact->request_id, effects));
    application_.tell_change(before, *contact, effects);
    core_.state.put_contact(*contact, effects.writes);
    effects.answers = false;  // it is sent here
    NOROSHI_CO_TRY_VOID(co_await receiver_.carry_out(from, std::move(effects)));
    co_return co_await sender_.dispatch(from, {id}, {}, Urgency::message);
}

Task<Result<void>> MessengerImpl::remove_contact(crypto::PublicKey other) {
    const Inside call(*this);
    Contact* contact = core_.state.contact(other);
    if (contact == nullptr) {
        co_return fail(Errc::not_found, "no_contact: that identity is no contact");
    }
    const TimestampMs now = core_.env.clock.now();
    const std::uint64_t clock = contact->next_clock(now);
    NOROSHI_CO_TRY(OutRow row, core_.composer.row(other, RetractContactRequest{"", clock}, now));
    StateWrites writes;
    for (const MvdsId& id : core_.state.out_to(other)) {
        core_.state.erase_out(id, writes);
        sender_.forget(id);
    }
    contact->retract(clock);
    core_.state.put_contact(*contact, writes);
    const MvdsId id = row.message.id();
    core_.state.put_out(id, std::move(row), writes);
    const Result<Sent> sent = co_await sender_.dispatch(other, {id}, std::move(writes), Urgency::message);
    StateWrites forgotten;
    core_.encryption->forget(other, forgotten);
    core_.listen();
    NOROSHI_CO_TRY_VOID(co_await core_.commits.commit(std::move(forgotten)));
    if (!sent) {
        co_return fail(sent.error());
    }
    co_return Result<void>{};
}

std::vector<ContactInfo> MessengerImpl::contacts() const {
    std::vector<ContactInfo> out;
    for (const auto& [key, contact] : core_.state.contacts()) {
        const bool asked_us = contact.remote == ContactState::received;
        const bool asked_by_us = contact.local == ContactState::sent;
        if (asked_us || asked_by_us) {
            out.push_back({contact.key, contact.display_name, contact.mutual(), asked_us, asked_by_us});
        }
    }
    return out;
}

}  // namespace

std::unique_ptr<Messenger> make_messenger(MessengerConfig config, MessengerEnvironment environment) {
    return std::make_unique<MessengerImpl>(std::move(config), std::move(environment));
}

}  // namespace noroshi::status
