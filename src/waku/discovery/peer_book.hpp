// src/waku/discovery/peer_book.hpp - the nodes that were ever heard of, and how they did; kept in a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "enr.hpp"

namespace noroshi::waku {

/// Where a record came from; the word is the metric label.
enum class PeerSource : std::uint8_t { dns, discv5, peer_exchange };
[[nodiscard]] std::string_view to_string(PeerSource source);

/// What a node must be for us to dial it.
struct PeerNeeds {
    std::uint16_t cluster{0};
    std::vector<std::uint16_t> shards;  ///< one of them is enough
    std::uint8_t any_flag{0};           ///< one of these bits of `waku2`
};

/// At most `capacity` nodes by peer id, with their records and a score each. A record is a stranger's word: verified by
/// its own signature, it still says nothing of whether somebody answers. No I/O. Thread: one.
class PeerBook {
  public:
    static constexpr std::size_t capacity = 500;
    /// After a failed dial a peer waits 1, 2, 4 .. 60 minutes.
    static constexpr Milliseconds first_wait{60'000};
    static constexpr Milliseconds longest_wait{3'600'000};
    /// Nodes that were neither heard of nor reached for so long are forgotten.
    static constexpr std::chrono::hours memory{24 * 14};

    PeerBook(PeerNeeds needs, std::string own_id) : needs_(std::move(needs)), own_id_(std::move(own_id)) {}

    /// Takes a record in. A newer one (by its sequence) replaces the older. When the book is full the node with the
    /// lowest score makes room, but never for one with a lower score.
    /// Gives one word: new, known, own, not_waku, useless (none of the flags), foreign_cluster, foreign_shard, no_address,
    /// full, or a word of decode_enr.
    std::string_view learn(ByteView record, PeerSource source, TimestampMs now);

    struct Due {
        std::string peer;
        std::string address;
    };
    /// The node to dial next: the best score of those that are not connected and may be tried again; a node with several
    /// addresses is tried at each in turn. Marks it as tried.
    [[nodiscard]] std::optional<Due> next_to_dial(TimestampMs now, Random& random);
    void connected(std::string_view peer, TimestampMs now);
    void disconnected(std::string_view peer, TimestampMs now);
    void dial_failed(std::string_view peer, TimestampMs now);
    /// It is of another cluster than its record says, or took messages that nobody had.
    void blame(std::string_view peer, TimestampMs now);

    /// Records for others: of nodes that were reached, newest success first, then of those heard of within an hour.
    [[nodiscard]] std::vector<Bytes> share(std::size_t most, TimestampMs now) const;
    /// Higher is better: +1 for each connection that held 30 s (at most 10), -3 for each failed dial since, -10 for blame.
    [[nodiscard]] std::optional<int> score(std::string_view peer) const;
    [[nodiscard]] std::size_t size() const { return peers_.size(); }

    /// JSON text; true when something has changed since the last call.
    [[nodiscard]] std::string save();
    [[nodiscard]] bool changed() const { return changed_; }
    /// Adds what `save` wrote; entries that do not fit are passed over. Gives how many were taken.
    std::size_t load(std::string_view json, TimestampMs now);

    static constexpr Milliseconds good_after{30'000};

  private:
    struct Peer {
        Bytes record;
        std::uint64_t sequence{0};
        std::vector<std::string> addresses;
        PeerSource source{PeerSource::dns};
        TimestampMs heard{};
        TimestampMs reached{};  ///< begin of the last connection
        unsigned good{0};
        unsigned failures{0};   ///< dials since the last connection
        unsigned blamed{0};
        bool connected{false};
        std::size_t next_address{0};
        TimestampMs not_before{};
    };
    [[nodiscard]] static int score_of(const Peer& peer);
    [[nodiscard]] std::string_view judge(const Enr& enr) const;
    [[nodiscard]] bool make_room(TimestampMs now);
    Peer* find(std::string_view peer);
    void wait(Peer& peer, TimestampMs now);

    PeerNeeds needs_;
    std::string own_id_;
    std::map<std::string, Peer, std::less<>> peers_;
    bool changed_{false};
};

}  // namespace noroshi::waku
