// src/deliver/status_channel.hpp - the channel that writes to a contact in the Status app.
#pragma once

#include <memory>

#include "base/crypto/crypto.hpp"
#include "deliver/deliver.hpp"
#include "status/status.hpp"

namespace noroshi::deliver {

/// Sends a message as one chat text under its own id. A message that replaces another is a reply to it, which raises a
/// notification, and the replaced one is edited to say that it is over, where the app shows edits; an edit that fails is
/// no fault. `stored` is the word of another node as in the Waku channel; `delivered` comes through Messenger's events,
/// not through here. `messenger`, `node` and `clock` must outlive the channel.
[[nodiscard]] std::shared_ptr<Channel> make_status_channel(crypto::PublicKey to, status::Messenger& messenger,
                                                           waku::Node& node, const Clock& clock);

}  // namespace noroshi::deliver
