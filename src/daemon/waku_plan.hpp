// src/daemon/waku_plan.hpp - the section waku of a configuration as what a Waku node takes.
#pragma once

#include <filesystem>
#include <string>

#include "config/config.hpp"
#include "waku/waku.hpp"

namespace noroshi::daemon {

/// The content topic of a receiver, and the shard it travels on: by autosharding, else the first of the configuration.
struct Topics {
    std::string pubsub;
    std::string content;
};
/// Errors: unsupported (autosharding of a generation other than 0), parse.
[[nodiscard]] Result<Topics> topics_of(const config::WakuConfig& waku, const config::WakuReceiver& receiver);

/// Everything but the host: shards of all receivers, TLS files read, the peer book beside the other state.
/// Errors: of the files, of topics_of; the message names the key.
[[nodiscard]] Result<waku::NodeConfig> make_node_config(const config::Config& config, crypto::SecretKey node_key,
                                                        const std::filesystem::path& data_folder);

}  // namespace noroshi::daemon
