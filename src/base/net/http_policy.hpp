// src/base/net/http_policy.hpp - who may call which route: the rules of ServerPolicy, apart from any socket.
#pragma once

#include <string>
#include <vector>

#include "base/net/http_server.hpp"

namespace noroshi::net {

/// Applies the access rules in a fixed order, then finds the route and runs its handler.
class HttpPolicy {
  public:
    HttpPolicy(std::vector<Route> routes, ServerPolicy policy, const std::string& address, std::uint16_t port,
               bool loopback, Log log);
    [[nodiscard]] Task<ServerResponse> answer(ServerRequest request) const;
    [[nodiscard]] const ServerPolicy& limits() const { return policy_; }

  private:
    [[nodiscard]] bool is_allowed_host(std::string_view host) const;
    [[nodiscard]] bool has_token(const ServerRequest& request) const;
    struct Found {
        const Route* route{nullptr};
        bool path_known{false};
    };
    [[nodiscard]] Found find(const ServerRequest& request) const;

    std::vector<Route> routes_;
    ServerPolicy policy_;
    bool loopback_;
    Log log_;
};

}  // namespace noroshi::net
