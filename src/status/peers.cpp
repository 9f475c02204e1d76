// src/status/peers.cpp - devices learnt from bundles, the choice of a session, and who makes room for whom.
#include "peers.hpp"

#include <algorithm>
#include <tuple>

namespace noroshi::status {
namespace {

/// Message keys kept of skipped messages in each session of somebody we do not write to.
constexpr std::uint32_t most_kept_of_stranger = 200;

bool replaces(const SignedPreKey& offered, std::int64_t timestamp_ns, const Device& known) {
    return std::tie(offered.version, timestamp_ns) > std::tie(known.version, known.timestamp_ns) &&
           offered.key != known.prekey;
}

bool newer(const Device& a, const Device& b) {
    return a.timestamp_ns != b.timestamp_ns ? a.timestamp_ns > b.timestamp_ns : a.installation < b.installation;
}

}  // namespace

bool Peer::negotiated() const { return std::ranges::any_of(devices, &Device::negotiated); }

Device* Peer::device(const std::string& installation) {
    const auto found = std::ranges::find(devices, installation, &Device::installation);
    return found == devices.end() ? nullptr : &*found;
}

Session* Peer::session(const std::string& installation, const CompressedKey& prekey) {
    const auto found = std::ranges::find_if(
        sessions, [&](const Session& session) { return session.prekey == prekey && session.installation == installation; });
    return found == sessions.end() ? nullptr : &*found;
}

std::vector<const Device*> Peer::newest_devices(std::size_t most) const {
    std::vector<const Device*> out;
    for (const Device& device : devices) {
        out.push_back(&device);
    }
    std::ranges::sort(out, [](const Device* a, const Device* b) { return newer(*a, *b); });
    out.resize(std::min(out.size(), most));
    return out;
}

Session* Peer::session_for(const Device& device, const CompressedKey& own_prekey) {
    Session* best = nullptr;
    for (Session& session : sessions) {
        const bool present = session.prekey == device.prekey || session.prekey == own_prekey;
        if (present && session.installation == device.installation &&
            (best == nullptr || std::tie(session.heard, session.used) > std::tie(best->heard, best->used))) {
            best = &session;
        }
    }
    return best;
}

bool Peer::take_bundle(const Bundle& bundle, std::size_t most_devices) {
    const std::vector<Device> before = devices;
    for (const auto& [installation, prekey] : bundle.prekeys) {
        if (installation == any_device) {
            continue;  // an entry of that name is for every device
        }
        Device* known = device(installation);
        if (known == nullptr) {
            devices.push_back({installation, prekey.key, prekey.version, bundle.timestamp_ns, false});
            continue;
        }
        if (replaces(prekey, bundle.timestamp_ns, *known)) {
            known->prekey = prekey.key;
            known->version = prekey.version;
        }
        known->timestamp_ns = std::max(known->timestamp_ns, bundle.timestamp_ns);
    }
    std::ranges::sort(devices, newer);
    devices.resize(std::min(devices.size(), most_devices));
    return devices != before;
}

Peer* Peers::find(const CompressedKey& identity) {
    const auto found = peers_.find(identity);
    return found == peers_.end() ? nullptr : &found->second;
}

Peer& Peers::obtain(const CompressedKey& identity, StateWrites& changes) {
    const auto [at, fresh] = peers_.try_emplace(identity);
    if (fresh) {
        at->second.identity = identity;
        make_room(false, most_strangers, identity, changes);
    }
    return at->second;
}

void Peers::set_contact(Peer& peer, bool contact, StateWrites& changes) {
    if (peer.contact == contact) {
        return;
    }
    peer.contact = contact;
    write(peer, changes);
    make_room(contact, contact ? most_contacts : most_strangers, peer.identity, changes);
}

Session& Peers::add_session(Peer& peer, Session session, StateWrites& changes) {
    const std::size_t most = peer.contact ? most_sessions_of_contact : most_sessions_of_stranger;
    while (peer.sessions.size() >= most) {
        const auto oldest = std::ranges::min_element(peer.sessions, {}, &Session::used);
        changes.push_back({sessions_table, session_row_key(peer, *oldest), std::nullopt});
        peer.sessions.erase(oldest);
    }
    peer.sessions.push_back(std::move(session));
    return peer.sessions.back();
}

void Peers::make_room(bool contacts, std::size_t most, const CompressedKey& for_whom, StateWrites& changes) {
    while (true) {
        std::size_t count = 0;
        const Peer* oldest = nullptr;
        for (const auto& [identity, peer] : peers_) {
            if (peer.contact != contacts) {
                continue;
            }
            ++count;
            if (identity != for_whom && (oldest == nullptr || peer.seen < oldest->seen)) {
                oldest = &peer;
            }
        }
        if (count <= most || oldest == nullptr) {
            return;
        }
        for (const Session& session : oldest->sessions) {
            changes.push_back({sessions_table, session_row_key(*oldest, session), std::nullopt});
        }
        changes.push_back({devices_table, to_hex(oldest->identity), std::nullopt});
        peers_.erase(oldest->identity);
    }
}

RatchetLimits ratchet_limits(const Peer& peer) {
    RatchetLimits limits;
    if (!peer.contact) {
        limits.most_kept = most_kept_of_stranger;
    }
    return limits;
}

}  // namespace noroshi::status
