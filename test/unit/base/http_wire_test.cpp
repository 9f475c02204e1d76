// test/unit/base/http_wire_test.cpp - client and server against peers that hang, lie, flood or break off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "base/net/brotli.hpp"
#include "base/net/http_client.hpp"
#include "base/net/http_server.hpp"
#include "net/gzip.hpp"
#include "net/http_policy.hpp"
#include "raw_server.hpp"
#include "run_task.hpp"

namespace noroshi::net {
namespace {

using namespace std::chrono_literals;
using test::RawServer;
using test::RawSocket;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view end_of_head = "\r\n\r\n";

std::string gzipped(std::string_view text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// What the client makes of a server that answers each connection once with these bytes and closes.
Result<Response> asked_of(std::string answer, std::size_t body_limit = 1 << 20) {
    const RawServer server([&answer](const RawSocket& socket, int) {
        static_cast<void>(socket.read_until(end_of_head));
        socket.write(answer);
    });
    Runtime runtime(0);
    const auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/metrics"};
    request.timeout = 5s;
    request.body_limit = body_limit;
    return test::run(runtime, client->send(std::move(request)));
}

std::string answer(std::string_view headers, std::string_view body) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), headers, body);
}

TEST(Client, Says_who_it_is_and_to_whom_it_speaks) {
    std::string heard;
    const RawServer server([&heard](const RawSocket& socket, int) {
        heard = socket.read_until(end_of_head);
        socket.write(answer("", "ok"));
    });
    Runtime runtime(0);
    const auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/a?b=c"};
    request.headers["X-Own"] = "yes";
    ASSERT_TRUE(test::run(runtime, client->send(std::move(request))));
    EXPECT_THAT(heard, StartsWith("GET /a?b=c HTTP/1.1\r\n"));
    EXPECT_THAT(heard, HasSubstr(fmt::format("Host: 127.0.0.1:{}\r\n", server.port())));
    EXPECT_THAT(heard, HasSubstr("User-Agent: test/1\r\n"));
    EXPECT_THAT(heard, HasSubstr("Accept-Encoding: gzip\r\n"));
    EXPECT_THAT(heard, HasSubstr("X-Own: yes\r\n"));
}

TEST(Client, Gives_up_on_a_server_that_never_answers) {
    const RawServer server([](const RawSocket& socket, int) { static_cast<void>(socket.read_all()); });
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/"};
    request.timeout = 20ms;
    EXPECT_EQ(test::run(runtime, client->send(std::move(request))).error().code, Errc::timeout);
}

TEST(Client, Gives_up_on_a_server_that_stops_within_the_body) {
    const RawServer server([](const RawSocket& socket, int) {
        static_cast<void>(socket.read_until(end_of_head));
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        static_cast<void>(socket.read_all());
    });
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/"};
    request.timeout = 20ms;
    EXPECT_EQ(test::run(runtime, client->send(std::move(request))).error().code, Errc::timeout);
}

TEST(Client, A_body_that_breaks_off_is_an_error_and_not_a_shorter_body) {
    const auto response = asked_of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na 1\n");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::io);
    EXPECT_THAT(response.error().message, HasSubstr("closed early"));
    EXPECT_TRUE(response.error().retryable);
}

TEST(Client, A_chunked_body_that_breaks_off_is_an_error) {
    const auto response = asked_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n");
    EXPECT_EQ(response.error().code, Errc::io);
}

TEST(Client, Reads_a_body_without_a_length_to_its_end) {
    const auto response = asked_of("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\na 1\n");
    ASSERT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(response->body, "a 1\n");
    EXPECT_EQ(response->headers.at("content-type"), "text/plain");
}

TEST(Client, Answers_that_are_not_HTTP_are_named_so) {
    EXPECT_EQ(asked_of("SSH-2.0-OpenSSH_9.2\r\n").error().code, Errc::parse);
    EXPECT_EQ(asked_of("\x01\x02\x03\x04\r\n\r\n").error().code, Errc::parse);
    EXPECT_EQ(asked_of("").error().code, Errc::io);
}

