// src/collect/push/remote_write.hpp - takes what a Prometheus sends by remote write.
#pragma once

#include <string>
#include <string_view>

#include "collect/push/intake.hpp"

namespace noroshi::collect {

/// What is answered to a request. It may have been stored in part whatever the status is.
struct WriteOutcome {
    unsigned status{204};  ///< 204; 400 (never again like this); 415; 429 (later again)
    std::string text;      ///< what is wrong, a line each, at most ten; empty with 204
    bool counted{false};   ///< the sender is told the two numbers: version 2 only
    std::size_t samples{0};     ///< stored
    std::size_t histograms{0};  ///< stored
};

/// Receives remote write 1.0 and 2.0 and appends to the store, stale markers and native histograms too. What is not
/// stored is counted by reason in noroshi_remote_write_dropped_total. Thread: the I/O thread.
class RemoteWriteReceiver {
  public:
    /// Samples older than `max_age`, or more than ten minutes ahead, are out of bounds.
    RemoteWriteReceiver(tsdb::Head& head, const Clock& clock, Metrics& metrics, Milliseconds max_age);
    /// One request: its Content-Type and Content-Encoding, "" where it has none, and its body as sent.
    [[nodiscard]] WriteOutcome receive(std::string_view type, std::string_view encoding, std::string_view body);

  private:
    class Batch;

    IntakeParts parts_;
};

}  // namespace noroshi::collect
