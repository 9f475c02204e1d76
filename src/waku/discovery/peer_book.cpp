// src/waku/discovery/peer_book.cpp - taking in, choosing, forgetting; and the text of the file.
#include "peer_book.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace noroshi::waku {
namespace {

constexpr std::chrono::hours share_age{1};
constexpr unsigned most_good = 10;
constexpr unsigned most_counted = 1'000;
constexpr unsigned most_doublings = 6;

unsigned bounded(const nlohmann::json& entry, const char* name) {
    const auto value = entry.value(name, std::int64_t{0});
    return static_cast<unsigned>(std::clamp<std::int64_t>(value, 0, most_counted));
}

}  // namespace

std::string_view to_string(PeerSource source) {
    switch (source) {
        case PeerSource::dns:
            return "dns";
        case PeerSource::discv5:
            return "discv5";
        case PeerSource::peer_exchange:
            break;
    }
    return "peer_exchange";
}

int PeerBook::score_of(const Peer& peer) {
    return static_cast<int>(std::min(peer.good, most_good)) - 3 * static_cast<int>(peer.failures) -
           10 * static_cast<int>(peer.blamed);
}

std::string_view PeerBook::judge(const Enr& enr) const {
    if (!enr.waku2) {
        return "not_waku";
    }
    if ((*enr.waku2 & needs_.any_flag) == 0) {
        return "useless";
    }
    if (!enr.shards || enr.shards->cluster != needs_.cluster) {
        return "foreign_cluster";
    }
    const bool common = std::ranges::any_of(needs_.shards, [&enr](std::uint16_t shard) {
        return std::ranges::binary_search(enr.shards->shards, shard);
    });
    return common ? "" : "foreign_shard";
}

std::string_view PeerBook::learn(ByteView record, PeerSource source, TimestampMs now) {
    const Result<Enr> enr = decode_enr(record);
    if (!enr) {
        // The words of decode_enr are literals of this program, but an Error owns its text.
        static constexpr std::string_view words[] = {"too_large", "not_sorted", "no_v4", "bad_key", "bad_signature",
                                                     "bad_address", "bad_shards"};
        const auto* const word = std::ranges::find(words, std::string_view(enr.error().message));
        return word == std::end(words) ? "malformed" : *word;
    }
    const std::string id = peer_id_of(enr->key);
    if (id == own_id_) {
        return "own";
    }
    if (const std::string_view fault = judge(*enr); !fault.empty()) {
        return fault;
    }
    std::vector<std::string> addresses = dial_addresses(*enr);
    if (addresses.empty()) {
        return "no_address";
    }
    Peer* known = find(id);
    if (known == nullptr && peers_.size() >= capacity && !make_room(now)) {
        return "full";
    }
    Peer& peer = known == nullptr ? peers_[id] : *known;
    peer.heard = now;
    changed_ = true;
    if (known == nullptr || enr->sequence > peer.sequence) {
        peer.record.assign(record.begin(), record.end());
        peer.sequence = enr->sequence;
        peer.addresses = std::move(addresses);
        peer.next_address = 0;
        peer.source = source;
    }
    return known == nullptr ? "new" : "known";
}

/// Forgets the node with the lowest score below that of a new one, or one that has been silent for long.
bool PeerBook::make_room(TimestampMs now) {
    auto worst = peers_.end();
    for (auto entry = peers_.begin(); entry != peers_.end(); ++entry) {
        const Peer& peer = entry->second;
        if (peer.connected) {
            continue;
        }
        if (std::max(peer.heard, peer.reached) + memory < now) {
            worst = entry;
            break;
        }
        if (score_of(peer) < 0 && (worst == peers_.end() || score_of(peer) < score_of(worst->second))) {
            worst = entry;
        }
    }
    if (worst == peers_.end()) {
        return false;
    }
    peers_.erase(worst);
    return true;
}

PeerBook::Peer* PeerBook::find(std::string_view peer) {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? nullptr : &found->second;
}

std::optional<PeerBook::Due> PeerBook::next_to_dial(TimestampMs now, Random& random) {
    // Equals are drawn by lot, or all nodes of the world would try the same one first.
    std::vector<std::pair<const std::string, Peer>*> best;
    for (auto& entry : peers_) {
        const Peer& peer = entry.second;
        if (peer.connected || peer.not_before > now) {
            continue;
        }
        if (!best.empty() && score_of(peer) > score_of(best.front()->second)) {
            best.clear();
        }
        if (best.empty() || score_of(peer) == score_of(best.front()->second)) {
            best.push_back(&entry);
        }
    }
    if (best.empty()) {
        return std::nullopt;
    }
    auto& [id, peer] = *best[random.below(best.size())];
    const std::string address = peer.addresses[peer.next_address % peer.addresses.size()];
    peer.not_before = now + first_wait;
    return Due{id, address};
}

