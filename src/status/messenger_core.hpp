// src/status/messenger_core.hpp - what the rooms of the messenger share: its parts, who may write to us, where we listen.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "commit_queue.hpp"
#include "composer.hpp"
#include "encryption.hpp"
#include "mailbox.hpp"
#include "messenger.hpp"
#include "messenger_state.hpp"
#include "pushes.hpp"

namespace noroshi::status {

/// Thread: the I/O thread.
struct MessengerCore {
    MessengerCore(MessengerConfig c, MessengerEnvironment e)
        : config(std::move(c)),
          env(std::move(e)),
          own(config.identity.public_key()),
          mailbox(config.identity, config.cluster, config.shard, env.random),
          composer(config.identity, config.display_name, config.picture),
          pushes(config.push, config.identity, env),
          commits(env.store, env.executor) {}

    MessengerConfig config;
    MessengerEnvironment env;
    crypto::PublicKey own;
    MessengerState state{};
    std::unique_ptr<Encryption> encryption{};  ///< from `load` on
    Mailbox mailbox;
    Composer composer;
    Pushes pushes;
    CommitQueue commits;
    std::vector<crypto::PublicKey> owners{};  ///< the allow-list
    bool requests_open{false};
    std::function<void()> topics_changed{};

    /// Reads the state; ends when what a first start makes is on disk. The commit queue must be at work.
    /// Errors: io, corrupt, cancelled.
    [[nodiscard]] Task<Result<void>> load();

    [[nodiscard]] bool is_owner(const crypto::PublicKey& who) const { return owner_keys_.contains(who.compressed()); }
    /// May `who` write to us: an owner, or a contact of our own making.
    [[nodiscard]] bool may_write(const crypto::PublicKey& who) const;
    /// Those, and whoever has something of ours to acknowledge: a contact that was removed.
    [[nodiscard]] bool is_awaited(const crypto::PublicKey& who) const {
        return may_write(who) || !state.out_to(who).empty();
    }
    void set_owners(std::vector<crypto::PublicKey> list);
    /// Listens to what the contacts, owners and sessions of now need. To be called when one of them changed, and before
    /// anything is sent to a new one: whoever gets a bundle answers on the negotiated topic.
    void listen();
    void count_received(std::string_view result) const;
    void show_unacknowledged() const;

  private:
    std::set<MessengerState::PeerKey> owner_keys_;
};

}  // namespace noroshi::status
