// src/waku/p2p_node_store.cpp - what stores keep: messages missed here, and whether one published here is among them.
#include <algorithm>

#include "p2p_node.hpp"

namespace noroshi::waku {
namespace {

/// After a connection, gossip meshes form for some heartbeats: what was missed in between is asked for again.
constexpr Milliseconds second_look{10'000};
constexpr Milliseconds look_slice{200};
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
    content_topics_.ask_from(environment_.clock.now() - config_.catch_up_window);
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
        catch_up_through(id, content_topics_.list());
    }
}

void P2pNode::catch_up_through(const PeerId& id, const std::vector<std::string>& content_topics) {
    if (!config_.catch_up || content_topics.empty() || !store_version(id)) {
        return;
    }
    const auto [entry, is_new] = catching_up_.try_emplace(id);
    CatchUp& work = entry->second;
    work.content_topics.insert(content_topics.begin(), content_topics.end());
    work.looks = 2;
    work.next_look = environment_.clock.steady();
    if (is_new) {
        tasks_.spawn("waku catch up", catch_up(id));
    }
}

/// Topics that are added meanwhile, and a new connection, begin it anew.
Task<void> P2pNode::catch_up(PeerId id) {
    while (!stopping_) {
        CatchUp& work = catching_up_[id];
        const std::optional<StoreVersion> version = store_version(id);
        if (!version || work.looks == 0) {
            break;
        }
        const SteadyMs now = environment_.clock.steady();
        if (now < work.next_look) {
            if (!co_await wait_until(environment_, stopping_, std::min(work.next_look, now + look_slice))) {
                break;
            }
            continue;
        }
        const unsigned left = --work.looks;
        work.next_look = now + second_look;
        std::vector<std::string> content_topics(work.content_topics.begin(), work.content_topics.end());
        const Result<void> looked = co_await catch_up_once(id, *version, std::move(content_topics));
        if (!looked && catching_up_[id].looks == left) {
            break;
        }
    }
    catching_up_.erase(id);
}

Task<Result<void>> P2pNode::catch_up_once(PeerId id, StoreVersion version, std::vector<std::string> content_topics) {
    const TimestampMs until = environment_.clock.now();
    Result<void> fetched;
    const std::vector<ContentTopics::Range> ranges = content_topics_.ranges(content_topics);
    for (const ContentTopics::Range& range : ranges) {
        fetched = co_await fetch_all(id, version, range, until);
        if (!fetched) {
            break;
        }
        content_topics_.asked(range.topics, until);
    }
    if (!fetched && fetched.error().code == Errc::cancelled) {
        co_return fail(fetched.error());
    }
    count("noroshi_waku_catch_ups_total", "Queries of a store for what was missed, by what became of them.",
          {{"result", fetched ? "ok" : first_word(fetched.error().message)}});
    if (!fetched) {
        environment_.log.warn("catch_up_failed", {{"peer", id}, {"reason", fetched.error().message}});
        co_return fail(fetched.error());
    }
    environment_.log.debug("caught_up", {{"peer", id}, {"topics", content_topics.size()}});
    co_return Result<void>{};
}

Task<Result<void>> P2pNode::fetch_all(PeerId id, StoreVersion version, ContentTopics::Range range, TimestampMs until) {
    for (const std::string& topic : topics_) {
        StoreQuery query;
        query.pubsub_topic = topic;
        query.content_topics = range.topics;
        query.start_ns = in_ns(range.from);
        query.end_ns = in_ns(until + clock_overlap);
        for (int page_number = 0; page_number < most_pages; ++page_number) {
            NOROSHI_CO_TRY_VOID(co_await wait_for_room(environment_, stopping_, received_));
            query.request_id = environment_.random.id();
            NOROSHI_CO_TRY(StorePage page, co_await fetch_page(id, version, query));
            for (WakuMessage& message : page.messages) {
                NOROSHI_CO_TRY_VOID(keep_stored(id, topic, std::move(message)));
            }
            // A server that gives the same cursor again would keep us for ever.
            if (page.cursor.empty() || page.cursor == query.cursor) {
                break;
            }
            query.cursor = std::move(page.cursor);
        }
    }
    co_return Result<void>{};
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

/// Errors: limit, when there is no room; it will be asked for again.
Result<void> P2pNode::keep_stored(const PeerId& id, const std::string& topic, WakuMessage message) {
    const crypto::Digest hash = message_hash(topic, message);
    if (!content_topics_.contains(message.content_topic) || seen_.was_given(hash)) {
        return {};
    }
    if (!received_.push({std::move(message), topic, hash, id})) {
        return fail(Error{Errc::limit, "queue_full", {}, true});
    }
    seen_.insert(hash, true);
    return {};
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
