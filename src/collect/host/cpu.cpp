// src/collect/host/cpu.cpp - implements CpuTimes and the other lines of /proc/stat.
#include "host/cpu.hpp"

#include <algorithm>

#include "host/parts.hpp"

namespace noroshi::collect {

namespace {

constexpr double ticks_per_second = 100;  // USER_HZ, fixed for user space on every architecture we run on
constexpr double idle_reset_seconds = 3;
constexpr std::size_t idle_column = 3;
constexpr std::size_t first_guest_column = 8;

/// Columns after the CPU's name; the last two are of node_cpu_guest_seconds_total.
constexpr std::array<std::string_view, 10> modes{"user", "nice",    "system", "idle", "iowait",
                                                 "irq",  "softirq", "steal",  "user", "nice"};

struct StatRow {
    std::string_view key;
    std::string_view name;
};
constexpr std::array<StatRow, 6> stat_rows{{{"intr", "node_intr_total"},
                                            {"ctxt", "node_context_switches_total"},
                                            {"btime", "node_boot_time_seconds"},
                                            {"processes", "node_forks_total"},
                                            {"procs_running", "node_procs_running"},
                                            {"procs_blocked", "node_procs_blocked"}}};

}  // namespace

void CpuTimes::keep_forward(Seconds& now, const std::string& cpu) {
    const auto [last, is_new] = last_.try_emplace(cpu, now);
    if (!is_new && last->second[idle_column] - now[idle_column] < idle_reset_seconds) {
        std::ranges::transform(now, last->second, now.begin(), [](double a, double b) { return std::max(a, b); });
    }
    last->second = now;
}

void CpuTimes::read(ReadingBuilder& out, std::string_view stat) {
    for (const std::string_view line : lines_of(stat)) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (!fields[0].starts_with("cpu") || fields[0] == "cpu") {
            continue;
        }
        const std::string cpu(fields[0].substr(3));
        Seconds seconds{};
        for (std::size_t i = 0; i < mode_count && i + 1 < fields.size(); ++i) {
            seconds[i] = number_of(fields[i + 1]).value_or(0) / ticks_per_second;
        }
        keep_forward(seconds, cpu);
        for (std::size_t i = 0; i < mode_count; ++i) {
            out.add(i < first_guest_column ? "node_cpu_seconds_total" : "node_cpu_guest_seconds_total",
                    {{"cpu", cpu}, {"mode", std::string(modes[i])}}, seconds[i]);
        }
    }
}

void read_stat(ReadingBuilder& out, std::string_view stat) {
    for (const std::string_view line : lines_of(stat)) {
        const std::vector<std::string_view> fields = fields_of(line.substr(0, 200));  // "intr" has thousands
        for (const StatRow& row : stat_rows) {
            if (fields.size() > 1 && fields[0] == row.key) {
                if (const auto value = number_of(fields[1])) {
                    out.add(row.name, *value);
                }
            }
        }
    }
}

}  // namespace noroshi::collect
