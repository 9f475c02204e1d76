// src/collect/host/network.cpp - network devices as node_network_*.
#include <array>
#include <filesystem>
#include <system_error>

#include "host/parts.hpp"

namespace noroshi::collect {

namespace {

constexpr std::size_t max_devices = 1'000;
constexpr double bytes_per_megabit = 1'000'000.0 / 8;

/// Columns of /proc/net/dev after the device's name.
constexpr std::array<std::string_view, 16> columns{
    "receive_bytes",  "receive_packets",  "receive_errs",  "receive_drop",  "receive_fifo",  "receive_frame",
    "receive_compressed", "receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop",
    "transmit_fifo", "transmit_colls", "transmit_carrier", "transmit_compressed"};

void read_traffic(ReadingBuilder& out) {
    const std::string text = out.need("/proc/net/dev");
    for (const std::string_view line : lines_of(text)) {
        const std::size_t colon = line.rfind(':');
        const std::vector<std::string_view> name = fields_of(line.substr(0, colon));
        // lo says nothing of the network; Debian's node_exporter leaves it out too.
        if (colon == std::string_view::npos || name.size() != 1 || name[0] == "lo") {
            continue;
        }
        const std::vector<std::string_view> fields = fields_of(line.substr(colon + 1));
        for (std::size_t i = 0; i < columns.size() && i < fields.size(); ++i) {
            if (const auto value = number_of(fields[i])) {
                out.add(fmt::format("node_network_{}_total", columns[i]), {{"device", std::string(name[0])}}, *value);
            }
        }
    }
}

/// A file of /sys/class/net; carrier and speed can't be read of a device that is down.
std::optional<double> attribute(const ReadingBuilder& out, const std::string& device, std::string_view name) {
    const std::optional<std::string> text = out.want(fmt::format("/sys/class/net/{}/{}", device, name));
    const std::vector<std::string_view> fields = text ? fields_of(*text) : std::vector<std::string_view>{};
    return fields.size() == 1 ? number_of(fields[0]) : std::nullopt;
}

void read_device(ReadingBuilder& out, const std::string& device) {
    const std::vector<model::Label> labels{{"device", device}};
    const std::optional<std::string> state = out.want(fmt::format("/sys/class/net/{}/operstate", device));
    out.add("node_network_up", labels, state && state->starts_with("up") ? 1 : 0);
    if (const auto carrier = attribute(out, device, "carrier")) {
        out.add("node_network_carrier", labels, *carrier);
    }
    if (const auto mtu = attribute(out, device, "mtu")) {
        out.add("node_network_mtu_bytes", labels, *mtu);
    }
    const auto speed = attribute(out, device, "speed");
    if (speed && *speed >= 0) {  // -1: unknown
        out.add("node_network_speed_bytes", labels, *speed * bytes_per_megabit);
    }
}

}  // namespace

void read_network(ReadingBuilder& out) {
    read_traffic(out);
    std::error_code error;
    std::filesystem::directory_iterator entry(out.path("/sys/class/net"), error);
    std::size_t count = 0;
    for (const std::filesystem::directory_iterator end; !error && entry != end && count < max_devices;
         entry.increment(error)) {
        std::error_code ignored;
        if (std::filesystem::is_directory(entry->path(), ignored)) {
            read_device(out, entry->path().filename().string());
            ++count;
        }
    }
    if (error) {
        out.problem("/sys/class/net: " + error.message());
    }
}

}  // namespace noroshi::collect
