// src/waku/node_store.cpp - catching up: what a store kept while this node was away or not yet in the mesh.
#include <algorithm>

#include "node_impl.hpp"

namespace noroshi::waku {
namespace {

/// Clocks of senders differ by up to this much (stores refuse more), so that each query looks back a little further.
constexpr std::chrono::seconds clock_overlap{20};
/// After a connection, gossip meshes form for some heartbeats: what was missed in between is asked for again.
constexpr Milliseconds second_look{10'000};
constexpr int most_pages = 100;
constexpr Milliseconds room_check{200};

std::int64_t in_ns(TimestampMs at) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace

std::optional<StoreVersion> Node::Impl::store_version(const PeerId& id) const {
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
void Node::Impl::begin_catch_up() {
    caught_up_to_ = environment_.clock.now() - config_.catch_up_window + clock_overlap;
}

void Node::Impl::catch_up_through(const PeerId& id) {
    if (config_.catch_up_topics.empty() || catching_up_.contains(id) || !store_version(id)) {
        return;
    }
    catching_up_.insert(id);
    tasks_.spawn("waku catch up", catch_up(id));
}

Task<void> Node::Impl::catch_up(PeerId id) {
    for (const Milliseconds pause : {Milliseconds(0), second_look}) {
        const Result<void> waited = co_await wait_until(environment_.clock.steady() + pause);
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
              {{"result", fetched ? "ok" : std::string(fetched.error().message.substr(
                                               0, fetched.error().message.find_first_of(": ")))}});
        if (!fetched) {
            environment_.log.warn("catch_up_failed", {{"peer", id}, {"reason", fetched.error().message}});
            break;
        }
        environment_.log.debug("caught_up", {{"peer", id}, {"messages", *fetched}});
        caught_up_to_ = std::max(caught_up_to_, until);
    }
    catching_up_.erase(id);
}

Task<Result<std::size_t>> Node::Impl::fetch_all(PeerId id, StoreVersion version, TimestampMs from, TimestampMs until) {
    std::size_t fetched = 0;
    for (const std::string& topic : topics_) {
        StoreQuery query{"", topic, config_.catch_up_topics, in_ns(from), in_ns(until + clock_overlap), {}};
        for (int page_number = 0; page_number < most_pages; ++page_number) {
            NOROSHI_CO_TRY_VOID(co_await wait_for_room());
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

/// No page is fetched before half of the queue is free: a page fits then, and gossip keeps its room.
Task<Result<void>> Node::Impl::wait_for_room() {
    while (!stopping_ && (received_.size() * 2 > config_.limits.received_messages ||
                          received_bytes_ * 2 > config_.limits.received_bytes)) {
        NOROSHI_CO_TRY_VOID(co_await wait_until(environment_.clock.steady() + room_check));
    }
    co_return Result<void>{};
}

Task<Result<StorePage>> Node::Impl::fetch_page(PeerId id, StoreVersion version, StoreQuery query) {
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
Result<bool> Node::Impl::keep_stored(const PeerId& id, const std::string& topic, WakuMessage message) {
    if (std::ranges::count(config_.catch_up_topics, message.content_topic) == 0) {
        return false;
    }
    ReceivedMessage received{std::move(message), topic, {}, id};
    received.hash = message_hash(topic, received.message);
    if (seen_.contains(received.hash)) {
        return false;
    }
    const crypto::Digest hash = received.hash;
    if (!keep_received(std::move(received))) {
        return fail(Error{Errc::limit, "queue_full", {}, true});
    }
    seen_.insert(hash);
    return true;
}

}  // namespace noroshi::waku
