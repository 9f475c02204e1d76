// src/api/client.cpp - requests to a running daemon.
#include "api/client.hpp"

#include <utility>

#include "json.hpp"

namespace noroshi::api {
namespace {

constexpr Milliseconds usual_patience{30'000};  // accepting and asking go over the network
constexpr Milliseconds query_patience{150'000};  // another server may take two minutes
constexpr std::size_t largest_answer{256u << 20};

}  // namespace

Task<Result<std::string>> Client::call(std::string method, std::string path, std::string body, Milliseconds patience,
                                       std::string type) {
    net::Request request;
    request.method = std::move(method);
    NOROSHI_CO_TRY(request.url, net::parse_url(base_ + path));
    if (!token_.empty()) {
        request.headers["Authorization"] = "Bearer " + token_;
    }
    if (!body.empty()) {
        request.headers["Content-Type"] = std::move(type);
    }
    request.body = std::move(body);
    request.timeout = patience;
    request.body_limit = largest_answer;
    const Result<net::Response> response = co_await http_.send(std::move(request));
    if (!response) {
        Error error = response.error();
        co_return fail(std::move(error).with("the daemon at " + base_));
    }
    if (response->status != 200) {
        co_return fail(read_error(response->body, response->status));
    }
    co_return response->body;
}

Task<Result<void>> Client::post(std::string path, std::string body) {
    NOROSHI_CO_TRY_VOID(co_await call("POST", std::move(path), std::move(body), usual_patience));
    co_return Result<void>{};
}

Task<Result<StatusInfo>> Client::info() {
    NOROSHI_CO_TRY(const std::string text, co_await call("GET", "/api/v1/status", "", usual_patience));
    co_return read_info(text);
}

Task<Result<void>> Client::open_pairing(Milliseconds duration) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
    std::string body = dump({{"open", seconds > 0}, {"seconds", seconds}});
    co_return co_await post("/api/v1/status/pairing", std::move(body));
}

Task<Result<std::vector<PairingRequest>>> Client::requests(std::uint64_t after, Milliseconds wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::min(wait, longest_wait));
    std::string path = fmt::format("/api/v1/status/requests?after={}&wait={}", after, seconds.count());
    NOROSHI_CO_TRY(const std::string text, co_await call("GET", std::move(path), "", seconds + usual_patience));
    co_return read_requests(text);
}

Task<Result<void>> Client::accept(std::string from, std::string role) {
    std::string body = dump({{"from", from}, {"role", role}});
    co_return co_await post("/api/v1/status/accept", std::move(body));
}

Task<Result<void>> Client::request(std::string to, std::string text) {
    std::string body = dump({{"to", to}, {"text", text}});
    co_return co_await post("/api/v1/status/request", std::move(body));
}

Task<Result<void>> Client::remove(std::string key) {
    std::string body = dump({{"key", key}});
    co_return co_await post("/api/v1/status/remove", std::move(body));
}

Task<Result<std::vector<std::string>>> Client::messages(std::size_t limit) {
    std::string path = fmt::format("/api/v1/messages?limit={}", limit);
    NOROSHI_CO_TRY(const std::string text, co_await call("GET", std::move(path), "", usual_patience));
    co_return read_messages(text);
}

Task<Result<std::string>> Client::ask(std::string path, net::Form form) {
    std::string body = net::form_text(form);
    co_return co_await call("POST", std::move(path), std::move(body), query_patience, "application/x-www-form-urlencoded");
}

}  // namespace noroshi::api
