// src/status/push.hpp - 71/PUSH-NOTIFICATION-SERVER as a sender sees it: how devices are woken, what servers are asked.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "payloads.hpp"

/// Thread: any; values and pure functions.
namespace noroshi::status {

namespace wire {
class PushNotificationQueryInfo;
}

/// The name of a user at a push server: SHAKE-256 of the compressed key.
using PushName = std::array<std::uint8_t, 64>;
[[nodiscard]] PushName push_name(const crypto::PublicKey& user);

/// One device that may be woken through one server: its user signed that the server may keep this token.
struct PushTarget {
    crypto::PublicKey server;
    std::string access_token;
    std::string installation_id;
    std::uint64_t version{0};  ///< of the device's registration; a later one replaces all earlier ones
    bool operator==(const PushTarget&) const = default;
};
/// `answered_by` is the server whose answer `info` is in; none: it stands in the contact code of `user`. Errors: refused,
/// whose message is one word: other_user, bad_server, not_allowed (none of the tokens is for us), bad_token,
/// bad_installation, bad_grant.
[[nodiscard]] Result<PushTarget> judge_push_info(const PushInfo& info, const crypto::PublicKey& user,
                                                 const crypto::SecretKey& own,
                                                 const std::optional<crypto::PublicKey>& answered_by);

[[nodiscard]] PushInfo read_push_info(const wire::PushNotificationQueryInfo& in);
void write_push_info(const PushInfo& info, wire::PushNotificationQueryInfo& out);

/// Where servers that know `user` listen for questions about him: hex of his name.
[[nodiscard]] std::string push_query_chat_id(const crypto::PublicKey& user);
[[nodiscard]] Bytes encode_push_query(const crypto::PublicKey& user);
struct PushQueryResponse {
    std::vector<PushInfo> infos;  ///< the first most_push_infos
    Bytes message_id;             ///< of the question
    bool success{false};
};
/// Errors: parse (malformed).
[[nodiscard]] Result<PushQueryResponse> decode_push_query_response(ByteView bytes);

/// Asks one server to wake the devices of `targets`, which are its own, because of a message in the chat of both.
[[nodiscard]] Bytes encode_push_request(const std::vector<PushTarget>& targets, const crypto::PublicKey& user,
                                        const crypto::PublicKey& own, ByteView message_id);
enum class PushFault : std::int32_t { unknown = 0, wrong_token = 1, internal = 2, not_registered = 3 };
struct PushReport {
    bool success{false};
    PushFault fault{PushFault::unknown};
    Bytes user;  ///< name
    std::string installation_id;
};
struct PushResponse {
    Bytes message_id;                 ///< as in the request
    std::vector<PushReport> reports;  ///< the first most_push_infos
};
/// Errors: parse (malformed).
[[nodiscard]] Result<PushResponse> decode_push_response(ByteView bytes);

}  // namespace noroshi::status
