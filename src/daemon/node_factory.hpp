// src/daemon/node_factory.hpp - the one place that decides which kind of Waku node is made.
#pragma once

#include <memory>
#include <string>

#include "base/runtime.hpp"
#include "waku/waku.hpp"

namespace noroshi::daemon {

/// A libp2p peer of our own; with `rest_url`, the URL of another program's REST API, that program's node, for which
/// only cluster, shards, content topics and catching up of `config` hold. Errors: as waku::Node::create and make_rest_node.
[[nodiscard]] Result<std::unique_ptr<waku::Node>> make_node(waku::NodeConfig config, const std::string& rest_url,
                                                            Runtime& runtime, const Clock& clock, Random& random,
                                                            Metrics& metrics, Log log);

}  // namespace noroshi::daemon
