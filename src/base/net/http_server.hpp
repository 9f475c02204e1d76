// src/base/net/http_server.hpp - a small HTTP/1.1 server with one access policy for every endpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/net/http.hpp"
#include "base/task.hpp"

namespace noroshi::net {

/// What a handler sees. The policy was applied already.
struct ServerRequest {
    std::string method;
    std::string path;   ///< as sent, without the query
    std::string query;  ///< raw, after '?'
    Headers headers;
    std::string body;
};

struct ServerResponse {
    unsigned status{200};
    std::string content_type{"text/plain; charset=utf-8"};
    std::string body;
    Headers headers{};
    /// What follows `body`, made while it is sent: appends the next piece, false when there is none. Null: nothing follows.
    /// It goes out in chunks, so that a large answer is never in memory as a whole.
    std::function<bool(std::string&)> more{};
};

/// Who may call.
enum class Access { read /* free on loopback */, write /* always needs the token */ };

/// One endpoint: method and path. A segment `*` of the path stands for any one that is not empty.
struct Route {
    std::string method;
    std::string path;
    Access access{Access::read};
    std::function<Task<ServerResponse>(ServerRequest)> handle;
    std::string body_type{"application/json"};  ///< media type that a body must have
};

/// Limits and access rules that hold for every route.
/// - Host must be one of `allowed_hosts` (with the port), else 421: defeats DNS rebinding.
/// - An Origin header, when there is one, must be http:// + one of `allowed_hosts`, else 403.
/// - A request with a body must have the Content-Type of its route, else 415.
/// - Access::write, and every read when the listening address is not loopback, needs `Authorization: Bearer <token>`
///   (compared in constant time), else 401.
struct ServerPolicy {
    std::vector<std::string> allowed_hosts;  ///< empty: the listening address and "localhost", each with the port
    std::string token;                       ///< empty: no write is ever allowed
    std::size_t max_body_bytes{1u << 20};
    std::size_t max_header_bytes{16u << 10};
    std::size_t max_connections{64};
    Milliseconds request_timeout{10'000};
    Milliseconds idle_timeout{60'000};
};

/// A server; owns its connections. Thread: the I/O thread.
class HttpServer {
  public:
    virtual ~HttpServer() = default;
    /// The bound port, useful when 0 was asked for.
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// Closes the listener and all connections; ends when their tasks have ended.
    [[nodiscard]] virtual Task<void> stop() = 0;
};

/// Binds `address:port` and serves. Errors: invalid_argument (address), refused (port in use), io.
[[nodiscard]] Result<std::unique_ptr<HttpServer>> serve_http(const Executor& executor, const std::string& address,
                                                             std::uint16_t port, std::vector<Route> routes,
                                                             ServerPolicy policy, Log log);

}  // namespace noroshi::net
