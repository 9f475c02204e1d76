// src/status/send_budget.hpp - how many envelopes may go to the network now.
#pragma once

#include <algorithm>
#include <deque>

#include "base/time.hpp"

namespace noroshi::status {

/// What an envelope carries, as far as it matters when there is little room.
enum class Urgency : std::uint8_t {
    message,  ///< what a caller waits for: all of the room
    answer,   ///< acknowledgements and acceptances: who makes us answer cannot take the room of alerts
    later     ///< repeats, name and picture, advertisements
};

/// The design target of the network once each sender is limited: 100 envelopes in ten minutes. Thread: one.
class SendBudget {
  public:
    static constexpr std::size_t most = 100;
    static constexpr std::size_t most_with_answers = 85;
    static constexpr std::size_t most_with_later = 70;
    static constexpr Milliseconds window{600'000};

    /// Takes the places of `envelopes`, or none.
    [[nodiscard]] bool take(std::size_t envelopes, Urgency urgency, SteadyMs now) {
        forget_old(now);
        if (sent_.size() + envelopes > bound_of(urgency)) {
            return false;
        }
        sent_.insert(sent_.end(), envelopes, now);
        return true;
    }
    /// The last taken places were not used.
    void give_back(std::size_t envelopes) { sent_.resize(sent_.size() - std::min(envelopes, sent_.size())); }
    /// Until so many envelopes may go; zero when they may now.
    [[nodiscard]] Milliseconds pause(std::size_t envelopes, Urgency urgency, SteadyMs now) {
        forget_old(now);
        const std::size_t over = sent_.size() + envelopes - std::min(sent_.size() + envelopes, bound_of(urgency));
        return over == 0 ? Milliseconds(0) : sent_[std::min(over, sent_.size()) - 1] + window - now;
    }
    [[nodiscard]] std::size_t used(SteadyMs now) {
        forget_old(now);
        return sent_.size();
    }

  private:
    static std::size_t bound_of(Urgency urgency) {
        return urgency == Urgency::message ? most : urgency == Urgency::answer ? most_with_answers : most_with_later;
    }
    void forget_old(SteadyMs now) {
        while (!sent_.empty() && now - sent_.front() >= window) {
            sent_.pop_front();
        }
    }

    std::deque<SteadyMs> sent_;
};

}  // namespace noroshi::status
