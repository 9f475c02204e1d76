// src/waku/p2p_node_store.cpp - what stores keep: messages missed here, and whether one published here is among them.
#include <algorithm>

#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

/// Clocks of senders differ by up to this much (stores refuse more), so that each query looks back a little further.
constexpr std::chrono::seconds clock_overlap{20};
/// After a connection, gossip meshes form for some heartbeats: what was missed in between is asked for again.
constexpr Milliseconds second_look{10'000};
constexpr int most_pages = 100;
constexpr Milliseconds catch_up_interval{600'000};
/// The wall clock went on by that much between two ticks: the machine slept, and with it its connections.
constexpr Milliseconds sleep_gap{30'000};
constexpr std::size_t stores_asked = 2;
constexpr std::chrono::hours unknown_time_window{1};

}  // namespace

std::optional<StoreVersion> P2pNode::store_version(const PeerId& id) const {
    const auto peer = peers_.find(id);
    if (peer == peers_.end() || peer->second.foreign) {
        return std::nullopt;
    }
    for (const StoreVersion version : {StoreVersion::v3, StoreVersion::v2}) {
        if (std::ranges::count(peer->second.info.protocols, store_protocol(version)) > 0) {
            return version;
        }
    }
    return std::nullopt;
}

/// The first query goes back by the window alone: who asks for nothing of the past gets nothing of it.
void P2pNode::begin_catch_up() {
    caught_up_to_ = environment_.clock.now() - config_.catch_up_window + clock_overlap;
    catch_up_at_ = environment_.clock.steady() + catch_up_interval;
    last_tick_ = environment_.clock.now();
}

/// Every ten minutes, and when the machine has slept.
void P2pNode::catch_up_when_due(SteadyMs now) {
    const TimestampMs wall = environment_.clock.now();
    const bool slept = wall - last_tick_ >= sleep_gap;
    last_tick_ = wall;
    if (!slept && now < catch_up_at_) {
        return;
    }
    if (slept) {
        environment_.log.info("woke_up");
    }
    catch_up_at_ = now + catch_up_interval;
    for (const auto& [id, peer] : peers_) {
        catch_up_through(id);
    }
}

void P2pNode::catch_up_through(const PeerId& id) {
    if (!config_.catch_up || config_.content_topics.empty() || catching_up_.contains(id) || !store_version(id)) {
        return;
    }
    catching_up_.insert(id);
    tasks_.spawn("waku catch up", catch_up(id));
}

Task<void> P2pNode::catch_up(PeerId id) {
    for (const Milliseconds pause : {Milliseconds(0), second_look}) {
        const Result<void> waited = co_await wait_until(environment_, stopping_, environment_.clock.steady() + pause);
        const std::optional<StoreVersion> version = store_version(id);
        if (!waited || !version || stopping_) {
            break;
        }
        const TimestampMs until = environment_.clock.now();
        const Result<std::size_t> fetched = co_await fetch_all(id, *version, caught_up_to_ - clock_overlap, until);
        if (!fetched && fetched.error().code == Errc::cancelled) {
            break;
        }
        count("noroshi_waku_catch_ups_total", "Queries of a store for what was missed, by what became of them.",
              {{"result", fetched ? "ok" : first_word(fetched.error().message)}});
        if (!fetched) {
            environment_.log.warn("catch_up_failed", {{"peer", id}, {"reason", fetched.error().message}});
            break;
        }
        environment_.log.debug("caught_up", {{"peer", id}, {"messages", *fetched}});
        caught_up_to_ = std::max(caught_up_to_, until);
    }
    catching_up_.erase(id);
}

Task<Result<std::size_t>> P2pNode::fetch_all(PeerId id, StoreVersion version, TimestampMs from, TimestampMs until) {
    std::size_t fetched = 0;
    for (const std::string& topic : topics_) {
        StoreQuery query;
        query.pubsub_topic = topic;
        query.content_topics = config_.content_topics;
        query.start_ns = in_ns(from);
        query.end_ns = in_ns(until + clock_overlap);
        for (int page_number = 0; page_number < most_pages; ++page_number) {
            NOROSHI_CO_TRY_VOID(co_await wait_for_room(environment_, stopping_, received_));
            query.request_id = environment_.random.id();
            NOROSHI_CO_TRY(StorePage page, co_await fetch_page(id, version, query));
            for (WakuMessage& message : page.messages) {
                NOROSHI_CO_TRY(const bool fresh, keep_stored(id, topic, std::move(message)));
                fetched += fresh ? 1 : 0;
            }
            // A server that gives the same cursor again would keep us for ever.
            if (page.cursor.empty() || page.cursor == query.cursor) {
                break;
            }
            query.cursor = std::move(page.cursor);
        }
    }
    co_return fetched;
}

Task<Result<StorePage>> P2pNode::fetch_page(PeerId id, StoreVersion version, StoreQuery query) {
    const auto pending = std::make_shared<Pending<Bytes>>(environment_.executor);
    const Bytes request = encode_store_query(version, query);
    streams_.request(
        id, store_protocol(version), request, environment_.clock.steady(),
        [pending](Result<Bytes> answer) { pending->complete(std::move(answer)); }, max_store_frame_bytes);
    NOROSHI_CO_TRY_VOID(co_await pending->ready.wait());
    NOROSHI_CO_TRY(const Bytes body, std::move(*pending->result));
    co_return decode_store_page(version, query.request_id, body);
}

/// True when it had not been seen. Errors: limit, when there is no room; it will be asked for again.
Result<bool> P2pNode::keep_stored(const PeerId& id, const std::string& topic, WakuMessage message) {
    if (std::ranges::count(config_.content_topics, message.content_topic) == 0) {
        return false;
    }
    ReceivedMessage received{std::move(message), topic, {}, id};
    received.hash = message_hash(topic, received.message);
    if (seen_.contains(received.hash)) {
        return false;
    }
    const crypto::Digest hash = received.hash;
    if (!received_.push(std::move(received))) {
        return fail(Error{Errc::limit, "queue_full", {}, true});
    }
    seen_.insert(hash);
    return true;
}

/// Stores that did not take the message first; each group in the order of peer ids.
std::vector<PeerId> P2pNode::stores_for(const Published& what) const {
    std::vector<PeerId> out;
    for (const bool took : {false, true}) {
        for (const auto& [id, peer] : peers_) {
            if (store_version(id) && (std::ranges::count(what.peers, id) > 0) == took) {
                out.push_back(id);
            }
        }
        if (!out.empty()) {
            break;  // who took it has no word while there is another
        }
    }
    out.resize(std::min(out.size(), stores_asked));
    return out;
}

Task<Result<StoreWord>> P2pNode::find_stored(Published what) {
    const Calls::Inside call(calls_);
    const auto independent = [&what](const PeerId& id) { return std::ranges::count(what.peers, id) == 0; };
    const std::vector<PeerId> echoes = echoed_by(what.hash);
    if (const auto echo = std::ranges::find_if(echoes, independent); echo != echoes.end()) {
        co_return StoreWord{true, *echo, true};
    }
    const std::vector<PeerId> stores = stores_for(what);
    if (peers_.empty()) {
        co_return fail(Error{Errc::not_found, "no_peers: nobody is connected", {}, true});
    }
    if (stores.empty()) {
        co_return fail(Error{Errc::not_found, "no_store: nobody connected keeps messages", {}, true});
    }
    std::optional<Error> last;
    StoreWord word;
    for (const PeerId& id : stores) {
        const Result<bool> found = co_await ask_store(id, what);
        if (!found) {
            last = found.error();
            continue;
        }
        word = {*found, id, independent(id)};
        if (*found) {
            break;
        }
    }
    count("noroshi_waku_confirmations_total", "Questions to stores whether they have a published message.",
          {{"result", word.peer.empty() ? "failed" : word.found ? "found" : "not_found"}});
    if (word.peer.empty()) {
        co_return fail(*last);
    }
    if (word.found && word.independent) {
        for (const PeerId& id : what.peers) {
            doubts_.erase(id);
        }
    }
    co_return word;
}

/// Version 3 is asked for the hash; version 2, which knows no hashes, for the topic at that time.
Task<Result<bool>> P2pNode::ask_store(PeerId id, Published what) {
    const std::optional<StoreVersion> version = store_version(id);
    if (!version) {
        co_return fail(Error{Errc::io, "not_connected", {}, true});
    }
    StoreQuery query;
    if (*version == StoreVersion::v3) {
        query.hashes = {what.hash};
        query.include_data = false;
    } else {
        const TimestampMs now = environment_.clock.now();
        const bool timed = what.timestamp_ns != 0;
        query.pubsub_topic = what.pubsub_topic;
        query.content_topics = {what.content_topic};
        query.start_ns = timed ? what.timestamp_ns - 1 : in_ns(now - unknown_time_window);
        query.end_ns = timed ? what.timestamp_ns + 1 : in_ns(now + clock_overlap);
    }
    for (int page_number = 0; page_number < most_pages; ++page_number) {
        query.request_id = environment_.random.id();
        NOROSHI_CO_TRY(StorePage page, co_await fetch_page(id, *version, query));
        const bool found = std::ranges::count(page.hashes, what.hash) > 0 ||
                           std::ranges::any_of(page.messages, [&what](const WakuMessage& message) {
                               return message_hash(what.pubsub_topic, message) == what.hash;
                           });
        if (found || page.cursor.empty() || page.cursor == query.cursor) {
            co_return found;
        }
        query.cursor = std::move(page.cursor);
    }
    co_return false;
}

}  // namespace noroshi::waku
