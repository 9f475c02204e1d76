// src/base/net/http_policy.cpp - access rules and routing of the HTTP server.
#include "http_policy.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"

namespace noroshi::net {
namespace {

ServerResponse refuse(unsigned status, std::string text) {
    ServerResponse response;
    response.status = status;
    response.body = std::move(text) + "\n";
    return response;
}

std::string_view header(const ServerRequest& request, std::string_view name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

bool has_type(const ServerRequest& request, std::string_view type) {
    const std::string_view given = header(request, "Content-Type");
    return given.substr(0, given.find(';')) == type;
}

/// Segment by segment; `*` in the pattern is any segment with something in it.
bool matches(std::string_view pattern, std::string_view path) {
    while (true) {
        const std::string_view want = pattern.substr(0, pattern.find('/'));
        const std::string_view have = path.substr(0, path.find('/'));
        if (want == "*" ? have.empty() : want != have) {
            return false;
        }
        if (want.size() == pattern.size() || have.size() == path.size()) {
            return want.size() == pattern.size() && have.size() == path.size();
        }
        pattern.remove_prefix(want.size() + 1);
        path.remove_prefix(have.size() + 1);
    }
}

}  // namespace

HttpPolicy::HttpPolicy(std::vector<Route> routes, ServerPolicy policy, const std::string& address, std::uint16_t port,
                       bool loopback, Log log)
    : routes_(std::move(routes)), policy_(std::move(policy)), loopback_(loopback), log_(std::move(log)) {
    if (policy_.allowed_hosts.empty()) {
        const bool ipv6 = address.find(':') != std::string::npos;
        const std::string host = ipv6 ? "[" + address + "]" : address;
        policy_.allowed_hosts = {fmt::format("{}:{}", host, port), fmt::format("localhost:{}", port)};
    }
}

bool HttpPolicy::is_allowed_host(std::string_view host) const {
    return std::ranges::find(policy_.allowed_hosts, host) != policy_.allowed_hosts.end();
}

bool HttpPolicy::has_token(const ServerRequest& request) const {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = header(request, "Authorization");
    return !policy_.token.empty() && given.starts_with(scheme) &&
           crypto::equal_constant_time(as_bytes(given.substr(scheme.size())), as_bytes(policy_.token));
}

Task<ServerResponse> HttpPolicy::answer(ServerRequest request) const {
    if (!is_allowed_host(header(request, "Host"))) {
        co_return refuse(421, "this name does not belong to noroshi");
    }
    if (const std::string_view origin = header(request, "Origin"); !origin.empty()) {
        const bool own = origin.starts_with("http://") && is_allowed_host(origin.substr(7));
        if (!own) {
            co_return refuse(403, "requests from other sites are refused");
        }
    }
    const Found found = find(request);
    const std::string_view type = found.route != nullptr ? std::string_view(found.route->body_type) : "application/json";
    if (!request.body.empty() && !has_type(request, type)) {
        co_return refuse(415, fmt::format("expected Content-Type: {}", type));
    }
    if (found.route == nullptr) {
        co_return found.path_known ? refuse(405, "method not allowed") : refuse(404, "no such page");
    }
    const Route& route = *found.route;
    if ((route.access == Access::write || !loopback_) && !has_token(request)) {
        ServerResponse response = refuse(401, "a token is needed");
        response.headers["WWW-Authenticate"] = "Bearer";
        co_return response;
    }
    try {
        co_return co_await route.handle(std::move(request));
    } catch (const std::exception& fault) {
        log_.error("handler_failed", {{"path", route.path}, {"reason", fault.what()}});
        co_return refuse(500, "internal error; the log says more");
    }
}

HttpPolicy::Found HttpPolicy::find(const ServerRequest& request) const {
    const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
    Found out;
    for (const Route& route : routes_) {
        if (!matches(route.path, request.path)) {
            continue;
        }
        out.path_known = true;
        if (route.method == method) {
            out.route = &route;
            break;
        }
    }
    return out;
}

}  // namespace noroshi::net
