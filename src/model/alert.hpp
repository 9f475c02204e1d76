// src/model/alert.hpp - Alert and AlertTransition: what rules hand to notify.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/labels.hpp"

namespace noroshi::model {

enum class AlertState : std::uint8_t { inactive, pending, firing };
[[nodiscard]] std::string_view alert_state_name(AlertState state);

/// One alert instance of one rule. Identity is the fingerprint of `labels` (alertname among them).
struct Alert {
    Labels labels;
    Labels annotations;
    AlertState state{AlertState::inactive};
    double value{0};
    TimestampMs active_at{};                     ///< first evaluation that returned it
    std::optional<TimestampMs> fired_at;         ///< set from the first firing evaluation on
    std::optional<TimestampMs> resolved_at;      ///< set when it ended after firing
    std::optional<TimestampMs> keep_firing_since;  ///< first absence, while keep_firing_for holds it

    [[nodiscard]] std::uint64_t fingerprint() const { return labels.fingerprint(); }
    bool operator==(const Alert&) const = default;
};

/// An alert that began to fire or was resolved (never pending: nobody is told of that).
struct AlertTransition {
    enum class Kind : std::uint8_t { fired, resolved };
    Kind kind{Kind::fired};
    Alert alert;
    TimestampMs at{};        ///< evaluation time
    std::string rule_group;  ///< "file;group"
    bool operator==(const AlertTransition&) const = default;
};

}  // namespace noroshi::model
