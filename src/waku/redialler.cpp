// src/waku/redialler.cpp - back-off of the static peers.
#include "redialler.hpp"

#include <algorithm>

namespace noroshi::waku {
namespace {

constexpr Milliseconds first_delay{1'000};
constexpr Milliseconds longest_delay{60'000};
constexpr Milliseconds stable_after{30'000};
constexpr Milliseconds answer_expected_within{30'000};

Milliseconds delay_after(unsigned failures) {
    return failures > 6 ? longest_delay : std::min(longest_delay, first_delay * (1 << (failures - 1)));
}

}  // namespace

Redialler::Redialler(const std::vector<PeerAddress>& peers, Random& random) : random_(random) {
    for (const PeerAddress& address : peers) {
        Peer* known = find(address.peer);
        if (known == nullptr) {
            known = &peers_.emplace_back();
            known->id = address.peer;
        }
        known->addresses.push_back(address.address);
    }
}

Redialler::Peer* Redialler::find(std::string_view id) {
    const auto found = std::ranges::find(peers_, id, &Peer::id);
    return found == peers_.end() ? nullptr : &*found;
}

std::vector<Redialler::Due> Redialler::due(SteadyMs now) const {
    std::vector<Due> out;
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        const Peer& peer = peers_[i];
        if (peer.state == State::waiting && peer.due <= now) {
            out.push_back({i, peer.addresses[peer.next_address]});
        }
    }
    return out;
}

void Redialler::dialling(std::size_t peer, std::uint64_t request, SteadyMs now) {
    peers_[peer].state = State::dialling;
    peers_[peer].request = request;
    peers_[peer].since = now;
}

void Redialler::connected(std::string_view peer, SteadyMs now) {
    if (Peer* known = find(peer); known != nullptr && known->state != State::connected) {
        known->state = State::connected;
        known->since = now;
    }
}

void Redialler::disconnected(std::string_view peer, SteadyMs now) {
    Peer* known = find(peer);
    if (known == nullptr || known->state != State::connected) {
        return;
    }
    if (now - known->since >= stable_after) {
        known->failures = 0;
    }
    wait(*known, now);
}

void Redialler::dial_failed(std::uint64_t request, SteadyMs now) {
    for (Peer& peer : peers_) {
        if (peer.state == State::dialling && peer.request == request) {
            peer.next_address = (peer.next_address + 1) % peer.addresses.size();
            wait(peer, now);
        }
    }
}

void Redialler::wait(Peer& peer, SteadyMs now) {
    ++peer.failures;
    const Milliseconds delay = delay_after(peer.failures);
    const auto spread = static_cast<std::uint64_t>(delay.count() / 2 + 1);
    peer.state = State::waiting;
    peer.due = now + delay * 3 / 4 + Milliseconds(static_cast<std::int64_t>(random_.below(spread)));
}

void Redialler::reset(SteadyMs now) {
    for (Peer& peer : peers_) {
        peer.state = State::waiting;
        peer.failures = 0;
        peer.due = now;
    }
}

void Redialler::expire(SteadyMs now) {
    for (const Peer& peer : peers_) {
        if (peer.state == State::dialling && now - peer.since >= answer_expected_within) {
            dial_failed(peer.request, now);
        }
    }
}

std::optional<std::string> Redialler::peer_of(std::uint64_t request) const {
    const auto found = std::ranges::find_if(peers_, [request](const Peer& peer) {
        return peer.state == State::dialling && peer.request == request;
    });
    return found == peers_.end() ? std::nullopt : std::optional(found->id);
}

bool Redialler::keeps(std::string_view peer) const {
    return std::ranges::any_of(peers_, [peer](const Peer& known) { return known.id == peer; });
}

}  // namespace noroshi::waku
