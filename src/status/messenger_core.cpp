// src/status/messenger_core.cpp - loading, the allow-list, the listening set.
#include "messenger_core.hpp"

namespace noroshi::status {

Task<Result<void>> MessengerCore::load() {
    StateWrites writes;
    NOROSHI_CO_TRY_VOID(state.load(env.store, own, env.random, env.metrics, env.log, writes));
    if (config.ratchet && !state.own().bundles_published) {
        OwnRow row = state.own();
        row.bundles_published = true;  // on disk before the first bundle leaves
        state.put_own(std::move(row), writes);
    }
    const Encryption::Config settings{config.ratchet, state.own().installation_id};
    NOROSHI_CO_TRY(encryption, Encryption::load(settings, config.identity.clone(), env.store, env.random));
    if (const std::size_t damaged = encryption->damaged_rows(); damaged > 0) {
        count_damaged_rows(env.metrics, "encryption", damaged);
        env.log.error("rows_damaged", {{"rows", damaged}, {"note", "devices or sessions of contacts are unknown"}});
    }
    NOROSHI_CO_TRY_VOID(co_await commits.commit(std::move(writes)));
    listen();
    show_unacknowledged();
    co_return Result<void>{};
}

bool MessengerCore::may_write(const crypto::PublicKey& who) const {
    const Contact* contact = state.contact(who);
    return is_owner(who) || (contact != nullptr && contact->local == ContactState::sent);
}

void MessengerCore::set_owners(std::vector<crypto::PublicKey> list) {
    owners = std::move(list);
    owner_keys_.clear();
    for (const crypto::PublicKey& owner : owners) {
        owner_keys_.insert(owner.compressed());
    }
    listen();
}

void MessengerCore::listen() {
    if (!encryption) {
        return;
    }
    std::vector<crypto::PublicKey> all;
    std::vector<crypto::PublicKey> negotiated;
    std::set<MessengerState::PeerKey> known;
    const auto add = [&](const crypto::PublicKey& who) {
        if (known.insert(who.compressed()).second) {
            all.push_back(who);
        }
    };
    for (const auto& [key, contact] : state.contacts()) {
        if (is_awaited(contact.key)) {
            add(contact.key);
        }
    }
    for (const crypto::PublicKey& owner : owners) {
        add(owner);
    }
    std::vector<crypto::PublicKey> woken = owners;
    woken.insert(woken.end(), all.begin(), all.end());
    pushes.keep(woken);
    for (const crypto::PublicKey& who : encryption->negotiated_with()) {
        if (is_awaited(who)) {  // strangers, too, are remembered
            add(who);
            negotiated.push_back(who);
        }
    }
    if (state.own().bundles_published) {
        negotiated = all;
    }
    const bool reads_codes = config.ratchet || config.push;
    const std::vector<AnswerKey> answers = pushes.answer_keys();
    const bool changed = mailbox.listen(negotiated, reads_codes ? all : std::vector<crypto::PublicKey>{}, answers);
    if (negotiated.size() + answers.size() + 2 > Mailbox::most_topics) {
        env.log.warn("too_many_topics", {{"contacts", negotiated.size()}, {"topics", Mailbox::most_topics}});
    }
    if (changed && topics_changed) {
        topics_changed();
    }
}

void MessengerCore::count_received(std::string_view result) const {
    env.metrics
        .counter("noroshi_status_received_total", "Envelopes and messages that came in, by what became of them.",
                 {{"result", std::string(result)}})
        .add();
}

void MessengerCore::show_unacknowledged() const {
    env.metrics.gauge("noroshi_status_unacknowledged", "Messages that no device of their recipient has acknowledged yet.")
        .set(static_cast<double>(state.all_out().size()));
}

}  // namespace noroshi::status
