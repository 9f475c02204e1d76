// src/deliver/status_channel.hpp - the channel that writes to a contact in the Status app.
#pragma once

#include <memory>

#include "base/crypto/crypto.hpp"
#include "deliver/deliver.hpp"
#include "status/status.hpp"

namespace noroshi::deliver {

/// Sends a message as one chat text under its own id: title, then body. A message that replaces another is a reply to it,
/// which raises a notification; when it says that all is over, the replaced one is edited to say so, where the app shows
/// edits; an edit that fails is no fault. `stored` is the word of another node as in the Waku channel; `delivered` comes
/// through Messenger's events, not through here. Errors beside those of every channel: not_found (not_paired; retryable).
/// `messenger`, `store`, `node` and `clock` must outlive the channel.
[[nodiscard]] std::shared_ptr<Channel> make_status_channel(crypto::PublicKey to, status::Messenger& messenger,
                                                           store::Store& store, waku::Node& node, const Clock& clock);

}  // namespace noroshi::deliver
