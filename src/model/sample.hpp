// src/model/sample.hpp - Sample and the staleness marker.
#pragma once

#include <bit>
#include <cstdint>

#include "base/time.hpp"

namespace noroshi::model {

/// One value at one time.
struct Sample {
    TimestampMs at;
    double value;
};

inline constexpr std::uint64_t stale_marker_bits = 0x7ff0000000000002;

/// The NaN that says "this series ended here". Compared by bits, never by value.
[[nodiscard]] inline double stale_marker() { return std::bit_cast<double>(stale_marker_bits); }
[[nodiscard]] inline bool is_stale_marker(double value) {
    return std::bit_cast<std::uint64_t>(value) == stale_marker_bits;
}

}  // namespace noroshi::model
