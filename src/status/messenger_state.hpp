// src/status/messenger_state.hpp - what the messenger knows, in memory and as rows: contacts, sent, out, seen, events.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "contacts.hpp"
#include "messenger_rows.hpp"
#include "state.hpp"

namespace noroshi::status {

/// Tables "own", "contacts", "sent", "out", "seen", "events". Each change is made in memory at once and appended to the
/// given writes, which the caller commits; what was decided later is committed later, so that the disk is never in a
/// state that memory was not in. Damaged rows go to the table "damaged" at the start. Thread: the I/O thread.
class MessengerState {
  public:
    /// Bounds. What is over them is refused by the callers, or the oldest is forgotten.
    static constexpr std::size_t most_sent = 10'000;
    static constexpr std::size_t most_out = 10'000;
    static constexpr std::size_t most_seen = 100'000;
    static constexpr std::size_t most_events = 1'000;
    static constexpr Milliseconds kept_for{30LL * 24 * 3'600'000};

    using PeerKey = std::array<std::uint8_t, 33>;
    /// Recipient and key of a sent message.
    using SentKey = std::pair<PeerKey, std::string>;

    /// Reads all tables; `writes` sets damaged rows aside and makes the own row when there is none.
    /// Errors: io, corrupt (a table as a whole).
    [[nodiscard]] Result<void> load(StateStore& store, const crypto::PublicKey& own, Random& random, Metrics& metrics,
                                    const Log& log, StateWrites& writes);

    [[nodiscard]] const OwnRow& own() const { return own_; }
    void put_own(OwnRow row, StateWrites& writes);

    [[nodiscard]] Contact* contact(const crypto::PublicKey& key);
    [[nodiscard]] const Contact* contact(const crypto::PublicKey& key) const;
    /// Nobody asked anybody yet.
    [[nodiscard]] static Contact new_contact(const crypto::PublicKey& key) {
        return {key, ContactState::none, ContactState::none, 0, 0, 0, "", "", 0, ""};
    }
    /// The contact, made when it is not there. Not written before `put_contact`.
    [[nodiscard]] Contact& contact_or_new(const crypto::PublicKey& key);
    void put_contact(const Contact& contact, StateWrites& writes);
    void erase_contact(const crypto::PublicKey& key, StateWrites& writes);
    [[nodiscard]] const std::map<PeerKey, Contact>& contacts() const { return contacts_; }

    [[nodiscard]] const SentRow* sent(const crypto::PublicKey& to, const std::string& key) const;
    /// The sent message that has `message_id` as a part; none when it is forgotten or of another chat.
    [[nodiscard]] const SentRow* sent_with(const crypto::PublicKey& to, const std::string& message_id) const;
    void put_sent(SentRow row, StateWrites& writes);

    [[nodiscard]] const OutRow* out(const MvdsId& id) const;
    [[nodiscard]] std::vector<MvdsId> out_to(const crypto::PublicKey& to) const;
    [[nodiscard]] const std::map<MvdsId, OutRow>& all_out() const { return out_; }
    void put_out(const MvdsId& id, OutRow row, StateWrites& writes);
    void erase_out(const MvdsId& id, StateWrites& writes);

    [[nodiscard]] bool has_seen(const std::string& message_id) const { return seen_.contains(message_id); }
    /// Remembers a taken message. Over the bound the lowest clocks go, and with them every message as old as they are.
    void note_seen(const std::string& message_id, std::uint64_t clock, StateWrites& writes);

    /// Event ids grow with time.
    [[nodiscard]] std::size_t events() const { return events_.size(); }
    [[nodiscard]] Event new_event(EventContent content, TimestampMs now, StateWrites& writes);
    /// False when there is none.
    bool erase_event(const std::string& id, StateWrites& writes);
    /// Those that were not done before the start, oldest first; given once.
    [[nodiscard]] std::vector<Event> take_loaded_events() { return std::exchange(loaded_events_, {}); }

    /// Forgets what is older than `kept_for`: seen ids, and sent messages that nothing is repeated of.
    void forget_old(TimestampMs now, StateWrites& writes);

    [[nodiscard]] static PeerKey peer_key(const crypto::PublicKey& key) { return key.compressed(); }

  private:
    template <class Take>
    [[nodiscard]] Result<void> load_table(StateStore& store, const char* table, Metrics& metrics, const Log& log,
                                          StateWrites& writes, Take take);
    void index(const SentRow& row);
    void forget_sent(std::map<SentKey, SentRow>::iterator row, StateWrites& writes);

    OwnRow own_;
    std::map<PeerKey, Contact> contacts_;
    std::map<SentKey, SentRow> sent_;
    std::unordered_map<std::string, SentKey> sent_by_message_;
    std::map<MvdsId, OutRow> out_;
    std::unordered_map<std::string, std::uint64_t> seen_;  ///< signed clock by message id
    std::vector<Event> loaded_events_;
    std::set<std::string> events_;  ///< ids of those that are not done
    std::uint64_t last_event_{0};
};

void count_damaged_rows(Metrics& metrics, const char* table, std::size_t rows);

}  // namespace noroshi::status
