// src/waku/service/budget.hpp - how many requests each peer may make: a token bucket a peer.
#pragma once

#include <algorithm>
#include <map>

#include "base/time.hpp"
#include "host.hpp"

namespace noroshi::waku {

/// `burst` requests at once, then `per_second`. Holds one entry a peer that asked; `forget` it when it has gone.
class Budget {
  public:
    Budget(double per_second, double burst) : per_second_(per_second), burst_(burst) {}
    [[nodiscard]] bool take(const PeerId& peer, SteadyMs now) {
        auto [entry, is_new] = buckets_.try_emplace(peer, Bucket{burst_, now});
        Bucket& bucket = entry->second;
        const double seconds = static_cast<double>((now - bucket.at).count()) / 1000.0;
        bucket = {std::min(burst_, bucket.tokens + seconds * per_second_), now};
        if (bucket.tokens < 1) {
            return false;
        }
        bucket.tokens -= 1;
        return true;
    }
    void forget(const PeerId& peer) { buckets_.erase(peer); }

  private:
    struct Bucket {
        double tokens{0};
        SteadyMs at{};
    };
    double per_second_;
    double burst_;
    std::map<PeerId, Bucket> buckets_;
};

}  // namespace noroshi::waku
