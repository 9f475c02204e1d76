// src/base/net/http_client.hpp - HTTP/1.1 requests with a deadline and a body limit; the seam that hides Asio and Beast.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/net/http.hpp"
#include "base/task.hpp"

namespace noroshi::net {

/// Reads "http://host:port/path?query", also with an IPv6 host in brackets. Errors: parse.
[[nodiscard]] Result<Url> parse_url(std::string_view text);
/// `text` as a segment of a path or a value of a query: everything but letters, digits and -_.~ as %XX (RFC 3986, 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Where a Location header of an answer of `base` leads: an absolute URL, "//host/..", "/path", "?query" or a path beside
/// the last one. Errors: parse.
[[nodiscard]] Result<Url> resolve_url(const Url& base, std::string_view location);

/// What TLS connections are made with; tls_client.hpp makes it.
class TlsClient;

/// One request. `body_limit` counts the answer's body after decompression.
struct Request {
    std::string method{"GET"};
    Url url;
    Headers headers;
    std::string body;
    Milliseconds timeout{10'000};
    std::size_t body_limit{16u << 20};
    bool accept_gzip{true};
    /// Sent beside `headers`, several of one name as several lines. Those that prove who asks (Authorization, Cookie and the
    /// like) are not sent on to another host after a redirect.
    std::vector<std::pair<std::string, std::string>> more_headers{};
    bool follow_redirects{false};  ///< of GET and HEAD, at most ten
    std::shared_ptr<const TlsClient> tls{};  ///< for https; null: the system's roots. Shared with the connections made by it
};

struct Response {
    unsigned status{0};
    Headers headers;
    std::string body;  ///< decompressed
};

/// Sends requests. Connections are kept alive and reused a host and port, at most four idle ones each.
/// Thread: the I/O thread. No proxy is used.
class HttpClient {
  public:
    virtual ~HttpClient() = default;
    /// Errors, all with the reason in `code`: timeout, refused (connection), io (closed early), limit (body too large),
    /// parse (not HTTP, bad gzip), unsupported (scheme), cancelled.
    [[nodiscard]] virtual Task<Result<Response>> send(Request request) = 0;
};

/// The real client over Boost.Beast. `user_agent` goes with each request.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(const Executor& executor, std::string user_agent);

}  // namespace noroshi::net
