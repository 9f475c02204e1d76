// src/config/yaml_scalars.cpp - scalars of a YAML file as typed values: text, numbers, durations, sizes, labels.
#include <algorithm>
#include <array>
#include <limits>

#include "base/numbers.hpp"
#include "yaml.hpp"

namespace noroshi::config::yaml {
namespace {

/// What stands there instead of `expected`.
std::string got(const Node& node) {
    return node.kind == Kind::scalar ? shown(node.text) + (node.quoted ? " in quotes" : "")
                                     : std::string(kind_name(node));
}

struct Unit {
    std::string_view name;
    int shift;
};

/// Prometheus's: KB and KiB are both 1024 bytes.
constexpr std::array<Unit, 9> units{{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40},
                                     {"KB", 10}, {"MB", 20}, {"GB", 30}, {"TB", 40}, {"B", 0}}};

std::optional<std::size_t> parse_size(std::string_view text) {
    if (text == "0") {
        return 0;
    }
    const auto unit = std::ranges::find_if(units, [&](const Unit& u) { return text.ends_with(u.name); });
    if (unit == units.end()) {
        return std::nullopt;
    }
    text.remove_suffix(unit->name.size());
    const Result<std::int64_t> count = parse_int(text);
    if (!count || *count < 0 || *count > (std::numeric_limits<std::int64_t>::max() >> unit->shift)) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(*count) << unit->shift;
}

}  // namespace

std::optional<std::string> read_text(Reader& reader, const Node& node) {
    if (node.kind == Kind::null) {
        return std::string();
    }
    if (node.kind != Kind::scalar) {
        reader.fail(node, "expected text, got " + got(node));
        return std::nullopt;
    }
    return node.text;
}

std::optional<std::vector<std::string>> read_texts(Reader& reader, const Node& node) {
    std::vector<std::string> out;
    read_sequence(reader, node, "texts", [&](const Node& item, std::size_t) {
        if (std::optional<std::string> text = read_text(reader, item)) {
            out.push_back(std::move(*text));
        }
    });
    return out;
}

std::optional<bool> read_bool(Reader& reader, const Node& node) {
    constexpr std::array<std::string_view, 9> yes{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
    constexpr std::array<std::string_view, 9> no{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
    if (node.kind == Kind::scalar && !node.quoted) {
        if (std::ranges::find(yes, std::string_view(node.text)) != yes.end()) {
            return true;
        }
        if (std::ranges::find(no, std::string_view(node.text)) != no.end()) {
            return false;
        }
    }
    reader.fail(node, "expected true or false, got " + got(node));
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(Reader& reader, const Node& node, std::int64_t min, std::int64_t max) {
    if (node.kind == Kind::scalar && !node.quoted) {
        const Result<std::int64_t> value = parse_int(node.text);
        if (value && *value >= min && *value <= max) {
            return *value;
        }
    }
    const bool bounded = max != std::numeric_limits<std::int64_t>::max();
    reader.fail(node, fmt::format("expected a whole number {}, got {}",
                                  bounded ? fmt::format("from {} to {}", min, max) : fmt::format("of at least {}", min),
                                  got(node)));
    return std::nullopt;
}

std::optional<Milliseconds> read_duration(Reader& reader, const Node& node) {
    if (node.kind == Kind::scalar) {
        const Result<Milliseconds> value = parse_duration(node.text);
        if (value) {
            return *value;
        }
        if (value.error().code == Errc::limit) {
            reader.fail(node, "expected a duration of less than 292 years, got " + got(node));
            return std::nullopt;
        }
    }
    reader.fail(node, "expected a duration such as 30s, 5m or 1h30m, got " + got(node));
    return std::nullopt;
}

std::optional<Milliseconds> read_positive_duration(Reader& reader, const Node& node) {
    const std::optional<Milliseconds> value = read_duration(reader, node);
    if (value && *value <= Milliseconds(0)) {
        reader.fail(node, "expected a duration above 0, got " + got(node));
        return std::nullopt;
    }
    return value;
}

std::optional<std::size_t> read_size(Reader& reader, const Node& node) {
    if (node.kind == Kind::scalar) {
        if (const std::optional<std::size_t> size = parse_size(node.text)) {
            return size;
        }
    }
    reader.fail(node, "expected a size such as 512KB, 10MB or 1GB, got " + got(node));
    return std::nullopt;
}

std::optional<std::size_t> read_word(Reader& reader, const Node& node, std::span<const std::string_view> words) {
    if (node.kind == Kind::scalar) {
        const auto found = std::ranges::find(words, std::string_view(node.text));
        if (found != words.end()) {
            return static_cast<std::size_t>(found - words.begin());
        }
    }
    std::string message = fmt::format("expected one of {}, got {}", fmt::join(words, ", "), got(node));
    if (const std::string_view near = nearest(node.text, words); !near.empty()) {
        message += fmt::format("; did you mean \"{}\"?", near);
    }
    reader.fail(node, message);
    return std::nullopt;
}

std::optional<model::Labels> read_labels(Reader& reader, const Node& node) {
    std::vector<model::Label> labels;
    read_entries(reader, node, "label names to values", [&](const Node& key, const Node& value) {
        if (!model::is_legacy_label_name(key.text)) {
            reader.fail(key, "expected a label name ([a-zA-Z_][a-zA-Z0-9_]*), got " + shown(key.text));
            return;
        }
        if (std::optional<std::string> text = read_text(reader, value)) {
            labels.push_back({key.text, std::move(*text)});
        }
    });
    return model::Labels(std::move(labels));
}

}  // namespace noroshi::config::yaml
