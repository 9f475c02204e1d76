// src/collect/push/otlp_names.hpp - what Prometheus calls what OpenTelemetry names: metrics, units, attributes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace noroshi::collect {

enum class OtlpKind { gauge, counter, other };  ///< a counter is a monotonic sum

/// "http.server.duration" in "ms" -> "http_server_duration_milliseconds"; counters end in _total, gauges of unit 1 in _ratio:
/// Prometheus's default strategy (underscores and suffixes). Errors: invalid_argument (nothing is left).
[[nodiscard]] Result<std::string> otlp_metric_name(std::string_view name, std::string_view unit, OtlpKind kind);
/// The label of an attribute: what a label cannot have is an underscore. Errors: invalid_argument (nothing is left).
[[nodiscard]] Result<std::string> otlp_label_name(std::string_view attribute);

}  // namespace noroshi::collect
