// src/config/relabel.cpp - relabel_configs and metric_relabel_configs, with Prometheus's keys.
#include <algorithm>
#include <array>
#include <limits>

#include "base/ascii.hpp"

#include "sections.hpp"

namespace noroshi::config {
namespace {

using model::RelabelSpec;
using yaml::Node;
using yaml::Reader;

/// In the order of model::RelabelAction.
constexpr std::array<std::string_view, 11> actions{"replace", "keep", "drop", "keepequal", "dropequal", "hashmod",
                                                   "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

/// Prometheus takes the action in any case.
std::optional<model::RelabelAction> read_action(Reader& reader, const Node& node) {
    Node lower = node;
    lower.text = ascii_lower(lower.text);
    const std::optional<std::size_t> index = yaml::read_word(reader, lower, actions);
    return index ? std::optional(static_cast<model::RelabelAction>(*index)) : std::nullopt;
}

std::optional<std::int64_t> read_modulus(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 0, std::numeric_limits<std::int64_t>::max());
}

std::vector<yaml::Field<RelabelSpec>> fields() {
    using R = RelabelSpec;
    return {
        yaml::field("action", &R::action, read_action, "what is done; default replace"),
        yaml::field("source_labels", &R::source_labels, yaml::read_texts, "labels whose values are joined and matched"),
        yaml::field("separator", &R::separator, yaml::read_text, "stands between the joined values; default ;"),
        yaml::field("regex", &R::regex, yaml::read_text, "RE2, anchored at both ends; default (.*)"),
        yaml::field("target_label", &R::target_label, yaml::read_text, "label that is written or compared"),
        yaml::field("replacement", &R::replacement, yaml::read_text, "what is written; default $1"),
        yaml::field("modulus", &R::modulus, read_modulus, "of hashmod"),
    };
}

}  // namespace

std::optional<std::vector<model::RelabelRule>> read_relabel_configs(Reader& reader, const Node& node) {
    std::vector<model::RelabelRule> out;
    yaml::read_sequence(reader, node, "relabel configs", [&](const Node& item, std::size_t) {
        RelabelSpec spec;
        yaml::read_mapping(reader, item, fields(), {}, spec);
        Result<model::RelabelRule> rule = model::RelabelRule::create(std::move(spec));
        if (rule) {
            out.push_back(std::move(*rule));
            return;
        }
        const std::string& message = rule.error().message;
        const Node* at = item.find(message.substr(0, message.find(':')));
        reader.fail(at != nullptr ? *at : item, message);
    });
    return out;
}

}  // namespace noroshi::config
