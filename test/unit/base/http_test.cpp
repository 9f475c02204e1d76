// test/unit/base/http_test.cpp - client and server over loopback: the policy of the server, the limits of the client.
#include <gtest/gtest.h>

#include "base/net/http_client.hpp"
#include "base/net/http_server.hpp"
#include "run_task.hpp"

namespace noroshi::net {
namespace {

Task<ServerResponse> hello(ServerRequest request) {
    co_return ServerResponse{200, "text/plain", "hello " + request.query + request.body};
}
Task<ServerResponse> large(ServerRequest) { co_return ServerResponse{200, "text/plain", std::string(1 << 20, 'x')}; }
Task<ServerResponse> moved(ServerRequest) { co_return ServerResponse{302, "text/plain", "", {{"Location", "/hello"}}}; }

class HttpTest : public testing::Test {
  protected:
    void SetUp() override {
        std::vector<Route> routes{{"GET", "/hello", Access::read, hello},
                                  {"POST", "/write", Access::write, hello},
                                  {"GET", "/large", Access::read, large},
                                  {"GET", "/moved", Access::read, moved}};
        ServerPolicy policy;
        policy.token = "secret";
        policy.max_body_bytes = 1000;
        auto served = serve_http(runtime_.executor(), "127.0.0.1", 0, std::move(routes),
                                 std::move(policy), Log::none());
        ASSERT_TRUE(served) << served.error().to_string();
        server_ = std::move(*served);
    }
    void TearDown() override { test::run(runtime_, server_->stop()); }

    Result<Response> send(Request request) { return test::run(runtime_, client_->send(std::move(request))); }
    Request to(const std::string& path) {
        Request request;
        request.url = *parse_url(fmt::format("http://127.0.0.1:{}{}", server_->port(), path));
        request.timeout = std::chrono::seconds(5);
        return request;
    }
    unsigned status(Request request) {
        const Result<Response> response = send(std::move(request));
        return response ? response->status : 0;
    }

    Runtime runtime_{0};
    std::unique_ptr<HttpServer> server_;
    std::unique_ptr<HttpClient> client_{make_http_client(runtime_.executor(), "test")};
};

TEST_F(HttpTest, Answers_a_route_and_its_query) {
    const Result<Response> response = send(to("/hello?a=b"));
    ASSERT_TRUE(response) << response.error().to_string();
    EXPECT_EQ(response->body, "hello a=b");
}

TEST_F(HttpTest, Refuses_unknown_paths_methods_hosts_and_origins) {
    EXPECT_EQ(status(to("/nothing")), 404U);
    Request post = to("/hello");
    post.method = "POST";
    EXPECT_EQ(status(post), 405U);
    Request foreign = to("/hello");
    foreign.headers["Host"] = "evil.example";
    EXPECT_EQ(status(foreign), 421U);
    Request page = to("/hello");
    page.headers["Origin"] = "http://evil.example";
    EXPECT_EQ(status(page), 403U);
}

TEST_F(HttpTest, A_write_needs_the_token_and_a_JSON_content_type) {
    Request write = to("/write");
    write.method = "POST";
    write.body = "{}";
    EXPECT_EQ(status(write), 415U);
    write.headers["Content-Type"] = "application/json";
    EXPECT_EQ(status(write), 401U);
    write.headers["Authorization"] = "Bearer wrong";
    EXPECT_EQ(status(write), 401U);
    write.headers["Authorization"] = "Bearer secret";
    EXPECT_EQ(status(write), 200U);
}

TEST_F(HttpTest, A_body_over_the_limit_is_refused) {
    Request write = to("/write");
    write.method = "POST";
    write.body = std::string(5000, 'x');
    write.headers["Authorization"] = "Bearer secret";
    EXPECT_EQ(status(write), 413U);
}

TEST_F(HttpTest, The_client_stops_at_its_own_body_limit) {
    Request request = to("/large");
    request.body_limit = 1000;
    EXPECT_EQ(send(request).error().code, Errc::limit);
}

TEST_F(HttpTest, The_client_does_not_follow_redirects) { EXPECT_EQ(status(to("/moved")), 302U); }

TEST_F(HttpTest, A_port_where_nobody_listens_is_refused) {
    const std::uint16_t port = server_->port();
    test::run(runtime_, server_->stop());
    Request request;
    request.url = *parse_url(fmt::format("http://127.0.0.1:{}/", port));
    EXPECT_EQ(send(request).error().code, Errc::refused);
}

TEST(Url, Knows_its_parts_and_refuses_others) {
    EXPECT_EQ(*parse_url("http://h:81/p?q=1"), (Url{"http", "h", 81, "/p?q=1"}));
    EXPECT_EQ(*parse_url("https://[::1]"), (Url{"https", "::1", 443, "/"}));
    for (const char* text : {"", "h:81", "ftp://h/", "http://", "http://h:99999/", "http://h/\r\nX: y", "http://a b/"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

}  // namespace
}  // namespace noroshi::net
