// src/status/pushes.hpp - whose devices are to be woken, and what is to be asked of which push server next.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/time.hpp"
#include "mailbox.hpp"
#include "messenger.hpp"
#include "push.hpp"

namespace noroshi::status {

/// One envelope to a push server, or to whichever knows a user. It is signed by a key that stands for nobody, one for each
/// user, which the answer is sealed to.
struct PushStep {
    const char* kind{""};
    Bytes wrapped;
    std::shared_ptr<const crypto::SecretKey> signer;
    std::optional<crypto::PublicKey> server;  ///< none: a question, on the topic of `chat_id`
    std::string chat_id;
};

/// An extra on which nothing depends: what fails is counted (noroshi_status_push_total{result}) and forgotten. After a
/// message to a user each of his devices is woken through one of its servers, at most once a minute; messages in between
/// wait for the end of it. What is known of his devices is in his contact codes and in answers to our questions, which are
/// asked when nothing new was heard for a day, or for an hour when nothing is known; it is in memory only. Does not send by
/// itself. Thread: the I/O thread.
class Pushes {
  public:
    Pushes(bool enabled, const crypto::SecretKey& identity, const MessengerEnvironment& env)
        : enabled_(enabled), identity_(identity.clone()), own_(identity.public_key()), env_(env) {}

    static constexpr std::size_t most_users = 16;
    static constexpr Milliseconds every{60'000};         ///< requests for one user
    static constexpr Milliseconds answer_time{3'000};    ///< for which answers to a question are waited
    static constexpr Milliseconds known_for{24 * 3'600'000};
    static constexpr Milliseconds unknown_for{3'600'000};

    /// These may be woken, the first most_users of them; what is known of others is forgotten. Nobody when it is off.
    void keep(const std::vector<crypto::PublicKey>& users);
    /// The keys that answers are sealed to.
    [[nodiscard]] std::vector<AnswerKey> answer_keys() const;
    /// The first copy of a message to `user` was published.
    void told(const crypto::PublicKey& user, const std::string& message_id);
    /// His contact code came.
    void take_contact_code(const crypto::PublicKey& user, const std::vector<PushInfo>& infos);
    /// A message for the answer key of `user`, signed by whoever sent it.
    void take_answer(const crypto::PublicKey& user, const SignedPayload& answer);

    /// Until `next` has something to do; none while nobody is to be woken.
    [[nodiscard]] std::optional<Milliseconds> rest() const;
    /// The next step that is due; none when nothing is, or nobody can be woken.
    [[nodiscard]] std::optional<PushStep> next();
    void count(std::string_view result) const;

  private:
    struct User {
        crypto::PublicKey key;
        std::shared_ptr<const crypto::SecretKey> answer_key;
        std::vector<PushTarget> targets;     ///< at most most_push_infos, the one told last at the end
        std::optional<SteadyMs> heard_at;    ///< asked, or told by a contact code
        SteadyMs answers_until{};
        std::string question;                ///< its message id
        std::string wanted;                  ///< message id; "": nothing
        std::optional<SteadyMs> pushed_at;
        std::string pushed;                  ///< message id of the last request
        std::vector<crypto::PublicKey> asked;  ///< servers that have not answered it yet
        std::string again;                   ///< message id of what was asked for once more
    };
    using Key = std::array<std::uint8_t, 33>;

    [[nodiscard]] User* find(const crypto::PublicKey& user);
    [[nodiscard]] bool is_stale(const User& user) const;
    [[nodiscard]] std::optional<SteadyMs> due(const User& user) const;
    [[nodiscard]] PushStep question(User& user);
    void request(User& user);
    /// True when there was one that counts.
    bool take_infos(User& user, const std::vector<PushInfo>& infos, const std::optional<crypto::PublicKey>& answered_by);
    void put(User& user, PushTarget target);
    void take_reports(User& user, const crypto::PublicKey& server, const PushResponse& response);
    void take_fault(User& user, const crypto::PublicKey& server, const PushReport& report);

    bool enabled_;
    crypto::SecretKey identity_;
    crypto::PublicKey own_;
    const MessengerEnvironment& env_;
    std::map<Key, User> users_;
    std::deque<PushStep> requests_;
};

}  // namespace noroshi::status
