// src/status/peers_rows.cpp - devices and sessions to and from the rows that are kept of them.
#include <encryption_state.pb.h>

#include <algorithm>

#include "peers.hpp"
#include "wire.hpp"

namespace noroshi::status {
namespace {

constexpr std::uint32_t form = 1;

bool is_point(const CompressedKey& key) { return crypto::PublicKey::from_bytes(key).has_value(); }

std::optional<Device> read_device(const kept::Device& row) {
    const auto prekey = wire::fixed<33>(row.prekey());
    if (!prekey || !is_point(*prekey)) {
        return std::nullopt;
    }
    return Device{row.installation(), *prekey, row.version(), row.timestamp_ns(), row.negotiated()};
}

std::optional<Session> read_session(const kept::Session& row, const CompressedKey& prekey) {
    std::optional<CompressedKey> ephemeral;
    if (!row.ephemeral().empty()) {
        ephemeral = wire::fixed<33>(row.ephemeral());
        if (!ephemeral) {
            return std::nullopt;
        }
    }
    Result<Ratchet> ratchet = Ratchet::parse(as_bytes(row.ratchet()));
    if (!ratchet) {
        return std::nullopt;
    }
    return Session{row.installation(), prekey, ephemeral, row.used(), row.heard(), std::move(*ratchet)};
}

}  // namespace

std::string Peers::session_row_key(const Peer& peer, const Session& session) {
    return to_hex(peer.identity) + "." + to_hex(session.prekey) + "." + to_hex(as_bytes(session.installation));
}

bool Peers::add_peer_row(ByteView bytes) {
    kept::Peer row;
    if (!wire::parse(row, bytes) || row.form() != form) {
        return false;
    }
    const auto identity = wire::fixed<33>(row.identity());
    std::vector<Device> devices;
    for (const kept::Device& device : row.devices()) {
        if (std::optional<Device> read = read_device(device)) {
            devices.push_back(std::move(*read));
        }
    }
    if (!identity || !is_point(*identity) || devices.size() != static_cast<std::size_t>(row.devices_size())) {
        return false;
    }
    Peer& peer = peers_[*identity];
    peer.identity = *identity;
    peer.contact = row.contact();
    peer.seen = std::max(peer.seen, row.seen());
    peer.devices = std::move(devices);
    tick_ = std::max(tick_, peer.seen);
    return true;
}

bool Peers::add_session_row(ByteView bytes) {
    kept::Session row;
    const bool read = wire::parse(row, bytes) && row.form() == form;
    const auto identity = wire::fixed<33>(row.identity());
    const auto prekey = wire::fixed<33>(row.prekey());
    std::optional<Session> session;
    if (read && identity && prekey && is_point(*identity) && is_point(*prekey)) {
        session = read_session(row, *prekey);
    }
    wire::wipe_field(*row.mutable_ratchet());
    if (!session) {
        return false;
    }
    tick_ = std::max({tick_, session->used, session->heard});
    Peer& peer = peers_[*identity];
    peer.identity = *identity;
    peer.seen = std::max(peer.seen, session->used);
    peer.sessions.push_back(std::move(*session));
    return true;
}

void Peers::write(const Peer& peer, StateWrites& changes) {
    kept::Peer row;
    row.set_form(form);
    row.set_identity(wire::text(peer.identity));
    row.set_contact(peer.contact);
    row.set_seen(peer.seen);
    for (const Device& device : peer.devices) {
        kept::Device& out = *row.add_devices();
        out.set_installation(device.installation);
        out.set_prekey(wire::text(device.prekey));
        out.set_version(device.version);
        out.set_timestamp_ns(device.timestamp_ns);
        out.set_negotiated(device.negotiated);
    }
    changes.push_back({devices_table, to_hex(peer.identity), wire::to_bytes(row)});
}

void Peers::write(const Peer& peer, const Session& session, StateWrites& changes) {
    kept::Session row;
    row.set_form(form);
    row.set_identity(wire::text(peer.identity));
    row.set_prekey(wire::text(session.prekey));
    row.set_installation(session.installation);
    if (session.ephemeral) {
        row.set_ephemeral(wire::text(*session.ephemeral));
    }
    row.set_used(session.used);
    row.set_heard(session.heard);
    Bytes ratchet = session.ratchet.serialize();
    row.set_ratchet(wire::text(ratchet));
    wipe(ratchet);
    changes.push_back({sessions_table, session_row_key(peer, session), wire::to_bytes(row)});
    wire::wipe_field(*row.mutable_ratchet());
}

}  // namespace noroshi::status
