// src/waku/rest_node_store.cpp - stores asked by way of the program: for what was missed, and for what was published.
#include <algorithm>
#include <array>
#include <utility>

#include "rest_node_impl.hpp"

namespace noroshi::waku {
namespace {

// As in p2p_node_store.cpp.
constexpr Milliseconds second_look{10'000};
constexpr int most_pages = 100;
constexpr Milliseconds catch_up_interval{600'000};
constexpr std::size_t stores_asked = 2;
constexpr std::chrono::hours unknown_time_window{1};
constexpr Milliseconds room_check{200};

}  // namespace

/// The first query goes back by the window alone: who asks for nothing of the past gets nothing of it.
void RestNode::begin_catch_up() {
    content_topics_.ask_from(environment_.clock.now() - config_.catch_up_window);
    catch_up_at_ = environment_.clock.steady() + catch_up_interval;
}

void RestNode::catch_up_when_due() {
    if (environment_.clock.steady() >= catch_up_at_) {
        catch_up_soon();
    }
}

void RestNode::catch_up_soon() {
    catch_up_at_ = environment_.clock.steady() + catch_up_interval;
    catch_up_soon(content_topics_.list());
}

void RestNode::catch_up_soon(const std::vector<std::string>& content_topics) {
    if (!config_.catch_up || content_topics.empty()) {
        return;
    }
    catch_up_topics_.insert(content_topics.begin(), content_topics.end());
    catch_up_wanted_ = true;
    if (!std::exchange(catching_up_, true)) {
        tasks_.spawn("waku rest catch up", catch_up());
    }
}

/// Twice: after a start, meshes and subscriptions of the program form for some seconds.
Task<void> RestNode::catch_up() {
    SteadyMs second{};
    while (catch_up_wanted_ || second != SteadyMs{}) {
        const SteadyMs now = environment_.clock.steady();
        if (std::exchange(catch_up_wanted_, false)) {
            second = now + second_look;
            co_await catch_up_once();
        } else if (now >= second) {
            second = {};
            co_await catch_up_once();
        }
        const Result<void> waited = co_await environment_.timers.sleep_for(room_check);
        if (!waited || stopping_) {
            co_return;
        }
    }
    catching_up_ = false;
    catch_up_topics_.clear();
}

/// From the first store that answers.
Task<void> RestNode::catch_up_once() {
    std::vector<Store> stores = named_stores();
    std::ranges::copy(own_stores(), std::back_inserter(stores));
    const TimestampMs until = environment_.clock.now();
    std::string result = "no_store";
    for (const Store& store : stores) {
        if (!ready_ || stopping_) {
            co_return;  // asked again when the program is back
        }
        const std::string witness = store.id.empty() ? name() : store.id;
        const Result<void> fetched = co_await fetch_all(store, until);
        if (fetched) {
            environment_.log.debug("caught_up", {{"peer", witness}, {"topics", catch_up_topics_.size()}});
            result = "ok";
            break;
        }
        if (fetched.error().code == Errc::cancelled) {
            co_return;
        }
        // That the program has no store of its own is no fault.
        const LogLevel level = store.address.empty() ? LogLevel::debug : LogLevel::warn;
        environment_.log.write(level, "catch_up_failed",
                               {{"peer", witness}, {"reason", fetched.error().message}});
        result = store.address.empty() ? result : first_word(fetched.error().message);
    }
    count("noroshi_waku_catch_ups_total", "Queries of a store for what was missed, by what became of them.",
          {{"result", result}});
}

Task<Result<void>> RestNode::fetch_all(Store store, TimestampMs until) {
    const std::vector<std::string> wanted(catch_up_topics_.begin(), catch_up_topics_.end());
    const std::vector<ContentTopics::Range> ranges = content_topics_.ranges(wanted);
    for (const ContentTopics::Range& range : ranges) {
        NOROSHI_CO_TRY_VOID(co_await fetch_range(store, range, until));
        content_topics_.asked(range.topics, until);
    }
    co_return Result<void>{};
}

Task<Result<void>> RestNode::fetch_range(Store store, ContentTopics::Range range, TimestampMs until) {
    for (const std::string& topic : topics_) {
        rest::Query query{.peer = store.address,
                          .pubsub_topic = topic,
                          .content_topics = range.topics,
                          .start_ns = in_ns(range.from),
                          .end_ns = in_ns(until + clock_overlap),
                          .include_data = true,
                          .cursor = {}};
        for (int page_number = 0; page_number < most_pages; ++page_number) {
            NOROSHI_CO_TRY_VOID(co_await wait_for_room(environment_, stopping_, received_));
            NOROSHI_CO_TRY(rest::Page page, co_await fetch_page(store, query));
            count_malformed(page);
            for (WakuMessage& message : page.messages) {
                NOROSHI_CO_TRY_VOID(keep_stored(store, topic, std::move(message)));
            }
            // A store that gives the same cursor again would keep us for ever.
            if (page.cursor.empty() || page.cursor == query.cursor) {
                break;
            }
            query.cursor = std::move(page.cursor);
        }
    }
    co_return Result<void>{};
}

/// Errors: limit, when there is no room; it will be asked for again.
Result<void> RestNode::keep_stored(const Store& store, const std::string& topic, WakuMessage message) {
    const crypto::Digest hash = message_hash(topic, message);
    if (seen_.was_given(hash) || !content_topics_.contains(message.content_topic)) {
        return {};
    }
    if (!received_.push({std::move(message), topic, hash, store.id.empty() ? name() : store.id})) {
        return fail(Error{Errc::limit, "queue_full", {}, true});
    }
    seen_.insert(hash, true);
    return {};
}

Task<Result<rest::Page>> RestNode::fetch_page(Store store, rest::Query query) {
    NOROSHI_CO_TRY(const rest::Answer answer,
                   co_await api_.get(rest::store_path(store.version, query), rest::store_deadline));
    if (answer.status != 200) {
        co_return fail(rest::refusal(answer));
    }
    Result<rest::Page> page = rest::decode_page(store.version, answer.body);
    if (!page) {
        const std::string& word = page.error().message;
        co_return fail(Error{Errc::parse, word.starts_with("refused") ? word : "bad_reply: " + word, {}, true});
    }
    co_return page;
}

/// Peers of the program that keep messages, by the newer protocol where they have both.
std::vector<RestNode::Store> RestNode::named_stores() const {
    std::vector<Store> out;
    for (const PeerInfo& peer : peers_) {
        for (const StoreVersion version : {StoreVersion::v3, StoreVersion::v2}) {
            if (std::ranges::count(peer.protocols, store_protocol(version)) > 0 && !peer.address.empty()) {
                out.push_back({version, peer.address, peer.id});
                break;
            }
        }
        if (out.size() == stores_asked) {
            break;
        }
    }
    return out;
}

std::vector<RestNode::Store> RestNode::own_stores() const {
    std::vector<Store> out{{StoreVersion::v3, "", ""}};
    if (program_ == Program::go_waku) {
        out.push_back({StoreVersion::v2, "", ""});
    }
    return out;
}

Task<Result<StoreWord>> RestNode::find_stored(Published what) {
    const Calls::Inside call(calls_);
    Task<Result<StoreWord>> questions = ask_stores(std::move(what));
    Result<StoreWord> word = co_await in_group<StoreWord>(std::move(questions));
    count("noroshi_waku_confirmations_total", "Questions to stores whether they have a published message.",
          {{"result", !word ? "failed" : word->found ? "found" : "not_found"}});
    co_return word;
}

/// The program's own archive has no word while there is another.
Task<Result<StoreWord>> RestNode::ask_stores(Published what) {
    if (!ready_) {
        co_return fail(Error{Errc::io, answers_ ? "host_down: not asked for messages yet" : away_, {}, true});
    }
    std::optional<StoreWord> word;
    std::string last;
    const std::array<std::vector<Store>, 2> by_rank{named_stores(), own_stores()};
    for (const std::vector<Store>& stores : by_rank) {
        for (const Store& store : stores) {
            const Result<bool> found = co_await ask_store(store, what);
            if (!found && found.error().code == Errc::cancelled) {
                co_return fail(found.error());
            }
            if (!found) {
                last = found.error().message;
                continue;
            }
            const bool independent = !store.id.empty() && std::ranges::count(what.peers, store.id) == 0;
            word = StoreWord{*found, store.id.empty() ? name() : store.id, independent};
            if (*found) {
                co_return *word;
            }
        }
        if (word) {
            co_return *word;
        }
    }
    co_return fail(Error{Errc::not_found, "no_store: " + last, {}, true});
}

Task<Result<bool>> RestNode::ask_store(Store store, Published what) {
    const TimestampMs now = environment_.clock.now();
    const bool timed = what.timestamp_ns != 0;
    rest::Query query{.peer = store.address,
                      .pubsub_topic = what.pubsub_topic,
                      .content_topics = {what.content_topic},
                      .start_ns = timed ? what.timestamp_ns - 1 : in_ns(now - unknown_time_window),
                      .end_ns = timed ? what.timestamp_ns + 1 : in_ns(now + clock_overlap),
                      .include_data = store.version == StoreVersion::v2,
                      .cursor = {}};
    for (int page_number = 0; page_number < most_pages; ++page_number) {
        NOROSHI_CO_TRY(rest::Page page, co_await fetch_page(store, query));
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
