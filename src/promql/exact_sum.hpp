// src/promql/exact_sum.hpp - sums that keep what rounding would lose (Neumaier).
#pragma once

#include <cmath>

namespace noroshi::promql {

/// Adds so that `rest` holds what the rounding of `sum` lost. Infinity loses nothing.
inline void add_exactly(double& sum, double& rest, double value) {
    const double total = sum + value;
    if (std::isinf(total)) {
        rest = 0;
    } else if (std::fabs(sum) >= std::fabs(value)) {
        rest += (sum - total) + value;
    } else {
        rest += (value - total) + sum;
    }
    sum = total;
}

class ExactSum {
  public:
    void add(double value) { add_exactly(sum_, rest_, value); }
    [[nodiscard]] double value() const { return std::isinf(sum_) || std::isnan(sum_) ? sum_ : sum_ + rest_; }

  private:
    double sum_{0};
    double rest_{0};
};

}  // namespace noroshi::promql
