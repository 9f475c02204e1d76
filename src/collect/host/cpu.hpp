// src/collect/host/cpu.hpp - CpuTimes: the CPU lines of /proc/stat, kept from running backwards.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "host/reading.hpp"

namespace noroshi::collect {

/// The kernel's idle and iowait counters sometimes go back a little. A counter that goes back reads as a restart, and
/// `rate` would take all of it as new: so the last value is kept until it is passed. An idle time that goes back by
/// more than three seconds is a CPU that was off, and starts anew. Same rule as node_exporter's.
class CpuTimes {
  public:
    void read(ReadingBuilder& out, std::string_view stat);

  private:
    static constexpr std::size_t mode_count = 10;
    using Seconds = std::array<double, mode_count>;
    void keep_forward(Seconds& now, const std::string& cpu);

    std::map<std::string, Seconds, std::less<>> last_;
};

}  // namespace noroshi::collect
