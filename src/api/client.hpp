// src/api/client.hpp - the API of a running daemon, for the commands of the program.
#pragma once

#include <string>
#include <vector>

#include "api/api.hpp"
#include "base/net/form.hpp"
#include "base/net/http_client.hpp"

namespace noroshi::api {

/// Speaks to the daemon at `base` ("http://127.0.0.1:9596") with its token, or without one
/// when that is empty. Errors of all calls beside what the daemon
/// says: refused (nobody listens there), timeout, parse (another program answers). `http` must outlive it.
class Client final : public StatusDesk {
  public:
    Client(net::HttpClient& http, std::string base, std::string token)
        : http_(http), base_(std::move(base)), token_(std::move(token)) {}

    [[nodiscard]] Task<Result<StatusInfo>> info() override;
    [[nodiscard]] Task<Result<void>> open_pairing(Milliseconds duration) override;
    [[nodiscard]] Task<Result<std::vector<PairingRequest>>> requests(std::uint64_t after, Milliseconds wait) override;
    [[nodiscard]] Task<Result<void>> accept(std::string from, std::string role) override;
    [[nodiscard]] Task<Result<void>> request(std::string to, std::string text) override;
    [[nodiscard]] Task<Result<void>> remove(std::string key) override;
    /// Newest first; each as the object that message_json makes.
    [[nodiscard]] Task<Result<std::vector<std::string>>> messages(std::size_t limit);
    /// Asks Prometheus's API, of the daemon or of any other server, with a form: the whole answer, which says
    /// "status":"success". Errors: what the server says.
    [[nodiscard]] Task<Result<std::string>> ask(std::string path, net::Form form);

  private:
    [[nodiscard]] Task<Result<std::string>> call(std::string method, std::string path, std::string body,
                                                 Milliseconds patience, std::string type = "application/json");
    [[nodiscard]] Task<Result<void>> post(std::string path, std::string body);

    net::HttpClient& http_;
    std::string base_;
    std::string token_;
};

}  // namespace noroshi::api
