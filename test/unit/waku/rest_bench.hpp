// test/unit/waku/rest_bench.hpp - a REST API on loopback that says what a test tells it, and a node that asks it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/net/http_server.hpp"
#include "base/runtime.hpp"
#include "rest_codec.hpp"
#include "run_task.hpp"
#include "waku/rest_node.hpp"

namespace noroshi::waku {

/// Time is real and short: the node asks every few milliseconds.
class RestBench {
  public:
    using Reply = rest::Answer;
    static constexpr std::string_view shard = "/waku/2/rs/16/32";
    static constexpr std::string_view topic = "/noroshi/1/receipts/proto";
    static constexpr std::string_view later = "/noroshi/1/later/proto";  ///< a topic that is named while it runs

    ~RestBench() {
        if (node) {
            test::run(runtime, node->stop());
        }
        test::run(runtime, readers.stop());
        stop_server();
    }

    /// Both kinds of cache, under their paths.
    static std::string relay_path() { return "/relay/v1/messages/" + net::percent_encoded(shard); }
    static std::string go_filter_path() {
        return "/filter/v2/messages/" + net::percent_encoded(shard) + "/" + net::percent_encoded(topic);
    }
    static std::string later_filter_path() {
        return "/filter/v2/messages/" + net::percent_encoded(shard) + "/" + net::percent_encoded(later);
    }
    static std::string nwaku_filter_path() { return "/filter/v2/messages/" + net::percent_encoded(topic); }

    /// A go-waku that relays, and has collected nothing.
    void be_go_waku() {
        replies["GET /debug/v1/info"] = {200, R"({"enrUri":"enr:1","listenAddresses":["/ip4/127.0.0.1/tcp/1/p2p/NODE"]})"};
        replies["GET /debug/v1/version"] = {200, "\"v0.10.0\""};
        replies["GET " + relay_path()] = {200, "null"};
        replies["POST " + relay_path()] = {200, "true"};
        replies["POST /relay/v1/subscriptions"] = {200, "true"};
    }
    void be_nwaku() {
        replies["GET /info"] = {200, R"({"enrUri":"enr:1","listenAddresses":["/ip4/127.0.0.1/tcp/1/p2p/NODE"]})"};
        replies["GET /debug/v1/version"] = {200, "v0.38.1"};
        replies["GET /health"] = {200, R"({"nodeHealth":"READY","protocolsHealth":[]})"};
        absent = {404, "/relay endpoints are not available. Please check your configuration: --relay"};
    }

    void start_server() {
        std::vector<net::Route> routes;
        const auto add = [&](const char* method, const std::string& path) {
            routes.push_back({method, path, net::Access::read, [this](net::ServerRequest request) { return serve(std::move(request)); }});
        };
        for (const char* path : {"/info", "/debug/v1/info", "/debug/v1/version", "/health", "/admin/v1/peers",
                                 "/filter/v2/subscriptions/noroshi", "/store/v3/messages", "/store/v1/messages"}) {
            add("GET", path);
        }
        add("DELETE", "/filter/v2/subscriptions");
        for (const char* path : {"/relay/v1/subscriptions", "/filter/v2/subscriptions", "/lightpush/v3/message",
                                 "/lightpush/v1/message"}) {
            add("POST", path);
        }
        for (const std::string& path : {relay_path(), go_filter_path(), nwaku_filter_path(), later_filter_path()}) {
            add("GET", path);
        }
        add("POST", relay_path());
        auto made = net::serve_http(runtime.executor(), "127.0.0.1", port, std::move(routes), {}, Log::none());
        ASSERT_TRUE(made) << made.error().to_string();
        server = std::move(*made);
        port = server->port();
    }
    void stop_server() {
        if (server) {
            test::run(runtime, server->stop());
            server.reset();
        }
    }

