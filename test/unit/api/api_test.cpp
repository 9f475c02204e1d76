// test/unit/api/api_test.cpp - the API over loopback: who may call, what is refused, and its client's view of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/client.hpp"
#include "run_task.hpp"

namespace noroshi::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Notes what it is told; answers with what a test put there.
class ListedDesk final : public StatusDesk {
  public:
    Task<Result<StatusInfo>> info() override { co_return who; }
    Task<Result<void>> open_pairing(Milliseconds duration) override {
        calls.push_back("open " + format_duration(duration));
        co_return answer;
    }
    Task<Result<std::vector<PairingRequest>>> requests(std::uint64_t after, Milliseconds wait) override {
        calls.push_back(fmt::format("requests {} {}", after, format_duration(wait)));
        co_return std::vector<PairingRequest>{{7, "zQ3shA", "Ann \"A\"", "hello\n\xff"}};
    }
    Task<Result<void>> accept(std::string from, std::string role) override {
        calls.push_back("accept " + from + " " + role);
        co_return answer;
    }
    Task<Result<void>> request(std::string to, std::string text) override {
        calls.push_back("request " + to + " " + text);
        co_return answer;
    }
    Task<Result<void>> remove(std::string key) override {
        calls.push_back("remove " + key);
        co_return answer;
    }

    StatusInfo who{"zQ3shN", "https://status.app/u#zQ3shN", "noroshi", true, 3,
                   {{"zQ3shA", "Ann", true, true, false, "phone", "viewer"}}};
    Result<void> answer;
    std::vector<std::string> calls;
};

MessageRecord record() {
    MessageRecord out;
    out.message = {"017f3f5eaf47b00f20ba1b9882aaa420", "phone", model::MessageStatus::firing, "FIRING \xff", "body",
                   {{"alertname", "High"}}, from_unix_ms(1'700'000'000'000), ""};
    out.state = "delivered";
    out.attempts = 2;
    out.envelope = "ab";
    out.receipts = {{out.message.id, model::ReceiptKind::handed_over, from_unix_ms(1'700'000'000'250), "p1", "ab"},
                    {out.message.id, model::ReceiptKind::delivered, from_unix_ms(1'700'000'004'000), "zQ3shA", "ab"}};
    return out;
}

class ApiTest : public testing::Test {
  protected:
    void SetUp() override { serve(&desk_); }
    void TearDown() override { test::run(runtime_, server_->stop()); }
    void serve(StatusDesk* desk) {
        if (server_) {
            test::run(runtime_, server_->stop());
        }
        Sources sources{metrics_, [] { return std::vector<PartHealth>{{"status", true, "ok"}}; },
                        [this](std::size_t limit) { return messages(limit); }, desk};
        net::ServerPolicy policy;
        policy.token = "secret";
        server_ = std::move(*net::serve_http(runtime_.executor(), "127.0.0.1", 0, make_routes(std::move(sources)),
                                             std::move(policy), Log::none()));
        client_.emplace(*http_, base(), "secret");
    }
    Task<Result<std::vector<MessageRecord>>> messages(std::size_t limit) {
        limit_ = limit;
        co_return std::vector<MessageRecord>{record()};
    }
    [[nodiscard]] std::string base() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

    struct Call {
        std::string method{"POST"};
        std::string path{"/api/v1/status/accept"};
        std::string body{R"({"from": "zQ3shA"})"};
        std::string token{"secret"};
        std::string origin{};
        std::string type{"application/json"};
    };
    net::Response call(const Call& what) {
        net::Request request;
        request.method = what.method;
        request.url = *net::parse_url(base() + what.path);
        request.body = what.body;
        request.headers["Authorization"] = "Bearer " + what.token;
        if (!what.origin.empty()) {
            request.headers["Origin"] = what.origin;
        }
        if (!what.body.empty()) {
            request.headers["Content-Type"] = what.type;
        }
        const auto response = test::run(runtime_, http_->send(std::move(request)));
        EXPECT_TRUE(response);
        return response ? *response : net::Response{};
    }

