// src/status/contacts.hpp - who asked whom: the two-sided state of a contact and what each message does to it.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "payloads.hpp"

/// The rules of status: 5.3. Thread: any; a value and pure functions.
namespace noroshi::status {

/// One contact. A change is taken only with a clock above the stored one of its side.
struct Contact {
    crypto::PublicKey key;
    ContactState local{ContactState::none};   ///< none, sent, dismissed
    ContactState remote{ContactState::none};  ///< none, received
    std::uint64_t local_clock{0};
    std::uint64_t remote_clock{0};
    std::uint64_t last_clock{0};              ///< highest clock in the chat with it
    std::string display_name;                 ///< as it calls itself
    std::string request_id;                   ///< message id of its open request, or ""
    std::uint64_t identity_told_at{0};        ///< ms; when name and picture were last sent to it
    std::string identity_told{};              ///< digest of what was sent

    [[nodiscard]] bool mutual() const { return local == ContactState::sent && remote == ContactState::received; }
    /// max(last_clock + 1, now): the clock of the next message to it; remembered.
    [[nodiscard]] std::uint64_t next_clock(TimestampMs now);
    [[nodiscard]] PropagatedState propagated() const;

    /// We ask, or accept.
    void ask(std::uint64_t clock);
    /// We take it back, or they did.
    void retract(std::uint64_t clock);
    /// A request, a contact update or an acceptance came. True when this is a new request.
    bool requested(std::uint64_t clock, const std::string& id);
    /// What the other side believes, in each of its messages. True when it is behind and is to be told.
    [[nodiscard]] bool reconcile(const PropagatedState& theirs);
};

[[nodiscard]] Bytes encode_contact(const Contact& contact);
/// Errors: corrupt.
[[nodiscard]] Result<Contact> decode_contact(ByteView bytes);

}  // namespace noroshi::status
