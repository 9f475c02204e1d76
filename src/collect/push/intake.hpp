// src/collect/push/intake.hpp - the way of one pushed request into the store, and the count of what does not get there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "base/time.hpp"
#include "tsdb/tsdb.hpp"

namespace noroshi::collect {

/// Limits on one request.
inline constexpr std::size_t most_write_bytes = 8u << 20;   ///< after decompression
inline constexpr std::size_t most_label_bytes = 16u << 10;  ///< of one series, names and values
inline constexpr std::size_t most_labels = 128;             ///< of one series

/// What a receiver writes with; all of it outlives the receiver.
struct IntakeParts {
    tsdb::Head& head;
    const Clock& clock;
    Metrics& metrics;
    Milliseconds max_age;     ///< samples older than this, or more than ten minutes ahead, are out of bounds
    const char* counter;      ///< own metric that counts what was dropped, by reason
    const char* help;
};

/// Why a series with these labels cannot be; they are sorted on the way.
struct LabelFault {
    const char* reason;  ///< one word, for the counter
    std::string text;
};
[[nodiscard]] std::optional<LabelFault> fault_of_labels(std::vector<model::Label>& labels);
[[nodiscard]] std::string too_many_labels();

/// One request: stores what can be stored and remembers what could not. Thread: the I/O thread.
class Intake {
  public:
    explicit Intake(const IntakeParts& parts);
    /// The series, or nothing: the store is full, which was told.
    [[nodiscard]] std::optional<tsdb::SeriesId> open(const model::Labels& labels);
    /// `labels` are for the text.
    void append(tsdb::SeriesId series, const model::Labels& labels, std::int64_t at_ms, double value);
    /// Whose time is in bounds.
    void append(tsdb::SeriesId series, const model::Labels& labels, model::HistogramSample sample);
    /// Whether a sample of that time may be stored; else it is told.
    [[nodiscard]] bool in_bounds(const model::Labels& labels, std::int64_t at_ms);
    /// Counts only.
    void drop(const char* reason, std::size_t times = 1);
    /// Counts, and remembers the text for the sender. `times`: samples that are lost by it.
    void refuse(const char* reason, std::string_view text, std::size_t times = 1);

    [[nodiscard]] TimestampMs now() const { return now_; }
    [[nodiscard]] std::int64_t oldest_ms() const;
    [[nodiscard]] std::size_t samples() const { return samples_; }        ///< stored
    [[nodiscard]] std::size_t histograms() const { return histograms_; }  ///< stored
    [[nodiscard]] std::size_t refused() const { return refused_; }
    [[nodiscard]] bool is_full() const { return is_full_; }  ///< the store took no new series
    /// What was refused, a line each, at most ten; "" when nothing was.
    [[nodiscard]] std::string text() const;

  private:
    IntakeParts parts_;
    TimestampMs now_;
    std::size_t samples_{0};
    std::size_t histograms_{0};
    std::size_t refused_{0};
    std::size_t faults_{0};
    bool is_full_{false};
    std::string text_;
};

}  // namespace noroshi::collect