void PeerBook::connected(std::string_view id, TimestampMs now) {
    if (Peer* peer = find(id)) {
        peer->connected = true;
        peer->reached = now;
        peer->failures = 0;
        changed_ = true;
    }
}

void PeerBook::disconnected(std::string_view id, TimestampMs now) {
    Peer* peer = find(id);
    if (peer == nullptr || !peer->connected) {
        return;
    }
    peer->connected = false;
    if (now - peer->reached >= good_after) {
        peer->good = std::min(peer->good + 1, most_counted);
    } else {
        peer->failures = std::min(peer->failures + 1, most_counted);  // throws us out at once: as good as unreachable
    }
    wait(*peer, now);
}

void PeerBook::dial_failed(std::string_view id, TimestampMs now) {
    if (Peer* peer = find(id); peer != nullptr && !peer->connected) {
        peer->failures = std::min(peer->failures + 1, most_counted);
        ++peer->next_address;
        wait(*peer, now);
    }
}

void PeerBook::blame(std::string_view id, TimestampMs now) {
    if (Peer* peer = find(id)) {
        peer->blamed = std::min(peer->blamed + 1, most_counted);
        wait(*peer, now);
    }
}

void PeerBook::wait(Peer& peer, TimestampMs now) {
    const unsigned doublings = std::min(peer.failures > 0 ? peer.failures - 1 : 0, most_doublings);
    peer.not_before = now + std::min(longest_wait, first_wait * (1 << doublings));
    changed_ = true;
}

std::vector<Bytes> PeerBook::share(std::size_t most, TimestampMs now) const {
    std::vector<const Peer*> fit;
    for (const auto& [id, peer] : peers_) {
        const bool reached = peer.connected || (peer.good > 0 && peer.failures == 0);
        if (peer.blamed == 0 && (reached || (peer.failures == 0 && now - peer.heard < share_age))) {
            fit.push_back(&peer);
        }
    }
    std::ranges::stable_sort(fit, [](const Peer* a, const Peer* b) {
        return std::pair(a->connected, a->reached) > std::pair(b->connected, b->reached);
    });
    std::vector<Bytes> out;
    for (const Peer* peer : fit) {
        if (out.size() < most) {
            out.push_back(peer->record);
        }
    }
    return out;
}

std::optional<int> PeerBook::score(std::string_view id) const {
    const auto found = peers_.find(id);
    return found == peers_.end() ? std::nullopt : std::optional(score_of(found->second));
}

std::string PeerBook::save() {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& [id, peer] : peers_) {
        all.push_back({{"record", enr_to_text(peer.record)},
                       {"source", to_string(peer.source)},
                       {"heard", to_unix_ms(peer.heard)},
                       {"reached", to_unix_ms(peer.reached)},
                       {"good", peer.good},
                       {"failures", peer.failures},
                       {"blamed", peer.blamed}});
    }
    changed_ = false;
    return nlohmann::json{{"version", 1}, {"peers", std::move(all)}}.dump(1);
}

std::size_t PeerBook::load(std::string_view text, TimestampMs now) {
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("peers") || !json["peers"].is_array()) {
        return 0;
    }
    std::size_t taken = 0;
    for (const nlohmann::json& entry : json["peers"]) {
        try {
            const Result<Bytes> record = enr_from_text(entry.at("record").get<std::string>());
            const std::string source = entry.value("source", "dns");
            const PeerSource from = source == "discv5" ? PeerSource::discv5
                                    : source == "dns"  ? PeerSource::dns
                                                       : PeerSource::peer_exchange;
            const TimestampMs heard = std::min(now, from_unix_ms(entry.value("heard", std::int64_t{0})));
            if (!record || heard + memory < now || learn(*record, from, heard) != "new") {
                continue;
            }
            Peer& peer = *find(peer_id_of(decode_enr(*record)->key));
            peer.reached = std::min(now, from_unix_ms(entry.value("reached", std::int64_t{0})));
            peer.good = bounded(entry, "good");
            peer.failures = bounded(entry, "failures");
            peer.blamed = bounded(entry, "blamed");
            ++taken;
        } catch (const nlohmann::json::exception&) {
            continue;  // of another version, or edited by hand
        }
    }
    changed_ = false;
    return taken;
}

}  // namespace noroshi::waku
