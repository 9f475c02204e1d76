// src/base/net/http_client.cpp - the HTTP client over Beast: kept-alive connections, deadline, limits.
#include "base/ascii.hpp"
#include "base/net/http_client.hpp"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <array>
#include <map>
#include <variant>

#include "gzip.hpp"
#include "tls_client.hpp"

namespace noroshi::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_header_bytes = 64u << 10;
constexpr std::size_t max_idle_per_host = 4;
constexpr std::chrono::seconds idle_lifetime{30};

using HttpRequest = http::request<http::string_body>;
using HttpParser = http::response_parser<http::string_body>;

Error named(const error_code& error, std::string_view act) {
    Errc code = Errc::io;
    if (error == asio::error::operation_aborted) {
        code = Errc::cancelled;
    } else if (error == asio::error::connection_refused || error == asio::error::host_not_found ||
               error == asio::error::host_not_found_try_again || error == asio::error::network_unreachable ||
               error == asio::error::host_unreachable) {
        code = Errc::refused;
    } else if (error == http::error::body_limit || error == http::error::header_limit ||
               error == http::error::buffer_overflow) {
        code = Errc::limit;
    } else if (error.category() == error_code(http::error::bad_version).category() &&
               error != http::error::end_of_stream && error != http::error::partial_message) {
        code = Errc::parse;
    }
    const std::string text = error == http::error::end_of_stream || error == http::error::partial_message
                                 ? std::string("connection closed early")
                                 : error.message();
    return Error{code, fmt::format("{}: {}", act, text), {}, code != Errc::limit};
}

/// One connection, plain or TLS. Reading and writing are written once over either stream.
class Connection {
  public:
    /// `tls` is null for http.
    Connection(const Executor& executor, std::shared_ptr<const TlsClient> tls)
        : tls_(std::move(tls)), stream_(make(executor, tls_.get())) {}

    Task<Result<void>> open(Url url) {
        error_code error;
        tcp::resolver resolver(socket().get_executor());
        const auto found = co_await resolver.async_resolve(url.host, std::to_string(url.port),
                                                           asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            co_return fail(named(error, "resolve"));
        }
        co_await asio::async_connect(socket(), found, asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            co_return fail(named(error, "connect"));
        }
        socket().set_option(tcp::no_delay(true), error);
        if (auto* tls = std::get_if<TlsStream>(&stream_)) {
            NOROSHI_CO_TRY_VOID(tls_->prepare(*tls, url.host));
            co_await tls->async_handshake(asio::ssl::stream_base::client,
                                          asio::redirect_error(asio::use_awaitable, error));
            if (error) {
                co_return fail(named(error, "tls"));
            }
        }
        co_return Result<void>{};
    }

