// src/collect/scrape/scraper.cpp - Scraper: one coroutine a target, and what happens when targets change.
#include <algorithm>
#include <map>
#include <utility>

#include "collect/collect.hpp"
#include "scrape/line_reader.hpp"
#include "scrape/schedule.hpp"
#include "scrape/target_scrape.hpp"

namespace noroshi::collect {

namespace {

/// A target in the list. Its coroutine outlives its place there: it still owes the stale markers.
struct Loop {
    Loop(Target target, const ScrapeServices& services) : scrape(std::move(target), services) {}
    TargetScrape scrape;
    std::optional<TimestampMs> removed_at;
};

// shared: by the list and by the coroutine
using LoopPtr = std::shared_ptr<Loop>;

LoopPtr find(const std::vector<LoopPtr>& loops, const Target& target) {
    const auto found = std::ranges::find_if(loops, [&](const LoopPtr& loop) { return loop->scrape.target() == target; });
    return found == loops.end() ? nullptr : *found;
}

/// A job with more targets than it may have scrapes none of them, as in Prometheus.
void refuse_crowded(const std::vector<LoopPtr>& loops) {
    std::map<std::string_view, std::size_t> targets;
    for (const LoopPtr& loop : loops) {
        ++targets[loop->scrape.target().job];
    }
    for (const LoopPtr& loop : loops) {
        const Target& target = loop->scrape.target();
        const std::size_t count = targets[target.job];
        const bool crowded = target.target_limit != 0 && count > target.target_limit;
        loop->scrape.refuse(crowded ? fmt::format("job {} has {} targets, {} allowed", shown(target.job), count, target.target_limit)
                                    : std::string());
    }
}

}  // namespace

struct Scraper::State {
    State(tsdb::Head& head, net::HttpClient& client, Timers& t, const Clock& c, const Executor& executor,
          Metrics& metrics, Log l)
        : timers(t), clock(c), log(std::move(l)), counters(metrics),
          services{head, client, clock, metrics, counters, log}, tasks(executor) {}

    /// Scrapes until the target is removed, then ends its series.
    Task<void> run(LoopPtr loop) {
        const Milliseconds interval = interval_of(loop->scrape.target());
        const Milliseconds phase = phase_of(loop->scrape.target());
        SteadyMs due = clock.steady() + delay_to_phase(clock.now(), phase, interval);
        for (;;) {
            const Milliseconds wait = due - clock.steady();
            const Result<void> slept = co_await timers.sleep_for(wait);
            if (!slept) {
                co_return;
            }
            if (loop->removed_at) {
                break;
            }
            const TimestampMs at = aligned(clock.now(), phase, interval);
            co_await loop->scrape.scrape(at);
            due = next_due(due, clock.steady(), interval);
        }
        // Prometheus's delay: a target that only moved to another job or interval has written newer samples by then,
        // before which the store takes no marker.
        const Result<void> slept = co_await timers.sleep_for(interval * 11 / 10);
        if (slept) {
            loop->scrape.mark_gone(*loop->removed_at);
        }
    }

    Timers& timers;
    const Clock& clock;
    Log log;
    CollectCounters counters;
    ScrapeServices services;
    std::vector<LoopPtr> loops;
    bool stopped{false};
    TaskGroup tasks;
};

Scraper::Scraper(tsdb::Head& head, net::HttpClient& client, Timers& timers, const Clock& clock, const Executor& executor,
                 Metrics& metrics, Log log)
    : state_(std::make_unique<State>(head, client, timers, clock, executor, metrics, std::move(log))) {}

Scraper::~Scraper() = default;

void Scraper::set_targets(std::vector<Target> targets) {
    if (state_->stopped) {
        return;
    }
    const std::vector<LoopPtr> before = std::exchange(state_->loops, {});
    for (Target& target : targets) {
        if (find(state_->loops, target)) {
            continue;  // the same target given twice is one target
        }
        LoopPtr loop = find(before, target);
        if (!loop) {
            loop = std::make_shared<Loop>(std::move(target), state_->services);
            state_->tasks.spawn("scrape", state_->run(loop));
        }
        state_->loops.push_back(std::move(loop));
    }
    refuse_crowded(state_->loops);
    for (const LoopPtr& loop : before) {
        if (std::ranges::find(state_->loops, loop) == state_->loops.end()) {
            loop->removed_at = state_->clock.now();
            loop->scrape.end();
        }
    }
}

Task<void> Scraper::stop() {
    state_->stopped = true;
    co_await state_->tasks.stop();
}

std::vector<TargetHealth> Scraper::health() const {
    std::vector<TargetHealth> out;
    for (const LoopPtr& loop : state_->loops) {
        out.push_back(loop->scrape.health());
    }
    return out;
}

Task<void> Scraper::scrape_once(Target target) {
    LoopPtr loop = find(state_->loops, target);
    if (!loop) {
        loop = std::make_shared<Loop>(std::move(target), state_->services);
    }
    const TimestampMs at = state_->clock.now();
    co_await loop->scrape.scrape(at);
}

}  // namespace noroshi::collect
