// src/status/mailbox.cpp - topics and their keys; sealing and opening.
#include "mailbox.hpp"

#include "segments.hpp"
#include "topics.hpp"

namespace noroshi::status {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

waku::WakuMessage envelope(Bytes sealed, const std::string& chat_id, TimestampMs now) {
    waku::WakuMessage out;
    out.payload = std::move(sealed);
    out.content_topic = content_topic(chat_id);
    out.version = waku::payload_version_1;
    out.timestamp_ns = to_unix_ms(now) * ns_per_ms;
    return out;
}

tl::unexpected<Error> refuse(const char* word) { return fail(Errc::refused, word); }

}  // namespace

Mailbox::Mailbox(const crypto::SecretKey& identity, std::uint16_t cluster, std::uint16_t shard, Random& random)
    : identity_(identity.clone()),
      own_(identity.public_key()),
      pubsub_topic_(waku::PubsubTopic{cluster, shard}.to_string()),
      random_(random) {
    listen({}, {});
}

const waku::SymmetricKey& Mailbox::key_of(const std::string& chat_id) const {
    const auto found = keys_.find(chat_id);
    return found != keys_.end() ? found->second : keys_.emplace(chat_id, topic_key(chat_id)).first->second;
}

bool Mailbox::listen(const std::vector<crypto::PublicKey>& negotiated,
                     const std::vector<crypto::PublicKey>& contact_codes, const std::vector<AnswerKey>& answers) {
    std::vector<Listening> wanted{{TopicUse::own, {}, partitioned_chat_id(own_), nullptr},
                                  {TopicUse::own, {}, personal_chat_id(own_), nullptr}};
    for (const AnswerKey& answer : answers) {
        wanted.push_back({TopicUse::answer, answer.of, partitioned_chat_id(answer.key->public_key()), answer.key});
    }
    for (const crypto::PublicKey& other : negotiated) {
        wanted.push_back({TopicUse::negotiated, other, negotiated_chat_id(identity_, other), nullptr});
    }
    for (const crypto::PublicKey& other : contact_codes) {
        wanted.push_back({TopicUse::contact_code, other, contact_code_chat_id(other), nullptr});
    }
    wanted.resize(std::min(wanted.size(), most_topics));
    const std::vector<std::string> before = content_topics();
    topics_.clear();
    for (Listening& one : wanted) {
        topics_.emplace(content_topic(one.chat_id), std::move(one));
    }
    return content_topics() != before;
}

std::vector<std::string> Mailbox::content_topics() const {
    std::vector<std::string> out;
    for (const auto& [topic, listening] : topics_) {
        if (out.empty() || out.back() != topic) {
            out.push_back(topic);
        }
    }
    return out;
}

Result<waku::OpenedPayload> Mailbox::open_on(const Listening& topic, ByteView payload) const {
    switch (topic.use) {
        case TopicUse::own: return waku::open_asymmetric(payload, identity_);
        case TopicUse::answer: return waku::open_asymmetric(payload, *topic.key);
        case TopicUse::negotiated:
        case TopicUse::contact_code: break;
    }
    return waku::open_symmetric(payload, key_of(topic.chat_id));
}

Result<OpenedEnvelope> Mailbox::open(const waku::WakuMessage& message) const {
    const auto [first, last] = topics_.equal_range(message.content_topic);
    Error refusal{Errc::refused, "other_topic"};
    for (auto at = first; at != last; ++at) {
        const Listening& topic = at->second;
        Result<waku::OpenedPayload> opened = open_on(topic, message.payload);
        if (!opened) {
            refusal = std::move(opened).error();
            // The rule, not the exception: 5,000th of all users write to this topic.
            if (refusal.message == "wrong_key_or_tampered" || refusal.message == "bad_ephemeral_key") {
                refusal.message = "foreign";
            }
            continue;
        }
        if (!opened->signer) {
            return refuse("unsigned");
        }
        if (message.timestamp_ns.value_or(0) <= 0) {
            return refuse("no_timestamp");
        }
        return OpenedEnvelope{*opened->signer, std::move(opened->payload), topic.use, topic.of,
                              from_unix_ms(*message.timestamp_ns / ns_per_ms)};
    }
    return fail(std::move(refusal));
}

Result<std::vector<waku::WakuMessage>> Mailbox::seal(ByteView payload, const crypto::PublicKey& to, bool negotiated,
                                                     TimestampMs now) {
    if (negotiated) {
        return seal_symmetric(payload, negotiated_chat_id(identity_, to), now);
    }
    const std::string chat_id = partitioned_chat_id(to);
    NOROSHI_TRY(const std::vector<Bytes> parts, cut_into_segments(payload, most_envelope_payload));
    std::vector<waku::WakuMessage> out;
    for (const Bytes& part : parts) {
        NOROSHI_TRY(Bytes sealed, waku::seal_asymmetric(part, to, &identity_, random_));
        out.push_back(envelope(std::move(sealed), chat_id, now));
    }
    return out;
}

Result<waku::WakuMessage> Mailbox::seal_from(const crypto::SecretKey& signer, ByteView payload,
                                             const crypto::PublicKey& to, TimestampMs now) {
    NOROSHI_TRY(Bytes sealed, waku::seal_asymmetric(payload, to, &signer, random_));
    return envelope(std::move(sealed), partitioned_chat_id(to), now);
}

Result<waku::WakuMessage> Mailbox::seal_from(const crypto::SecretKey& signer, ByteView payload,
                                             const std::string& chat_id, TimestampMs now) {
    NOROSHI_TRY(Bytes sealed, waku::seal_symmetric(payload, key_of(chat_id), &signer, random_));
    return envelope(std::move(sealed), chat_id, now);
}

Result<std::vector<waku::WakuMessage>> Mailbox::seal_contact_code(ByteView payload, TimestampMs now) {
    return seal_symmetric(payload, contact_code_chat_id(own_), now);
}

Result<std::vector<waku::WakuMessage>> Mailbox::seal_symmetric(ByteView payload, const std::string& chat_id,
                                                               TimestampMs now) {
    NOROSHI_TRY(const std::vector<Bytes> parts, cut_into_segments(payload, most_envelope_payload));
    std::vector<waku::WakuMessage> out;
    for (const Bytes& part : parts) {
        NOROSHI_TRY(Bytes sealed, waku::seal_symmetric(part, key_of(chat_id), &identity_, random_));
        out.push_back(envelope(std::move(sealed), chat_id, now));
    }
    return out;
}

}  // namespace noroshi::status
