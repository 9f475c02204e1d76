// src/waku/rest_api.cpp - sends, and names what went wrong.
#include "rest_api.hpp"

#include <fmt/format.h>

#include <utility>

namespace noroshi::waku::rest {
namespace {

Error named(const Error& error) {
    switch (error.code) {
        case Errc::cancelled:
            return error;
        case Errc::timeout:
            return {Errc::timeout, "timeout: the node did not answer", {}, true};
        case Errc::limit:
        case Errc::parse:
            return {error.code, "bad_reply: " + error.message, {}, true};
        default:
            return {Errc::io, "host_down: " + error.message, {}, true};
    }
}

}  // namespace

Api::Api(std::unique_ptr<net::HttpClient> http, net::Url base) : http_(std::move(http)), base_(std::move(base)) {
    base_.target.resize(base_.target.find_first_of("?#") == std::string::npos ? base_.target.size()
                                                                              : base_.target.find_first_of("?#"));
    while (base_.target.ends_with('/')) {
        base_.target.pop_back();
    }
}

Task<Result<Answer>> Api::get(std::string path, Milliseconds deadline) {
    net::Request request;
    request.timeout = deadline;
    co_return co_await send(std::move(request), std::move(path));
}

Task<Result<Answer>> Api::post(std::string path, std::string json) {
    return send_json("POST", std::move(path), std::move(json));
}

Task<Result<Answer>> Api::remove(std::string path, std::string json) {
    return send_json("DELETE", std::move(path), std::move(json));
}

Task<Result<Answer>> Api::send_json(std::string method, std::string path, std::string json) {
    net::Request request;
    request.method = std::move(method);
    request.headers = {{"Content-Type", "application/json"}};
    request.body = std::move(json);
    request.timeout = request_deadline;
    co_return co_await send(std::move(request), std::move(path));
}

std::string Api::address() const { return fmt::format("{}://{}:{}", base_.scheme, base_.host, base_.port); }

Task<Result<Answer>> Api::send(net::Request request, std::string path) {
    request.url = base_;
    request.url.target += path;
    request.body_limit = max_answer_bytes;
    Result<net::Response> response = co_await http_->send(std::move(request));
    if (!response) {
        co_return fail(named(response.error()));
    }
    if (response->status >= 300 && response->status < 400) {
        co_return fail(Error{Errc::refused, fmt::format("bad_reply: a redirect, HTTP {}", response->status), {}, true});
    }
    co_return Answer{response->status, std::move(response->body)};
}

}  // namespace noroshi::waku::rest
