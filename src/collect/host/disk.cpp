// src/collect/host/disk.cpp - /proc/diskstats as node_disk_*.
#include <algorithm>
#include <array>

#include "host/parts.hpp"

namespace noroshi::collect {

namespace {

constexpr double sector_bytes = 512;  // the unit of diskstats, whatever the device's own is
constexpr double milliseconds = 0.001;

struct Column {
    std::string_view name;
    double factor;
};

/// Columns after the device's name (Documentation/admin-guide/iostats.rst); older kernels have fewer.
constexpr std::array<Column, 17> columns{{{"reads_completed_total", 1},
                                          {"reads_merged_total", 1},
                                          {"read_bytes_total", sector_bytes},
                                          {"read_time_seconds_total", milliseconds},
                                          {"writes_completed_total", 1},
                                          {"writes_merged_total", 1},
                                          {"written_bytes_total", sector_bytes},
                                          {"write_time_seconds_total", milliseconds},
                                          {"io_now", 1},
                                          {"io_time_seconds_total", milliseconds},
                                          {"io_time_weighted_seconds_total", milliseconds},
                                          {"discards_completed_total", 1},
                                          {"discards_merged_total", 1},
                                          {"discarded_sectors_total", 1},
                                          {"discard_time_seconds_total", milliseconds},
                                          {"flush_requests_total", 1},
                                          {"flush_requests_time_seconds_total", milliseconds}}};

std::string_view without_digits(std::string_view text) {
    const std::size_t last = text.find_last_not_of("0123456789");
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// Partitions and devices in memory: ram, loop, fd, [hsv|xv]d?N, nvmeNnNpN. The default of node_exporter 1.5.
bool is_excluded(std::string_view device) {
    const std::string_view stem = without_digits(device);
    if (stem.size() == device.size()) {
        return false;
    }
    if (stem == "ram" || stem == "loop" || stem == "fd") {
        return true;
    }
    if (stem.size() >= 3 && stem.back() >= 'a' && stem.back() <= 'z') {
        const std::string_view kind = stem.substr(0, stem.size() - 1);
        if (kind == "hd" || kind == "sd" || kind == "vd" || kind == "xvd") {
            return true;
        }
    }
    if (!stem.starts_with("nvme") || !stem.ends_with('p')) {
        return false;
    }
    const std::string_view spaced = without_digits(stem.substr(0, stem.size() - 1));  // "nvme0n"
    return spaced.ends_with('n') && spaced.size() > 5 && without_digits(spaced.substr(0, spaced.size() - 1)) == "nvme";
}

}  // namespace

void read_disks(ReadingBuilder& out) {
    const std::string text = out.need("/proc/diskstats");
    for (const std::string_view line : lines_of(text)) {
        const std::vector<std::string_view> fields = fields_of(line);
        constexpr std::size_t first = 3;  // after major, minor and name
        if (fields.size() <= first || is_excluded(fields[2])) {
            continue;
        }
        for (std::size_t i = 0; i < columns.size() && i + first < fields.size(); ++i) {
            if (const auto value = number_of(fields[i + first])) {
                out.add(fmt::format("node_disk_{}", columns[i].name), {{"device", std::string(fields[2])}},
                        *value * columns[i].factor);
            }
        }
    }
}

}  // namespace noroshi::collect
