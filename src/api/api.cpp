// src/api/api.cpp - the handlers of noroshi's own HTTP endpoints.
#include "api/api.hpp"

#include <algorithm>
#include <utility>

#include "json.hpp"
#include "status_handlers.hpp"

namespace noroshi::api {
namespace {

constexpr std::uint64_t usual_messages = 100;

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
        Json body;
        body["status"] = ok ? "ok" : "degraded";
        body["parts"] = Json::array();
        for (const PartHealth& part : parts) {
            body["parts"].push_back({{"name", part.name}, {"ok", part.ok}, {"detail", part.detail}});
        }
        // Details may quote what a remote sent: bytes that are not UTF-8 are replaced, never an exception.
        co_return json_response(body.dump(2, ' ', false, Json::error_handler_t::replace), ok ? 200 : 503);
    }

    Task<net::ServerResponse> messages(net::ServerRequest request) const {
        const Result<std::uint64_t> limit = number_of(request.query, "limit", usual_messages);
        if (!limit) {
            co_return error_response(limit.error());
        }
        const Result<std::vector<MessageRecord>> records =
            co_await sources_.messages(std::min<std::size_t>(*limit, most_messages));
        if (!records) {
            co_return error_response(records.error());
        }
        Json out = Json::array();
        for (const MessageRecord& record : *records) {
            out.push_back(to_json(record));
        }
        co_return json_response(dump({{"messages", std::move(out)}}));
    }

  private:
    Sources sources_;
};

}  // namespace

std::vector<net::Route> make_routes(Sources sources) {
    std::vector<net::Route> routes;
    const bool whole_daemon = sources.messages != nullptr;
    if (whole_daemon) {
        routes = status_routes(sources.status);
    }
    // shared: each route's handler keeps the same handlers alive
    auto handlers = std::make_shared<const Handlers>(std::move(sources));
    routes.push_back({"GET", "/metrics", net::Access::read,
                      [handlers](net::ServerRequest request) { return handlers->metrics(std::move(request)); }});
    routes.push_back({"GET", "/healthz", net::Access::read,
                      [handlers](net::ServerRequest request) { return handlers->healthz(std::move(request)); }});
    if (whole_daemon) {
        routes.push_back({"GET", "/api/v1/messages", net::Access::read,
                          [handlers](net::ServerRequest request) { return handlers->messages(std::move(request)); }});
    }
    return routes;
}

}  // namespace noroshi::api
