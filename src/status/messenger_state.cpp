// src/status/messenger_state.cpp - tables read at the start, and every change as a row to write.
#include "messenger_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace noroshi::status {
namespace {

constexpr const char* own_table = "own";
constexpr const char* contacts_table = "contacts";
constexpr const char* sent_table = "sent";
constexpr const char* out_table = "out";
constexpr const char* seen_table = "seen";
constexpr const char* events_table = "events";
constexpr const char* damaged_table = "damaged";
constexpr const char* own_key = "self";

/// Version 4 as RFC 9562 writes it: what the installation ids of the app look like.
std::string random_uuid(Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
    const std::string hex = to_hex(bytes);
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                       hex.substr(20));
}

std::string sent_row_key(const SentRow& row) { return row.to.to_string() + "/" + row.key; }

std::string event_id(std::uint64_t number) { return fmt::format("{:016x}", number); }

std::uint64_t event_number(const std::string& id) {
    std::uint64_t out = 0;
    std::from_chars(id.data(), id.data() + id.size(), out, 16);
    return out;
}

}  // namespace

void count_damaged_rows(Metrics& metrics, const char* table, std::size_t rows) {
    metrics
        .counter("noroshi_status_damaged_rows_total", "Rows of the state that could not be read and were set aside.",
                 {{"table", table}})
        .add(rows);
}

template <class Take>
Result<void> MessengerState::load_table(StateStore& store, const char* table, Metrics& metrics, const Log& log,
                                        StateWrites& writes, Take take) {
    Result<StateRows> rows = store.load(table);
    if (!rows) {
        return fail(std::move(rows).error().with(fmt::format("status state, table {}", table)));
    }
    for (auto& [key, value] : *rows) {
        const Result<void> taken = take(key, value);
        if (taken) {
            continue;
        }
        count_damaged_rows(metrics, table, 1);
        log.error("row_damaged", {{"table", table}, {"key", key}, {"reason", taken.error().message}});
        writes.push_back({damaged_table, fmt::format("{}/{}", table, key), std::move(value)});
        writes.push_back({table, key, std::nullopt});
    }
    return {};
}

Result<void> MessengerState::load(StateStore& store, const crypto::PublicKey& own, Random& random, Metrics& metrics,
                                  const Log& log, StateWrites& writes) {
    const auto table = [&](const char* name, auto take) { return load_table(store, name, metrics, log, writes, take); };
    NOROSHI_TRY_VOID(table(own_table, [this](const std::string& /*key*/, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(own_, decode_own(value));
        return {};
    }));
    NOROSHI_TRY_VOID(table(contacts_table, [this](const std::string& /*key*/, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(Contact contact, decode_contact(value));
        const PeerKey key = peer_key(contact.key);
        contacts_.insert_or_assign(key, std::move(contact));
        return {};
    }));
    NOROSHI_TRY_VOID(table(sent_table, [this](const std::string& /*key*/, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(SentRow row, decode_sent(value));
        index(row);
        const SentKey key{peer_key(row.to), row.key};
        sent_.insert_or_assign(key, std::move(row));
        return {};
    }));
    NOROSHI_TRY_VOID(table(out_table, [this, &own](const std::string& key, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(OutRow row, decode_out(value));
        const MvdsId id = row.message.id();
        if (to_hex(id) != key || row.message.group != mvds_group(own, row.to)) {
            return fail(Errc::corrupt, "another message");
        }
        out_.insert_or_assign(id, std::move(row));
        return {};
    }));
    NOROSHI_TRY_VOID(table(seen_table, [this](const std::string& key, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(const std::uint64_t clock, decode_seen(value));
        seen_.insert_or_assign(key, clock);
        return {};
    }));
    NOROSHI_TRY_VOID(table(events_table, [this](const std::string& key, const Bytes& value) -> Result<void> {
        NOROSHI_TRY(EventContent content, decode_event(value));
        loaded_events_.push_back({key, std::move(content)});
        events_.insert(key);
        last_event_ = std::max(last_event_, event_number(key));
        return {};
    }));
    std::ranges::sort(loaded_events_, {}, &Event::id);
    if (own_.installation_id.empty()) {
        OwnRow made = own_;
        made.installation_id = random_uuid(random);
        put_own(std::move(made), writes);
    }
    return {};
}

void MessengerState::put_own(OwnRow row, StateWrites& writes) {
    own_ = std::move(row);
    writes.push_back({own_table, own_key, encode_own(own_)});
}

Contact* MessengerState::contact(const crypto::PublicKey& key) {
    const auto found = contacts_.find(peer_key(key));
    return found == contacts_.end() ? nullptr : &found->second;
}
const Contact* MessengerState::contact(const crypto::PublicKey& key) const {
    const auto found = contacts_.find(peer_key(key));
    return found == contacts_.end() ? nullptr : &found->second;
}

Contact& MessengerState::contact_or_new(const crypto::PublicKey& key) {
    const auto found = contacts_.find(peer_key(key));
    return found != contacts_.end() ? found->second : contacts_.emplace(peer_key(key), new_contact(key)).first->second;
}

void MessengerState::put_contact(const Contact& contact, StateWrites& writes) {
    writes.push_back({contacts_table, contact.key.to_string(), encode_contact(contact)});
}

