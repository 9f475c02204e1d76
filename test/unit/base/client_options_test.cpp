// test/unit/base/client_options_test.cpp - redirects, credentials on their way, and what is said when a file is missing.
#include "base/net/client_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "raw_server.hpp"
#include "run_task.hpp"

namespace noroshi::net {
namespace {

using test::RawServer;
using test::RawSocket;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

std::string located(const char* base, const char* location) {
    const Result<Url> url = resolve_url(*parse_url(base), location);
    return url ? fmt::format("{}://{}:{}{}", url->scheme, url->host, url->port, url->target) : url.error().message;
}

TEST(Redirect, Leads_where_the_answer_says) {
    EXPECT_EQ(located("http://a:1/b/c?d", "https://e/f"), "https://e:443/f");
    EXPECT_EQ(located("http://a:1/b/c?d", "//e:2/f#g"), "http://e:2/f");
    EXPECT_EQ(located("http://a:1/b/c?d", "/f?x=http://y/"), "http://a:1/f?x=http://y/");
    EXPECT_EQ(located("http://a:1/b/c?d", "?f"), "http://a:1/b/c?f");
    EXPECT_EQ(located("http://a:1/b/c?d", "f"), "http://a:1/b/f");
    EXPECT_EQ(located("http://a:1/b/c?d", ""), "http://a:1/b/c?d");
    EXPECT_THAT(located("http://a:1/", "ftp://e/"), HasSubstr("expected http:// or https://"));
    EXPECT_THAT(located("http://a:1/", "/a b"), HasSubstr("spaces"));
}

std::string redirect_to(std::string_view location) {
    return fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", location);
}

/// Hears one request after another; the first is led to `location`, the others get an answer.
class Redirected {
  public:
    explicit Redirected(std::string location)
        : server_([this, location](const RawSocket& socket, int connection) {
              heard.push_back(socket.read_until("\r\n\r\n"));
              socket.write(connection == 1 ? redirect_to(fmt::format(fmt::runtime(location), server_.port()))
                                           : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
          }) {}
    Result<Response> get(ClientSetup& setup) {
        Runtime runtime(0);
        const auto client = make_http_client(runtime.executor(), "test/1");
        Request request;
        request.url = {"http", "127.0.0.1", server_.port(), "/metrics"};
        EXPECT_TRUE(setup.apply(request));
        return test::run(runtime, client->send(std::move(request)));
    }
    std::vector<std::string> heard;

  private:
    RawServer server_;
};

ClientOptions with_password() {
    ClientOptions options;
    options.basic_auth = BasicAuth{.username = {SecretText("me"), {}}, .password = {SecretText("pass word"), {}}};
    options.headers = {{"X-Own", {"1", "2"}, {SecretText("3")}, {}}, {"Cookie", {"c"}, {}, {}}};
    return options;
}

TEST(Redirect, Keeps_the_credentials_on_the_same_host) {
    Redirected peer("http://127.0.0.1:{}/there");
    ClientSetup setup(with_password());
    const Result<Response> answer = peer.get(setup);
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(answer->body, "ok");
    ASSERT_EQ(peer.heard.size(), 2u);
    for (const std::string& request : peer.heard) {
        EXPECT_THAT(request, HasSubstr("Authorization: Basic bWU6cGFzcyB3b3Jk\r\n"));
        EXPECT_THAT(request, HasSubstr("X-Own: 1\r\nX-Own: 2\r\nX-Own: 3\r\n"));
    }
    EXPECT_THAT(peer.heard[1], HasSubstr("GET /there HTTP/1.1"));
}

TEST(Redirect, Shows_the_credentials_to_no_other_host) {
    Redirected peer("http://localhost:{}/there");
    ClientSetup setup(with_password());
    ASSERT_TRUE(peer.get(setup));
    ASSERT_EQ(peer.heard.size(), 2u);
    EXPECT_THAT(peer.heard[0], HasSubstr("Cookie: c"));
    EXPECT_THAT(peer.heard[1], Not(HasSubstr("Authorization")));
    EXPECT_THAT(peer.heard[1], Not(HasSubstr("Cookie")));
    EXPECT_THAT(peer.heard[1], HasSubstr("X-Own: 3"));
}

TEST(Redirect, Is_an_answer_like_another_when_it_is_not_followed) {
    Redirected peer("http://127.0.0.1:{}/there");
    ClientOptions options;
    options.follow_redirects = false;
    ClientSetup setup(options);
    EXPECT_EQ(peer.get(setup)->status, 302U);
    EXPECT_EQ(peer.heard.size(), 1u);
}

TEST(Redirect, Ends_after_ten) {
    const RawServer server([](const RawSocket& socket, int) {
        static_cast<void>(socket.read_until("\r\n\r\n"));
        socket.write(redirect_to("/again"));
    });
    Runtime runtime(0);
    const auto client = make_http_client(runtime.executor(), "test/1");
    Request request;
    request.url = {"http", "127.0.0.1", server.port(), "/"};
    request.follow_redirects = true;
    const Result<Response> answer = test::run(runtime, client->send(std::move(request)));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message, "stopped after 10 redirects");
    EXPECT_EQ(server.connections(), 11);
}

class SecretFile : public testing::Test {
  protected:
    SecretFile() { std::filesystem::create_directories(folder_); }
    ~SecretFile() override { std::filesystem::remove_all(folder_); }
    std::string write(const std::string& name, std::string_view text) {
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }
    std::filesystem::path folder_{std::filesystem::path(testing::TempDir()) /
                                  fmt::format("noroshi-client-{}", ::getpid())};
};

TEST_F(SecretFile, Counts_as_it_is_at_each_use) {
    ClientOptions options;
    options.authorization = Authorization{.type = "Token", .credentials = {{}, write("token", " one\n")}};
    ClientSetup setup(options);
    Request first;
    ASSERT_TRUE(setup.apply(first));
    EXPECT_THAT(first.more_headers, ElementsAre(Pair("Authorization", "Token one")));
    write("token", "two");
    Request second;
    ASSERT_TRUE(setup.apply(second));
    EXPECT_THAT(second.more_headers, ElementsAre(Pair("Authorization", "Token two")));
    std::filesystem::remove(folder_ / "token");
    Request third;
    EXPECT_EQ(setup.apply(third).error().code, Errc::not_found);
}

TEST_F(SecretFile, Cannot_bring_a_second_header) {
    ClientOptions options;
    options.authorization = Authorization{.type = "Bearer", .credentials = {{}, write("token", "one\r\nX-Other: 1")}};
    ClientSetup setup(options);
    Request request;
    const Result<void> applied = setup.apply(request);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().message, "header Authorization: its value holds control characters");
}

TEST_F(SecretFile, Without_a_certificate_in_it_is_named_and_not_shown) {
    ClientOptions options;
    options.tls.ca = {{}, write("ca.pem", "my secret mistake")};
    ClientSetup setup(options);
    Request request;
    const Result<void> applied = setup.apply(request);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().message, "tls: expected PEM certificates as ca, got none");
}

TEST(SecretText, Is_wiped_when_it_moves_on) {
    SecretText from("short");
    const SecretText to = std::move(from);
    EXPECT_EQ(to.expose(), "short");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is left behind is the point
}

}  // namespace
}  // namespace noroshi::net