    Task<error_code> write(HttpRequest& request) {  // NOLINT(*-reference-coroutine-parameters): owned by `exchange`
        error_code error;
        if (auto* tls = std::get_if<TlsStream>(&stream_)) {
            co_await http::async_write(*tls, request, asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await http::async_write(std::get<tcp::socket>(stream_), request,
                                       asio::redirect_error(asio::use_awaitable, error));
        }
        co_return error;
    }

    Task<error_code> read(HttpParser& parser) {  // NOLINT(*-reference-coroutine-parameters): owned by `exchange`
        error_code error;
        if (auto* tls = std::get_if<TlsStream>(&stream_)) {
            co_await http::async_read(*tls, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await http::async_read(std::get<tcp::socket>(stream_), buffer_, parser,
                                      asio::redirect_error(asio::use_awaitable, error));
        }
        co_return error;
    }

    std::chrono::steady_clock::time_point idle_since;

  private:
    using TlsStream = asio::ssl::stream<tcp::socket>;
    using Stream = std::variant<tcp::socket, TlsStream>;

    static Stream make(const Executor& executor, const TlsClient* tls) {
        if (tls != nullptr) {
            return Stream(std::in_place_type<TlsStream>, tcp::socket(executor), tls->context());
        }
        return Stream(std::in_place_type<tcp::socket>, executor);
    }

    tcp::socket& socket() {
        auto* tls = std::get_if<TlsStream>(&stream_);
        return tls != nullptr ? tls->next_layer() : std::get<tcp::socket>(stream_);
    }

    std::shared_ptr<const TlsClient> tls_;  // shared: the context must outlive the stream
    Stream stream_;
    beast::flat_buffer buffer_{max_header_bytes + (64u << 10)};
};

constexpr int most_redirects = 10;

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// What a browser or Go keeps sending after a redirect: `host` is `first`, or a name below it.
bool is_same_site(std::string_view host, std::string_view first) {
    const std::string now = ascii_lower(host);
    const std::string then = ascii_lower(first);
    if (now == then) {
        return true;
    }
    return now.find_first_of(":%") == std::string::npos && now.ends_with("." + then);
}

/// Headers that prove who asks.
void drop_credentials(Request& request) {
    static constexpr std::array<std::string_view, 6> names{"authorization", "www-authenticate", "cookie", "cookie2",
                                                           "proxy-authorization", "proxy-authenticate"};
    const auto proves = [](const auto& header) { return std::ranges::count(names, ascii_lower(header.first)) != 0; };
    std::erase_if(request.more_headers, proves);
    std::erase_if(request.headers, proves);
}

class BeastClient final : public HttpClient {
  public:
    BeastClient(const Executor& executor, std::string user_agent)
        : executor_(executor), user_agent_(std::move(user_agent)), system_tls_(*TlsClient::create({})) {}

    Task<Result<Response>> send(Request request) override {
        if (request.url.scheme != "http" && request.url.scheme != "https") {
            co_return fail(Errc::unsupported, fmt::format("expected http or https, got {}", request.url.scheme));
        }
        const Milliseconds timeout = request.timeout;
        Task<Result<Response>> work = follow(std::move(request));
        co_return co_await with_deadline<Response>(std::move(work), timeout);
    }

  private:
    /// One place to connect to, and how.
    using PoolKey = std::pair<std::string, const TlsClient*>;

    PoolKey pool_key(const Request& request) const {
        const Url& url = request.url;
        const bool tls = url.scheme == "https";
        return {fmt::format("{}://{}:{}", url.scheme, url.host, url.port), tls ? tls_of(request).get() : nullptr};
    }
    const std::shared_ptr<const TlsClient>& tls_of(const Request& request) const {
        return request.tls ? request.tls : system_tls_;
    }

    Task<Result<Response>> follow(Request request) {
        const std::string first = request.url.host;
        const bool follows = request.follow_redirects && (request.method == "GET" || request.method == "HEAD");
        for (int hops = 0;; ++hops) {
            Request current = request;
            Result<Response> answer = co_await attempt(std::move(current));
            const auto location = answer && follows && is_redirect(answer->status) ? answer->headers.find("Location")
                                                                                  : Headers::iterator();
            if (!answer || !follows || !is_redirect(answer->status) || location == answer->headers.end()) {
                co_return answer;
            }
            if (hops == most_redirects) {
                co_return fail(Errc::limit, fmt::format("stopped after {} redirects", most_redirects));
            }
            Result<Url> next = resolve_url(request.url, location->second);
            if (!next) {
                co_return fail(std::move(next).error().with("redirect"));
            }
            request.url = std::move(*next);
            if (!is_same_site(request.url.host, first)) {
                drop_credentials(request);
            }
        }
    }

    std::unique_ptr<Connection> take_idle(const PoolKey& key) {
        std::vector<std::unique_ptr<Connection>>& idle = idle_[key];
        while (!idle.empty()) {
            std::unique_ptr<Connection> connection = std::move(idle.back());
            idle.pop_back();
            if (std::chrono::steady_clock::now() - connection->idle_since < idle_lifetime) {
                return connection;
            }
        }
        return nullptr;
    }

    /// Places that nobody asks any more would keep their connections for ever.
    void close_forgotten() {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_look_ < idle_lifetime) {
            return;
        }
        last_look_ = now;
        for (auto place = idle_.begin(); place != idle_.end();) {
            std::erase_if(place->second, [&](const auto& idle) { return now - idle->idle_since >= idle_lifetime; });
            place = place->second.empty() ? idle_.erase(place) : std::next(place);
        }
    }

    void give_back(const PoolKey& key, std::unique_ptr<Connection> connection) {
        close_forgotten();
        std::vector<std::unique_ptr<Connection>>& idle = idle_[key];
        if (idle.size() < max_idle_per_host) {
            connection->idle_since = std::chrono::steady_clock::now();
            idle.push_back(std::move(connection));
        }
    }

    Task<Result<Response>> attempt(Request request) {
        const PoolKey key = pool_key(request);
        if (std::unique_ptr<Connection> idle = take_idle(key)) {
            Result<Response> answer = co_await exchange(key, std::move(idle), request);
            // The server may have closed the kept connection meanwhile: that is no answer, so ask once more.
            const bool stale = !answer && answer.error().code == Errc::io;
            if (!stale) {
                co_return answer;
            }
        }
        auto connection =
            std::make_unique<Connection>(executor_, request.url.scheme == "https" ? tls_of(request) : nullptr);
        NOROSHI_CO_TRY_VOID(co_await connection->open(request.url));
        co_return co_await exchange(key, std::move(connection), request);
    }

    HttpRequest make_request(const Request& request) const {
        HttpRequest out(http::string_to_verb(request.method), request.url.target, 11);
        const bool ipv6 = request.url.host.find(':') != std::string::npos;
        const std::string host = ipv6 ? "[" + request.url.host + "]" : request.url.host;
        const bool usual = request.url.port == (request.url.scheme == "https" ? 443 : 80);
        out.set(http::field::host, usual ? host : fmt::format("{}:{}", host, request.url.port));
        out.set(http::field::user_agent, user_agent_);
        out.set(http::field::accept_encoding, request.accept_gzip ? "gzip" : "identity");
        for (const auto& [name, value] : request.headers) {
            out.set(name, value);
        }
        for (const auto& [name, value] : request.more_headers) {
            out.insert(name, value);
        }
        out.body() = request.body;
        out.prepare_payload();
        return out;
    }

    // NOLINTNEXTLINE(*-reference-coroutine-parameters): both are owned by `attempt`, which awaits
    Task<Result<Response>> exchange(const PoolKey& key, std::unique_ptr<Connection> connection,
                                    const Request& request) {
        HttpRequest out = make_request(request);
        error_code error = co_await connection->write(out);
        if (error) {
            co_return fail(named(error, "send"));
        }
        HttpParser parser;
        parser.header_limit(static_cast<std::uint32_t>(max_header_bytes));
        parser.body_limit(request.body_limit);
        parser.skip(request.method == "HEAD");
        error = co_await connection->read(parser);
        if (error) {
            co_return fail(named(error, "receive"));
        }
        const bool keep = parser.keep_alive();
        Response response;
        auto message = parser.release();
        response.status = message.result_int();
        for (const auto& field : message) {
            response.headers.insert_or_assign(std::string(field.name_string()), std::string(field.value()));
        }
        response.body = std::move(message.body());
        if (keep) {
            give_back(key, std::move(connection));
        }
        const auto encoding = response.headers.find("Content-Encoding");
        if (encoding != response.headers.end() && beast::iequals(encoding->second, "gzip")) {
            NOROSHI_CO_TRY(response.body, gunzip(response.body, request.body_limit));
        }
        co_return response;
    }

    Executor executor_;
    std::string user_agent_;
    std::shared_ptr<const TlsClient> system_tls_;  // shared with connections
    std::map<PoolKey, std::vector<std::unique_ptr<Connection>>> idle_;  // a connection keeps the TlsClient of its key alive
    std::chrono::steady_clock::time_point last_look_{};
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const Executor& executor, std::string user_agent) {
    return std::make_unique<BeastClient>(executor, std::move(user_agent));
}

}  // namespace noroshi::net