    Runtime runtime_{0};
    Metrics metrics_;
    ListedDesk desk_;
    std::size_t limit_{0};
    std::unique_ptr<net::HttpServer> server_;
    std::unique_ptr<net::HttpClient> http_{net::make_http_client(runtime_.executor(), "test")};
    std::optional<Client> client_;
};

TEST_F(ApiTest, Each_write_needs_the_token_and_none_comes_from_another_site) {
    for (const char* path : {"/api/v1/status/pairing", "/api/v1/status/accept", "/api/v1/status/request", "/api/v1/status/remove"}) {
        const std::string body = R"({"open":true,"from":"a","to":"a","text":"t","key":"a"})";
        EXPECT_EQ(call({.path = path, .body = body, .token = ""}).status, 401U) << path;
        EXPECT_EQ(call({.path = path, .body = body, .token = "wrong"}).status, 401U) << path;
        EXPECT_EQ(call({.path = path, .body = body, .origin = "http://evil.example"}).status, 403U) << path;
        EXPECT_EQ(call({.path = path, .body = body, .type = "text/plain"}).status, 415U) << path;
        EXPECT_EQ(call({.method = "GET", .path = path, .body = ""}).status, 405U) << path;
    }
    EXPECT_THAT(desk_.calls, ElementsAre());
}

TEST_F(ApiTest, Reads_on_loopback_need_no_token_but_are_for_this_site_only) {
    for (const char* path : {"/api/v1/status", "/api/v1/status/requests", "/api/v1/messages", "/metrics", "/healthz"}) {
        EXPECT_EQ(call({.method = "GET", .path = path, .body = "", .token = ""}).status, 200U) << path;
        EXPECT_EQ(call({.method = "GET", .path = path, .body = "", .origin = "http://evil.example"}).status, 403U) << path;
    }
}

