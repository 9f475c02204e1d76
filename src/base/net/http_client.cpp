// src/base/net/http_client.cpp - the HTTP client over Beast: kept-alive connections, deadline, limits.
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
#include <map>
#include <variant>

#include "gzip.hpp"

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
    Connection(const Executor& executor, asio::ssl::context* tls) : stream_(make(executor, tls)) {}

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
            if (SSL_set_tlsext_host_name(tls->native_handle(), url.host.c_str()) != 1) {
                co_return fail(Errc::internal, "tls: host name was not taken");
            }
            tls->set_verify_callback(asio::ssl::host_name_verification(url.host));
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

    static Stream make(const Executor& executor, asio::ssl::context* tls) {
        if (tls != nullptr) {
            return Stream(std::in_place_type<TlsStream>, tcp::socket(executor), *tls);
        }
        return Stream(std::in_place_type<tcp::socket>, executor);
    }

    tcp::socket& socket() {
        auto* tls = std::get_if<TlsStream>(&stream_);
        return tls != nullptr ? tls->next_layer() : std::get<tcp::socket>(stream_);
    }

    Stream stream_;
    beast::flat_buffer buffer_{max_header_bytes + (64u << 10)};
};

class BeastClient final : public HttpClient {
  public:
    BeastClient(const Executor& executor, std::string user_agent)
        : executor_(executor), user_agent_(std::move(user_agent)), tls_(asio::ssl::context::tls_client) {
        error_code ignored;
        tls_.set_default_verify_paths(ignored);
        tls_.set_verify_mode(asio::ssl::verify_peer);
    }

    Task<Result<Response>> send(Request request) override {
        if (request.url.scheme != "http" && request.url.scheme != "https") {
            co_return fail(Errc::unsupported, fmt::format("expected http or https, got {}", request.url.scheme));
        }
        const Milliseconds timeout = request.timeout;
        Task<Result<Response>> work = attempt(std::move(request));
        co_return co_await with_deadline<Response>(std::move(work), timeout);
    }

  private:
    static std::string pool_key(const Url& url) { return fmt::format("{}://{}:{}", url.scheme, url.host, url.port); }

    std::unique_ptr<Connection> take_idle(const std::string& key) {
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

    void give_back(const std::string& key, std::unique_ptr<Connection> connection) {
        std::vector<std::unique_ptr<Connection>>& idle = idle_[key];
        if (idle.size() < max_idle_per_host) {
            connection->idle_since = std::chrono::steady_clock::now();
            idle.push_back(std::move(connection));
        }
    }

    Task<Result<Response>> attempt(Request request) {
        const std::string key = pool_key(request.url);
        if (std::unique_ptr<Connection> idle = take_idle(key)) {
            Result<Response> answer = co_await exchange(key, std::move(idle), request);
            // The server may have closed the kept connection meanwhile: that is no answer, so ask once more.
            const bool stale = !answer && answer.error().code == Errc::io;
            if (!stale) {
                co_return answer;
            }
        }
        asio::ssl::context* tls = request.url.scheme == "https" ? &tls_ : nullptr;
        auto connection = std::make_unique<Connection>(executor_, tls);
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
        out.body() = request.body;
        out.prepare_payload();
        return out;
    }

    // NOLINTNEXTLINE(*-reference-coroutine-parameters): both are owned by `attempt`, which awaits
    Task<Result<Response>> exchange(const std::string& key, std::unique_ptr<Connection> connection,
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
    asio::ssl::context tls_;
    std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(const Executor& executor, std::string user_agent) {
    return std::make_unique<BeastClient>(executor, std::move(user_agent));
}

}  // namespace noroshi::net
