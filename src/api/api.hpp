// src/api/api.hpp - noroshi's own HTTP endpoints: /metrics, /healthz; the only public header here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "base/net/http_server.hpp"

namespace noroshi::api {

/// How one part of the daemon does.
struct PartHealth {
    std::string name;    ///< "waku", "targets", "rules", "outbox", "store"
    bool ok{true};
    std::string detail;  ///< one line for people
};

/// What the endpoints read; called on the I/O thread.
struct Sources {
    const Metrics& metrics;
    std::function<std::vector<PartHealth>()> health;
};

/// GET /metrics: text format 0.0.4.
/// GET /healthz: 200 {"status":"ok"} or 503 {"status":"degraded"}, each with every part.
[[nodiscard]] std::vector<net::Route> make_routes(Sources sources);

}  // namespace noroshi::api
