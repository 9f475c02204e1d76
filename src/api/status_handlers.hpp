// src/api/status_handlers.hpp - the endpoints of pairing.
#pragma once

#include <vector>

#include "api/api.hpp"

namespace noroshi::api {

/// The routes under /api/v1/status; `desk` may be null and must outlive the server.
[[nodiscard]] std::vector<net::Route> status_routes(StatusDesk* desk);

/// A JSON answer with 200, or what an error means in HTTP.
[[nodiscard]] net::ServerResponse json_response(std::string body, unsigned status = 200);
[[nodiscard]] net::ServerResponse error_response(const Error& error);

}  // namespace noroshi::api
