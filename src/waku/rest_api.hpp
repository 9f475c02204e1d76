// src/waku/rest_api.hpp - requests to one REST API: bounded answers, deadlines, reasons.
#pragma once

#include <memory>
#include <string>

#include "base/net/http_client.hpp"
#include "rest_codec.hpp"

namespace noroshi::waku::rest {

/// Largest answer read. A cache of fifty messages (nwaku's default) of 150 KiB each is 10 MiB in base64, a page of
/// twenty of the largest kind there is (1 MiB) 28 MiB: more is nobody's honest answer.
inline constexpr std::size_t max_answer_bytes = 32 * 1024 * 1024;
inline constexpr Milliseconds request_deadline{10'000};
/// go-waku and nwaku give their own query 5 s, and may have to dial first.
inline constexpr Milliseconds store_deadline{30'000};

/// Thread: the I/O thread. Any number of requests at a time.
/// Errors have a reason as first word: host_down (nobody listens, closed), timeout, bad_reply (not HTTP, too large, a
/// redirect), cancelled. All but the last are retryable. Every HTTP status but a redirect is an answer.
class Api {
  public:
    /// `base` is the API's URL; its path stands in front of every path asked for.
    Api(std::unique_ptr<net::HttpClient> http, net::Url base);
    [[nodiscard]] Task<Result<Answer>> get(std::string path, Milliseconds deadline = request_deadline);
    [[nodiscard]] Task<Result<Answer>> post(std::string path, std::string json);
    [[nodiscard]] Task<Result<Answer>> remove(std::string path, std::string json);  // DELETE
    /// "http://host:port", for logs.
    [[nodiscard]] std::string address() const;

  private:
    [[nodiscard]] Task<Result<Answer>> send_json(std::string method, std::string path, std::string json);
    [[nodiscard]] Task<Result<Answer>> send(net::Request request, std::string path);
    std::unique_ptr<net::HttpClient> http_;
    net::Url base_;
};

}  // namespace noroshi::waku::rest
