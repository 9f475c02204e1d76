// src/waku/service/service.cpp - requests of lightpush, store and filter clients.
#include "service.hpp"

#include "discovery/peer_exchange_rpc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace noroshi::waku {
namespace {

/// Stores refuse what a sender's clock puts further away: the window of the Nim node.
constexpr std::int64_t clock_window_ns = 20'000'000'000;
/// Bytes of messages in one page: with the hashes around them below what clients read.
constexpr std::size_t page_bytes = 1'500'000;

std::int64_t now_ns(const Clock& clock) { return to_unix_ms(clock.now()) * 1'000'000; }

std::uint32_t code_of(const Error& error) {
    if (error.code == Errc::conflict) {
        return status::invalid_message;  // with the word "duplicate", by which clients know that it is no failure
    }
    if (error.message.starts_with("no_peers")) {
        return status::no_peers;
    }
    if (error.message.starts_with("too_large")) {
        return status::too_large;
    }
    if (error.message.starts_with("busy") || error.message.starts_with("host_down")) {
        return status::unavailable;
    }
    return status::internal;
}

}  // namespace

Services::Services(const ServiceConfig& config, ServiceHost host)
    : config_(config), host_(std::move(host)), filter_(host_.streams, host_.topics, host_.environment.metrics) {}

Result<std::unique_ptr<Services>> Services::create(const ServiceConfig& config, ServiceHost host) {
    auto out = std::unique_ptr<Services>(new Services(config, std::move(host)));
    if (config.store) {
        NOROSHI_TRY(out->archive_, Archive::open(config.archive_file));
    }
    out->serve();
    out->want_messages();
    return out;
}

std::vector<std::string_view> Services::protocols() const {
    std::vector<std::string_view> out;
    if (config_.lightpush) {
        out.insert(out.end(), {lightpush_v3_protocol, lightpush_v2_protocol});
    }
    if (config_.store) {
        out.push_back(store_v3_protocol);
    }
    if (config_.filter) {
        out.push_back(filter_subscribe_protocol);
    }
    if (config_.peer_exchange) {
        out.push_back(peer_exchange_protocol);
    }
    return out;
}

void Services::serve() {
    if (config_.lightpush) {
        for (const LightpushVersion version : {LightpushVersion::v3, LightpushVersion::v2}) {
            host_.streams.serve(lightpush_protocol(version), max_push_frame_bytes,
                                [this, version](const PeerId& peer, const Bytes& request, Streams::Reply reply) {
                                    on_push(version, peer, request, std::move(reply));
                                });
        }
    }
    if (config_.store) {
        host_.streams.serve(store_v3_protocol, max_small_frame_bytes,
                            [this](const PeerId& peer, const Bytes& request, const Streams::Reply& reply) {
                                on_query(peer, request, reply);
                            });
    }
    if (config_.peer_exchange) {
        host_.streams.serve(peer_exchange_protocol, max_small_frame_bytes,
                            [this](const PeerId& peer, const Bytes& request, const Streams::Reply& reply) {
                                on_peer_exchange(peer, request, reply);
                            });
    }
    if (config_.filter) {
        host_.streams.serve(
            filter_subscribe_protocol, max_small_frame_bytes,
            [this](const PeerId& peer, const Bytes& bytes, const Streams::Reply& reply) {
                if (!may(peer, "filter")) {
                    reply(encode_filter_answer({std::string(unread_request_id), status::rate_limited, "rate limited"}));
                    return;
                }
                const Result<FilterRequest> request = decode_filter_request(bytes);
                if (!request) {
                    count("filter", request.error().message);
                    reply(fail(request.error()));
                    return;
                }
                const FilterAnswer answer = filter_.answer(peer, *request, host_.environment.clock.steady());
                want_messages();
                count("filter", answer.code == status::ok ? "ok" : "refused");
                reply(encode_filter_answer(answer));
            });
    }
}

bool Services::may(const PeerId& peer, std::string_view role) {
    const bool allowed = budget_.take(peer, host_.environment.clock.steady());
    if (!allowed) {
        count(role, "rate_limited");
    }
    return allowed;
}

void Services::on_push(LightpushVersion version, const PeerId& peer, const Bytes& bytes, Streams::Reply reply) {
    const auto answer = [this, version, reply](std::string id, std::uint32_t code, std::string info,
                                               std::optional<std::uint32_t> peers = std::nullopt) {
        count("lightpush", code == status::ok ? "ok" : "refused");
        reply(encode_push_answer(version, {std::move(id), code, std::move(info), peers}));
    };
    if (!may(peer, "lightpush")) {
        answer(std::string(unread_request_id), status::rate_limited, "TOO_MANY_REQUESTS");
        return;
    }
    Result<PushRequest> request = decode_push(version, bytes);
    if (!request) {
        count("lightpush", request.error().message);
        reply(fail(request.error()));
        return;
    }
    const Result<WakuMessage> message = decode_message(request->message);
    if (!message) {
        answer(request->request_id, status::bad_request, message.error().message);
        return;
    }
    if (request->pubsub_topic.empty()) {
        request->pubsub_topic = meant_topic(message->content_topic);
    }
    if (std::ranges::count(host_.topics, request->pubsub_topic) == 0) {
        answer(request->request_id, status::wrong_shard, "this node is not on that pubsub topic");
        return;
    }
    host_.relay(request->pubsub_topic, std::move(request->message),
                [answer, version, id = request->request_id](const Result<std::size_t>& peers) {
                    const bool known = !peers && peers.error().code == Errc::conflict;
                    if (known && version == LightpushVersion::v2) {
                        answer(id, status::ok, peers.error().message);  // it has no other word for it
                    } else if (peers) {
                        answer(id, status::ok, "OK", static_cast<std::uint32_t>(*peers));
                    } else {
                        answer(id, code_of(peers.error()), peers.error().message);
                    }
                });
}

