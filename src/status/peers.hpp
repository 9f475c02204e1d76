// src/status/peers.hpp - what is remembered of other identities: their devices, the sessions with them, bounded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol_message.hpp"
#include "ratchet.hpp"
#include "state.hpp"

namespace noroshi::status {

/// One device of another identity, as its bundles told.
struct Device {
    std::string installation;
    CompressedKey prekey{};
    std::uint32_t version{0};
    std::int64_t timestamp_ns{0};  ///< of the newest bundle that names it
    bool negotiated{false};        ///< a private message came from it whose bundle speaks of negotiated topics
    bool operator==(const Device&) const = default;
};

/// One ratchet. A device may have several: each side can begin one, and begins another after each change of a prekey.
struct Session {
    std::string installation;
    CompressedKey prekey{};                  ///< of the side that did not begin; the session's name on the wire
    std::optional<CompressedKey> ephemeral;  ///< ours, to be repeated until the first reply
    std::uint64_t used{0};                   ///< Peers::tick of the last message either way
    std::uint64_t heard{0};                  ///< of the last message received; 0 when none was
    Ratchet ratchet;
};

struct Peer {
    CompressedKey identity{};
    bool contact{false};      ///< we write to it
    std::uint64_t seen{0};    ///< Peers::tick of the last message either way
    std::vector<Device> devices;
    std::vector<Session> sessions;

    [[nodiscard]] bool negotiated() const;
    [[nodiscard]] Device* device(const std::string& installation);
    [[nodiscard]] Session* session(const std::string& installation, const CompressedKey& prekey);
    /// The newest `most` by the time of their bundles.
    [[nodiscard]] std::vector<const Device*> newest_devices(std::size_t most) const;
    /// The session in which to write to `device`: of those on its present prekey and on ours, the one that was heard last.
    [[nodiscard]] Session* session_for(const Device& device, const CompressedKey& own_prekey);
    /// Learns devices and prekeys; a lower version, or the same with an older timestamp, never replaces. True when
    /// something changed.
    bool take_bundle(const Bundle& bundle, std::size_t most_devices);
};

/// Identities by key. Tables "devices" (a row each) and "sessions". Those that we do not write to have few places of their
/// own, so that no stranger pushes out a contact. Thread: one.
class Peers {
  public:
    static constexpr const char* devices_table = "devices";
    static constexpr const char* sessions_table = "sessions";
    static constexpr std::size_t most_contacts = 200;
    static constexpr std::size_t most_strangers = 16;
    static constexpr std::size_t most_devices = 8;
    static constexpr std::size_t most_sessions_of_contact = 32;
    static constexpr std::size_t most_sessions_of_stranger = 4;

    /// Take a row in. False: it is damaged.
    bool add_peer_row(ByteView row);
    bool add_session_row(ByteView row);

    [[nodiscard]] Peer* find(const CompressedKey& identity);
    /// The peer itself, or a new stranger, for whom the one seen longest ago makes room.
    Peer& obtain(const CompressedKey& identity, StateWrites& changes);
    /// A number above all before.
    std::uint64_t tick() { return ++tick_; }
    void set_contact(Peer& peer, bool contact, StateWrites& changes);
    /// Adds a session; the one used longest ago makes room.
    Session& add_session(Peer& peer, Session session, StateWrites& changes);
    static void write(const Peer& peer, StateWrites& changes);
    static void write(const Peer& peer, const Session& session, StateWrites& changes);
    [[nodiscard]] const std::map<CompressedKey, Peer>& all() const { return peers_; }

  private:
    static std::string session_row_key(const Peer& peer, const Session& session);
    void make_room(bool contacts, std::size_t most, const CompressedKey& for_whom, StateWrites& changes);

    std::map<CompressedKey, Peer> peers_;
    std::uint64_t tick_{0};
};

/// Limits for what comes from `peer`: a stranger cannot make us keep much.
[[nodiscard]] RatchetLimits ratchet_limits(const Peer& peer);

}  // namespace noroshi::status
