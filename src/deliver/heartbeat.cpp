// src/deliver/heartbeat.cpp - sends, waits, judges.
#include "deliver/heartbeat.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "deliver/receipt.hpp"

namespace noroshi::deliver {
namespace {

constexpr Milliseconds look_interval{100};

}  // namespace

Task<void> Heartbeat::run() {
    Milliseconds pause = first_after;
    while (co_await parts_.timers.sleep_for(pause)) {
        pause = interval;
        const Result<std::string> way = co_await beat();
        if (!way && way.error().code == Errc::cancelled) {
            co_return;
        }
        const bool changed = ok_ != way.has_value();
        ok_ = way.has_value();
        detail_ = way ? *way : way.error().message;
        parts_.metrics.gauge("noroshi_waku_heartbeat_ok", "1 when the last message to ourselves came back.")
            .set(way ? 1 : 0);
        if (!way) {
            parts_.log.warn("heartbeat_lost", {{"reason", detail_}});
        } else if (changed) {
            parts_.log.info("heartbeat", {{"way", detail_}});
        }
    }
}

Result<waku::WakuMessage> Heartbeat::make() {
    NOROSHI_TRY(waku::WakuMessage out, seal_receipt({{}, parts_.clock.now()}, parts_.key.public_key(), parts_.key,
                                                             parts_.random));
    out.ephemeral = true;
    return out;
}

Task<Result<std::string>> Heartbeat::beat() {
    NOROSHI_CO_TRY(waku::WakuMessage message, make());
    NOROSHI_CO_TRY(const waku::Publication sent,
                   co_await parts_.node.publish(parts_.pubsub_topic, std::move(message), {.most_peers = 1}));
    const SteadyMs since = parts_.clock.steady();
    // Another peer proves more than the one that took it; with one peer alone there is no other.
    std::string back;
    while (parts_.clock.steady() - since < patience) {
        for (const std::string& peer : parts_.node.echoed_by(sent.hash)) {
            back = peer;
            if (std::ranges::count(sent.peers, peer) == 0) {
                co_return fmt::format("through {}, back through {}", sent.peers.front(), peer);
            }
        }
        NOROSHI_CO_TRY_VOID(co_await parts_.timers.sleep_for(look_interval));
    }
    if (!back.empty()) {
        co_return fmt::format("through {} and back", back);
    }
    co_return fail(Error{Errc::timeout, "no_echo: a peer took it and no filter peer sent it back within 10 s", {}, true});
}

}  // namespace noroshi::deliver
