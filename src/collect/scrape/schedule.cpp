// src/collect/scrape/schedule.cpp - implements the arithmetic of ticks.
#include "scrape/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace noroshi::collect {

namespace {

constexpr Milliseconds tolerance{2};

/// Time since the last tick: in [0, interval).
Milliseconds since_tick(TimestampMs now, Milliseconds phase, Milliseconds interval) {
    const Milliseconds rest = (now.time_since_epoch() - phase) % interval;
    return rest < Milliseconds(0) ? rest + interval : rest;
}

bool same_client(const net::ClientSetup* a, const net::ClientSetup* b) {
    return a == b || (a != nullptr && b != nullptr && a->options() == b->options());
}

std::string url_text(const net::Url& url) {
    return fmt::format("{}://{}:{}{}", url.scheme, url.host, url.port, url.target);
}

}  // namespace

Milliseconds interval_of(const Target& target) { return std::max(target.interval, min_interval); }

Milliseconds phase_of(const Target& target) {
    const std::uint64_t hash = target.labels.with("__url__", url_text(target.url)).hash();
    return Milliseconds(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval_of(target).count())));
}

Milliseconds delay_to_phase(TimestampMs now, Milliseconds phase, Milliseconds interval) {
    return interval - since_tick(now, phase, interval);
}

SteadyMs next_due(SteadyMs due, SteadyMs now, Milliseconds interval) {
    const std::int64_t passed = now < due ? 0 : (now - due) / interval;
    return due + interval * (passed + 1);
}

TimestampMs aligned(TimestampMs now, Milliseconds phase, Milliseconds interval) {
    const Milliseconds since = since_tick(now, phase, interval);
    if (since <= tolerance) {
        return now - since;
    }
    return interval - since <= tolerance ? now + (interval - since) : now;
}

bool Target::operator==(const Target& other) const {
    return labels == other.labels && job == other.job && url_text(url) == url_text(other.url) &&
           interval == other.interval && timeout == other.timeout && body_size_limit == other.body_size_limit &&
           sample_limit == other.sample_limit && series_limit == other.series_limit &&
           target_limit == other.target_limit && label_limit == other.label_limit &&
           label_name_length_limit == other.label_name_length_limit &&
           label_value_length_limit == other.label_value_length_limit && metric_relabel == other.metric_relabel &&
           track_timestamps_staleness == other.track_timestamps_staleness && honor_labels == other.honor_labels &&
           honor_timestamps == other.honor_timestamps && enable_compression == other.enable_compression &&
           protocols == other.protocols && histograms == other.histograms && legacy_names == other.legacy_names &&
           escaping == other.escaping && fallback == other.fallback && same_client(client.get(), other.client.get());
}

}  // namespace noroshi::collect
