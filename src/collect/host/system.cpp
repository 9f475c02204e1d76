// src/collect/host/system.cpp - load, open files, virtual memory, pressure, kernel name and clock state.
#include <sys/timex.h>
#include <sys/utsname.h>

#include <array>

#include "host/parts.hpp"

namespace noroshi::collect {

void read_load(ReadingBuilder& out) {
    const std::string text = out.need("/proc/loadavg");
    const std::vector<std::string_view> fields = fields_of(text);
    constexpr std::array<std::string_view, 3> names{"node_load1", "node_load5", "node_load15"};
    for (std::size_t i = 0; i < names.size() && i < fields.size(); ++i) {
        if (const auto value = number_of(fields[i])) {
            out.add(names[i], *value);
        }
    }
}

void read_file_handles(ReadingBuilder& out) {
    const std::string text = out.need("/proc/sys/fs/file-nr");
    const std::vector<std::string_view> fields = fields_of(text);
    const auto allocated = fields.size() == 3 ? number_of(fields[0]) : std::nullopt;
    const auto maximum = fields.size() == 3 ? number_of(fields[2]) : std::nullopt;
    if (allocated && maximum) {
        out.add("node_filefd_allocated", *allocated);
        out.add("node_filefd_maximum", *maximum);
    }
}

void read_vmstat(ReadingBuilder& out) {
    const std::string text = out.need("/proc/vmstat");
    for (const std::string_view line : lines_of(text)) {
        const std::vector<std::string_view> fields = fields_of(line);
        const std::string_view key = fields[0];
        // node_exporter's default choice: ^(oom_kill|pgpg|pswp|pg.*fault).*
        const bool chosen = key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
                            (key.starts_with("pg") && key.find("fault") != std::string_view::npos);
        const auto value = chosen && fields.size() == 2 ? number_of(fields[1]) : std::nullopt;
        if (value) {
            out.add(fmt::format("node_vmstat_{}", key), *value);
        }
    }
}

void read_pressure(ReadingBuilder& out) {
    constexpr double microseconds = 1e-6;
    for (const std::string_view resource : {"cpu", "io", "memory"}) {
        const std::optional<std::string> text = out.want(fmt::format("/proc/pressure/{}", resource));
        if (!text) {
            continue;
        }
        for (const std::string_view line : lines_of(*text)) {
            const std::vector<std::string_view> fields = fields_of(line);
            const bool some = fields[0] == "some";
            if (!some && (fields[0] != "full" || resource == "cpu")) {  // "full" of cpu is always 0 for a machine
                continue;
            }
            const auto total = fields.back().starts_with("total=") ? number_of(fields.back().substr(6)) : std::nullopt;
            if (total) {
                out.add(fmt::format("node_pressure_{}_{}_seconds_total", resource, some ? "waiting" : "stalled"),
                        *total * microseconds);
            }
        }
    }
}

void read_uname(ReadingBuilder& out) {
    struct utsname name {};
    if (::uname(&name) != 0) {
        out.problem("uname failed");
        return;
    }
    out.add("node_uname_info",
            {{"sysname", name.sysname},
             {"release", name.release},
             {"version", name.version},
             {"machine", name.machine},
             {"nodename", name.nodename},
             {"domainname", name.domainname}},
            1);
}

void read_timex(ReadingBuilder& out) {
    struct timex state {};  // modes 0: only asks
    const int clock_state = ::adjtimex(&state);
    if (clock_state < 0) {
        return;  // a sandbox may forbid the call
    }
    const double unit = (state.status & STA_NANO) != 0 ? 1e-9 : 1e-6;
    out.add("node_timex_sync_status", clock_state == TIME_ERROR ? 0 : 1);
    out.add("node_timex_status", state.status);
    out.add("node_timex_offset_seconds", static_cast<double>(state.offset) * unit);
    out.add("node_timex_maxerror_seconds", static_cast<double>(state.maxerror) * 1e-6);
    out.add("node_timex_estimated_error_seconds", static_cast<double>(state.esterror) * 1e-6);
}

}  // namespace noroshi::collect
