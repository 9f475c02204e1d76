// test/unit/status/outsider.hpp - somebody who makes envelopes by hand, layer by layer, each layer right or wrong as asked.
#pragma once

#include "composer.hpp"
#include "encryption.hpp"
#include "mailbox.hpp"
#include "messenger_bench.hpp"
#include "messenger_state.hpp"

namespace noroshi::status::test {

/// How an envelope is made; the defaults are right.
struct Making {
    bool mvds{true};
    bool encrypted{true};
    bool encryption_layer{true};
    bool signed_envelope{true};
    std::optional<std::uint32_t> version{waku::payload_version_1};
    const crypto::SecretKey* application_signer{nullptr};  ///< another than the envelope's
    std::optional<TimestampMs> sent_at{};                  ///< none: now
};

class Outsider {
  public:
    Outsider(Bench& bench, std::uint8_t key, std::string name = "outsider")
        : identity(secret(key)),
          composer(identity, name, std::nullopt),
          bench_(bench),
          random_(key),
          encryption_(std::move(*Encryption::load({false, "outside"}, identity.clone(), store_, random_))),
          mailbox_(identity, 16, 32, random_) {}

    [[nodiscard]] crypto::PublicKey key() const { return identity.public_key(); }

    /// Signed application frame.
    [[nodiscard]] Bytes frame(const Payload& payload, const Making& making = {}) const {
        const crypto::SecretKey& signer = making.application_signer != nullptr ? *making.application_signer : identity;
        return wrap_payload(type_of(payload), *encode_payload(payload), signer);
    }
    [[nodiscard]] Bytes in_mvds(const Bytes& frame, const crypto::PublicKey& to) const {
        return encode_mvds({{}, {{mvds_group(key(), to), to_unix_ms(bench_.loop.clock.now()) / 1'000, frame}}});
    }
    /// From the payload of the encryption layer to the envelopes.
    [[nodiscard]] std::vector<waku::WakuMessage> envelopes(const Bytes& plain, const crypto::PublicKey& to,
                                                           const Making& making = {}) {
        const TimestampMs now = bench_.loop.clock.now();
        StateWrites ignored;
        const Bytes message = !making.encryption_layer ? plain
                              : making.encrypted       ? encryption_->seal(to, plain, now, ignored).protocol_message
                                                       : encryption_->seal_public(plain, now, ignored);
        std::vector<waku::WakuMessage> out = *mailbox_.seal(message, to, false, making.sent_at.value_or(now));
        for (waku::WakuMessage& one : out) {
            one.version = making.version;
            if (!making.signed_envelope) {
                one.payload = *waku::seal_asymmetric(message, to, nullptr, random_);
            }
        }
        return out;
    }
    [[nodiscard]] waku::WakuMessage envelope(const Payload& payload, const crypto::PublicKey& to, const Making& making = {}) {
        const Bytes wrapped = frame(payload, making);
        return envelopes(making.mvds ? in_mvds(wrapped, to) : wrapped, to, making).front();
    }
    void say(const Payload& payload, const crypto::PublicKey& to, const Making& making = {}) {
        bench_.inject(envelope(payload, to, making));
        bench_.settle();
    }

    [[nodiscard]] std::uint64_t now() const { return static_cast<std::uint64_t>(to_unix_ms(bench_.loop.clock.now())); }
    [[nodiscard]] ChatMessage text(const crypto::PublicKey& to, std::string words) {
        Contact contact = MessengerState::new_contact(to);
        contact.last_clock = clock_;
        ChatMessage out = composer.text(contact, std::move(words), bench_.loop.clock.now());
        out.contact_state.reset();
        clock_ = out.clock;
        return out;
    }
    [[nodiscard]] ChatMessage request(const crypto::PublicKey& to, std::string words = "please add me") {
        ChatMessage out = text(to, std::move(words));
        out.content = ContentType::contact_request;
        return out;
    }

    crypto::SecretKey identity;
    Composer composer;

  private:
    Bench& bench_;
    SeededRandom random_;
    FakeStore store_;
    std::unique_ptr<Encryption> encryption_;
    Mailbox mailbox_;
    std::uint64_t clock_{0};
};

}  // namespace noroshi::status::test
