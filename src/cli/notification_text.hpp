// src/cli/notification_text.hpp - a received notification as text and as a JSON line.
#pragma once

#include <string>

#include "deliver/waku_channel.hpp"

namespace noroshi::cli {

/// Several lines for people: time, title, body, signer. Control characters were removed by the decoder's rules.
[[nodiscard]] std::string notification_text(const deliver::ReceivedNotification& received);
/// One line: id, from, to, received_at, sent_at, status, title, body, labels, hash (contract of `listen --json`).
[[nodiscard]] std::string notification_json(const deliver::ReceivedNotification& received, const crypto::PublicKey& to,
                                            TimestampMs received_at);

}  // namespace noroshi::cli
