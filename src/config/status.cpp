// src/config/status.cpp - the section status, and what status receivers ask of the section waku.
#include <algorithm>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Reader;

/// Where Status's one-to-one chats travel, on whatever cluster.
constexpr std::uint16_t chat_shard = 32;

void read_display_name(Reader& reader, const Node& node, StatusConfig& out) {
    if (std::optional<std::string> text = yaml::read_text(reader, node)) {
        out.display_name = std::move(*text);
        out.display_name_where = reader.where(node);
    }
}

void read_picture(Reader& reader, const Node& node, StatusConfig& out) {
    if (std::optional<std::string> path = read_file_path(reader, node)) {
        out.picture = std::move(*path);
        out.picture_where = reader.where(node);
    }
}

}  // namespace

void read_status(Reader& reader, const Node& node, StatusConfig& out) {
    using S = StatusConfig;
    const std::vector<yaml::Field<S>> fields{
        {"display_name", read_display_name, "name that others see, 5 to 24 characters; default noroshi"},
        {"picture", read_picture, "PNG, JPEG or WebP file of at most 100 KiB, relative to this file's folder"},
        yaml::field("ratchet", &S::ratchet, yaml::read_bool, "forward secrecy by the double ratchet; default false"),
        yaml::field("push", &S::push, yaml::read_bool, "push servers of contacts are asked to wake their phones; default false"),
    };
    yaml::read_mapping(reader, node, fields, {}, out);
}

void finish_status(Reader& reader, const Config& config) {
    const bool carried = !config.waku.autosharding && std::ranges::count(config.waku.shards, chat_shard) != 0;
    for (const Receiver& receiver : config.receivers) {
        for (const StatusReceiver& to : receiver.status_configs) {
            if (!carried) {
                reader.fail_at(to.where, fmt::format("receiver {}: Status's chats travel on shard {}; expected it in "
                                                     "waku.shards, and no autosharding",
                                                     yaml::shown(receiver.name), chat_shard));
            }
        }
    }
}

}  // namespace noroshi::config
