// src/collect/host/memory.cpp - /proc/meminfo as node_memory_*.
#include <algorithm>

#include "host/parts.hpp"

namespace noroshi::collect {

void read_memory(ReadingBuilder& out) {
    const std::string text = out.need("/proc/meminfo");
    for (const std::string_view line : lines_of(text)) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 2 || !fields[0].ends_with(':')) {
            continue;
        }
        const auto value = number_of(fields[1]);
        if (!value) {
            continue;
        }
        // "Active(anon):" -> Active_anon
        std::string key(fields[0].substr(0, fields[0].size() - 1));
        std::erase(key, ')');
        std::ranges::replace(key, '(', '_');
        const bool kilobytes = fields.size() > 2 && fields[2] == "kB";
        out.add(fmt::format("node_memory_{}{}", key, kilobytes ? "_bytes" : ""), kilobytes ? *value * 1024 : *value);
    }
}

}  // namespace noroshi::collect
