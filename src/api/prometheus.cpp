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

constexpr const char* protobuf_type = "application/x-protobuf";

std::string_view header(const net::ServerRequest& request, std::string_view name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

void add_route(std::vector<net::Route>& routes, const char* path, bool post, const Handler& handler) {
    const auto run = [handler](net::ServerRequest request) { return answered(handler, std::move(request)); };
    routes.push_back({"GET", path, net::Access::read, run});
    if (post) {
        routes.push_back({"POST", path, net::Access::read, run, "application/x-www-form-urlencoded"});
    }
}

net::Route write_route(collect::RemoteWriteReceiver& receiver) {
    const auto handle = [&receiver](net::ServerRequest request) -> Task<net::ServerResponse> {
        const collect::WriteOutcome outcome =
            receiver.receive(header(request, "Content-Type"), header(request, "Content-Encoding"), request.body);
        net::ServerResponse response;
        response.status = outcome.status;
        response.body = outcome.text;
        if (outcome.counted) {
            response.headers["X-Prometheus-Remote-Write-Samples-Written"] = std::to_string(outcome.samples);
            response.headers["X-Prometheus-Remote-Write-Histograms-Written"] = std::to_string(outcome.histograms);
            response.headers["X-Prometheus-Remote-Write-Exemplars-Written"] = "0";
        }
        co_return response;
    };
    return {"POST", "/api/v1/write", net::Access::write, handle, protobuf_type};
}

net::Route otlp_route(collect::OtlpReceiver& receiver) {
    const auto handle = [&receiver](net::ServerRequest request) -> Task<net::ServerResponse> {
        const collect::OtlpOutcome outcome =
            receiver.receive(header(request, "Content-Type"), header(request, "Content-Encoding"), request.body);
        net::ServerResponse response;
        response.status = outcome.status;
        response.content_type = protobuf_type;
        response.body = outcome.body;
        co_return response;
    };
    return {"POST", "/api/v1/otlp/v1/metrics", net::Access::write, handle, protobuf_type};
}

std::vector<net::Route> prometheus_routes(PrometheusSources sources) {
    const Shared shared = std::make_shared<const PrometheusSources>(std::move(sources));
    std::vector<net::Route> out = query_routes(shared);
    std::ranges::move(series_routes(shared), std::back_inserter(out));
    std::ranges::move(state_routes(shared), std::back_inserter(out));
    return out;
}

}  // namespace noroshi::api
