// src/waku/redialler.hpp - decides when each static peer is dialled again; no I/O of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "multiaddr.hpp"

namespace noroshi::waku {

/// Keeps the static peers connected: after a failure or the end of a connection a peer waits 1, 2, 4 .. 60 s, each
/// drawn from 75 to 125 %, and counts anew after a connection that held for 30 s. It never gives up, also on the only
/// peer there is, and never dials a peer that is connected or being dialled. A peer with several addresses is tried at
/// each in turn. Thread: one.
class Redialler {
  public:
    Redialler(const std::vector<PeerAddress>& peers, Random& random);

    /// One dial to make now; the caller says with `dialling` that it has begun.
    struct Due {
        std::size_t peer{0};
        std::string address;
    };
    [[nodiscard]] std::vector<Due> due(SteadyMs now) const;
    void dialling(std::size_t peer, std::uint64_t request, SteadyMs now);

    void connected(std::string_view peer, SteadyMs now);
    /// The last connection with `peer` has ended.
    void disconnected(std::string_view peer, SteadyMs now);
    /// The dial with this request failed.
    void dial_failed(std::uint64_t request, SteadyMs now);
    /// Nothing is connected any more; all are due at once.
    void reset(SteadyMs now);
    /// Dials whose answer never came count as failed.
    void expire(SteadyMs now);

    /// It is one of the static peers.
    [[nodiscard]] bool keeps(std::string_view peer) const;
    /// The peer a dial was for, by its request.
    [[nodiscard]] std::optional<std::string> peer_of(std::uint64_t request) const;

  private:
    enum class State : std::uint8_t { waiting, dialling, connected };
    struct Peer {
        std::string id;
        std::vector<std::string> addresses;
        std::size_t next_address{0};
        State state{State::waiting};
        std::uint64_t request{0};
        unsigned failures{0};
        SteadyMs since{};  ///< of dialling and connected
        SteadyMs due{};    ///< of waiting
    };
    void wait(Peer& peer, SteadyMs now);
    Peer* find(std::string_view id);

    Random& random_;
    std::vector<Peer> peers_;
};

}  // namespace noroshi::waku
