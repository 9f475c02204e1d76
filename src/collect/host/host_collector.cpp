// src/collect/host/host_collector.cpp - HostCollector: puts the parts of one reading together.
#include "collect/collect.hpp"
#include "host/cpu.hpp"
#include "host/parts.hpp"

namespace noroshi::collect {

HostCollector::HostCollector(std::string root, const Clock& clock)
    : root_(std::move(root)), clock_(&clock), cpu_(std::make_unique<CpuTimes>()) {}
HostCollector::~HostCollector() = default;
HostCollector::HostCollector(HostCollector&&) noexcept = default;
HostCollector& HostCollector::operator=(HostCollector&&) noexcept = default;

HostCollector::Reading HostCollector::read() {
    ReadingBuilder out(root_);
    const std::string stat = out.need("/proc/stat");
    cpu_->read(out, stat);
    read_stat(out, stat);
    read_memory(out);
    read_filesystems(out);
    read_disks(out);
    read_network(out);
    read_load(out);
    read_file_handles(out);
    read_vmstat(out);
    read_pressure(out);
    read_uname(out);
    read_timex(out);
    out.add("node_time_seconds", to_unix_seconds(clock_->now()));
    return out.take();
}

}  // namespace noroshi::collect
