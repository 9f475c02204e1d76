// test/unit/base/http_routes_test.cpp - routes with a free segment, routes that take forms, answers in pieces.
#include <gtest/gtest.h>

#include "base/net/http_client.hpp"
#include "base/net/http_server.hpp"
#include "run_task.hpp"

namespace noroshi::net {
namespace {


Task<ServerResponse> echo(ServerRequest request) {
    ServerResponse out;
    out.body = request.path + " " + request.body;
    co_return out;
}

/// "0," to "9," in ten pieces.
Task<ServerResponse> pieces(ServerRequest /*request*/) {
    ServerResponse out;
    out.body = "first,";
    out.more = [next = 0](std::string& text) mutable {
        text += fmt::format("{},", next);
        return ++next < 10;
    };
    co_return out;
}

class RoutesTest : public testing::Test {
  protected:
    void SetUp() override {
        std::vector<Route> routes;
        routes.push_back({"GET", "/label/*/values", Access::read, echo});
        routes.push_back({"POST", "/form", Access::read, echo, "application/x-www-form-urlencoded"});
        routes.push_back({"GET", "/pieces", Access::read, pieces});
        server_ = std::move(*serve_http(runtime_.executor(), "127.0.0.1", 0, std::move(routes), {}, Log::none()));
    }
    void TearDown() override { test::run(runtime_, server_->stop()); }
    Response send(const std::string& target, const std::string& type = "", const std::string& body = "") {
        Request request;
        request.url = {"http", "127.0.0.1", server_->port(), target};
        if (!body.empty()) {
            request.method = "POST";
            request.headers["Content-Type"] = type;
            request.body = body;
        }
        const auto response = test::run(runtime_, client_->send(std::move(request)));
        EXPECT_TRUE(response) << response.error().to_string();
        return response ? *response : Response{};
    }

    Runtime runtime_{0};
    std::unique_ptr<HttpServer> server_;
    std::unique_ptr<HttpClient> client_{make_http_client(runtime_.executor(), "test")};
};

TEST_F(RoutesTest, A_free_segment_is_one_segment_with_something_in_it) {
    EXPECT_EQ(send("/label/job/values").body, "/label/job/values ");
    EXPECT_EQ(send("/label/a%2Fb/values").status, 200U);
    for (const char* path : {"/label//values", "/label/values", "/label/a/b/values", "/label/a/values/", "/label/a", "/label/a/value"}) {
        EXPECT_EQ(send(path).status, 404U) << path;
    }
}

TEST_F(RoutesTest, A_form_is_taken_where_it_is_expected_and_only_as_a_form) {
    EXPECT_EQ(send("/form", "application/x-www-form-urlencoded", "a=1").body, "/form a=1");
    EXPECT_EQ(send("/form", "application/x-www-form-urlencoded; charset=utf-8", "a=1").status, 200U);
    EXPECT_EQ(send("/form", "application/json", "{}").status, 415U);
    EXPECT_EQ(send("/form", "text/plain", "a=1").status, 415U);
}

TEST_F(RoutesTest, An_answer_in_pieces_arrives_whole_and_the_connection_serves_the_next_request) {
    EXPECT_EQ(send("/pieces").body, "first,0,1,2,3,4,5,6,7,8,9,");
    EXPECT_EQ(send("/pieces").body, "first,0,1,2,3,4,5,6,7,8,9,");
    EXPECT_EQ(send("/label/x/values").status, 200U);
}

}  // namespace
}  // namespace noroshi::net
