// src/api/status_handlers.cpp - HTTP in front of a StatusDesk.
#include "status_handlers.hpp"

#include <algorithm>
#include <utility>

#include "json.hpp"

namespace noroshi::api {
namespace {

constexpr std::size_t most_key_bytes = 4'096;  // a share URL with a profile in it
constexpr std::size_t most_text_bytes = 4'096;
constexpr std::uint64_t usual_pairing_seconds = 600;

unsigned status_of(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
        case Errc::parse:
        case Errc::limit:
            return 400;
        case Errc::not_found:
            return 404;
        case Errc::conflict:
        case Errc::refused:
        case Errc::unsupported:
            return 409;
        case Errc::io:
        case Errc::timeout:
        case Errc::cancelled:
        case Errc::corrupt:
        case Errc::internal:
            return 503;
    }
    return 503;
}

/// One request and its answer, for a desk that is there.
class StatusHandlers {
  public:
    explicit StatusHandlers(StatusDesk& desk) : desk_(desk) {}

    Task<net::ServerResponse> info(net::ServerRequest /*request*/) const {
        const Result<StatusInfo> info = co_await desk_.info();
        co_return info ? json_response(dump(to_json(*info))) : error_response(info.error());
    }

    Task<net::ServerResponse> requests(net::ServerRequest request) const {
        const Result<std::uint64_t> after = number_of(request.query, "after", 0);
        const Result<std::uint64_t> wait = number_of(request.query, "wait", 0);
        if (!after || !wait) {
            co_return error_response(after ? wait.error() : after.error());
        }
        const auto seconds = std::chrono::seconds(std::min<std::uint64_t>(*wait, longest_wait / std::chrono::seconds(1)));
        const Result<std::vector<PairingRequest>> open = co_await desk_.requests(*after, seconds);
        if (!open) {
            co_return error_response(open.error());
        }
        Json out = Json::array();
        for (const PairingRequest& each : *open) {
            out.push_back(to_json(each));
        }
        co_return json_response(dump({{"requests", std::move(out)}}));
    }

    Task<net::ServerResponse> pairing(net::ServerRequest request) const {
        const Json body = Json::parse(request.body, nullptr, false);
        const Json open = body.is_object() ? body.value("open", Json()) : Json();
        const Json seconds = body.is_object() ? body.value("seconds", Json(usual_pairing_seconds)) : Json();
        if (!open.is_boolean() || !seconds.is_number_unsigned()) {
            co_return error_response({Errc::invalid_argument, "expected {\"open\": true|false, \"seconds\": number}", {}, false});
        }
        const auto most = static_cast<std::uint64_t>(longest_pairing / std::chrono::seconds(1));
        const auto duration = std::chrono::seconds(open ? std::min(seconds.get<std::uint64_t>(), most) : 0);
        co_return answer(co_await desk_.open_pairing(duration));
    }

    Task<net::ServerResponse> accept(net::ServerRequest request) const {
        const Json body = Json::parse(request.body, nullptr, false);
        Result<std::string> from = text_field(body, "from", most_key_bytes);
        if (!from) {
            co_return error_response(from.error());
        }
        Result<std::string> role = body.contains("role") ? text_field(body, "role", 16) : Result<std::string>("viewer");
        if (!role) {
            co_return error_response(role.error());
        }
        co_return answer(co_await desk_.accept(std::move(*from), std::move(*role)));
    }

    Task<net::ServerResponse> request(net::ServerRequest request) const {
        const Json body = Json::parse(request.body, nullptr, false);
        Result<std::string> to = text_field(body, "to", most_key_bytes);
        Result<std::string> text = text_field(body, "text", most_text_bytes);
        if (!to || !text) {
            co_return error_response(to ? text.error() : to.error());
        }
        co_return answer(co_await desk_.request(std::move(*to), std::move(*text)));
    }

    Task<net::ServerResponse> remove(net::ServerRequest request) const {
        Result<std::string> key = text_field(Json::parse(request.body, nullptr, false), "key", most_key_bytes);
        if (!key) {
            co_return error_response(key.error());
        }
        co_return answer(co_await desk_.remove(std::move(*key)));
    }

  private:
    static net::ServerResponse answer(const Result<void>& done) {
        return done ? json_response("{}") : error_response(done.error());
    }

    StatusDesk& desk_;
};

Task<net::ServerResponse> nobody(net::ServerRequest /*request*/) {
    co_return error_response({Errc::not_found, "no_status: this daemon runs without a configuration, or waku.shards lacks 32", {}, false});
}

}  // namespace

net::ServerResponse json_response(std::string body, unsigned status) {
    net::ServerResponse out;
    out.status = status;
    out.content_type = "application/json";
    out.body = std::move(body) + "\n";
    return out;
}

net::ServerResponse error_response(const Error& error) {
    return json_response(dump(to_json(error)), status_of(error.code));
}

std::vector<net::Route> status_routes(StatusDesk* desk) {
    using Handler = Task<net::ServerResponse> (StatusHandlers::*)(net::ServerRequest) const;
    struct Row {
        const char* method;
        const char* path;
        Handler handler;
    };
    static constexpr Row rows[] = {
        {"GET", "/api/v1/status", &StatusHandlers::info},
        {"GET", "/api/v1/status/requests", &StatusHandlers::requests},
        {"POST", "/api/v1/status/pairing", &StatusHandlers::pairing},
        {"POST", "/api/v1/status/accept", &StatusHandlers::accept},
        {"POST", "/api/v1/status/request", &StatusHandlers::request},
        {"POST", "/api/v1/status/remove", &StatusHandlers::remove},
    };
    // shared: each route's handler keeps the same handlers alive
    const auto handlers = desk == nullptr ? nullptr : std::make_shared<const StatusHandlers>(*desk);
    std::vector<net::Route> out;
    for (const Row& row : rows) {
        const net::Access access = std::string_view(row.method) == "GET" ? net::Access::read : net::Access::write;
        out.push_back({row.method, row.path, access, [handlers, handler = row.handler](net::ServerRequest request) {
                           return handlers ? ((*handlers).*handler)(std::move(request)) : nobody(std::move(request));
                       }});
    }
    return out;
}

}  // namespace noroshi::api
