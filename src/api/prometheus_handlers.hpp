// src/api/prometheus_handlers.hpp - the three families of Prometheus's endpoints.
#pragma once

#include <memory>
#include <vector>

#include "api/prometheus.hpp"
#include "parameters.hpp"

namespace noroshi::api {

using Shared = std::shared_ptr<const PrometheusSources>;  // shared: each route's handler keeps the sources alive

/// query, query_range, query_exemplars, format_query.
[[nodiscard]] std::vector<net::Route> query_routes(const Shared& sources);
/// series, labels, label values, federate.
[[nodiscard]] std::vector<net::Route> series_routes(const Shared& sources);
/// Targets, rules, alerts, status, health.
[[nodiscard]] std::vector<net::Route> state_routes(const Shared& sources);

/// A handler that has its parameters; its error is answered as bad_data.
using Handler = std::function<Task<Result<net::ServerResponse>>(net::ServerRequest, Parameters)>;
/// GET, and with `post` also POST with a form.
void add_route(std::vector<net::Route>& routes, const char* path, bool post, const Handler& handler);

}  // namespace noroshi::api
