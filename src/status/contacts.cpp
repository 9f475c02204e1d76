// src/status/contacts.cpp - the state of a contact, and its row.
#include "contacts.hpp"

#include <status.pb.h>

#include <algorithm>

#include "wire.hpp"

namespace noroshi::status {
namespace {

/// What the other side holds for remote once it knows our local state.
ContactState as_seen_by_other(ContactState local) {
    return local == ContactState::sent ? ContactState::received : ContactState::none;
}

bool is_local(std::uint32_t state) {
    return state == static_cast<std::uint32_t>(ContactState::none) || state == static_cast<std::uint32_t>(ContactState::sent) ||
           state == static_cast<std::uint32_t>(ContactState::dismissed);
}

bool is_remote(std::uint32_t state) {
    return state == static_cast<std::uint32_t>(ContactState::none) ||
           state == static_cast<std::uint32_t>(ContactState::received);
}

}  // namespace

std::uint64_t Contact::next_clock(TimestampMs now) {
    last_clock = std::max(last_clock + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)));
    return last_clock;
}

PropagatedState Contact::propagated() const { return {local_clock, local, remote_clock, remote}; }

void Contact::ask(std::uint64_t clock) {
    if (clock > local_clock) {
        local = ContactState::sent;
        local_clock = clock;
    }
}

void Contact::retract(std::uint64_t clock) {
    if (clock <= local_clock) {
        return;
    }
    local = ContactState::none;
    remote = ContactState::none;
    local_clock = clock;
    remote_clock = std::max(remote_clock, clock);
    request_id.clear();
}

void Contact::retracted(std::uint64_t clock) {
    if (clock <= remote_clock) {
        return;
    }
    remote = ContactState::none;
    remote_clock = clock;
    request_id.clear();
    if (local != ContactState::dismissed && clock > local_clock) {
        local = ContactState::none;
        local_clock = clock;
    }
}

bool Contact::requested(std::uint64_t clock, const std::string& id) {
    if (clock <= remote_clock) {
        return false;
    }
    const bool is_new = remote == ContactState::none;
    remote = ContactState::received;
    remote_clock = clock;
    if (!id.empty()) {
        request_id = id;
    }
    return is_new;
}

bool Contact::reconcile(const PropagatedState& theirs) {
    const bool behind = theirs.remote_clock < local_clock && theirs.remote != as_seen_by_other(local);
    if (theirs.remote_clock > local_clock && theirs.remote == ContactState::none && local != ContactState::dismissed) {
        // Only the end of a contact is believed of our own side: either side can bring it about.
        local = ContactState::none;
        local_clock = theirs.remote_clock;
        remote = ContactState::none;
    }
    if (theirs.local == ContactState::sent) {
        requested(theirs.local_clock, "");
    } else if (theirs.local == ContactState::none) {
        retracted(theirs.local_clock);
    }
    return behind;
}

Bytes encode_contact(const Contact& contact) {
    wire::ContactRow out;
    out.set_key(wire::text(contact.key.compressed()));
    out.set_local_state(static_cast<std::uint32_t>(contact.local));
    out.set_remote_state(static_cast<std::uint32_t>(contact.remote));
    out.set_local_clock(contact.local_clock);
    out.set_remote_clock(contact.remote_clock);
    out.set_last_clock(contact.last_clock);
    out.set_display_name(contact.display_name);
    out.set_request_id(contact.request_id);
    out.set_identity_told_at(contact.identity_told_at);
    out.set_identity_told(contact.identity_told);
    return wire::to_bytes(out);
}

Result<Contact> decode_contact(ByteView bytes) {
    wire::ContactRow in;
    if (!wire::parse(in, bytes) || !is_local(in.local_state()) || !is_remote(in.remote_state())) {
        return fail(Errc::corrupt, "malformed contact");
    }
    const Result<crypto::PublicKey> key = crypto::PublicKey::from_bytes(as_bytes(in.key()));
    if (!key) {
        return fail(Errc::corrupt, "malformed contact: no public key");
    }
    return Contact{*key,
                   static_cast<ContactState>(in.local_state()),
                   static_cast<ContactState>(in.remote_state()),
                   in.local_clock(),
                   in.remote_clock(),
                   in.last_clock(),
                   in.display_name(),
                   in.request_id(),
                   in.identity_told_at(),
                   in.identity_told()};
}

}  // namespace noroshi::status
