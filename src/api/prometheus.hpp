// src/api/prometheus.hpp - Prometheus's HTTP API over our series, rules and targets.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/net/http_server.hpp"
#include "base/task.hpp"
#include "base/time.hpp"
#include "collect/collect.hpp"
#include "collect/push/otlp.hpp"
#include "collect/push/remote_write.hpp"
#include "promql/promql.hpp"
#include "rules/rules.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::api {

/// The version of Prometheus whose API this is: what clients are told who look for features by version.
inline constexpr std::string_view prometheus_version = "3.16.0";
/// The I/O thread evaluates, so nothing is scraped meanwhile: half of the usual scrape timeout, and no query gets more.
inline constexpr Milliseconds longest_evaluation{5'000};
/// So long a query waits for its turn at most.
inline constexpr Milliseconds longest_queue{30'000};
inline constexpr std::int64_t most_points = 11'000;  ///< of one series in a range query

/// What /api/v1/status/... tells of this daemon.
struct DaemonFacts {
    std::string version;
    std::string host;
    TimestampMs started{};
    bool reload_ok{true};
    TimestampMs last_reload{};
    Milliseconds retention{0};
    std::string listens;  ///< "127.0.0.1:9596"
};

/// What the endpoints read; called on the I/O thread. All outlive the server.
struct PrometheusSources {
    const tsdb::Head& head;
    const Clock& clock;
    Timers& timers;
    promql::EngineOptions engine;
    std::function<std::vector<collect::TargetHealth>()> targets;
    std::function<std::vector<rules::GroupStatus>()> groups;
    std::function<DaemonFacts()> facts;
    promql::ParseOptions expressions{};
};

/// GET and POST /api/v1/query, query_range, query_exemplars, format_query, series, labels; GET /api/v1/label/<name>/values,
/// metadata, targets, scrape_pools, rules, alerts, alertmanagers, status/buildinfo|runtimeinfo|flags|tsdb, /federate,
/// /-/healthy, /-/ready. Answers, faults and their HTTP codes as Prometheus 3.16 has them; docs/api.md has what differs.
[[nodiscard]] std::vector<net::Route> prometheus_routes(PrometheusSources sources);

/// POST /api/v1/write, with the token. The receiver outlives the server.
[[nodiscard]] net::Route write_route(collect::RemoteWriteReceiver& receiver);
/// POST /api/v1/otlp/v1/metrics, with the token. The receiver outlives the server.
[[nodiscard]] net::Route otlp_route(collect::OtlpReceiver& receiver);

}  // namespace noroshi::api
