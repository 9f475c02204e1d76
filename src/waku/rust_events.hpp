// src/waku/rust_events.hpp - events of the C ABI as values.
#pragma once

#include <optional>
#include <string>

#include "host.hpp"
#include "noroshi_p2p.h"

namespace noroshi::waku {

/// Copies: what a slice points to is gone after the callback. Thread: any.
[[nodiscard]] std::string text_of(nrp2p_slice slice);
[[nodiscard]] GossipId gossip_id_of(nrp2p_slice slice);
[[nodiscard]] Bytes bytes_of(nrp2p_slice slice);
/// The event as a value; nothing for kinds that nobody asks for here.
[[nodiscard]] std::optional<HostEvent> value_of(const nrp2p_event& event);

}  // namespace noroshi::waku
