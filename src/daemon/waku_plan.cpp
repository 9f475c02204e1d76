// src/daemon/waku_plan.cpp - shards, TLS files, discovery.
#include "waku_plan.hpp"

#include <algorithm>

#include "deliver/receipt.hpp"
#include "deliver/waku_channel.hpp"
#include "tls_files.hpp"

namespace noroshi::daemon {
namespace {

constexpr const char* book_file = "peers.json";

/// Receipts come back on the shard of their message, whatever their own topic would be.
Result<std::vector<std::uint16_t>> shards_of(const config::Config& config) {
    if (!config.waku.autosharding) {
        return config.waku.shards;
    }
    std::vector<std::uint16_t> out;
    for (const config::Receiver& receiver : config.receivers) {
        for (const config::WakuReceiver& to : receiver.waku_configs) {
            NOROSHI_TRY(const Topics topics, topics_of(config.waku, to));
            NOROSHI_TRY(const waku::PubsubTopic topic, waku::parse_pubsub_topic(topics.pubsub));
            if (std::ranges::count(out, topic.shard) == 0) {
                out.push_back(topic.shard);
            }
        }
    }
    if (out.empty()) {
        out.push_back(0);  // nobody is told anything by Waku: any shard will do
    }
    return out;
}

waku::DiscoveryConfig discovery_of(const config::WakuDiscovery& from, const std::filesystem::path& data_folder) {
    return {.dns = from.dns,
            .resolver = from.resolver,
            .discv5 = from.discv5,
            .discv5_address = from.discv5_address,
            .discv5_port = from.discv5_port,
            .bootstrap = from.bootstrap,
            .peer_exchange = from.peer_exchange,
            .book_file = from.any() ? (data_folder / book_file).string() : std::string()};
}

}  // namespace

Result<Topics> topics_of(const config::WakuConfig& waku, const config::WakuReceiver& receiver) {
    Topics out;
    out.content = receiver.content_topic.empty() ? std::string(deliver::notification_content_topic) : receiver.content_topic;
    std::uint16_t shard = waku.shards.front();
    if (waku.autosharding) {
        NOROSHI_TRY(const waku::ContentTopic topic, waku::parse_content_topic(out.content));
        NOROSHI_TRY(shard, waku::autoshard(topic, *waku.autosharding));
    }
    out.pubsub = waku::PubsubTopic{waku.cluster, shard}.to_string();
    return out;
}

Result<waku::NodeConfig> make_node_config(const config::Config& config, crypto::SecretKey node_key,
                                          const std::filesystem::path& data_folder) {
    NOROSHI_TRY(std::vector<std::uint16_t> shards, shards_of(config));
    waku::NodeConfig out{.key = std::move(node_key),
                         .listen = config.waku.listen,
                         .peers = config.waku.peers,
                         .announce = config.waku.announce,
                         .discovery = discovery_of(config.waku.discovery, data_folder),
                         .cluster = config.waku.cluster,
                         .shards = std::move(shards),
                         .mode = config.waku.mode == config::WakuMode::light ? waku::Mode::light : waku::Mode::relay,
                         .content_topics = {std::string(deliver::receipt_content_topic)},
                         .catch_up = true};
    Result<void> tls = read_tls({config.waku.tls.cert_file, config.waku.tls.key_file, config.waku.tls.ca_file}, out);
    if (!tls) {
        return fail(std::move(tls).error().with("waku.tls_config"));
    }
    return out;
}

}  // namespace noroshi::daemon