    RestConfig config() const {
        RestConfig out;
        out.url = "http://127.0.0.1:" + std::to_string(port);
        out.content_topics = {std::string(topic)};
        out.poll_interval = Milliseconds(5);
        return out;
    }
    void start(RestConfig config) {
        Log log = Log::to([this](std::string_view line) { log_lines.emplace_back(line); });
        auto made = make_rest_node(std::move(config), "test", runtime, clock, random, metrics, std::move(log));
        ASSERT_TRUE(made) << made.error().to_string();
        node = std::move(*made);
        node->on_peer_ready([this] { ++ready; });
        ASSERT_TRUE(test::run(runtime, node->start()));
    }
    void start() {
        if (!server) {
            start_server();
        }
        start(config());
    }
    /// Lets the loop run until `done`, five seconds at most.
    [[nodiscard]] bool until(const std::function<bool()>& done) {
        static_cast<void>(runtime.run(wait(runtime, done)));
        return done();
    }
    /// Starts with all in place, and waits until it can publish.
    void start_ready() {
        start();
        ASSERT_TRUE(until([this] { return ready > 0; }));
    }
    Result<Publication> publish(WakuMessage what) {
        return test::run(runtime, node->publish(std::string(shard), std::move(what)));
    }
    /// What has come so far; nothing is taken from the node before the first call.
    const std::vector<WakuMessage>& received() {
        if (!std::exchange(reading, true)) {
            readers.spawn("read", read(*node, messages));
        }
        return messages;
    }

    static WakuMessage message(std::uint8_t number) {
        WakuMessage out;
        out.payload = Bytes{1, number};
        out.content_topic = topic;
        out.version = 1;
        out.timestamp_ns = 1'700'000'000'000'000'000 + number;
        return out;
    }
    static std::string list(const std::vector<WakuMessage>& messages) {
        std::string out;
        for (const WakuMessage& message : messages) {
            out += (out.empty() ? "" : ",") + rest::encode_message_json(message);
        }
        return "[" + out + "]";
    }
    std::size_t times(const std::string& request) const {
        return static_cast<std::size_t>(std::ranges::count(asked, request));
    }
    std::size_t logged(const std::string& event) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            log_lines, [&](const std::string& line) { return line.find("event=" + event + " ") != std::string::npos; }));
    }
    std::uint64_t counter(std::string_view name, Metrics::LabelList labels) {
        return metrics.counter(name, "", std::move(labels)).value();
    }

    Runtime runtime{0};
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    std::map<std::string, Reply> replies;                 ///< by "METHOD path"; a cache is emptied by a GET
    std::map<std::string, std::vector<Reply>> once;       ///< said first, each once
    Reply absent{404, "404 page not found\n"};
    std::vector<std::string> asked;                       ///< "METHOD path"
    std::map<std::string, std::string> bodies;            ///< the last body or query of each
    std::string hangs;                                    ///< this request is not answered for a minute
    std::vector<std::string> log_lines;
    int ready{0};
    std::uint16_t port{0};
    std::unique_ptr<net::HttpServer> server;
    std::unique_ptr<Node> node;

  private:
    Task<net::ServerResponse> serve(net::ServerRequest request) {
        const std::string key = request.method + " " + request.path;
        asked.push_back(key);
        bodies[key] = request.body.empty() ? request.query : request.body;
        if (key == hangs) {
            static_cast<void>(co_await runtime.sleep_for(std::chrono::minutes(1)));
        }
        Reply reply = replies.contains(key) ? replies[key] : absent;
        if (std::vector<Reply>& first = once[key]; !first.empty()) {
            reply = first.front();
            first.erase(first.begin());
        }
        net::ServerResponse out;
        out.status = reply.status;
        out.body = reply.body;
        if (reply.status == 302) {
            out.headers = {{"Location", "/elsewhere"}};
        }
        co_return out;
    }
    static Task<int> wait(Runtime& runtime, std::function<bool()> done) {  // NOLINT(*-reference-coroutine-parameters)
        for (int i = 0; i < 2'500 && !done(); ++i) {
            static_cast<void>(co_await runtime.sleep_for(Milliseconds(2)));
        }
        // What a finished request has set going.
        for (int i = 0; i < 4; ++i) {
            static_cast<void>(co_await runtime.sleep_for(Milliseconds(0)));
        }
        co_return 0;
    }
    static Task<void> read(Node& node, std::vector<WakuMessage>& out) {  // NOLINT(*-reference-coroutine-parameters)
        while (true) {
            Result<ReceivedMessage> next = co_await node.next_message();
            if (!next) {
                co_return;
            }
            out.push_back(std::move(next->message));
        }
    }

    std::vector<WakuMessage> messages;
    bool reading{false};
    TaskGroup readers{runtime.executor()};
};

}  // namespace noroshi::waku