TEST(Client, A_claimed_length_over_the_limit_ends_at_the_header) {
    const auto response = asked_of("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\nabc");
    EXPECT_EQ(response.error().code, Errc::limit);
    EXPECT_FALSE(response.error().retryable);
}

TEST(Client, A_body_without_a_length_ends_at_the_limit) {
    const std::string body(5000, 'x');
    EXPECT_EQ(asked_of("HTTP/1.0 200 OK\r\n\r\n" + body, 1000).error().code, Errc::limit);
}

TEST(Client, Endless_headers_end_at_a_limit) {
    std::string flood = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 4000; ++i) {
        flood += fmt::format("X-{}: {}\r\n", i, std::string(30, 'y'));
    }
    EXPECT_EQ(asked_of(flood).error().code, Errc::limit);
}

TEST(Client, Unpacks_gzip) {
    const auto response = asked_of(answer("Content-Encoding: gzip\r\n", gzipped("a 1\n")));
    ASSERT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(response->body, "a 1\n");
}

TEST(Client, A_gzip_bomb_ends_at_the_limit) {
    const std::string bomb = gzipped(std::string(8u << 20, 'x'));
    ASSERT_LT(bomb.size(), 20'000U);
    EXPECT_EQ(asked_of(answer("Content-Encoding: gzip\r\n", bomb), 1u << 20).error().code, Errc::limit);
}

TEST(Client, Gzip_that_is_cut_short_is_an_error) {
    const std::string whole = gzipped("a 1\nb 2\n");
    EXPECT_EQ(asked_of(answer("Content-Encoding: gzip\r\n", whole.substr(0, whole.size() / 2))).error().code, Errc::parse);
    EXPECT_EQ(asked_of(answer("Content-Encoding: gzip\r\n", "no gzip")).error().code, Errc::parse);
}

TEST(Client, Asks_again_when_a_kept_connection_was_closed_meanwhile) {
    RawServer server([](const RawSocket& socket, int connection) {
        static_cast<void>(socket.read_until(end_of_head));
        socket.write(answer("", std::to_string(connection)));
    });
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/"};
    EXPECT_EQ(test::run(runtime, client->send(request))->body, "1");
    EXPECT_EQ(test::run(runtime, client->send(request))->body, "2");
}

TEST(Client, Uses_a_kept_connection_again) {
    RawServer server([](const RawSocket& socket, int connection) {
        for (int i = 0; i < 2; ++i) {
            static_cast<void>(socket.read_until(end_of_head));
            socket.write(answer("", std::to_string(connection)));
        }
    });
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/"};
    EXPECT_EQ(test::run(runtime, client->send(request))->body, "1");
    EXPECT_EQ(test::run(runtime, client->send(request))->body, "1");
    EXPECT_EQ(server.connections(), 1);
}

TEST(Client, Speaks_http_and_https_only) {
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"ftp", "127.0.0.1", 1, "/"};
    EXPECT_EQ(test::run(runtime, client->send(std::move(request))).error().code, Errc::unsupported);
}

TEST(Client, Names_a_host_that_is_none) {
    Runtime runtime(0);
    auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "no-such-host.invalid", 1, "/"};
    const auto response = test::run(runtime, client->send(std::move(request)));
    EXPECT_EQ(response.error().code, Errc::refused);
    EXPECT_THAT(response.error().message, StartsWith("resolve: "));
}

TEST(Gzip, Several_members_are_one_body) {
    EXPECT_EQ(*gunzip(gzipped("a 1\n") + gzipped("b 2\n"), 100), "a 1\nb 2\n");
    EXPECT_EQ(gunzip(gzipped("a 1\n") + "rest", 100).error().code, Errc::parse);
    EXPECT_EQ(gunzip("", 100).error().code, Errc::parse);
}

