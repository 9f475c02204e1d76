// src/status/receiver.hpp - messages in: envelope, segments, encryption, MVDS, application; one commit; then the answers.
#pragma once

#include <deque>
#include <functional>
#include <unordered_set>

#include "application.hpp"
#include "base/task.hpp"
#include "segments.hpp"
#include "sender.hpp"

namespace noroshi::status {

/// Hashes of the last sealed payloads; the oldest is forgotten first. Of the payloads, not of the messages around them:
/// anybody can put what he caught into a message with another timestamp. An honest repeat is sealed anew.
class SeenEnvelopes {
  public:
    static constexpr std::size_t most = 10'000;
    /// False when it was there already.
    bool insert(const crypto::Digest& hash);

  private:
    struct Hash {
        std::size_t operator()(const crypto::Digest& digest) const;
    };
    std::unordered_set<crypto::Digest, Hash> hashes_;
    std::deque<crypto::Digest> order_;
};

/// Thread: the I/O thread.
class Receiver {
  public:
    /// `give` gets each event when it is on disk.
    Receiver(MessengerCore& core, Application& application, Sender& sender, std::function<void(Event)> give);

    static constexpr std::size_t most_waiting = 1'000;
    static constexpr std::size_t most_waiting_bytes = 16 * 1024 * 1024;

    void receive(waku::ReceivedMessage message);
    /// Takes one after the other, until it is cancelled.
    [[nodiscard]] Task<void> work();
    /// Commits what was decided; then acknowledges to `from`, gives the events, lets the answers be sent.
    [[nodiscard]] Task<Result<void>> carry_out(crypto::PublicKey from, Effects effects);

  private:
    [[nodiscard]] Task<Result<void>> take(waku::ReceivedMessage message);
    [[nodiscard]] std::string take_answer(const OpenedEnvelope& envelope);
    void judge(const OpenedEnvelope& envelope, Bytes whole, Effects& effects);
    void judge_private(const OpenedEnvelope& envelope, Encryption::Opened opened, Effects& effects);
    [[nodiscard]] Judgement judge_message(const OpenedEnvelope& envelope, ByteView wrapped, bool is_public, Effects& effects);
    [[nodiscard]] Result<void> may_come(const OpenedEnvelope& envelope) const;

    MessengerCore& core_;
    Application& application_;
    Sender& sender_;
    std::function<void(Event)> give_;
    Queue<waku::ReceivedMessage> queue_;
    std::size_t queued_bytes_{0};
    SeenEnvelopes seen_;
    SegmentJoiner joiner_;
};

}  // namespace noroshi::status
