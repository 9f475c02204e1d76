// src/daemon/status_room.hpp - the daemon as a Status user: whom it talks to, what it hears, who may pair.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "base/log.hpp"
#include "deliver/deliver.hpp"
#include "status/status.hpp"

namespace noroshi::daemon {

/// A receiver of the configuration that is a Status user.
struct StatusReceiver {
    std::string name;
    crypto::PublicKey key;
};

/// Takes the messenger's events to where they belong: acknowledgements, reactions and replies to the outbox, texts to
/// `on_line`, requests to whoever pairs. An event is done when its outcome is on disk. Pairings are rows of the state:
/// identity, role, name. Thread: the I/O thread.
class StatusRoom final : public api::StatusDesk {
  public:
    /// All must outlive it.
    struct Parts {
        status::Messenger& messenger;
        status::StateStore& state;
        deliver::Outbox& outbox;
        Timers& timers;
        Executor executor;
        const Clock& clock;
        Log log;
        /// A contact's text with the name of its receiver, or ""; without it texts stay with the messenger.
        std::function<void(const model::InboundLine&, const std::string& receiver)> on_line{};
    };
    /// Whom this daemon is.
    struct Self {
        crypto::PublicKey key;
        std::string display_name;
    };
    StatusRoom(Self self, Parts parts);

    /// Reads the pairings, starts the messenger and takes its events. Errors: io, corrupt.
    [[nodiscard]] Task<Result<void>> start();
    [[nodiscard]] Task<void> stop();
    /// The receivers of the configuration in force.
    void set_receivers(std::vector<StatusReceiver> receivers);

    /// Content topics to listen to: none while there is nobody to hear. `changed` of on_topics says when to ask again.
    [[nodiscard]] std::vector<std::string> topics() const;
    void on_topics(std::function<void()> changed);
    [[nodiscard]] status::Messenger& messenger() { return parts_.messenger; }
    [[nodiscard]] api::PartHealth health() const;

    [[nodiscard]] Task<Result<api::StatusInfo>> info() override;
    [[nodiscard]] Task<Result<void>> open_pairing(Milliseconds duration) override;
    [[nodiscard]] Task<Result<std::vector<api::PairingRequest>>> requests(std::uint64_t after, Milliseconds wait) override;
    [[nodiscard]] Task<Result<void>> accept(std::string from, std::string role) override;
    [[nodiscard]] Task<Result<void>> request(std::string to, std::string text) override;
    [[nodiscard]] Task<Result<void>> remove(std::string key) override;

  private:
    struct Pairing {
        crypto::PublicKey key;
        std::string role;
        std::string name;
    };
    struct Open {
        std::uint64_t number{0};
        crypto::PublicKey from;
        std::string name;
        std::string text;
    };

    [[nodiscard]] Task<void> take_events();
    [[nodiscard]] Task<Result<bool>> take(status::EventContent content);
    [[nodiscard]] Task<Result<void>> take_receipt(crypto::PublicKey by, std::string key, model::ReceiptKind kind);
    void note_request(const status::ContactRequested& request);
    [[nodiscard]] Task<void> close_later();
    [[nodiscard]] Result<void> load_pairings();
    [[nodiscard]] Task<Result<void>> keep_pairing(crypto::PublicKey key, std::string role, std::string name);
    void allow_all();
    void tell_topics();
    void show_open();
    [[nodiscard]] std::string receiver_of(const crypto::PublicKey& key) const;
    [[nodiscard]] bool is_open() const { return parts_.clock.steady() < open_until_; }
    [[nodiscard]] std::vector<api::PairingRequest> open_after(std::uint64_t after) const;

    Self self_;
    Parts parts_;
    std::vector<StatusReceiver> receivers_;
    std::map<std::string, Pairing> pairings_;  ///< by compressed key, hex
    std::deque<Open> open_;
    std::uint64_t last_number_{0};
    SteadyMs open_until_{};
    std::function<void()> topics_changed_;
    Bell changed_;  ///< a request came, or a contact changed
    Signal reopened_;
    TaskGroup tasks_;
};

}  // namespace noroshi::daemon
