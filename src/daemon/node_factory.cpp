// src/daemon/node_factory.cpp - a peer of our own, or another program's node.
#include "node_factory.hpp"

#include <fmt/format.h>

#include <utility>

#include "version.hpp"
#include "waku/rest_node.hpp"
#include "waku/rust_host.hpp"

namespace noroshi::daemon {

Result<std::unique_ptr<waku::Node>> make_node(waku::NodeConfig config, const std::string& rest_url, Runtime& runtime,
                                              const Clock& clock, Random& random, Metrics& metrics, Log log) {
    if (rest_url.empty()) {
        return waku::Node::create(std::move(config), waku::rust_host_factory(), runtime, clock, random, metrics,
                                  std::move(log));
    }
    waku::RestConfig rest{.url = rest_url,
                          .cluster = config.cluster,
                          .shards = std::move(config.shards),
                          .content_topics = std::move(config.content_topics),
                          .catch_up = config.catch_up,
                          .catch_up_window = config.catch_up_window};
    return waku::make_rest_node(std::move(rest), fmt::format("noroshi/{}", version), runtime, clock, random, metrics,
                                std::move(log));
}

}  // namespace noroshi::daemon
