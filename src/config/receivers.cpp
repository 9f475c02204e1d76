// src/config/receivers.cpp - the sections receivers and route, with Alertmanager's keys (spec: alerting 5.1).
#include <algorithm>
#include <map>

#include "sections.hpp"

namespace noroshi::config {
namespace {

using yaml::Node;
using yaml::Presence;
using yaml::Reader;

constexpr yaml::Refused refused_receiver[] = {
    {"bridge_configs", "use status_configs or waku_configs"},
    {"*_configs", "use status_configs, or waku_configs and let `noroshi listen --json` feed the other program"},
};

constexpr yaml::Refused refused_route[] = {
    {"routes", "all alerts go to route.receiver; write separate rules where it matters"},
    {"match", "all alerts go to route.receiver"},
    {"match_re", "all alerts go to route.receiver"},
    {"matchers", "all alerts go to route.receiver"},
    {"continue", "all alerts go to route.receiver"},
    {"mute_time_intervals", "let the rule's expression look at hour() and day_of_week()"},
    {"active_time_intervals", "let the rule's expression look at hour() and day_of_week()"},
    {"labels", "set the labels in the rules"},
};

/// What a waku_configs entry holds before it is known to be whole: a key has no empty value.
struct WakuDraft {
    std::optional<crypto::PublicKey> to;
    std::string content_topic;
};

std::optional<crypto::PublicKey> read_public_key(Reader& reader, const Node& node) {
    const std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    const Result<crypto::PublicKey> key = crypto::PublicKey::from_hex(*text);
    if (!key) {
        reader.fail(node, "expected a public key of 66 or 130 hex digits as `noroshi id` prints it, got " +
                              yaml::shown(*text));
        return std::nullopt;
    }
    return *key;
}

/// /application/version/topic/encoding (23/WAKU2-TOPICS), optionally with a generation in front.
std::optional<std::string> read_content_topic(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    const auto slashes = std::ranges::count(*text, '/');
    const bool formed = text->starts_with('/') && (slashes == 4 || slashes == 5) && !text->ends_with('/') &&
                        text->find("//") == std::string::npos && text->size() <= 200;
    if (!formed) {
        reader.fail(node, "expected /application/version/topic/encoding, got " + yaml::shown(*text));
        return std::nullopt;
    }
    return text;
}

std::optional<std::vector<WakuReceiver>> read_waku_configs(Reader& reader, const Node& node) {
    const std::vector<yaml::Field<WakuDraft>> fields{
        yaml::field("to", &WakuDraft::to, read_public_key, "public key of the reader, as `noroshi id` prints it",
                    Presence::required),
        yaml::field("content_topic", &WakuDraft::content_topic, read_content_topic, "default: noroshi's own"),
    };
    std::vector<WakuReceiver> out;
    yaml::read_sequence(reader, node, "mappings with to", [&](const Node& item, std::size_t) {
        WakuDraft draft;
        yaml::read_mapping(reader, item, fields, {}, draft);
        if (draft.to) {
            out.push_back({*draft.to, std::move(draft.content_topic), reader.where(item)});
        }
    });
    if (node.kind == yaml::Kind::sequence && node.items.empty()) {
        reader.fail(node, "expected at least one entry such as `- to: <public key>`");
    }
    return out;
}

/// What a status_configs entry holds before it is known to be whole.
struct StatusDraft {
    std::string to;
    SourcePos where;
};

std::optional<std::vector<StatusReceiver>> read_status_configs(Reader& reader, const Node& node) {
    const std::vector<yaml::Field<StatusDraft>> fields{
        {"to",
         [](Reader& r, const Node& n, StatusDraft& out) {
             if (std::optional<std::string> text = yaml::read_text(r, n)) {
                 out = {std::move(*text), r.where(n)};
             }
         },
         "chat key (zQ3sh..) or share URL of a Status user", Presence::required},
    };
    std::vector<StatusReceiver> out;
    yaml::read_sequence(reader, node, "mappings with to", [&](const Node& item, std::size_t) {
        StatusDraft draft;
        yaml::read_mapping(reader, item, fields, {}, draft);
        if (draft.where.line != 0) {
            out.push_back({std::move(draft.to), std::move(draft.where)});
        }
    });
    if (node.kind == yaml::Kind::sequence && node.items.empty()) {
        reader.fail(node, "expected at least one entry such as `- to: zQ3sh..`");
    }
    return out;
}

/// One identity a receiver: one kind of channel.
void check_channels(Reader& reader, const Node& item) {
    const auto given = [&item](std::string_view key) -> const Node* {
        const Node* node = item.find(key);
        return node != nullptr && node->kind != yaml::Kind::null ? node : nullptr;
    };
    const Node* waku = given("waku_configs");
    const Node* status = given("status_configs");
    if (waku == nullptr && status == nullptr && item.kind == yaml::Kind::mapping) {
        reader.fail(item, "missing key \"status_configs\" or \"waku_configs\": a list of entries such as `to: <key>`");
    }
    if (waku != nullptr && status != nullptr) {
        reader.fail(status->line > waku->line ? *status : *waku,
                    "status_configs and waku_configs in one receiver: this version writes to one identity a receiver; "
                    "expected one of the two");
    }
}

std::optional<std::string> read_name(Reader& reader, const Node& node) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (text && text->empty()) {
        reader.fail(node, "expected a name, got nothing");
        return std::nullopt;
    }
    return text;
}

std::optional<std::vector<std::string>> read_group_by(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    yaml::read_sequence(reader, node, "label names", [&](const Node& item, std::size_t) {
        std::optional<std::string> name = yaml::read_text(reader, item);
        if (!name) {
            return;
        }
        if (*name != "..." && !model::is_legacy_label_name(*name)) {
            reader.fail(item, "expected a label name ([a-zA-Z_][a-zA-Z0-9_]*) or \"...\", got " + yaml::shown(*name));
        } else if (std::ranges::find(out, *name) != out.end()) {
            reader.fail(item, "duplicate label name " + yaml::shown(*name));
        } else {
            out.push_back(std::move(*name));
        }
    });
    if (out.size() > 1 && std::ranges::find(out, "...") != out.end()) {
        reader.fail(node, "expected \"...\" (all labels) to stand alone");
    }
    return out;
}

}  // namespace

