// src/api/api.cpp - the handlers of noroshi's own HTTP endpoints.
#include "api/api.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace noroshi::api {
namespace {

class Handlers {
  public:
    explicit Handlers(Sources sources) : sources_(std::move(sources)) {}

    Task<net::ServerResponse> metrics(net::ServerRequest) const {
        net::ServerResponse response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = sources_.metrics.expose();
        co_return response;
    }

    Task<net::ServerResponse> healthz(net::ServerRequest) const {
        const std::vector<PartHealth> parts = sources_.health();
        const bool ok = std::ranges::all_of(parts, [](const PartHealth& part) { return part.ok; });
        nlohmann::ordered_json body;
        body["status"] = ok ? "ok" : "degraded";
        body["parts"] = nlohmann::ordered_json::array();
        for (const PartHealth& part : parts) {
            body["parts"].push_back({{"name", part.name}, {"ok", part.ok}, {"detail", part.detail}});
        }
        net::ServerResponse response;
        response.status = ok ? 200 : 503;
        response.content_type = "application/json";
        // Details may quote what a remote sent: bytes that are not UTF-8 are replaced, never an exception.
        response.body = body.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
        co_return response;
    }

  private:
    Sources sources_;
};

}  // namespace

std::vector<net::Route> make_routes(Sources sources) {
    // shared: each route's handler keeps the same handlers alive
    auto handlers = std::make_shared<const Handlers>(std::move(sources));
    std::vector<net::Route> routes;
    routes.push_back({"GET", "/metrics", net::Access::read,
                      [handlers](net::ServerRequest request) { return handlers->metrics(std::move(request)); }});
    routes.push_back({"GET", "/healthz", net::Access::read,
                      [handlers](net::ServerRequest request) { return handlers->healthz(std::move(request)); }});
    return routes;
}

}  // namespace noroshi::api
