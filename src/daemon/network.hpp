// src/daemon/network.hpp - the Waku node and all that reads and writes through it: channels, receipts, Status, the heartbeat.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "base/runtime.hpp"
#include "config/config.hpp"
#include "deliver/deliver.hpp"
#include "deliver/heartbeat.hpp"
#include "status_room.hpp"
#include "status_state.hpp"
#include "waku/waku.hpp"

namespace noroshi::daemon {

/// What reaches the network goes through one of these: the daemon's own, or that of `noroshi pair` when no daemon runs.
/// One reader gives what arrives to whom its content topic belongs. Thread: the I/O thread.
class Network {
  public:
    /// All must outlive it.
    struct Parts {
        Runtime& runtime;
        const Clock& clock;
        Random& random;
        Metrics& metrics;
        Log log;
        store::Store& store;
        deliver::Outbox& outbox;
        /// As StatusRoom's.
        std::function<void(const model::InboundLine&, const std::string& receiver)> on_line{};
    };
    /// Whether this daemon is somebody in Status; even then only on a network that has the shard of its chats.
    enum class Status { off, on };

    /// Nothing is connected yet. Errors: of make_node_config, make_node and the picture.
    [[nodiscard]] static Result<std::unique_ptr<Network>> create(const config::Config& config, crypto::SecretKey identity,
                                                                 const std::filesystem::path& data_folder, Status status,
                                                                 Parts parts);
    /// Errors: of the node and of StatusRoom.
    [[nodiscard]] Task<Result<void>> start();
    /// Only what is on disk: no node, nothing is sent.
    [[nodiscard]] Task<Result<void>> start_alone();
    /// Ends when a peer takes messages. Errors: timeout, cancelled.
    [[nodiscard]] Task<Result<void>> wait_for_peers(Milliseconds patience);
    /// Safe after a start that went only part of the way.
    [[nodiscard]] Task<void> stop();

    /// Gives the outbox its channels, and Status its receivers. All are checked: by the plan and `out_of_reach`.
    void set_receivers(const std::vector<config::Receiver>& receivers);
    /// The first receiver that cannot be reached on the shards of the running node; null when all can. What is published
    /// on another shard would end as expired.
    [[nodiscard]] const config::Receiver* out_of_reach(const std::vector<config::Receiver>& receivers) const;

    [[nodiscard]] waku::Node& node() { return *node_; }
    [[nodiscard]] const std::vector<std::uint16_t>& shards() const { return shards_; }
    /// Null when this daemon is nobody in Status.
    [[nodiscard]] StatusRoom* status() { return room_ ? &*room_ : nullptr; }
    [[nodiscard]] std::vector<api::PartHealth> health() const;

  private:
    Network(const config::Config& config, crypto::SecretKey identity, Parts parts);
    [[nodiscard]] Result<void> make_status(const config::Config& config);
    [[nodiscard]] Task<void> read();
    [[nodiscard]] Task<void> take_receipts();
    [[nodiscard]] Task<void> remember_reading();
    void listen();
    [[nodiscard]] std::shared_ptr<deliver::Channel> channel_to(const config::Receiver& receiver);

    config::WakuConfig waku_;
    crypto::SecretKey identity_;
    Parts parts_;
    std::vector<config::Receiver> receivers_;
    std::vector<std::uint16_t> shards_;  ///< that the node has joined
    std::unique_ptr<waku::Node> node_;
    std::optional<deliver::Heartbeat> heartbeat_;
    std::optional<StatusState> state_;
    std::unique_ptr<status::Messenger> messenger_;
    std::optional<StatusRoom> room_;
    Queue<waku::ReceivedMessage> receipts_;
    bool reached_somebody_{false};
    Bell peer_ready_;
    TaskGroup tasks_;
};

}  // namespace noroshi::daemon
