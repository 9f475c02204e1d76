// src/waku/rust_host.hpp - the real libp2p host: the Rust crate p2p/ behind its C ABI.
#pragma once

#include "waku/node.hpp"

namespace noroshi::waku {

/// Makes hosts that run rust-libp2p on a thread of their own ("noroshi-p2p"). Linked from the target noroshi_waku_rust.
[[nodiscard]] HostFactory rust_host_factory();

}  // namespace noroshi::waku
