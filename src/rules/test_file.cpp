// src/rules/test_file.cpp - reads a file of rule tests.
#include "test_file.hpp"

#include <re2/re2.h>

#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "base/numbers.hpp"
#include "base/rfc3339.hpp"
#include "config/yaml.hpp"

namespace noroshi::rules {
namespace {

namespace yaml = config::yaml;
using yaml::Node;
using yaml::Reader;

std::optional<model::Labels> read_any_labels(Reader& reader, const Node& node) {
    std::vector<model::Label> out;
    yaml::read_entries(reader, node, "names to values", [&](const Node& key, const Node& value) {
        if (std::optional<std::string> text = yaml::read_text(reader, value)) {
            out.push_back({key.text, std::move(*text)});
        }
    });
    return model::Labels(std::move(out));
}

/// A number as YAML 1.1 writes it.
std::optional<double> read_number(Reader& reader, const Node& node) {
    static const RE2 number(R"([-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?0x[0-9a-fA-F_]+)");
    static const RE2 infinite(R"([-+]?\.(inf|Inf|INF))");
    static const RE2 none(R"(\.(nan|NaN|NAN))");
    if (node.kind == yaml::Kind::scalar && !node.quoted) {
        if (RE2::FullMatch(node.text, infinite)) {
            return std::copysign(std::numeric_limits<double>::infinity(), node.text.front() == '-' ? -1 : 1);
        }
        if (RE2::FullMatch(node.text, none)) {
            return std::numeric_limits<double>::quiet_NaN();
        }
        if (RE2::FullMatch(node.text, number)) {
            std::string digits = node.text;
            std::erase(digits, '_');
            if (const Result<double> value = parse_float(digits)) {
                return *value;
            }
        }
    }
    reader.fail(node, "expected a number such as 1, -2.5e3, .inf or .nan, got " +
                          (node.kind == yaml::Kind::scalar ? yaml::shown(node.text) : std::string(yaml::kind_name(node))));
    return std::nullopt;
}

/// RFC 3339, or seconds since 1970.
std::optional<TimestampMs> read_start(Reader& reader, const Node& node) {
    const std::optional<std::string> text = yaml::read_text(reader, node);
    if (!text) {
        return std::nullopt;
    }
    if (const Result<TimestampMs> time = parse_rfc3339(*text)) {
        return *time;
    }
    const Result<double> seconds = parse_float(*text);
    if (seconds && std::fabs(*seconds) < 9e12) {
        return from_unix_ms(static_cast<std::int64_t>(std::floor(*seconds * 1'000)));
    }
    reader.fail(node, "expected a time such as 2026-01-31T12:00:00Z, or seconds since 1970, got " + yaml::shown(*text));
    return std::nullopt;
}

/// A list whose items are mappings.
template <class T, class Item>
yaml::Field<T> list(std::string_view key, std::vector<Item> T::*member, std::string_view what,
                    const std::vector<yaml::Field<Item>>& (*fields)(), std::string_view doc) {
    return {key,
            [=](Reader& reader, const Node& node, T& out) {
                yaml::read_sequence(reader, node, what, [&](const Node& item, std::size_t) {
                    Item& read = (out.*member).emplace_back();
                    if constexpr (requires { read.where; }) {
                        read.where = reader.where(item);
                    }
                    yaml::read_mapping(reader, item, fields(), {}, read);
                });
            },
            doc};
}

const std::vector<yaml::Field<InputSeries>>& input_fields() {
    static const std::vector<yaml::Field<InputSeries>> fields{
        yaml::field("series", &InputSeries::series, yaml::read_text, "a metric with labels"),
        yaml::field("values", &InputSeries::values, yaml::read_text, "its values, one an interval"),
    };
    return fields;
}

const std::vector<yaml::Field<ExpectedAlert>>& alert_fields() {
    static const std::vector<yaml::Field<ExpectedAlert>> fields{
        yaml::field("exp_labels", &ExpectedAlert::labels, read_any_labels, "all labels but alertname"),
        yaml::field("exp_annotations", &ExpectedAlert::annotations, read_any_labels, "all annotations, expanded"),
    };
    return fields;
}

const std::vector<yaml::Field<AlertExpectation>>& alert_test_fields() {
    static const std::vector<yaml::Field<AlertExpectation>> fields{
        yaml::field("eval_time", &AlertExpectation::at, yaml::read_duration, "when, since the start; default 0"),
        yaml::field("alertname", &AlertExpectation::alert, yaml::read_text, "name of the alerting rule"),
        list("exp_alerts", &AlertExpectation::expected, "alerts", alert_fields, "the alerts that fire then"),
    };
    return fields;
}

const std::vector<yaml::Field<ExpectedSample>>& sample_fields() {
    static const std::vector<yaml::Field<ExpectedSample>> fields{
        yaml::field("labels", &ExpectedSample::labels, yaml::read_text, "a metric with labels"),
        yaml::field("value", &ExpectedSample::value, read_number, "a number"),
        yaml::field("histogram", &ExpectedSample::histogram, yaml::read_text, "a native histogram, {{..}}"),
    };
    return fields;
}

const std::vector<yaml::Field<ExpressionExpectation>>& expression_test_fields() {
    static const std::vector<yaml::Field<ExpressionExpectation>> fields{
        yaml::field("expr", &ExpressionExpectation::expression, yaml::read_text, "a PromQL expression"),
        yaml::field("eval_time", &ExpressionExpectation::at, yaml::read_duration, "when, since the start; default 0"),
        list("exp_samples", &ExpressionExpectation::expected, "samples", sample_fields, "the samples it gives"),
    };
    return fields;
}

const std::vector<yaml::Field<RuleTest>>& test_fields() {
    static const std::vector<yaml::Field<RuleTest>> fields{
        yaml::field("name", &RuleTest::name, yaml::read_text, "name of the test"),
        yaml::field("interval", &RuleTest::interval, yaml::read_duration,
                    "between two values of an input series; default: evaluation_interval"),
        list("input_series", &RuleTest::input, "series", input_fields, "what the rules see"),
        list("alert_rule_test", &RuleTest::alerts, "expected alerts", alert_test_fields, "alerts to expect"),
        list("promql_expr_test", &RuleTest::expressions, "expressions", expression_test_fields, "samples to expect"),
        yaml::field("external_labels", &RuleTest::external_labels, read_any_labels, "labels for templates"),
        yaml::field("external_url", &RuleTest::external_url, yaml::read_text, "address for templates"),
        yaml::field("start_timestamp", &RuleTest::start, read_start, "time of the first value; default 1970"),
    };
    return fields;
}

std::optional<std::vector<std::string>> read_order(Reader& reader, const Node& node) {
    std::optional<std::vector<std::string>> out = yaml::read_texts(reader, node);
    std::set<std::string> seen;
    for (const yaml::NodePtr& item : node.items) {
        if (!seen.insert(item->text).second) {
            reader.fail(*item, "expected each group once, got " + yaml::shown(item->text) + " again");
        }
    }
    return out;
}

const std::vector<yaml::Field<RuleTestFile>>& file_fields() {
    static const std::vector<yaml::Field<RuleTestFile>> fields{
        yaml::field("rule_files", &RuleTestFile::rule_files, yaml::read_texts, "rule files; globs, from this file's folder"),
        yaml::field("evaluation_interval", &RuleTestFile::evaluation_interval, yaml::read_duration,
                    "between two evaluations of the rules; default 1m"),
        yaml::field("group_eval_order", &RuleTestFile::group_order, read_order, "names of groups, in order of evaluation"),
        yaml::field("fuzzy_compare", &RuleTestFile::fuzzy, yaml::read_bool, "neighbouring numbers are equal; default false"),
        list("tests", &RuleTestFile::tests, "tests", test_fields, "the tests"),
    };
    return fields;
}

}  // namespace

ParsedTests parse_rule_tests(const std::string& file, std::string_view text) {
    ParsedTests out;
    const Result<yaml::Document> document = yaml::parse_document(file, text);
    if (!document) {
        out.errors.push_back(document.error());
        return out;
    }
    Reader reader(file);
    yaml::read_mapping(reader, *document->root, file_fields(), {}, out.file);
    out.errors = reader.take_errors();
    if (out.file.evaluation_interval == Milliseconds(0)) {
        out.file.evaluation_interval = std::chrono::minutes(1);
    }
    return out;
}

}  // namespace noroshi::rules
