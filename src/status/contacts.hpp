// src/status/contacts.hpp - who asked whom: the two-sided state of a contact and what each message does to it.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "payloads.hpp"

/// The rules of status: 5.3. Thread: any; a value and pure functions.
namespace noroshi::status {

/// One contact. A change is taken only with a clock above the stored one of its side, so each message may come twice, late
/// or in any order.
struct Contact {
    crypto::PublicKey key;
    ContactState local{ContactState::none};   ///< none, sent, dismissed
    ContactState remote{ContactState::none};  ///< none, received
    std::uint64_t local_clock{0};
    std::uint64_t remote_clock{0};
    std::uint64_t last_clock{0};              ///< highest clock in the chat with it
    std::string display_name;                 ///< as it calls itself
    std::string request_id;                   ///< message id of its last request, or ""
    std::uint64_t identity_told_at{0};        ///< ms; when name and picture were last sent to it
    std::string identity_told;                ///< digest of what was sent

    [[nodiscard]] bool mutual() const { return local == ContactState::sent && remote == ContactState::received; }
    /// max(last_clock + 1, now): the clock of the next message to it; remembered.
    [[nodiscard]] std::uint64_t next_clock(TimestampMs now);
    [[nodiscard]] PropagatedState propagated() const;

    /// We ask, or accept.
    void ask(std::uint64_t clock);
    /// We take it back: both sides end.
    void retract(std::uint64_t clock);
    /// They took it back: both sides end, but ours stays where we asked after that, or dismissed it.
    void retracted(std::uint64_t clock);
    /// A request, an acceptance, or a contact update (with its contact_request_clock) came. `id` "" keeps the one of before.
    /// True when this is a new request, or the answer to ours.
    bool requested(std::uint64_t clock, const std::string& id);
    /// What the other side believes, in each of its messages; may do what `requested` and `retracted` do. True when it is
    /// behind about us and is to be told by a ContactUpdate (seldom: two who disagree would answer each other for ever).
    [[nodiscard]] bool reconcile(const PropagatedState& theirs);
    bool operator==(const Contact&) const = default;
};

[[nodiscard]] Bytes encode_contact(const Contact& contact);
/// Errors: corrupt.
[[nodiscard]] Result<Contact> decode_contact(ByteView bytes);

}  // namespace noroshi::status
