// src/rules/file.cpp - reads a rule file: groups, rules, expressions and templates, each fault with its place (3.1).
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "config/yaml.hpp"
#include "rules/rules.hpp"
#include "template.hpp"

namespace noroshi::rules {
namespace {

namespace yaml = config::yaml;
using yaml::Node;
using yaml::Presence;
using yaml::Reader;

/// A rule before it is known to be whole.
struct Draft {
    std::optional<std::string> alert;
    std::optional<std::string> record;
    std::optional<promql::Expression> expression;
    std::string expression_text;
    Milliseconds hold{0};
    Milliseconds keep_firing_for{0};
    model::Labels labels;
    model::Labels annotations;
};

void read_expression(Reader& reader, const Node& node, Draft& out) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return;
    }
    Result<promql::Expression> parsed = promql::Expression::parse(*text);
    if (!parsed) {
        const Error& error = parsed.error();
        reader.fail_at(node.position_in(reader.file(), error.where.line, error.where.column), error.message, error.code);
        return;
    }
    const promql::ValueType type = parsed->type();
    if (type != promql::ValueType::vector && type != promql::ValueType::scalar) {
        reader.fail(node, fmt::format("expected an expression that gives an instant vector or a scalar, got {}",
                                      promql::value_type_name(type)));
        return;
    }
    out.expression = std::move(*parsed);
    out.expression_text = std::move(*text);
}

std::optional<std::string> read_record_name(Reader& reader, const Node& node) {
    std::optional<std::string> name = yaml::read_text(reader, node);
    if (name && (name->empty() || name->find_first_of("{}") != std::string::npos)) {
        reader.fail(node, "expected a metric name, got " + yaml::shown(*name));
        return std::nullopt;
    }
    return name;
}

std::optional<std::string> read_alert_name(Reader& reader, const Node& node) {
    std::optional<std::string> name = yaml::read_text(reader, node);
    if (name && name->empty()) {
        reader.fail(node, "expected a name, got nothing");
        return std::nullopt;
    }
    return name;
}

/// Labels or annotations whose values may be templates: each must parse.
std::optional<model::Labels> read_templates(Reader& reader, const Node& node) {
    std::optional<model::Labels> out = yaml::read_labels(reader, node);
    for (const yaml::Entry& entry : node.entries) {
        if (entry.key->text == model::metric_name_label) {
            reader.fail(*entry.key, "\"__name__\" cannot be set here; use another label name");
        }
        if (const Result<Template> parsed = Template::parse(entry.value->text); !parsed) {
            const Reader::Scope scope = reader.key(entry.key->text);
            reader.fail(*entry.value, parsed.error().message, parsed.error().code);
        }
    }
    return out;
}

const std::vector<yaml::Field<Draft>>& rule_fields() {
    static const std::vector<yaml::Field<Draft>> fields{
        yaml::field("alert", &Draft::alert, read_alert_name, "name of the alert; or record"),
        yaml::field("record", &Draft::record, read_record_name, "name of the series to write; or alert"),
        {"expr", read_expression, "a PromQL expression", Presence::required},
        yaml::field("for", &Draft::hold, yaml::read_duration, "how long expr must hold before the alert fires; default 0"),
        yaml::field("keep_firing_for", &Draft::keep_firing_for, yaml::read_duration,
                    "how long the alert fires on after expr has ended; default 0"),
        yaml::field("labels", &Draft::labels, read_templates, "labels to add; templates"),
        yaml::field("annotations", &Draft::annotations, read_templates, "texts for people; templates"),
    };
    return fields;
}

/// What the table of keys cannot say: one of two names, and keys that only an alert has.
void check_draft(Reader& reader, const Node& node, const Draft& draft) {
    const bool alert = node.find("alert") != nullptr;
    const bool record = node.find("record") != nullptr;
    if (node.kind == yaml::Kind::mapping && alert == record) {
        reader.fail(node, alert ? "expected one of \"alert\" and \"record\", got both"
                                : "expected \"alert\" or \"record\", got neither");
    }
    for (const std::string_view key : {"for", "keep_firing_for", "annotations"}) {
        const Node* value = node.find(key);
        if (record && !alert && value != nullptr) {
            reader.fail(*value, fmt::format("\"{}\" belongs to alerts; a recording rule has none", key));
        }
    }
    for (const model::Label& label : draft.labels) {
        if (record && label.value.find("{{") != std::string::npos) {
            reader.fail(*node.find("labels"), "labels of a recording rule are taken as they stand, without templates");
        }
    }
}

