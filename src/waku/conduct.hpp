// src/waku/conduct.hpp - who has made how many faults, and who is banned for it until when.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "base/time.hpp"
#include "host.hpp"

namespace noroshi::waku {

/// A fault is something no honest program does: a frame that is no frame, a stream begun and never finished, an answer
/// never read. Twenty of them are forgiven, one more each ten seconds; who makes more is banned for ten minutes. What
/// it remembers is bounded: a thousand peers, each until its faults are forgiven. Thread: one.
class Conduct {
  public:
    /// True when this one was too many: the peer is to be banned, and counts as banned from now on.
    [[nodiscard]] bool fault(const PeerId& peer, SteadyMs now) {
        if (!peers_.contains(peer) && peers_.size() >= remembered) {
            return false;
        }
        Record& record = peers_[peer];
        record.faults = record.faults_at(now) + 1;
        record.at = now;
        if (record.banned || record.faults <= forgiven) {
            return false;
        }
        record.banned = true;
        return true;
    }
    /// Whose ban ends now. Forgets who has no faults left.
    [[nodiscard]] std::vector<PeerId> pardon(SteadyMs now) {
        std::vector<PeerId> out;
        std::erase_if(peers_, [&out, now](const auto& entry) {
            const auto& [peer, record] = entry;
            if (record.banned && now - record.at >= ban) {
                out.push_back(peer);
                return true;
            }
            return !record.banned && record.faults_at(now) <= 0;
        });
        return out;
    }
    /// A new host has banned nobody.
    void forget_all() { peers_.clear(); }

    static constexpr double forgiven = 20;
    static constexpr Milliseconds forgiven_each{10'000};
    static constexpr Milliseconds ban{600'000};
    static constexpr std::size_t remembered = 1'000;

  private:
    struct Record {
        double faults{0};
        SteadyMs at{};  ///< of the last fault
        bool banned{false};
        [[nodiscard]] double faults_at(SteadyMs now) const {
            return std::max(0.0, faults - static_cast<double>((now - at).count()) / forgiven_each.count());
        }
    };
    std::map<PeerId, Record> peers_;
};

}  // namespace noroshi::waku
