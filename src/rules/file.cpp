// src/rules/file.cpp - reads a rule file: groups, rules, expressions and templates, each fault with its place (3.1).
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/numbers.hpp"
#include "config/yaml.hpp"
#include "rules/rules.hpp"
#include "template.hpp"
#include "template_number.hpp"

namespace noroshi::rules {
namespace {

namespace yaml = config::yaml;
using yaml::Node;
using yaml::Presence;
using yaml::Reader;

/// Names to values, an empty one too: it takes the label away.
using Texts = std::map<std::string, std::string>;

/// A rule before it is known to be whole.
struct Draft {
    std::string alert;
    std::string record;
    std::optional<promql::Expression> expression;
    std::string expression_text;
    Milliseconds hold{0};
    Milliseconds keep_firing_for{0};
    Texts labels;
    Texts annotations;
    promql::ParseOptions parse_options{};
};

void read_expression(Reader& reader, const Node& node, Draft& out) {
    std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return;
    }
    Result<promql::Expression> parsed = promql::Expression::parse(*text, out.parse_options);
    if (!parsed) {
        const Error& error = parsed.error();
        reader.fail_at(node.position_in(reader.file(), error.where.line, error.where.column), error.message, error.code);
        return;
    }
    out.expression = std::move(*parsed);
    out.expression_text = std::move(*text);
}

/// Names are any text, as since Prometheus 3.
std::optional<Texts> read_names(Reader& reader, const Node& node, bool metric_name_too) {
    Texts out;
    yaml::read_entries(reader, node, "names to texts", [&](const Node& key, const Node& value) {
        if (key.text.empty()) {
            reader.fail(key, "expected a name, got nothing");
        }
        if (key.text == model::metric_name_label && !metric_name_too) {
            reader.fail(key, "\"__name__\" cannot be set here; use another label name");
        }
        if (std::optional<std::string> text = yaml::read_text(reader, value)) {
            out[key.text] = std::move(*text);
        }
    });
    return out;
}

std::optional<Texts> read_label_texts(Reader& reader, const Node& node) { return read_names(reader, node, false); }
std::optional<Texts> read_annotations(Reader& reader, const Node& node) { return read_names(reader, node, true); }

const std::vector<yaml::Field<Draft>>& rule_fields() {
    static const std::vector<yaml::Field<Draft>> fields{
        yaml::field("alert", &Draft::alert, yaml::read_text, "name of the alert; or record"),
        yaml::field("record", &Draft::record, yaml::read_text, "name of the series to write; or alert"),
        {"expr", read_expression, "a PromQL expression", Presence::required},
        yaml::field("for", &Draft::hold, yaml::read_duration, "how long expr must hold before the alert fires; default 0"),
        yaml::field("keep_firing_for", &Draft::keep_firing_for, yaml::read_duration,
                    "how long the alert fires on after expr has ended; default 0"),
        yaml::field("labels", &Draft::labels, read_label_texts, "labels to add; templates"),
        yaml::field("annotations", &Draft::annotations, read_annotations, "texts for people; templates"),
    };
    return fields;
}

/// Labels and annotations of an alert are templates: each must parse.
void check_templates(Reader& reader, const Node& rule, const std::string& alert) {
    for (const std::string_view key : {"labels", "annotations"}) {
        const Node* node = rule.find(key);
        for (const yaml::Entry& entry : node != nullptr ? node->entries : std::vector<yaml::Entry>()) {
            if (const Result<Template> parsed = Template::parse(entry.value->text, alert); !parsed) {
                const Reader::Scope outer = reader.key(key);
                const Reader::Scope scope = reader.key(entry.key->text);
                reader.fail(*entry.value, parsed.error().message, parsed.error().code);
            }
        }
    }
}

/// What only alerts have.
void check_recording(Reader& reader, const Node& node, const Draft& draft) {
    const std::pair<std::string_view, bool> given[] = {{"for", draft.hold != Milliseconds(0)},
                                                       {"keep_firing_for", draft.keep_firing_for != Milliseconds(0)},
                                                       {"annotations", !draft.annotations.empty()}};
    for (const auto& [key, is_given] : given) {
        if (is_given) {
            reader.fail(*node.find(key), fmt::format("\"{}\" belongs to alerts; a recording rule has none", key));
        }
    }
    if (draft.record.find_first_of("{}") != std::string::npos) {
        reader.fail(*node.find("record"), "expected a metric name, got " + yaml::shown(draft.record));
    }
}

/// What the table of keys cannot say: one of two names, and what only one kind of rule has.
void check_draft(Reader& reader, const Node& node, const Draft& draft) {
    if (node.kind == yaml::Kind::mapping && draft.alert.empty() == draft.record.empty()) {
        reader.fail(node, draft.alert.empty() ? "expected \"alert\" or \"record\", got neither"
                                              : "expected one of \"alert\" and \"record\", got both");
    }
    if (!draft.alert.empty()) {
        check_templates(reader, node, draft.alert);
    }
    if (!draft.record.empty()) {
        check_recording(reader, node, draft);
    }
}

/// What is allowed and surely not meant.
void add_hints(const Reader& reader, const Node& node, const Draft& draft, const std::string& path, std::vector<Error>& out) {
    const Node& text = *node.find("expr");
    for (const Error& hint : draft.expression->hints()) {
        out.push_back({hint.code, path + ": " + hint.message,
                       text.position_in(reader.file(), hint.where.line, hint.where.column)});
    }
    for (const auto& [name, value] : draft.labels) {
        if (!draft.record.empty() && value.find("{{") != std::string::npos) {
            out.push_back({Errc::invalid_argument,
                           fmt::format("{}: label {} of a recording rule is taken as it stands, without templates", path, name),
                           reader.where(*node.find("labels"))});
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

/// The labels of a rule over those of its group; what is given empty is taken away.
void set_labels(const Texts& group, Texts labels, Rule& rule) {
    labels.insert(group.begin(), group.end());
    std::vector<model::Label> kept;
    for (const auto& [name, value] : labels) {
        if (value.empty()) {
            rule.removed_labels.push_back(name);
        } else {
            kept.push_back({name, value});
        }
    }
    rule.labels = model::Labels(std::move(kept));
}

model::Labels annotations_of(const Texts& texts) {
    std::vector<model::Label> out;
    for (const auto& [name, value] : texts) {
        out.push_back({name, value});
    }
    return model::Labels(std::move(out));
}

/// An empty entry of a list is passed over, as upstream does, but said.
bool is_nothing(const Reader& reader, const Node& item, const std::string& path, ParsedRules& out) {
    if (item.kind != yaml::Kind::null) {
        return false;
    }
    out.hints.push_back({Errc::invalid_argument, path + ": the entry is empty and is passed over", reader.where(item)});
    return true;
}

void read_rules(Reader& reader, const Node& node, const RuleFileOptions& options, const Texts& labels, RuleGroup& group,
                ParsedRules& out) {
    yaml::read_sequence(reader, node, "rules", [&](const Node& item, std::size_t index) {
        if (is_nothing(reader, item, fmt::format("group {}, rules[{}]", yaml::shown(group.name), index), out)) {
            return;
        }
        const std::string name = name_in_path(item, {"alert", "record"});
        const Reader::Scope scope = reader.context(name);
        Draft draft;
        draft.parse_options = options.expressions;
        yaml::read_mapping(reader, item, rule_fields(), {}, draft);
        check_draft(reader, item, draft);
        if (!draft.expression) {
            return;
        }
        add_hints(reader, item, draft, fmt::format("group {}, rules[{}]{}", yaml::shown(group.name), index, name), out.hints);
        Rule rule{draft.alert, draft.record, std::move(*draft.expression), std::move(draft.expression_text), draft.hold,
                  draft.keep_firing_for, {}, {}, annotations_of(draft.annotations), reader.where(item)};
        set_labels(labels, std::move(draft.labels), rule);
        group.rules.push_back(std::move(rule));
    });
}

/// A number as Go's YAML reads it into an integer: 0x10, 1_000, and of 1.5 what is before the point.
std::optional<std::int64_t> whole_part(std::string text) {
    std::erase(text, '_');
    if (const std::optional<std::int64_t> whole = go_integer(text)) {
        return whole;
    }
    const Result<double> real = parse_float(text);
    const bool decimal = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    return decimal && real && std::fabs(*real) < 0x1p63 ? std::optional(static_cast<std::int64_t>(*real)) : std::nullopt;
}

/// Below zero is no limit too.
std::optional<std::int64_t> read_limit(Reader& reader, const Node& node) {
    if (const auto whole = node.kind == yaml::Kind::scalar && !node.quoted ? whole_part(node.text) : std::nullopt) {
        return std::max<std::int64_t>(*whole, 0);
    }
    return yaml::read_integer(reader, node, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
}

std::vector<yaml::Field<RuleGroup>> group_fields() {
    return {
        yaml::field("name", &RuleGroup::name, yaml::read_text, "name of the group, given once", Presence::required),
        yaml::field("interval", &RuleGroup::interval, yaml::read_duration,
                    "how often the rules are evaluated; default, or 0: global's evaluation_interval"),
        yaml::field("limit", &RuleGroup::limit, read_limit, "most alerts or series a rule may give; 0: no limit"),
        yaml::field("query_offset", &RuleGroup::query_offset, yaml::read_duration,
                    "how far in the past the rules look; default 0"),
        {"labels", [](Reader&, const Node&, RuleGroup&) {}, "labels of all rules of the group"},
        {"rules", [](Reader&, const Node&, RuleGroup&) {}, "the rules, in order"},
    };
}

void read_groups(Reader& reader, const Node& node, const RuleFileOptions& options, ParsedRules& out) {
    std::map<std::string, std::uint32_t> seen;
    yaml::read_sequence(reader, node, "groups", [&](const Node& item, std::size_t index) {
        if (is_nothing(reader, item, fmt::format("groups[{}]", index), out)) {
            return;
        }
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
        const Reader::Scope named = reader.context(name_in_path(item, {"name"}));
        Texts labels;
        if (const Node* node = item.find("labels"); node != nullptr) {
            const Reader::Scope key = reader.key("labels");
            labels = *read_label_texts(reader, *node);
            group.labels = annotations_of(labels);
        }
        if (const Node* rules = item.find("rules"); rules != nullptr) {
            const Reader::Scope key = reader.key("rules");
            read_rules(reader, *rules, options, labels, group, out);
        }
    });
}

void find_duplicates(ParsedRules& out) {
    std::map<std::pair<std::string, std::string>, const Rule*> seen;
    for (const RuleGroup& group : out.groups) {
        for (const Rule& rule : group.rules) {
            std::string labels = rule.labels.to_string();
            for (const std::string& removed : rule.removed_labels) {
                labels += "," + removed;
            }
            const auto [first, fresh] = seen.emplace(std::pair(rule.name(), std::move(labels)), &rule);
            if (!fresh) {
                out.duplicates.push_back({Errc::conflict,
                                          fmt::format("group {}: rule {} with labels {} stands in line {} already: their series cannot "
                                                      "be told apart",
                                                      yaml::shown(group.name), yaml::shown(rule.name()), rule.labels.to_string(),
                                                      first->second->where.line),
                                          rule.where});
            }
        }
    }
}

}  // namespace

ParsedRules parse_rules(const std::string& file, std::string_view text, const RuleFileOptions& options) {
    ParsedRules out;
    const Result<yaml::Document> document = yaml::parse_document(file, text);
    if (!document) {
        out.errors.push_back(document.error());
        return out;
    }
    Reader reader(file);
    if (options.ignore_unknown_fields) {
        reader.ignore_unknown_keys();
    }
    const std::vector<yaml::Field<ParsedRules>> top{
        {"groups", [&options](Reader& r, const Node& node, ParsedRules& into) { read_groups(r, node, options, into); },
         "the groups of rules"}};
    yaml::read_mapping(reader, *document->root, top, {}, out);
    out.errors = reader.take_errors();
    if (!out.errors.empty()) {
        out.groups.clear();
        out.hints.clear();
    }
    find_duplicates(out);
    return out;
}

}  // namespace noroshi::rules