void read_receivers(Reader& reader, const Node& node, std::vector<Receiver>& out) {
    const std::vector<yaml::Field<Receiver>> fields{
        yaml::field("name", &Receiver::name, read_name, "name that route.receiver uses", Presence::required),
        yaml::field("waku_configs", &Receiver::waku_configs, read_waku_configs,
                    "readers with `noroshi listen`: a list of entries such as `to: <key>`"),
        yaml::field("status_configs", &Receiver::status_configs, read_status_configs,
                    "users of the Status app: a list of entries such as `to: zQ3sh..`"),
    };
    std::map<std::string, std::uint32_t> lines;
    yaml::read_sequence(reader, node, "receivers", [&](const Node& item, std::size_t) {
        Receiver receiver;
        const Node* name = item.find("name");
        receiver.where = reader.where(name != nullptr ? *name : item);
        yaml::read_mapping(reader, item, fields, refused_receiver, receiver);
        check_channels(reader, item);
        const auto [first, fresh] = lines.emplace(receiver.name, receiver.where.line);
        if (!fresh && !receiver.name.empty()) {
            reader.fail_at(receiver.where, fmt::format("name: duplicate {}, first given in line {}",
                                                       yaml::shown(receiver.name), first->second));
        }
        out.push_back(std::move(receiver));
    });
}

void read_route(Reader& reader, const Node& node, RouteConfig& out) {
    using R = RouteConfig;
    const std::vector<yaml::Field<R>> fields{
        yaml::field("receiver", &R::receiver, read_name, "name of the receiver that is told"),
        yaml::field("group_by", &R::group_by, read_group_by, "labels whose values make one message; [...] for all"),
        yaml::field("group_wait", &R::group_wait, yaml::read_duration,
                    "time from a group's first alert to its message; default 30s"),
        yaml::field("group_interval", &R::group_interval, yaml::read_positive_duration,
                    "time between two messages of a changing group; default 5m"),
        yaml::field("repeat_interval", &R::repeat_interval, yaml::read_positive_duration,
                    "after this a still firing group is told again; default 4h"),
    };
    yaml::read_mapping(reader, node, fields, refused_route, out);
}

void finish_route(Reader& reader, const Node& root, Config& config) {
    const Node* receivers = root.find("receivers");
    if (receivers == nullptr || (receivers->kind == yaml::Kind::sequence && receivers->items.empty())) {
        reader.fail(root, "missing key \"receivers\": who is told; expected at least one entry with name and "
                          "status_configs or waku_configs");
        return;
    }
    std::vector<std::string_view> names;
    for (const Receiver& receiver : config.receivers) {
        names.push_back(receiver.name);
    }
    const Node* route = root.find("route");
    const Node* chosen = route == nullptr ? nullptr : route->find("receiver");
    if (chosen == nullptr) {
        if (names.size() == 1) {
            config.route.receiver = names.front();
        } else if (!names.empty()) {
            const Reader::Scope scope = reader.key("route");
            reader.fail(route != nullptr ? *route : root,
                        fmt::format("missing key \"receiver\": expected one of {}", fmt::join(names, ", ")));
        }
        return;
    }
    if (!config.route.receiver.empty() && std::ranges::find(names, config.route.receiver) == names.end()) {
        const std::string_view near = yaml::nearest(config.route.receiver, names);
        const Reader::Scope scope = reader.key("route");
        reader.fail(*chosen, fmt::format("receiver: no receiver is named {}; expected one of {}{}",
                                         yaml::shown(config.route.receiver), fmt::join(names, ", "),
                                         near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
    }
}

}  // namespace noroshi::config