void MessengerState::erase_contact(const crypto::PublicKey& key, StateWrites& writes) {
    contacts_.erase(peer_key(key));
    writes.push_back({contacts_table, key.to_string(), std::nullopt});
}

const SentRow* MessengerState::sent(const crypto::PublicKey& to, const std::string& key) const {
    const auto found = sent_.find({peer_key(to), key});
    return found == sent_.end() ? nullptr : &found->second;
}

const SentRow* MessengerState::sent_with(const crypto::PublicKey& to, const std::string& message_id) const {
    const auto found = sent_by_message_.find(message_id);
    if (found == sent_by_message_.end() || found->second.first != peer_key(to)) {
        return nullptr;
    }
    return &sent_.at(found->second);
}

void MessengerState::index(const SentRow& row) {
    for (const SentRow::Part& part : row.parts) {
        sent_by_message_.insert_or_assign(part.message_id, SentKey{peer_key(row.to), row.key});
    }
}

void MessengerState::put_sent(SentRow row, StateWrites& writes) {
    writes.push_back({sent_table, sent_row_key(row), encode_sent(row)});
    index(row);
    const SentKey key{peer_key(row.to), row.key};
    sent_.insert_or_assign(key, std::move(row));
}

void MessengerState::forget_sent(std::map<SentKey, SentRow>::iterator row, StateWrites& writes) {
    for (const SentRow::Part& part : row->second.parts) {
        sent_by_message_.erase(part.message_id);
    }
    writes.push_back({sent_table, sent_row_key(row->second), std::nullopt});
    sent_.erase(row);
}

const OutRow* MessengerState::out(const MvdsId& id) const {
    const auto found = out_.find(id);
    return found == out_.end() ? nullptr : &found->second;
}

std::vector<MvdsId> MessengerState::out_to(const crypto::PublicKey& to) const {
    std::vector<MvdsId> ids;
    for (const auto& [id, row] : out_) {
        if (row.to == to) {
            ids.push_back(id);
        }
    }
    return ids;
}

void MessengerState::put_out(const MvdsId& id, OutRow row, StateWrites& writes) {
    writes.push_back({out_table, to_hex(id), encode_out(row)});
    out_.insert_or_assign(id, std::move(row));
}

void MessengerState::erase_out(const MvdsId& id, StateWrites& writes) {
    out_.erase(id);
    writes.push_back({out_table, to_hex(id), std::nullopt});
}

void MessengerState::note_seen(const std::string& message_id, std::uint64_t clock, StateWrites& writes) {
    seen_.insert_or_assign(message_id, clock);
    writes.push_back({seen_table, message_id, encode_seen(clock)});
    if (seen_.size() <= most_seen) {
        return;
    }
    // A hundredth at once, so that the search for the lowest is rare.
    std::vector<std::uint64_t> clocks;
    clocks.reserve(seen_.size());
    for (const auto& [id, seen_clock] : seen_) {
        clocks.push_back(seen_clock);
    }
    const auto cut = clocks.begin() + most_seen / 100;
    std::ranges::nth_element(clocks, cut);
    OwnRow row = own_;
    row.oldest_clock = std::max(row.oldest_clock, *cut + 1);
    std::erase_if(seen_, [&](const auto& entry) {
        const bool old = entry.second < row.oldest_clock;
        if (old) {
            writes.push_back({seen_table, entry.first, std::nullopt});
        }
        return old;
    });
    put_own(std::move(row), writes);
}

Event MessengerState::new_event(EventContent content, TimestampMs now, StateWrites& writes) {
    last_event_ = std::max(last_event_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)));
    Event event{event_id(last_event_), std::move(content)};
    writes.push_back({events_table, event.id, encode_event(event.content)});
    events_.insert(event.id);
    return event;
}

bool MessengerState::erase_event(const std::string& id, StateWrites& writes) {
    if (events_.erase(id) == 0) {
        return false;
    }
    writes.push_back({events_table, id, std::nullopt});
    return true;
}

void MessengerState::forget_old(TimestampMs now, StateWrites& writes) {
    const TimestampMs oldest = now - kept_for;
    std::erase_if(seen_, [&](const auto& entry) {
        const bool old = entry.second < static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(oldest), 0));
        if (old) {
            writes.push_back({seen_table, entry.first, std::nullopt});
        }
        return old;
    });
    std::set<SentKey> repeated;
    for (const auto& [id, row] : out_) {
        repeated.emplace(peer_key(row.to), row.key);
    }
    std::vector<TimestampMs> ages;
    for (const auto& [key, row] : sent_) {
        ages.push_back(row.created_at);
    }
    TimestampMs forgotten_before = oldest;
    if (ages.size() > most_sent) {
        const auto cut = ages.end() - static_cast<std::ptrdiff_t>(most_sent);
        std::ranges::nth_element(ages, cut);
        forgotten_before = std::max(forgotten_before, *cut);
    }
    for (auto row = sent_.begin(); row != sent_.end();) {
        const auto next = std::next(row);
        if (row->second.created_at < forgotten_before && !repeated.contains(row->first)) {
            forget_sent(row, writes);
        }
        row = next;
    }
}

}  // namespace noroshi::status
