// src/base/metrics.hpp - noroshi's own counters and gauges, printed at /metrics.
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

/// All own metrics of one program. Names: noroshi_<folder>_<what>_<unit>[_total]. Thread: any.
/// The references handed out live as long as the registry. At most 1,000 label sets a name: what comes after shares
/// the label set {overflow="true"}, so that a remote can't grow memory through a label.
class Metrics {
  public:
    using LabelList = std::vector<std::pair<std::string, std::string>>;

    Counter& counter(std::string_view name, std::string_view help, LabelList labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, LabelList labels = {});
    /// A gauge whose value is asked for at each exposition. `read` is called on the thread that prints.
    void gauge_function(std::string_view name, std::string_view help, std::function<double()> read);
    /// Text format 0.0.4, families and label sets in order of name.
    [[nodiscard]] std::string expose() const;

  private:
    struct Family {
        std::string help;
        bool is_counter{true};
        std::map<LabelList, Counter*> counters;
        std::map<LabelList, Gauge*> gauges;
        std::function<double()> read;
    };
    Family& family(std::string_view name, std::string_view help, bool is_counter);

    mutable std::mutex mutex_;  // registration and exposition; increments take no lock
    std::map<std::string, Family, std::less<>> families_;
    std::deque<Counter> counters_;
    std::deque<Gauge> gauges_;
};

}  // namespace noroshi
