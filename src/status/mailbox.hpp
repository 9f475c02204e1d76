// src/status/mailbox.hpp - envelopes: which content topics we listen to, what is sealed to whom, who sealed what came.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "waku/waku.hpp"

namespace noroshi::status {

/// What a content topic is for.
enum class TopicUse : std::uint8_t {
    own,          ///< partitioned or personal: anybody's envelopes, sealed to our key
    negotiated,   ///< between us and one other
    contact_code, ///< where one other says who he is, readable by all
    answer        ///< partitioned, of a key that stands for nobody: what push servers answer
};

/// A key under which something was asked about `of`.
struct AnswerKey {
    crypto::PublicKey of;
    std::shared_ptr<const crypto::SecretKey> key;
};

/// An envelope that was opened: signed, and as old as it says.
struct OpenedEnvelope {
    crypto::PublicKey signer;
    Bytes payload;
    TopicUse use{TopicUse::own};
    std::optional<crypto::PublicKey> topic_of{};  ///< whose negotiated, contact-code or answer topic
    TimestampMs sent_at{};                        ///< the sender's clock, or a forwarder's: it is not signed
};

/// Symmetric keys take tens of milliseconds each: they are made when first needed, and kept. Thread: the I/O thread.
class Mailbox {
  public:
    /// `cluster` and `shard`: where all of it travels.
    Mailbox(const crypto::SecretKey& identity, std::uint16_t cluster, std::uint16_t shard, Random& random);

    /// Content topics in all, own ones included: what a node subscribes to is bounded.
    static constexpr std::size_t most_topics = 100;

    /// Listens to our own two topics, those of `answers`, and those with, or of, the others; true when that changed
    /// anything. Those over the bound are left out: the contact-code topics first, then the last of `negotiated`.
    bool listen(const std::vector<crypto::PublicKey>& negotiated, const std::vector<crypto::PublicKey>& contact_codes,
                const std::vector<AnswerKey>& answers = {});
    [[nodiscard]] std::vector<std::string> content_topics() const;
    [[nodiscard]] const std::string& pubsub_topic() const { return pubsub_topic_; }

    /// Errors: refused or corrupt, whose message is one stable word: other_topic, foreign (not for us, or altered),
    /// unsigned, no_timestamp, too_short, too_large, no_length, truncated, bad_signature.
    [[nodiscard]] Result<OpenedEnvelope> open(const waku::WakuMessage& message) const;

    /// Seals `payload`, cut into segments where it must be, to the partitioned topic of `to`, or with `negotiated` to the
    /// topic of both. Errors: limit (more than 256 segments).
    [[nodiscard]] Result<std::vector<waku::WakuMessage>> seal(ByteView payload, const crypto::PublicKey& to, bool negotiated,
                                                              TimestampMs now);
    /// By `signer`, who stands for nobody, to the partitioned topic of `to`; in one envelope.
    [[nodiscard]] Result<waku::WakuMessage> seal_from(const crypto::SecretKey& signer, ByteView payload,
                                                      const crypto::PublicKey& to, TimestampMs now);
    /// By `signer` to everybody who knows `chat_id`; in one envelope.
    [[nodiscard]] Result<waku::WakuMessage> seal_from(const crypto::SecretKey& signer, ByteView payload,
                                                      const std::string& chat_id, TimestampMs now);
    /// To our contact-code topic.
    [[nodiscard]] Result<std::vector<waku::WakuMessage>> seal_contact_code(ByteView payload, TimestampMs now);

    /// Largest payload of one envelope: what a node publishes, less the frames around it.
    static constexpr std::size_t most_envelope_payload = 120'000;

  private:
    struct Listening {
        TopicUse use{TopicUse::own};
        std::optional<crypto::PublicKey> of{};
        std::string chat_id;
        std::shared_ptr<const crypto::SecretKey> key{};  ///< of an answer
    };
    [[nodiscard]] Result<waku::OpenedPayload> open_on(const Listening& topic, ByteView payload) const;
    [[nodiscard]] const waku::SymmetricKey& key_of(const std::string& chat_id) const;
    [[nodiscard]] Result<std::vector<waku::WakuMessage>> seal_symmetric(ByteView payload, const std::string& chat_id,
                                                                        TimestampMs now);

    crypto::SecretKey identity_;
    crypto::PublicKey own_;
    std::string pubsub_topic_;
    Random& random_;
    std::multimap<std::string, Listening> topics_;  ///< by content topic; its four bytes of hash may be shared
    mutable std::map<std::string, waku::SymmetricKey> keys_;  ///< by chat id
};

}  // namespace noroshi::status