TEST_F(ApiTest, What_the_client_is_told_is_what_the_desk_said) {
    EXPECT_EQ(*test::run(runtime_, client_->info()), desk_.who);
    const auto requests = test::run(runtime_, client_->requests(5, Milliseconds(1'500)));
    ASSERT_TRUE(requests) << requests.error().to_string();
    ASSERT_EQ(requests->size(), 1U);
    EXPECT_EQ(requests->at(0).number, 7U);
    EXPECT_EQ(requests->at(0).name, "Ann \"A\"");
    EXPECT_EQ(requests->at(0).text, "hello\n\xef\xbf\xbd") << "what is no UTF-8 is mended";
    EXPECT_TRUE(test::run(runtime_, client_->open_pairing(Milliseconds(600'000))));
    EXPECT_TRUE(test::run(runtime_, client_->open_pairing(Milliseconds(0))));
    EXPECT_TRUE(test::run(runtime_, client_->accept("zQ3shA", "operator")));
    EXPECT_TRUE(test::run(runtime_, client_->request("zQ3shB", "it's \"me\"")));
    EXPECT_TRUE(test::run(runtime_, client_->remove("zQ3shB")));
    EXPECT_THAT(desk_.calls, ElementsAre("requests 5 2s", "open 10m", "open 0s", "accept zQ3shA operator",
                                         "request zQ3shB it's \"me\"", "remove zQ3shB"));
}

TEST_F(ApiTest, What_the_desk_refuses_reaches_the_client_as_it_was_said) {
    desk_.answer = fail(Error{Errc::not_found, "no_request: nobody of that key asks", {}, false});
    EXPECT_EQ(call({}).status, 404U);
    Result<void> accepted = test::run(runtime_, client_->accept("zQ3shA", "viewer"));
    EXPECT_EQ(accepted.error(), desk_.answer.error());
    desk_.answer = fail(Error{Errc::io, "no_peers", {}, true});
    EXPECT_EQ(call({}).status, 503U);
    accepted = test::run(runtime_, client_->accept("zQ3shA", "viewer"));
    EXPECT_EQ(accepted.error(), desk_.answer.error());
}

TEST_F(ApiTest, Bodies_that_say_nothing_are_refused_and_say_what_was_expected) {
    struct Bad {
        const char* path;
        const char* body;
    };
    for (const Bad& bad : {Bad{"accept", "{"}, {"accept", "[]"}, {"accept", "{}"}, {"accept", R"({"from": 5})"},
                           {"accept", R"({"from": "a", "role": 1})"}, {"request", R"({"to": "a"})"}, {"remove", "null"},
                           {"pairing", "{}"}, {"pairing", R"({"open": 1})"}, {"pairing", R"({"open": true, "seconds": -1})"},
                           {"pairing", "\xff\xfe"}}) {
        const net::Response response = call({.path = std::string("/api/v1/status/") + bad.path, .body = bad.body});
        EXPECT_EQ(response.status, 400U) << bad.path << bad.body;
        EXPECT_THAT(response.body, HasSubstr("expected")) << bad.path << bad.body;
    }
    const std::string endless = R"({"to": "a", "text": ")" + std::string(5'000, 'x') + "\"}";
    EXPECT_EQ(call({.path = "/api/v1/status/request", .body = endless}).status, 400U);
    EXPECT_EQ(call({.method = "GET", .path = "/api/v1/status/requests?wait=x", .body = ""}).status, 400U);
    EXPECT_EQ(call({.method = "GET", .path = "/api/v1/messages?limit=", .body = ""}).status, 400U);
    EXPECT_THAT(desk_.calls, ElementsAre());
}

TEST_F(ApiTest, Waits_and_windows_have_bounds) {
    EXPECT_EQ(call({.method = "GET", .path = "/api/v1/status/requests?after=1&wait=99999999999", .body = ""}).status, 200U);
    EXPECT_EQ(call({.path = "/api/v1/status/pairing", .body = R"({"open": true, "seconds": 99999999999})"}).status, 200U);
    EXPECT_EQ(call({.path = "/api/v1/status/pairing", .body = R"({"open": true})"}).status, 200U);
    EXPECT_THAT(desk_.calls, ElementsAre("requests 1 1m", "open 1h", "open 10m"));
    EXPECT_EQ(call({.method = "GET", .path = "/api/v1/messages?limit=99999999", .body = ""}).status, 200U);
    EXPECT_EQ(limit_, most_messages);
}

TEST_F(ApiTest, A_message_tells_when_it_got_how_far) {
    const auto messages = test::run(runtime_, client_->messages(5));
    EXPECT_EQ(limit_, 5U);
    ASSERT_EQ(messages->size(), 1U);
    EXPECT_EQ(messages->at(0), message_json(record()));
    const nlohmann::json json = nlohmann::json::parse(messages->at(0));
    EXPECT_EQ(json["state"], "delivered");
    EXPECT_EQ(json["labels"]["alertname"], "High");
    EXPECT_EQ(json["created_at"], "2023-11-14T22:13:20.000Z");
    EXPECT_EQ(json["times"]["handed_over"], "2023-11-14T22:13:20.250Z");
    EXPECT_EQ(json["times"]["stored"], nullptr);
    EXPECT_EQ(json["after_seconds"]["delivered"], 4.0);
    EXPECT_EQ(json["after_seconds"]["answered"], nullptr);
}

TEST_F(ApiTest, A_daemon_that_is_nobody_in_Status_says_so) {
    serve(nullptr);
    const auto info = test::run(runtime_, client_->info());
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, Errc::not_found);
    EXPECT_EQ(first_word(info.error().message), "no_status");
    EXPECT_EQ(call({.token = ""}).status, 401U);
}

TEST_F(ApiTest, A_client_of_something_else_says_where_it_looked) {
    Client lost(*http_, "http://127.0.0.1:1", "secret");
    const auto info = test::run(runtime_, lost.info());
    EXPECT_EQ(info.error().code, Errc::refused);
    EXPECT_THAT(info.error().message, HasSubstr("http://127.0.0.1:1"));
    Client wrong(*http_, base(), "wrong");
    EXPECT_THAT(test::run(runtime_, wrong.remove("a")).error().message, HasSubstr("401"));
}

}  // namespace
}  // namespace noroshi::api
