// src/status/application.hpp - what each message of somebody else does: to the contact, as events, as answers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messenger_core.hpp"

namespace noroshi::status {

/// All that one envelope leads to; committed as one, then acted on.
struct Effects {
    StateWrites writes;
    std::vector<Event> events;
    std::vector<MvdsId> acknowledge;
    std::vector<MvdsId> acknowledged;  ///< rows of ours that are gone
    bool answers{false};               ///< there are new rows to send
    bool contacts_changed{false};
};

/// A message whose signer is that of its envelope.
struct InboundMessage {
    SignedPayload signed_payload;
    ByteView wrapped;                ///< as transmitted
    TimestampMs sent_at{};           ///< of the envelope
    TimestampMs received_at{};
};

/// What became of a message: a word for the metric, and whether its sender is to know that it came.
struct Judgement {
    std::string word;
    bool acknowledge{false};
};

/// The rules of status: 5.3 and of this product: who is let in, how old and how early a message may be, each once.
/// Memory is changed at once, with the rows in `effects`. Thread: the I/O thread.
class Application {
  public:
    explicit Application(MessengerCore& core) : core_(core) {}

    /// A message in private. Its sender may write, or requests are let in.
    [[nodiscard]] Judgement take(const InboundMessage& message, Effects& effects);
    /// One on the contact-code topic of its signer.
    [[nodiscard]] Judgement take_contact_code(const InboundMessage& message, Effects& effects);
    /// The peer acknowledges a message of ours. False when it is none that waits for it.
    bool take_acknowledgement(const crypto::PublicKey& from, const MvdsId& id, Effects& effects);
    /// Accepts `from`'s request; the answer is a row that is due at once.
    [[nodiscard]] Result<MvdsId> accept(Contact& contact, std::string request_id, Effects& effects);
    /// Tells of a contact that became mutual or ceased to be so.
    void tell_change(const Contact& before, const Contact& after, Effects& effects);

    static constexpr Milliseconds clock_tolerance{120'000};      ///< of the signed clock, before its envelope
    static constexpr Milliseconds envelope_tolerance{3'600'000}; ///< of the envelope, before our clock
    static constexpr Milliseconds update_every{3'600'000};       ///< contact updates to one contact
    static constexpr std::size_t most_requests = 16;
    static constexpr Milliseconds request_age{24 * 3'600'000};   ///< an older one makes room

  private:
    [[nodiscard]] std::optional<Judgement> refuse_time(const InboundMessage& message, std::uint64_t clock) const;
    [[nodiscard]] Judgement apply(const InboundMessage& message, Payload payload, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, ChatMessage chat, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, ContactUpdate update, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, AcceptContactRequest accepted, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, RetractContactRequest retracted, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, EmojiReaction reaction, Effects& effects);
    [[nodiscard]] Judgement on(const InboundMessage& message, ChatIdentity identity, Effects& effects);
    template <class Other>
    [[nodiscard]] Judgement on(const InboundMessage& message, Other other, Effects& effects);

    [[nodiscard]] Judgement text(const InboundMessage& message, ChatMessage chat, Effects& effects);
    [[nodiscard]] Judgement asked(const InboundMessage& message, const Contact& before, std::string text, bool is_behind,
                                  Effects& effects);
    [[nodiscard]] bool has_room_for_request(Effects& effects);
    void update(Contact& contact, Effects& effects);
    void add_event(EventContent content, Effects& effects);
    [[nodiscard]] bool has_room_for_event() const { return core_.state.events() < MessengerState::most_events; }

    MessengerCore& core_;
    std::map<MessengerState::PeerKey, SteadyMs> updated_at_;
};

}  // namespace noroshi::status
