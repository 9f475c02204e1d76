// src/daemon/inbox.hpp - the receiving side: a Waku node that decrypts the notifications meant for one key.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/runtime.hpp"
#include "deliver/waku_channel.hpp"
#include "waku/waku.hpp"

namespace noroshi::daemon {

/// Whom to listen as, and through whom.
struct InboxConfig {
    crypto::SecretKey key;                ///< the receiver's identity
    std::vector<std::string> peers;       ///< multiaddrs with /p2p/<id>
    std::uint16_t cluster{16};
    std::vector<std::uint16_t> shards{32};
    waku::Mode mode{waku::Mode::relay};
    bool receipts{true};                  ///< tell the sender that a message has arrived
    std::string rest{};                   ///< URL of another program's REST API: its node is used, and no peers
    waku::DiscoveryConfig discovery{};  ///< where peers are looked for beside those named
    Milliseconds since{0};                ///< also what a store among the peers kept of the time before the start
};

/// Joins the network with a fresh node key, fetches what it missed from a peer that keeps messages, decrypts what is for
/// `key`, and gives each message id once (the last 10,000 ids are remembered). Tells each sender that it has them. Used by `noroshi listen` and by `noroshi run` without a configuration. Thread: the I/O thread.
class Inbox {
  public:
    /// Errors: as waku::Node::create.
    [[nodiscard]] static Result<std::unique_ptr<Inbox>> create(InboxConfig config, Runtime& runtime, const Clock& clock,
                                                               Random& random, Metrics& metrics, Log log);
    ~Inbox();

    [[nodiscard]] Task<Result<void>> start();
    [[nodiscard]] Task<void> stop();
    /// The next notification for this key; what can't be read is counted by reason and passed over.
    [[nodiscard]] Task<Result<deliver::ReceivedNotification>> next();

  private:
    struct State;
    explicit Inbox(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace noroshi::daemon
