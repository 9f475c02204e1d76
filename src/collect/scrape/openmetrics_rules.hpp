// src/collect/scrape/openmetrics_rules.hpp - OpenMetricsRules: what the values and labels of each type must be.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scrape/sample_line.hpp"

namespace noroshi::collect {

/// One sample as it was read.
struct OpenMetricsSample {
    std::string_view suffix;  ///< of its name after the family's
    const std::vector<model::Label>& labels;
    double value;
    std::optional<TimestampMs> at;
    bool exemplar;
};

/// What belongs together of one metric at one time.
struct MetricPoint {
    std::optional<TimestampMs> at;
    std::optional<double> bound;  // of the last bucket
    double in_bucket{0};
    bool negative_bound{false};
    std::optional<double> infinite;  // the bucket +Inf
    std::optional<double> count;
    std::optional<double> sum;
};

/// Follows the metrics of one body: the points of a metric stand together, all with a time or all without one; totals,
/// counts and buckets are what their types allow. The rules are those that OpenMetrics 1.0 puts on types ("Metric Types") and
/// exemplars. Errors are parse and stand at the sample, or at the last one of a metric that lacks something.
class OpenMetricsRules {
  public:
    [[nodiscard]] Result<void> sample(const Family& family, const OpenMetricsSample& sample, const LineReader& reader);
    /// The body is through.
    [[nodiscard]] Result<void> finish() { return end_point(); }

  private:
    Result<void> begin_metric(const Family& family, const OpenMetricsSample& sample, const LineReader& reader);
    Result<void> bucket(const OpenMetricsSample& sample, const LineReader& reader);
    Result<void> part(const OpenMetricsSample& sample, const LineReader& reader);
    Result<void> end_point();

    Family family_;
    std::string metric_;            // its labels, one text
    std::set<std::string> metrics_;  // of the family
    std::optional<MetricPoint> point_;
    std::uint32_t line_{0};
};

}  // namespace noroshi::collect