/// ` ("name")`: a person knows a rule by its name, not by its number.
std::string name_in_path(const Node& item, std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
        if (const Node* name = item.find(key); name != nullptr) {
            return fmt::format(" ({})", yaml::shown(name->text));
        }
    }
    return "";
}

model::Labels merged(const model::Labels& below, const model::Labels& above) {
    std::vector<model::Label> all(below.begin(), below.end());
    all.insert(all.end(), above.begin(), above.end());
    return model::Labels(std::move(all));
}

void read_rules(Reader& reader, const Node& node, RuleGroup& group) {
    yaml::read_sequence(reader, node, "rules", [&](const Node& item, std::size_t) {
        const Reader::Scope scope = reader.context(name_in_path(item, {"alert", "record"}));
        Draft draft;
        yaml::read_mapping(reader, item, rule_fields(), {}, draft);
        check_draft(reader, item, draft);
        if (!draft.expression) {
            return;
        }
        group.rules.push_back(Rule{draft.alert.value_or(""), draft.record.value_or(""), std::move(*draft.expression),
                                   std::move(draft.expression_text), draft.hold, draft.keep_firing_for,
                                   std::move(draft.labels), std::move(draft.annotations), reader.where(item)});
    });
}

std::optional<std::int64_t> read_limit(Reader& reader, const Node& node) {
    return yaml::read_integer(reader, node, 0, std::numeric_limits<std::int64_t>::max());
}

std::vector<yaml::Field<RuleGroup>> group_fields() {
    return {
        yaml::field("name", &RuleGroup::name, yaml::read_text, "name of the group, given once", Presence::required),
        yaml::field("interval", &RuleGroup::interval, yaml::read_positive_duration,
                    "how often the rules are evaluated; default: global's evaluation_interval"),
        yaml::field("limit", &RuleGroup::limit, read_limit, "most alerts or series a rule may give; 0: no limit"),
        yaml::field("query_offset", &RuleGroup::query_offset, yaml::read_duration,
                    "how far in the past the rules look; default 0"),
        yaml::field("labels", &RuleGroup::labels, read_templates, "labels of all rules of the group"),
        {"rules", [](Reader&, const Node&, RuleGroup&) {}, "the rules, in order"},
    };
}

void read_groups(Reader& reader, const Node& node, ParsedRules& out) {
    std::map<std::string, std::uint32_t> seen;
    yaml::read_sequence(reader, node, "groups", [&](const Node& item, std::size_t) {
        RuleGroup& group = out.groups.emplace_back();
        group.file = reader.file();
        yaml::read_mapping(reader, item, group_fields(), {}, group);
        const Node* name = item.find("name");
        if (name != nullptr && group.name.empty()) {
            reader.fail(*name, "expected a name, got nothing");
        }
        if (const auto [first, fresh] = seen.emplace(group.name, item.line); name != nullptr && !fresh) {
            reader.fail(*name, fmt::format("duplicate group {}, first given in line {}", yaml::shown(group.name),
                                           first->second));
        }
        // After the name, wherever it stands in the file: faults of rules name their group.
        if (const Node* rules = item.find("rules"); rules != nullptr) {
            const Reader::Scope named = reader.context(name_in_path(item, {"name"}));
            const Reader::Scope key = reader.key("rules");
            read_rules(reader, *rules, group);
        }
        for (Rule& rule : group.rules) {
            rule.labels = merged(group.labels, rule.labels);
        }
    });
}

}  // namespace

ParsedRules parse_rules(const std::string& file, std::string_view text) {
    ParsedRules out;
    const Result<yaml::Document> document = yaml::parse_document(file, text);
    if (!document) {
        out.errors.push_back(document.error());
        return out;
    }
    Reader reader(file);
    const std::vector<yaml::Field<ParsedRules>> top{{"groups", read_groups, "the groups of rules"}};
    yaml::read_mapping(reader, *document->root, top, {}, out);
    out.errors = reader.take_errors();
    if (!out.errors.empty()) {
        out.groups.clear();
    }
    return out;
}

}  // namespace noroshi::rules
