// src/base/metrics.hpp - noroshi's own counters, gauges and histograms, printed at /metrics.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace noroshi {

/// A number that only grows. Thread: any.
class Counter {
  public:
    void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// A number that goes both ways. Thread: any.
class Gauge {
  public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<double> value_{0};
};

/// How often a value fell below each of some bounds, and their sum. Thread: any; an exposition may see a value counted
/// that is not summed yet.
class Histogram {
  public:
    /// `bounds` ascending; a bound counts the values up to and with it.
    explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
    void observe(double value);
    [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
    /// Values above the bound before and up to bounds()[i]; i == bounds().size(): above all.
    [[nodiscard]] std::uint64_t count(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }
    [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

  private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

/// All own metrics of one program. Names: noroshi_<folder>_<what>_<unit>[_total]. Thread: any.
/// The references handed out live as long as the registry. At most 1,000 label sets a name: what comes after shares
/// the label set {overflow="true"}, so that a remote can't grow memory through a label.
class Metrics {
  public:
    using LabelList = std::vector<std::pair<std::string, std::string>>;

    Counter& counter(std::string_view name, std::string_view help, LabelList labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, LabelList labels = {});
    /// `bounds` count for the first call of a label set.
    Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds, LabelList labels = {});
    /// A gauge whose value is asked for at each exposition. `read` is called on the thread that prints.
    void gauge_function(std::string_view name, std::string_view help, std::function<double()> read);
    /// Text format 0.0.4, families and label sets in order of name.
    [[nodiscard]] std::string expose() const;

  private:
    enum class Kind : std::uint8_t { counter, gauge, histogram };
    struct Family {
        std::string help;
        Kind kind{Kind::counter};
        std::map<LabelList, Counter*> counters;
        std::map<LabelList, Gauge*> gauges;
        std::map<LabelList, Histogram*> histograms;
        std::function<double()> read;
    };
    Family& family(std::string_view name, std::string_view help, Kind kind);

    mutable std::mutex mutex_;  // registration and exposition; increments take no lock
    std::map<std::string, Family, std::less<>> families_;
    std::deque<Counter> counters_;
    std::deque<Gauge> gauges_;
    std::deque<Histogram> histograms_;
};

}  // namespace noroshi
