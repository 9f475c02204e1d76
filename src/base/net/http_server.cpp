// src/base/net/http_server.cpp - the HTTP server over Beast: accept, limits, then policy and routes.
#include "base/net/http_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "http_policy.hpp"

namespace noroshi::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

using HttpResponse = http::response<http::string_body>;

/// What a request wants of its answer beside the content.
struct Wanted {
    bool keep_alive{false};
    bool head{false};     ///< no body
    bool chunked{false};  ///< HTTP/1.1: the body may come in pieces
};

HttpResponse to_beast(ServerResponse response, const Wanted& wanted) {
    HttpResponse out(static_cast<http::status>(response.status), 11);
    out.set(http::field::server, "noroshi");
    out.set(http::field::content_type, response.content_type);
    out.set("X-Content-Type-Options", "nosniff");
    out.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : response.headers) {
        out.set(name, value);
    }
    out.keep_alive(wanted.keep_alive);
    if (response.more && wanted.chunked) {
        out.chunked(true);
    } else {
        while (response.more && !wanted.head && response.more(response.body)) {
        }
        out.content_length(response.body.size());
    }
    if (!wanted.head) {
        out.body() = std::move(response.body);
    }
    return out;
}

class BeastServer final : public HttpServer {
  public:
    BeastServer(const Executor& executor, tcp::acceptor acceptor, HttpPolicy policy, Log log)
        : acceptor_(std::move(acceptor)), policy_(std::move(policy)), log_(std::move(log)), tasks_(executor) {
        tasks_.spawn("http_accept", accept());
    }

    [[nodiscard]] std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

    Task<void> stop() override {
        error_code ignored;
        acceptor_.cancel(ignored);
        co_await tasks_.stop();
        acceptor_.close(ignored);
    }

  private:
    Task<void> accept() {
        while (true) {
            error_code error;
            tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
            if (error == asio::error::operation_aborted) {
                co_return;
            }
            if (error) {
                log_.warn("accept_failed", {{"reason", error.message()}});
                continue;
            }
            if (tasks_.running() > policy_.limits().max_connections) {
                continue;  // the accept task is one of them; the socket closes here
            }
            tasks_.spawn("http_connection", serve(std::move(socket)));
        }
    }

    Task<void> serve(tcp::socket socket) {
        beast::tcp_stream stream(std::move(socket));
        beast::flat_buffer buffer(policy_.limits().max_header_bytes + 65536);
        bool first = true;
        while (true) {
            http::request_parser<http::string_body> parser;
            parser.header_limit(static_cast<std::uint32_t>(policy_.limits().max_header_bytes));
            parser.body_limit(policy_.limits().max_body_bytes);
            error_code error;
            // Between requests a connection may idle; within one it may not.
            stream.expires_after(first ? policy_.limits().request_timeout : policy_.limits().idle_timeout);
            co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
            first = false;
            const unsigned refused = refusal(error);
            if (error && refused == 0) {
                co_return;
            }
            HttpResponse response;
            std::function<bool(std::string&)> more;
            if (refused != 0) {
                response = to_beast({refused, "text/plain; charset=utf-8", "request is too large\n"}, {});
            } else {
                const auto& head = parser.get();
                const Wanted wanted{head.keep_alive(), head.method() == http::verb::head,
                                    head.version() >= 11 && head.method() != http::verb::head};
                ServerResponse answer = co_await policy_.answer(to_request(parser.release()));
                more = wanted.chunked ? answer.more : nullptr;
                response = to_beast(std::move(answer), wanted);
            }
            error = co_await write(stream, response, more);
            if (error || !response.keep_alive()) {
                stream.socket().shutdown(tcp::socket::shutdown_send, error);
                co_return;
            }
        }
    }

    /// Each piece must be taken within the request's time; a client that reads slowly slows nobody else.
    // NOLINTNEXTLINE(*-reference-coroutine-parameters): the caller awaits it
    Task<error_code> write(beast::tcp_stream& stream, HttpResponse& response, std::function<bool(std::string&)>& more) {
        const Milliseconds patience = policy_.limits().request_timeout;
        error_code error;
        stream.expires_after(patience);
        if (!more) {
            co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
            co_return error;
        }
        std::string piece = std::move(response.body());
        response.body().clear();
        http::response_serializer<http::string_body> head(response);
        co_await http::async_write_header(stream, head, asio::redirect_error(asio::use_awaitable, error));
        bool rest = true;
        while (!error && (rest || !piece.empty())) {
            if (!piece.empty()) {
                stream.expires_after(patience);
                co_await asio::async_write(stream, http::make_chunk(asio::buffer(piece)),
                                           asio::redirect_error(asio::use_awaitable, error));
                piece.clear();
            }
            rest = rest && more(piece);
        }
        if (!error) {
            stream.expires_after(patience);
            co_await asio::async_write(stream, http::make_chunk_last(), asio::redirect_error(asio::use_awaitable, error));
        }
        co_return error;
    }

    static unsigned refusal(const error_code& error) {
        if (error == http::error::body_limit) {
            return 413;
        }
        if (error == http::error::header_limit || error == http::error::buffer_overflow) {
            return 431;
        }
        return 0;
    }

    static ServerRequest to_request(http::request<http::string_body> message) {
        ServerRequest request;
        request.method = std::string(message.method_string());
        const std::string target(message.target());
        const std::size_t mark = target.find('?');
        request.path = target.substr(0, mark);
        request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
        for (const auto& field : message) {
            request.headers.insert_or_assign(std::string(field.name_string()), std::string(field.value()));
        }
        request.body = std::move(message.body());
        return request;
    }

    tcp::acceptor acceptor_;
    HttpPolicy policy_;
    Log log_;
    TaskGroup tasks_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> serve_http(const Executor& executor, const std::string& address, std::uint16_t port,
                                               std::vector<Route> routes, ServerPolicy policy, Log log) {
    error_code error;
    const asio::ip::address ip = asio::ip::make_address(address, error);
    if (error) {
        return fail(Errc::invalid_argument, fmt::format("http address: expected an IP address, got \"{}\"", address));
    }
    const tcp::endpoint endpoint(ip, port);
    tcp::acceptor acceptor(executor);
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        acceptor.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        const Errc code = error == asio::error::address_in_use ? Errc::refused : Errc::io;
        return fail(code, fmt::format("cannot listen on {}:{}: {}", address, port, error.message()));
    }
    const std::uint16_t bound = acceptor.local_endpoint().port();
    HttpPolicy rules(std::move(routes), std::move(policy), address, bound, ip.is_loopback(), log);
    return std::make_unique<BeastServer>(executor, std::move(acceptor), std::move(rules), std::move(log));
}

}  // namespace noroshi::net
