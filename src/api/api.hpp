// src/api/api.hpp - noroshi's own HTTP endpoints: metrics, health, messages, Status.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/status_desk.hpp"
#include "base/metrics.hpp"
#include "base/net/http_server.hpp"
#include "model/message.hpp"

namespace noroshi::api {

/// How one part of the daemon does.
struct PartHealth {
    std::string name;    ///< "waku", "status", "targets", "rules", "outbox", "store"
    bool ok{true};
    std::string detail;  ///< one line for people
};

/// A message, how far it got, and when.
struct MessageRecord {
    model::Message message;
    std::string state;  ///< "queued", a ReceiptKind's name, or "expired"
    std::uint32_t attempts{0};
    std::string last_error;
    std::string envelope;                  ///< hash of the last one, hex, or ""
    std::vector<model::Receipt> receipts;  ///< at most one of a kind
};
inline constexpr std::size_t most_messages = 1'000;

/// One JSON object, in one line. Texts that are not UTF-8 are mended.
[[nodiscard]] std::string message_json(const MessageRecord& record);

/// What the endpoints read; called on the I/O thread.
struct Sources {
    const Metrics& metrics;
    std::function<std::vector<PartHealth>()> health;
    /// Newest first. Without it this is no daemon, and only /metrics and /healthz are served.
    std::function<Task<Result<std::vector<MessageRecord>>>(std::size_t limit)> messages{};
    /// Null: this daemon is nobody in Status.
    StatusDesk* status{nullptr};
};

/// GET /metrics: text format 0.0.4.
/// GET /healthz: 200 {"status":"ok"} or 503 {"status":"degraded"}, each with every part.
/// GET /api/v1/messages?limit=N: {"messages":[..]}, newest first, 100 unless told; times as RFC 3339.
/// GET /api/v1/status: StatusInfo. GET /api/v1/status/requests?after=N&wait=SECONDS: {"requests":[..]}.
/// With the token: POST /api/v1/status/pairing {"open":true,"seconds":600}, /accept {"from":..,"role":"viewer"},
/// /request {"to":..,"text":..}, /remove {"key":..}: {} when it is done.
/// Faults: {"error":..,"code":..} with 400, 404, 409 or 503.
[[nodiscard]] std::vector<net::Route> make_routes(Sources sources);

}  // namespace noroshi::api
