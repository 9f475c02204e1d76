// src/config/target_groups.cpp - reads target groups from JSON and YAML.
#include "target_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ascii.hpp"
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "yaml.hpp"

namespace noroshi::config {
namespace {

using Json = nlohmann::json;

/// Line and column of byte `at`, from 1.
SourcePos place(const std::string& name, std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, std::min(at, text.size()));
    const std::size_t line = before.rfind('\n');
    return {name, static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(line == std::string_view::npos ? before.size() + 1 : before.size() - line)};
}

tl::unexpected<Error> fault(const std::string& name, std::size_t group, std::string_view message) {
    return fail(Error{Errc::parse, fmt::format("[{}]: {}", group, message), {name}});
}

Result<void> check_count(const std::string& name, const std::vector<StaticConfig>& groups) {
    std::size_t count = 0;
    for (const StaticConfig& group : groups) {
        count += group.targets.size();
    }
    if (count > max_discovered_targets) {
        return fail(Error{Errc::limit, fmt::format("{} targets, {} allowed", count, max_discovered_targets), {name}});
    }
    return {};
}

Result<std::vector<std::string>> texts_of(const std::string& name, std::size_t group, const Json& list) {
    std::vector<std::string> out;
    if (!list.is_array() && !list.is_null()) {
        return fault(name, group, "targets: expected a list of host:port");
    }
    for (const Json& item : list) {
        if (!item.is_string()) {
            return fault(name, group, "targets: expected a list of host:port");
        }
        out.push_back(item.get<std::string>());
    }
    return out;
}

Result<model::Labels> labels_of(const std::string& name, std::size_t group, const Json& map) {
    std::vector<model::Label> out;
    if (!map.is_object() && !map.is_null()) {
        return fault(name, group, "labels: expected names with values");
    }
    for (const auto& [label, value] : map.items()) {
        if (label.empty() || !value.is_string()) {
            return fault(name, group, fmt::format("labels: expected a name with a text as its value at {}", yaml::shown(label)));
        }
        out.push_back({label, value.get<std::string>()});
    }
    return model::Labels(std::move(out));
}

Result<StaticConfig> group_of(const std::string& name, std::size_t number, const Json& item) {
    StaticConfig out;
    if (!item.is_object()) {
        return fault(name, number, "expected a target group with targets and labels");
    }
    for (const auto& [key, value] : item.items()) {
        if (key == "targets") {
            NOROSHI_TRY(out.targets, texts_of(name, number, value));
        } else if (key == "labels") {
            NOROSHI_TRY(out.labels, labels_of(name, number, value));
        } else {
            return fault(name, number, fmt::format("unknown key {} (expected targets or labels)", yaml::shown(key)));
        }
    }
    return out;
}

/// Nothing, and `error` set, when the text is no JSON.
Json parsed(const std::string& name, std::string_view text, Error& error) {
    try {
        return Json::parse(text);
    } catch (const Json::parse_error& e) {
        error = {Errc::parse, "expected JSON here", place(name, text, e.byte == 0 ? 0 : e.byte - 1)};
    } catch (const Json::exception&) {  // a number that fits nowhere
        error = {Errc::parse, "expected JSON with names and texts", {name}};
    }
    return {};
}

/// Names of labels may be any UTF-8 here, as in Prometheus.
std::optional<model::Labels> read_any_labels(yaml::Reader& reader, const yaml::Node& node) {
    std::vector<model::Label> labels;
    yaml::read_entries(reader, node, "label names to values", [&](const yaml::Node& key, const yaml::Node& value) {
        if (key.text.empty()) {
            reader.fail(key, "expected a label name, got nothing");
            return;
        }
        if (std::optional<std::string> text = yaml::read_text(reader, value)) {
            labels.push_back({key.text, std::move(*text)});
        }
    });
    return model::Labels(std::move(labels));
}

bool ends_with_word(std::string_view file, std::string_view ending) {
    return file.size() >= ending.size() &&
           std::ranges::equal(file.substr(file.size() - ending.size()), ending, {},
                              [](char c) { return ascii_lower(c); });
}

}  // namespace

Result<std::vector<StaticConfig>> parse_target_groups_json(const std::string& name, std::string_view text) {
    Error error;
    const Json root = parsed(name, text, error);
    if (!error.message.empty()) {
        return fail(std::move(error));
    }
    std::vector<StaticConfig> out;
    if (!root.is_array() && !root.is_null()) {
        return fail(Error{Errc::parse, "expected a list of target groups", {name, 1, 1}});
    }
    for (const Json& item : root) {
        NOROSHI_TRY(StaticConfig group, group_of(name, out.size(), item));
        out.push_back(std::move(group));
    }
    NOROSHI_TRY_VOID(check_count(name, out));
    return out;
}

Result<std::vector<StaticConfig>> parse_target_groups_yaml(const std::string& name, std::string_view text) {
    NOROSHI_TRY(const yaml::Document document, yaml::parse_document(name, text));
    yaml::Reader reader(name);
    const std::vector<yaml::Field<StaticConfig>> fields{
        yaml::field("targets", &StaticConfig::targets, yaml::read_texts, "a list of host:port"),
        yaml::field("labels", &StaticConfig::labels, read_any_labels, "labels of all series of these targets"),
    };
    std::vector<StaticConfig> out;
    yaml::read_sequence(reader, *document.root, "target groups", [&](const yaml::Node& item, std::size_t) {
        if (item.kind == yaml::Kind::null) {
            reader.fail(item, "expected a target group, got nothing");
            return;
        }
        yaml::read_mapping(reader, item, fields, {}, out.emplace_back());
    });
    std::vector<Error> errors = reader.take_errors();
    if (!errors.empty()) {
        return fail(std::move(errors.front()));
    }
    NOROSHI_TRY_VOID(check_count(name, out));
    return out;
}

Result<std::vector<StaticConfig>> read_target_groups(const std::string& file) {
    NOROSHI_TRY(const std::string text, read_file(file, max_target_groups));
    Result<std::vector<StaticConfig>> groups = ends_with_word(file, ".json") ? parse_target_groups_json(file, text)
                                                                            : parse_target_groups_yaml(file, text);
    if (groups) {
        for (StaticConfig& group : *groups) {
            group.labels = group.labels.with("__meta_filepath", file);
        }
    }
    return groups;
}

}  // namespace noroshi::config
