// src/collect/scrape/protobuf.hpp - Prometheus's protobuf exposition, the one format with native histograms.
#pragma once

#include "collect/collect.hpp"

namespace noroshi::collect {

/// A body of MetricFamily messages of io.prometheus.client, each behind its length. Families are read one by one and their
/// metrics one by one, in the samples that Prometheus makes of them: a classic histogram or a summary becomes its series, a
/// native one a histogram, whose classic buckets are left out unless `histograms` says otherwise. Exemplars and start times
/// are passed over. Pure. Errors: parse, limit.
[[nodiscard]] Result<std::vector<ScrapedSample>> parse_protobuf(std::string_view body, const ParseLimits& limits,
                                                                const HistogramOptions& histograms);

/// Brings a histogram within the limits of its target by a coarser resolution. Errors: limit (it can't be coarser).
[[nodiscard]] Result<void> limit_histogram(model::HistogramPtr& histogram, const HistogramOptions& options);
/// The finest schema whose buckets grow by at least this factor; 1 or less: the finest there is.
[[nodiscard]] int finest_schema(double min_bucket_factor);

}  // namespace noroshi::collect
