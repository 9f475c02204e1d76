// src/api/prometheus.cpp - Prometheus's endpoints put together.
#include "api/prometheus.hpp"

#include <algorithm>
#include <iterator>

#include "answer.hpp"
#include "prometheus_handlers.hpp"

namespace noroshi::api {
namespace {

Task<net::ServerResponse> answered(Handler handler, net::ServerRequest request) {
    Result<Parameters> parameters = Parameters::read(request);
    if (!parameters) {
        co_return fault_response(FaultType::bad_data, parameters.error().message);
    }
    Result<net::ServerResponse> response = co_await handler(std::move(request), std::move(*parameters));
    co_return response ? std::move(*response) : fault_response(FaultType::bad_data, response.error().message);
}

}  // namespace

void add_route(std::vector<net::Route>& routes, const char* path, bool post, const Handler& handler) {
    const auto run = [handler](net::ServerRequest request) { return answered(handler, std::move(request)); };
    routes.push_back({"GET", path, net::Access::read, run});
    if (post) {
        routes.push_back({"POST", path, net::Access::read, run, true});
    }
}

std::vector<net::Route> prometheus_routes(PrometheusSources sources) {
    const Shared shared = std::make_shared<const PrometheusSources>(std::move(sources));
    std::vector<net::Route> out = query_routes(shared);
    std::ranges::move(series_routes(shared), std::back_inserter(out));
    std::ranges::move(state_routes(shared), std::back_inserter(out));
    return out;
}

}  // namespace noroshi::api