TEST(Brotli, Is_read_back_within_the_limit) {
    const Bytes plain(5000, 'a');
    const Bytes packed = brotli_compress(plain);
    EXPECT_LT(packed.size(), 50U);
    EXPECT_EQ(*brotli_decompress(packed, 5000), plain);
    EXPECT_EQ(brotli_decompress(packed, 4999).error().code, Errc::limit);
    EXPECT_EQ(*brotli_decompress(brotli_compress({}), 0), Bytes{});
    // By another implementation.
    EXPECT_EQ(as_text(*brotli_decompress(*from_hex("0b028068656c6c6f03"), 100)), "hello");
}

TEST(Brotli, Anything_but_one_whole_stream_is_refused) {
    const Bytes packed = brotli_compress(as_bytes("hello, hello, hello"));
    for (std::size_t size = 0; size < packed.size(); ++size) {
        EXPECT_EQ(brotli_decompress(ByteView(packed).first(size), 100).error().code, Errc::parse) << size;
    }
    Bytes longer = packed;
    longer.push_back(0);
    EXPECT_EQ(brotli_decompress(longer, 100).error().code, Errc::parse);
    EXPECT_EQ(brotli_decompress(as_bytes("no brotli"), 100).error().code, Errc::parse);
}

Task<ServerResponse> show(ServerRequest request) {
    co_return ServerResponse{200, "text/plain", request.method + " " + request.path + " " + request.body};
}
Task<ServerResponse> broken(ServerRequest) {
    throw std::runtime_error("out of luck");
    co_return ServerResponse{};
}

class ServerTest : public testing::Test {
  protected:
    void serve(ServerPolicy policy = {}) {
        std::vector<Route> routes{{"GET", "/show", Access::read, show}, {"GET", "/broken", Access::read, broken}};
        Log log = Log::to([this](std::string_view line) { lines_ += line; });
        auto served = serve_http(runtime_.executor(), "127.0.0.1", 0, std::move(routes), std::move(policy), log);
        ASSERT_TRUE(served) << served.error().to_string();
        server_ = std::move(*served);
    }
    void TearDown() override { test::run(runtime_, server_->stop()); }
    [[nodiscard]] std::string host() const { return fmt::format("Host: 127.0.0.1:{}\r\n", server_->port()); }

    /// What the server says to these bytes until it closes.
    std::string say(std::string bytes) {
        std::string heard;
        const std::uint16_t port = server_->port();
        Runtime& runtime = runtime_;
        Signal done(runtime.executor());
        std::thread caller([&] {
            const RawSocket socket(RawSocket::connect(port));
            socket.write(bytes);
            heard = socket.read_all();
            runtime.post([&done] { done.notify(); });
        });
        EXPECT_TRUE(test::run(runtime, done.wait()));
        caller.join();
        return heard;
    }

