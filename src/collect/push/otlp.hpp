// src/collect/push/otlp.hpp - takes the metrics that an OpenTelemetry SDK or collector sends by OTLP over HTTP.
#pragma once

#include <string>
#include <string_view>

#include "collect/push/intake.hpp"

namespace noroshi::collect {

/// What is answered to a request.
struct OtlpOutcome {
    unsigned status{200};     ///< 200, also when only a part was stored; 400 (never again like this); 415; 429 (later again)
    std::string body;         ///< protobuf: what was refused, or why the whole request was; empty when all was stored
    std::string text;         ///< the same for tests and logs
    std::size_t rejected{0};  ///< samples that were not stored
};

/// Receives OTLP/HTTP export requests of metrics as protobuf, plain or gzip, and appends them under the names that Prometheus
/// gives them by default: job and instance of the resource's service, target_info for its other attributes, exponential
/// histograms as native ones, others as classic ones. Cumulative only: delta is refused. What is not stored is counted by reason in
/// noroshi_otlp_dropped_total. Scopes, exemplars, start times, units and descriptions are passed over. Thread: the I/O thread.
class OtlpReceiver {
  public:
    OtlpReceiver(tsdb::Head& head, const Clock& clock, Metrics& metrics, Milliseconds max_age);
    /// One request: its Content-Type and Content-Encoding, "" where it has none, and its body as sent.
    [[nodiscard]] OtlpOutcome receive(std::string_view type, std::string_view encoding, std::string_view body);

  private:
    IntakeParts parts_;
};

}  // namespace noroshi::collect
