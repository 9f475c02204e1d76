// src/collect/host/parts.hpp - the parts of the host collector; each adds the series of one collector of node_exporter.
#pragma once

#include "host/reading.hpp"

namespace noroshi::collect {

/// /proc/stat without the CPU lines: boot time, interrupts, context switches, processes.
void read_stat(ReadingBuilder& out, std::string_view stat);
/// /proc/meminfo.
void read_memory(ReadingBuilder& out);
/// Mounted file systems but pseudo and network ones: statvfs of a hung network mount would block the I/O thread.
void read_filesystems(ReadingBuilder& out);
/// /proc/diskstats of whole disks.
void read_disks(ReadingBuilder& out);
/// /proc/net/dev without lo, and /sys/class/net.
void read_network(ReadingBuilder& out);
/// Load, open files, virtual memory events, pressure, kernel name, clock.
void read_load(ReadingBuilder& out);
void read_file_handles(ReadingBuilder& out);
void read_vmstat(ReadingBuilder& out);
void read_pressure(ReadingBuilder& out);
void read_uname(ReadingBuilder& out);
void read_timex(ReadingBuilder& out);

}  // namespace noroshi::collect