    Runtime runtime_{0};
    std::string lines_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(ServerTest, Closes_when_it_is_asked_to) {
    serve();
    const std::string heard = say("GET /show HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n");
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(heard, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(heard, testing::EndsWith("GET /show "));
}

TEST_F(ServerTest, Serves_several_requests_of_one_connection) {
    serve();
    const std::string head = "GET /show HTTP/1.1\r\n" + host();
    const std::string heard = say(head + "\r\n" + head + "Connection: close\r\n\r\n");
    EXPECT_THAT(heard, HasSubstr("GET /show HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, Answers_HEAD_without_a_body) {
    serve();
    const std::string heard = say("HEAD /show HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n");
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(heard, testing::EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, A_request_without_a_host_is_refused) {
    serve();
    EXPECT_THAT(say("GET /show HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 421 "));
}

TEST_F(ServerTest, Takes_its_own_page_as_origin) {
    serve();
    const std::string origin = fmt::format("Origin: http://127.0.0.1:{}\r\n", server_->port());
    EXPECT_THAT(say("GET /show HTTP/1.1\r\n" + host() + origin + "Connection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(say("GET /show HTTP/1.1\r\n" + host() + "Origin: null\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 403 "));
}

TEST_F(ServerTest, Headers_over_the_limit_are_refused) {
    ServerPolicy policy;
    policy.max_header_bytes = 1000;
    serve(std::move(policy));
    EXPECT_THAT(say("GET /show HTTP/1.1\r\n" + host() + "X: " + std::string(2000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, What_is_not_HTTP_is_closed_without_a_word) {
    serve();
    EXPECT_EQ(say("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), "");
}

TEST_F(ServerTest, A_caller_that_says_nothing_is_closed_after_the_limit) {
    ServerPolicy policy;
    policy.request_timeout = 20ms;
    serve(std::move(policy));
    EXPECT_EQ(say("GET /sh"), "");
}

TEST_F(ServerTest, A_handler_that_throws_is_a_500_that_says_nothing_of_the_reason) {
    serve();
    const std::string heard = say("GET /broken HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n");
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(heard, testing::Not(HasSubstr("out of luck")));
    EXPECT_THAT(lines_, HasSubstr("event=handler_failed path=/broken reason=\"out of luck\""));
}

TEST_F(ServerTest, Stop_closes_a_connection_that_idles) {
    serve();
    const std::uint16_t port = server_->port();
    std::string rest = "open";
    Signal answered(runtime_.executor());
    std::thread caller([&] {
        const RawSocket socket(RawSocket::connect(port));
        socket.write("GET /show HTTP/1.1\r\n" + host() + "\r\n");
        static_cast<void>(socket.read_until("GET /show "));
        runtime_.post([&answered] { answered.notify(); });
        rest = socket.read_all();
    });
    EXPECT_TRUE(test::run(runtime_, answered.wait()));
    test::run(runtime_, server_->stop());
    caller.join();
    EXPECT_EQ(rest, "");
}

TEST_F(ServerTest, Two_servers_do_not_share_a_port) {
    serve();
    const auto second = serve_http(runtime_.executor(), "127.0.0.1", server_->port(), {}, {}, Log::none());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::refused);
    EXPECT_EQ(serve_http(runtime_.executor(), "localhost", 0, {}, {}, Log::none()).error().code, Errc::invalid_argument);
}

unsigned status_of(const HttpPolicy& policy, Headers headers) {
    Runtime runtime(0);
    ServerRequest request{"GET", "/show", "", std::move(headers), ""};
    return test::run(runtime, policy.answer(std::move(request))).status;
}

TEST(Policy, Reading_from_another_machine_needs_the_token) {
    ServerPolicy rules;
    rules.token = "secret";
    const HttpPolicy policy({{"GET", "/show", Access::read, show}}, rules, "192.0.2.1", 80, false, Log::none());
    EXPECT_EQ(status_of(policy, {{"Host", "192.0.2.1:80"}}), 401U);
    EXPECT_EQ(status_of(policy, {{"Host", "192.0.2.1:80"}, {"Authorization", "Bearer secret"}}), 200U);
    EXPECT_EQ(status_of(policy, {{"Host", "192.0.2.1:80"}, {"Authorization", "secret"}}), 401U);
}

TEST(Policy, Without_a_token_nobody_reads_from_another_machine) {
    const HttpPolicy policy({{"GET", "/show", Access::read, show}}, {}, "192.0.2.1", 80, false, Log::none());
    EXPECT_EQ(status_of(policy, {{"Host", "192.0.2.1:80"}, {"Authorization", "Bearer "}}), 401U);
}

TEST(Policy, Knows_its_names_of_IPv6_and_localhost) {
    const HttpPolicy policy({{"GET", "/show", Access::read, show}}, {}, "::1", 9000, true, Log::none());
    EXPECT_EQ(status_of(policy, {{"Host", "[::1]:9000"}}), 200U);
    EXPECT_EQ(status_of(policy, {{"Host", "localhost:9000"}}), 200U);
    EXPECT_EQ(status_of(policy, {{"Host", "localhost"}}), 421U);
}

}  // namespace
}  // namespace noroshi::net
