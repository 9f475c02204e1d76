// src/daemon/status_plan.hpp - the section status and the receivers in Status, as the messenger takes them.
#pragma once

#include "base/crypto/crypto.hpp"
#include "base/result.hpp"
#include "config/config.hpp"
#include "status/status.hpp"

namespace noroshi::daemon {

/// Largest picture of a profile, in bytes.
inline constexpr std::size_t max_profile_picture_bytes = 100 * 1024;

/// Whom the receiver means. Errors: of status::parse_user, with file, line and column.
[[nodiscard]] Result<crypto::PublicKey> status_user_of(const config::StatusReceiver& receiver);

/// Name, picture (its file is read now) and switches; cluster as the node's. `identity` is moved in.
/// Errors: invalid_argument (display_name), not_found, limit, io, parse (picture); with file, line and column.
[[nodiscard]] Result<status::MessengerConfig> make_messenger_config(const config::Config& config,
                                                                    crypto::SecretKey identity);
/// What make_messenger_config would say, without a key.
[[nodiscard]] std::vector<Error> check_status(const config::StatusConfig& config);

}  // namespace noroshi::daemon
