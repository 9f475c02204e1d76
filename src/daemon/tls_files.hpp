// src/daemon/tls_files.hpp - the PEM files of a node's WebSocket: read once, at the start.
#pragma once

#include <string>

#include "waku/waku.hpp"

namespace noroshi::daemon {

/// Paths; empty ones are passed over.
struct TlsFiles {
    std::string cert_file;  ///< the chain, own certificate first
    std::string key_file;   ///< must be private
    std::string ca_file;    ///< roots beside those of the system
};

/// At most 1 MiB each. Errors: refused (others can read the key), not_found, limit, io; the message names the file.
[[nodiscard]] Result<void> read_tls(const TlsFiles& files, waku::NodeConfig& out);

}  // namespace noroshi::daemon