/// Where a push goes that names no shard; empty when it cannot be told.
std::string Services::meant_topic(const std::string& content_topic) const {
    if (host_.topics.size() == 1) {
        return host_.topics.front();
    }
    const Result<ContentTopic> topic = parse_content_topic(content_topic);
    if (!config_.autosharding || !topic) {
        return {};
    }
    const Result<std::uint16_t> shard = autoshard(*topic, *config_.autosharding);
    const Result<PubsubTopic> any = parse_pubsub_topic(host_.topics.front());
    return shard && any ? PubsubTopic{any->cluster, *shard}.to_string() : std::string();
}

void Services::on_query(const PeerId& peer, const Bytes& request, const Streams::Reply& reply) {
    StoreAnswer answer;
    if (may(peer, "store")) {
        answer = find(request);
        count("store", answer.code == status::ok ? "ok" : "refused");
    } else {
        answer = {std::string(unread_request_id), status::rate_limited, "TOO_MANY_REQUESTS", {}, {}};
    }
    reply(encode_store_answer(answer));
}

void Services::on_peer_exchange(const PeerId& peer, const Bytes& bytes, const Streams::Reply& reply) {
    PeerExchangeAnswer answer;
    const Result<std::uint64_t> wanted = decode_peer_exchange_query(bytes);
    if (!may(peer, "peer_exchange")) {
        answer = {status::rate_limited, "TOO_MANY_REQUESTS", {}};
    } else if (!wanted) {
        answer = {status::bad_request, wanted.error().message, {}};
        count("peer_exchange", "refused");
    } else {
        // The program go-waku names no number.
        const std::uint64_t most = *wanted == 0 ? max_exchanged_peers : *wanted;
        answer.records = host_.share(static_cast<std::size_t>(std::min<std::uint64_t>(most, max_exchanged_peers)));
        count("peer_exchange", "ok");
        host_.environment.log.debug("peers_told", {{"peer", peer}, {"wanted", *wanted}, {"told", answer.records.size()}});
    }
    reply(encode_peer_exchange_answer(answer));
}

StoreAnswer Services::find(const Bytes& request) {
    const Result<StoreQuery> query = decode_store_query(request);
    if (!query) {
        return {"", status::bad_request, query.error().message, {}, {}};
    }
    Result<StoreAnswer> found = archive_->find(*query, page_bytes);
    if (!found) {
        const bool ours = found.error().code != Errc::not_found;
        return {query->request_id, ours ? status::unavailable : status::bad_request, found.error().message, {}, {}};
    }
    found->request_id = query->request_id;
    return std::move(*found);
}

void Services::on_message(const std::string& pubsub_topic, const WakuMessage& message, const crypto::Digest& hash,
                          ByteView data) {
    if (config_.store) {
        keep(pubsub_topic, message, hash, data);
    }
    if (config_.filter) {
        filter_.push(pubsub_topic, message.content_topic, data, host_.environment.clock.steady());
    }
}

void Services::keep(const std::string& pubsub_topic, const WakuMessage& message, const crypto::Digest& hash,
                    ByteView data) {
    const std::int64_t now = now_ns(host_.environment.clock);
    const std::int64_t at = message.timestamp_ns.value_or(0) == 0 ? now : *message.timestamp_ns;
    if (message.ephemeral.value_or(false)) {
        return;
    }
    if (at > now + clock_window_ns || at < now - clock_window_ns) {
        count("archive", "clock_off");
        return;
    }
    const Result<void> kept =
        archive_->put({hash, pubsub_topic, message.content_topic, at, Bytes(data.begin(), data.end())});
    count("archive", kept ? "kept" : "failed");
    if (!kept && !archive_failing_) {
        host_.environment.log.error("archive_failed", {{"reason", kept.error().message}});
    }
    archive_failing_ = !kept;
}

void Services::flush() {
    if (!archive_) {
        return;
    }
    const std::int64_t age = std::chrono::duration_cast<std::chrono::nanoseconds>(config_.archive_age).count();
    const Result<void> done = archive_->commit(now_ns(host_.environment.clock) - age, config_.archive_bytes);
    if (!done) {
        host_.environment.log.error("archive_failed", {{"reason", done.error().message}});
    }
    host_.environment.metrics.gauge("noroshi_waku_archive_bytes", "Messages in the store, bytes.")
        .set(static_cast<double>(archive_->bytes()));
}

void Services::tick(SteadyMs now) {
    flush();
    if (config_.filter) {
        filter_.tick(now);
        want_messages();
    }
}

void Services::count(std::string_view role, std::string_view result) {
    host_.environment.metrics
        .counter("noroshi_waku_served_total", "Requests of other peers, by role and what became of them.",
                 {{"role", std::string(role)}, {"result", std::string(result)}})
        .add();
}

}  // namespace noroshi::waku
