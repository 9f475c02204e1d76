// src/status/messenger.hpp - a Status user in one-to-one chats: contacts, messages out until acknowledged, messages in once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "model/message.hpp"
#include "status/payloads.hpp"
#include "status/state.hpp"
#include "waku/waku.hpp"

namespace noroshi::status {

struct MessengerConfig {
    crypto::SecretKey identity;
    std::string display_name;       ///< check_display_name holds
    std::optional<Image> picture;
    bool ratchet{false};            ///< publish bundles; encryption.hpp says what that means
    bool push{false};               ///< ask contacts' push servers to wake their devices, as an extra (pushes.hpp)
    std::uint16_t cluster{16};
    std::uint16_t shard{32};
};

/// Somebody asks to be a contact: an owner that the allow-list does not hold yet. Only while requests are let in.
struct ContactRequested {
    crypto::PublicKey from;
    std::string display_name;
    std::string text;
};
/// Both sides are contacts now: messages raise notifications from here on.
struct ContactMade {
    crypto::PublicKey with;
};
/// The other side ended it.
struct ContactEnded {
    crypto::PublicKey with;
};
/// Every part of the message sent under `key` was acknowledged by a device of the recipient; no person need have seen it.
struct Delivered {
    std::string key;
    crypto::PublicKey by;
};
/// A reaction to a message of ours.
struct Reacted {
    crypto::PublicKey from;
    std::string key;  ///< of the message sent; "" when it is not known any more
    Emoji emoji{Emoji::thumbs_up};
    bool retracted{false};
    std::string chat_id;  ///< as signed
};
/// A text of a contact; `line.reply_key` names the message sent that it replies to.
struct TextReceived {
    model::InboundLine line;
    std::string reply_key;
};
using EventContent = std::variant<ContactRequested, ContactMade, ContactEnded, Delivered, Reacted, TextReceived>;
/// Kept on disk until `done(id)`: after a kill it comes again.
struct Event {
    std::string id;
    EventContent content;
};

/// A message to send. The same `key` is the same message, however often it is sent and across restarts: the recipient
/// shows it once.
struct Outgoing {
    std::string key;        ///< 1..64 characters
    crypto::PublicKey to;
    std::string text;       ///< cut into several messages above 3,500 code points
    std::string replies_to; ///< key of an earlier message to the same recipient, or ""
    std::optional<Image> image{};
};
/// What became of it: the last envelope, as waku::Node::publish says.
struct Sent {
    waku::Publication publication;
    std::string pubsub_topic;
    std::string content_topic;
    std::int64_t timestamp_ns{0};
};

struct ContactInfo {
    crypto::PublicKey key;
    std::string display_name;
    bool mutual{false};
    bool asked_us{false};
    bool asked_by_us{false};
};

/// What the messenger needs from its surroundings; all outlive it.
struct MessengerEnvironment {
    waku::Node& node;
    StateStore& store;
    Timers& timers;
    Executor executor;
    const Clock& clock;
    Random& random;
    Metrics& metrics;
    Log log;
};

/// Order of its work, so that a kill at any step loses and doubles nothing that the other side can see:
/// in: decrypt, decide, commit (session + seen id + contact + event) at once, then acknowledge, then give the event;
/// out: commit (session + MVDS row) at once, then publish, again after 27 s, 54 s, .. until acknowledged (mvds.hpp).
/// Envelopes are taken only when the signer of the envelope and of the application payload are one; from identities on the
/// allow-list, or contact requests while requests are let in; texts and reactions only when encrypted; each message id once
/// in 30 days; none older than that, none with a clock 120 s ahead of its envelope. All else is counted by reason
/// (noroshi_status_received_total{result}). Thread: the I/O thread.
class Messenger {
  public:
    virtual ~Messenger() = default;

    /// Reads its state and begins to repeat what is unacknowledged. Errors: corrupt, io.
    [[nodiscard]] virtual Task<Result<void>> start() = 0;
    /// Ends waiting calls with `cancelled`. What is unfinished goes on after the next start.
    [[nodiscard]] virtual Task<void> stop() = 0;

    /// Content topics to listen to now. `changed` of on_topics is called when there are more or fewer.
    [[nodiscard]] virtual std::vector<std::string> content_topics() const = 0;
    virtual void on_topics(std::function<void()> changed) = 0;
    /// Takes an envelope from the network: any one, foreign ones are passed over. At most 1,000 wait.
    virtual void receive(waku::ReceivedMessage message) = 0;
    /// The next event; waits. One caller. Errors: cancelled.
    [[nodiscard]] virtual Task<Result<Event>> next_event() = 0;
    /// The event was dealt with and does not come again.
    [[nodiscard]] virtual Task<Result<void>> done(std::string event_id) = 0;

    /// Identities that may write to us, beside the contacts made by `accept` and `request`.
    virtual void allow(std::vector<crypto::PublicKey> owners) = 0;
    /// Lets requests of unknown identities in as events, or not (the state at the start). Kept ones: at most 16.
    virtual void let_requests_in(bool open) = 0;

    /// Publishes `message` once and repeats it until acknowledged. Errors: not_found (not_paired: the recipient is no
    /// mutual contact; retryable), invalid_argument (text), and those of waku::Node::publish; the message is kept and
    /// repeated all the same when only publishing failed.
    [[nodiscard]] virtual Task<Result<Sent>> send(Outgoing message) = 0;
    /// Changes the text of the message sent under `key`, under a key of its own; raises no notification.
    /// Errors: as send; not_found (unknown_message).
    [[nodiscard]] virtual Task<Result<Sent>> edit(std::string key, crypto::PublicKey to, std::string of_key,
                                                  std::string text) = 0;
    /// Asks `to` to be a contact. Errors: those of publish.
    [[nodiscard]] virtual Task<Result<Sent>> request_contact(crypto::PublicKey to, std::string text) = 0;
    /// Accepts the open request of `from`, who is on the allow-list from then on. Errors: not_found, those of publish.
    [[nodiscard]] virtual Task<Result<Sent>> accept_contact(crypto::PublicKey from) = 0;
    /// Takes the contact back. Its devices and sessions are kept, as a stranger's are, the first to make room: the other
    /// side goes on with them if it asks again. Errors: not_found, those of publish.
    [[nodiscard]] virtual Task<Result<void>> remove_contact(crypto::PublicKey other) = 0;
    [[nodiscard]] virtual std::vector<ContactInfo> contacts() const = 0;
    /// Messages that are not acknowledged yet.
    [[nodiscard]] virtual std::size_t unacknowledged() const = 0;
};

[[nodiscard]] std::unique_ptr<Messenger> make_messenger(MessengerConfig config, MessengerEnvironment environment);

}  // namespace noroshi::status
