// src/daemon/status_room.cpp - events of the messenger, pairings, and the desk of the API.
#include "status_room.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace noroshi::daemon {
namespace {

constexpr const char* pairings_table = "pairings";
constexpr std::size_t most_open = 16;
constexpr Milliseconds event_retry{1'000};

Result<crypto::PublicKey> key_of(std::string_view text) {
    NOROSHI_TRY(const status::SharedUser user, status::parse_user(text));
    return user.key;
}

bool is_role(std::string_view text) { return text == "viewer" || text == "operator"; }

/// The key of an edit is the message's own with a word behind it.
std::string message_id_of(const std::string& key) { return key.substr(0, key.find('.')); }

}  // namespace

StatusRoom::StatusRoom(Self self, Parts parts)
    : self_(std::move(self)), parts_(std::move(parts)), changed_(parts_.executor), reopened_(parts_.executor), tasks_(parts_.executor) {}

Task<Result<void>> StatusRoom::start() {
    NOROSHI_CO_TRY_VOID(load_pairings());
    allow_all();
    parts_.messenger.on_topics([this] { tell_topics(); });
    NOROSHI_CO_TRY_VOID(co_await parts_.messenger.start());
    tasks_.spawn("status_events", take_events());
    tasks_.spawn("status_pairing", close_later());
    co_return Result<void>{};
}

Task<void> StatusRoom::stop() {
    co_await tasks_.stop();
    co_await parts_.messenger.stop();
}

void StatusRoom::set_receivers(std::vector<StatusReceiver> receivers) {
    receivers_ = std::move(receivers);
    allow_all();
}

void StatusRoom::allow_all() {
    std::vector<crypto::PublicKey> owners;
    for (const StatusReceiver& receiver : receivers_) {
        owners.push_back(receiver.key);
    }
    for (const auto& [hex, pairing] : pairings_) {
        owners.push_back(pairing.key);
    }
    parts_.messenger.allow(std::move(owners));
    tell_topics();
}

void StatusRoom::tell_topics() {
    if (topics_changed_) {
        topics_changed_();
    }
}

std::vector<std::string> StatusRoom::topics() const {
    const bool anybody = !receivers_.empty() || !pairings_.empty() || is_open() || !parts_.messenger.contacts().empty();
    return anybody ? parts_.messenger.content_topics() : std::vector<std::string>{};
}

void StatusRoom::on_topics(std::function<void()> changed) { topics_changed_ = std::move(changed); }

std::string StatusRoom::receiver_of(const crypto::PublicKey& key) const {
    const auto found = std::ranges::find(receivers_, key, &StatusReceiver::key);
    return found == receivers_.end() ? std::string() : found->name;
}

// ---- events

Task<void> StatusRoom::take_events() {
    while (true) {
        Result<status::Event> event = co_await parts_.messenger.next_event();
        if (!event) {
            co_return;
        }
        Result<bool> dealt = co_await take(event->content);
        while (!dealt && dealt.error().code != Errc::cancelled) {
            parts_.log.error("event_not_taken", {{"reason", dealt.error().to_string()}});
            if (!co_await parts_.timers.sleep_for(event_retry)) {
                co_return;
            }
            dealt = co_await take(event->content);
        }
        if (!dealt) {
            co_return;
        }
        if (*dealt) {
            const Result<void> done = co_await parts_.messenger.done(std::move(event->id));
            if (!done && done.error().code != Errc::cancelled) {
                parts_.log.warn("event_not_done", {{"reason", done.error().to_string()}});
            }
        }
    }
}

/// False: it is left for whoever comes after us.
Task<Result<bool>> StatusRoom::take(status::EventContent content) {
    if (const auto* request = std::get_if<status::ContactRequested>(&content)) {
        note_request(*request);
    } else if (const auto* made = std::get_if<status::ContactMade>(&content)) {
        parts_.log.info("contact_made", {{"with", status::chat_key(made->with)}, {"receiver", receiver_of(made->with)}});
        parts_.outbox.retry_now();
        changed_.ring();
    } else if (const auto* ended = std::get_if<status::ContactEnded>(&content)) {
        parts_.log.warn("contact_ended", {{"with", status::chat_key(ended->with)}, {"receiver", receiver_of(ended->with)}});
        changed_.ring();
    } else if (auto* delivered = std::get_if<status::Delivered>(&content)) {
        NOROSHI_CO_TRY_VOID(co_await take_receipt(delivered->by, delivered->key, model::ReceiptKind::delivered));
    } else if (auto* reacted = std::get_if<status::Reacted>(&content)) {
        if (!reacted->retracted) {
            NOROSHI_CO_TRY_VOID(co_await take_receipt(reacted->from, reacted->key, model::ReceiptKind::answered));
        }
    } else if (auto* text = std::get_if<status::TextReceived>(&content)) {
        NOROSHI_CO_TRY_VOID(co_await take_receipt(text->line.signer, text->reply_key, model::ReceiptKind::answered));
        if (!parts_.on_line) {
            co_return false;
        }
        parts_.on_line(text->line, receiver_of(text->line.signer));
    }
    co_return true;
}

/// Whoever signs must be the receiver that the message went to.
Task<Result<void>> StatusRoom::take_receipt(crypto::PublicKey by, std::string key, model::ReceiptKind kind) {
    if (key.empty() || (kind == model::ReceiptKind::delivered && key != message_id_of(key))) {
        co_return Result<void>{};  // unknown by now, or an edit arrived
    }
    std::vector<std::string> names;
    for (const StatusReceiver& receiver : receivers_) {
        if (receiver.key == by) {
            names.push_back(receiver.name);
        }
    }
    for (const std::string& name : names) {
        std::string receiver = name;
        model::Receipt receipt{message_id_of(key), kind, parts_.clock.now(), status::chat_key(by)};
        NOROSHI_CO_TRY_VOID(co_await parts_.outbox.take_receipt(std::move(receiver), std::move(receipt)));
    }
    co_return Result<void>{};
}

void StatusRoom::note_request(const status::ContactRequested& request) {
    std::erase_if(open_, [&](const Open& other) { return other.from == request.from; });
    if (open_.size() >= most_open) {
        open_.pop_front();
    }
    open_.push_back({++last_number_, request.from, request.display_name, request.text});
    parts_.log.info("contact_requested", {{"from", status::chat_key(request.from)}});
    changed_.ring();
}

// ---- pairings on disk

Result<void> StatusRoom::load_pairings() {
    NOROSHI_TRY(const auto rows, parts_.state.load(pairings_table));
    for (const auto& [hex, value] : rows) {
        const nlohmann::json json = nlohmann::json::parse(as_text(value), nullptr, false);
        const Result<crypto::PublicKey> key = crypto::PublicKey::from_hex(hex);
        const bool fits = key && json.is_object() && json.value("role", nlohmann::json()).is_string() &&
                          json.value("name", nlohmann::json()).is_string() && is_role(json["role"].get<std::string>());
        if (fits) {
            pairings_.insert_or_assign(hex, Pairing{*key, json["role"], json["name"]});
        } else {
            parts_.log.error("pairing_damaged", {{"key", hex}, {"remedy", "pair again"}});
        }
    }
    return {};
}

Task<Result<void>> StatusRoom::keep_pairing(crypto::PublicKey key, std::string role, std::string name) {
    const nlohmann::json json{{"role", role}, {"name", name}};
    const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string hex = key.to_string();
    pairings_.insert_or_assign(hex, Pairing{key, std::move(role), std::move(name)});
    allow_all();
    status::StateWrites writes{{pairings_table, std::move(hex), Bytes(text.begin(), text.end())}};
    co_return co_await parts_.state.commit(std::move(writes));
}

// ---- the desk

Task<Result<api::StatusInfo>> StatusRoom::info() {
    api::StatusInfo out{status::chat_key(self_.key), status::share_url(self_.key), self_.display_name,
                        is_open(),                   parts_.messenger.unacknowledged(), {}};
    std::map<std::string, api::Contact> contacts;  // by key: each once, whatever names it
    for (const status::ContactInfo& each : parts_.messenger.contacts()) {
        contacts[each.key.to_string()] = {status::chat_key(each.key), each.display_name, each.mutual, each.asked_us,
                                          each.asked_by_us, "", ""};
    }
    for (const auto& [hex, pairing] : pairings_) {
        api::Contact& contact = contacts[hex];
        contact.chat_key = status::chat_key(pairing.key);
        contact.role = pairing.role;
        contact.name = contact.name.empty() ? pairing.name : contact.name;
    }
    for (const StatusReceiver& receiver : receivers_) {
        api::Contact& contact = contacts[receiver.key.to_string()];
        contact.chat_key = status::chat_key(receiver.key);
        contact.receiver = receiver.name;
    }
    for (auto& [hex, contact] : contacts) {
        out.contacts.push_back(std::move(contact));
    }
    co_return out;
}

Task<Result<void>> StatusRoom::open_pairing(Milliseconds duration) {
    open_until_ = parts_.clock.steady() + std::min(duration, api::longest_pairing);
    reopened_.notify();
    show_open();
    co_return Result<void>{};
}

/// Who asked before, and was not answered, is shown again each time that pairing opens; of what was said before a restart
/// only the name is known.
void StatusRoom::show_open() {
    parts_.messenger.let_requests_in(is_open());
    tell_topics();
    if (!is_open()) {
        return;
    }
    for (const status::ContactInfo& contact : parts_.messenger.contacts()) {
        const bool known = std::ranges::find(open_, contact.key, &Open::from) != open_.end();
        if (contact.asked_us && !contact.mutual && !known) {
            note_request({contact.key, contact.display_name, ""});
        }
    }
}

/// Nobody need remember to close it.
Task<void> StatusRoom::close_later() {
    while (true) {
        if (!is_open()) {
            if (!co_await reopened_.wait()) {
                co_return;
            }
            continue;
        }
        const Milliseconds rest = open_until_ - parts_.clock.steady();
        if (!co_await reopened_.wait(rest)) {
            co_return;
        }
        if (!is_open()) {
            show_open();
        }
    }
}

std::vector<api::PairingRequest> StatusRoom::open_after(std::uint64_t after) const {
    std::vector<api::PairingRequest> out;
    for (const Open& each : open_) {
        if (is_open() && each.number > after) {
            out.push_back({each.number, status::chat_key(each.from), each.name, each.text});
        }
    }
    return out;
}

Task<Result<std::vector<api::PairingRequest>>> StatusRoom::requests(std::uint64_t after, Milliseconds wait) {
    if (wait.count() > 0 && open_after(after).empty()) {
        NOROSHI_CO_TRY_VOID(co_await changed_.wait(std::min(wait, api::longest_wait)));
    }
    co_return open_after(after);
}

Task<Result<void>> StatusRoom::accept(std::string from, std::string role) {
    NOROSHI_CO_TRY(const crypto::PublicKey key, key_of(from));
    if (!is_role(role)) {
        co_return fail(Errc::invalid_argument, "role: expected viewer or operator");
    }
    const Result<status::Sent> sent = co_await parts_.messenger.accept_contact(key);
    if (!sent && !sent.error().retryable) {
        co_return fail(sent.error());
    }
    if (!sent) {  // it is kept, and repeated until it arrives
        parts_.log.warn("acceptance_waits", {{"for", status::chat_key(key)}, {"reason", sent.error().to_string()}});
    }
    const auto open = std::ranges::find(open_, key, &Open::from);
    std::string name = open == open_.end() ? std::string() : open->name;
    std::erase_if(open_, [&](const Open& other) { return other.from == key; });
    parts_.log.info("paired", {{"with", status::chat_key(key)}, {"role", role}});
    NOROSHI_CO_TRY_VOID(co_await keep_pairing(key, std::move(role), std::move(name)));
    changed_.ring();
    co_return Result<void>{};
}

Task<Result<void>> StatusRoom::request(std::string to, std::string text) {
    NOROSHI_CO_TRY(const crypto::PublicKey key, key_of(to));
    if (key == self_.key) {
        co_return fail(Errc::invalid_argument, "this is the key of this daemon itself");
    }
    const Result<status::Sent> sent = co_await parts_.messenger.request_contact(key, std::move(text));
    const bool kept = sent || sent.error().retryable;
    if (kept && !pairings_.contains(key.to_string())) {
        NOROSHI_CO_TRY_VOID(co_await keep_pairing(key, "viewer", ""));
    }
    co_return sent ? Result<void>{} : fail(sent.error());
}

Task<Result<void>> StatusRoom::remove(std::string text) {
    NOROSHI_CO_TRY(const crypto::PublicKey key, key_of(text));
    std::string hex = key.to_string();
    const bool paired = pairings_.erase(hex) > 0;
    allow_all();
    if (paired) {
        status::StateWrites writes{{pairings_table, std::move(hex), std::nullopt}};
        NOROSHI_CO_TRY_VOID(co_await parts_.state.commit(std::move(writes)));
    }
    const Result<void> removed = co_await parts_.messenger.remove_contact(key);
    changed_.ring();
    co_return removed || (paired && removed.error().code == Errc::not_found) ? Result<void>{} : removed;
}

api::PartHealth StatusRoom::health() const {
    std::string missing;
    const std::vector<status::ContactInfo> contacts = parts_.messenger.contacts();
    for (const StatusReceiver& receiver : receivers_) {
        const auto found = std::ranges::find(contacts, receiver.key, &status::ContactInfo::key);
        if (found == contacts.end() || !found->mutual) {
            missing += (missing.empty() ? "" : ", ") + receiver.name;
        }
    }
    return {"status", missing.empty(),
            fmt::format("contacts: {}, unacknowledged messages: {}{}", contacts.size(), parts_.messenger.unacknowledged(),
                        missing.empty() ? "" : "; not paired, run `noroshi pair`: " + missing)};
}

}  // namespace noroshi::daemon
