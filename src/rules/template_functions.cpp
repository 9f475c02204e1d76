// src/rules/template_functions.cpp - the functions a template may call, in one table.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

using Arguments = std::vector<TemplateValue>;
using Answer = Result<TemplateValue>;

TemplateValue value_of(std::string text) { return {std::move(text)}; }

tl::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

const std::shared_ptr<const TemplateList>* list_of(const TemplateValue& value) {
    return std::get_if<std::shared_ptr<const TemplateList>>(&value.kind);
}

template <std::string (*F)(double)>
Answer humanized(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const double number, to_number(a[0]));
    return value_of(F(number));
}

/// Numbers compare as numbers, everything else as text.
int compare(const TemplateValue& a, const TemplateValue& b) {
    const Result<double> left = to_number(a);
    const Result<double> right = to_number(b);
    const bool texts = std::holds_alternative<std::string>(a.kind) || std::holds_alternative<std::string>(b.kind);
    if (left && right && !texts) {
        return *left < *right ? -1 : *left > *right ? 1 : 0;
    }
    return to_text(a).compare(to_text(b));
}

Answer eq(Arguments& a, const TemplateData&) {
    return TemplateValue{std::any_of(a.begin() + 1, a.end(), [&a](const TemplateValue& b) { return compare(a[0], b) == 0; })};
}
Answer ne(Arguments& a, const TemplateData&) { return TemplateValue{compare(a[0], a[1]) != 0}; }
Answer lt(Arguments& a, const TemplateData&) { return TemplateValue{compare(a[0], a[1]) < 0}; }
Answer le(Arguments& a, const TemplateData&) { return TemplateValue{compare(a[0], a[1]) <= 0}; }
Answer gt(Arguments& a, const TemplateData&) { return TemplateValue{compare(a[0], a[1]) > 0}; }
Answer ge(Arguments& a, const TemplateData&) { return TemplateValue{compare(a[0], a[1]) >= 0}; }
Answer not_(Arguments& a, const TemplateData&) { return TemplateValue{!is_true(a[0])}; }

Answer len(Arguments& a, const TemplateData&) {
    if (const auto* text = std::get_if<std::string>(&a[0].kind)) {
        return TemplateValue{static_cast<std::int64_t>(text->size())};
    }
    if (const auto* labels = std::get_if<model::Labels>(&a[0].kind)) {
        return TemplateValue{static_cast<std::int64_t>(labels->size())};
    }
    if (const auto* list = list_of(a[0])) {
        return TemplateValue{static_cast<std::int64_t>((*list)->size())};
    }
    return refused("error calling len: len of type that has no length");
}

Answer index(Arguments& a, const TemplateData&) {
    if (const auto* labels = std::get_if<model::Labels>(&a[0].kind)) {
        return value_of(std::string(labels->get(to_text(a[1]))));
    }
    const auto* list = list_of(a[0]);
    const auto* at = std::get_if<std::int64_t>(&a[1].kind);
    if (list == nullptr || at == nullptr || *at < 0 || *at >= static_cast<std::int64_t>((*list)->size())) {
        return refused("error calling index: index out of range");
    }
    return (**list)[static_cast<std::size_t>(*at)];
}

Answer printf(Arguments& a, const TemplateData&) {
    return value_of(format_printf(to_text(a[0]), {a.begin() + 1, a.end()}));
}

/// Go's Sprint: spaces between operands when neither is a string.
Answer print(Arguments& a, const TemplateData&) {
    std::string out;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const bool space = i > 0 && !std::holds_alternative<std::string>(a[i].kind) &&
                           !std::holds_alternative<std::string>(a[i - 1].kind);
        out += (space ? " " : "") + to_text(a[i]);
    }
    return value_of(std::move(out));
}
Answer println(Arguments& a, const TemplateData&) {
    std::string out;
    for (std::size_t i = 0; i < a.size(); ++i) {
        out += (i > 0 ? " " : "") + to_text(a[i]);
    }
    return value_of(out + "\n");
}

std::string ascii_case(std::string text, bool upper) {
    std::ranges::transform(text, text.begin(), [upper](char c) {
        const bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
        return letter ? static_cast<char>(c ^ 0x20) : c;
    });
    return text;
}
Answer to_upper(Arguments& a, const TemplateData&) { return value_of(ascii_case(to_text(a[0]), true)); }
Answer to_lower(Arguments& a, const TemplateData&) { return value_of(ascii_case(to_text(a[0]), false)); }
Answer title(Arguments& a, const TemplateData&) {
    std::string text = to_text(a[0]);
    bool start = true;
    for (char& c : text) {
        if (start && c >= 'a' && c <= 'z') {
            c = static_cast<char>(c ^ 0x20);
        }
        start = c == ' ' || c == '\t' || c == '\n';
    }
    return value_of(std::move(text));
}

std::unique_ptr<re2::RE2> compiled(const std::string& pattern) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_unique<re2::RE2>(pattern, options);
    return regex->ok() ? std::move(regex) : nullptr;
}

Answer match(Arguments& a, const TemplateData&) {
    const auto regex = compiled(to_text(a[0]));
    return regex ? Answer(TemplateValue{re2::RE2::PartialMatch(to_text(a[1]), *regex)})
                 : refused("error calling match: bad regular expression");
}

/// Go writes $1, RE2 \1.
Answer replace_all(Arguments& a, const TemplateData&) {
    const auto regex = compiled(to_text(a[0]));
    if (!regex) {
        return refused("error calling reReplaceAll: bad regular expression");
    }
    std::string rewrite;
    const std::string from = to_text(a[1]);
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t brace = i + 1 < from.size() && from[i + 1] == '{' ? 1 : 0;
        const char digit = i + 1 + brace < from.size() ? from[i + 1 + brace] : '\0';
        if (from[i] == '$' && digit >= '0' && digit <= '9') {
            rewrite += '\\';
            rewrite += digit;
            i += 1 + 2 * brace;
        } else if (from[i] == '\\') {
            rewrite += "\\\\";
        } else {
            rewrite += from[i];
        }
    }
    std::string text = to_text(a[2]);
    re2::RE2::GlobalReplace(&text, *regex, rewrite);
    return value_of(std::move(text));
}

Answer strip_port(Arguments& a, const TemplateData&) {
    std::string text = to_text(a[0]);
    const std::size_t colon = text.rfind(':');
    const bool many = text.find(':') != colon && !text.starts_with('[');
    if (colon == std::string::npos || many) {
        return value_of(std::move(text));
    }
    text.resize(colon);
    return value_of(text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text);
}

Answer strip_domain(Arguments& a, const TemplateData&) {
    const std::string text = to_text(a[0]);
    const std::size_t colon = text.rfind(':');
    const std::string host = text.substr(0, colon);
    const bool address = host.find_first_not_of("0123456789.:[]") == std::string::npos;
    const std::string port = colon == std::string::npos ? "" : text.substr(colon);
    return value_of(address ? text : host.substr(0, host.find('.')) + port);
}

Answer query(Arguments& a, const TemplateData& data) {
    if (!data.query) {
        return refused("error calling query: no query engine here");
    }
    Result<promql::Vector> vector = data.query(to_text(a[0]));
    if (!vector) {
        return refused("error calling query: " + vector.error().message);
    }
    TemplateList out;
    for (promql::VectorSample& sample : *vector) {
        out.push_back({TemplateSample{std::move(sample.labels), sample.value}});
    }
    return TemplateValue{std::make_shared<const TemplateList>(std::move(out))};
}

Answer first(Arguments& a, const TemplateData&) {
    const auto* list = list_of(a[0]);
    if (list == nullptr || (*list)->empty()) {
        return refused("error calling first: first() called on vector with no elements");
    }
    return (*list)->front();
}

Answer sample_value(Arguments& a, const TemplateData&) {
    const auto* sample = std::get_if<TemplateSample>(&a[0].kind);
    return sample != nullptr ? Answer(TemplateValue{sample->value}) : refused("error calling value: not a sample");
}

Answer sample_label(Arguments& a, const TemplateData&) {
    const auto* sample = std::get_if<TemplateSample>(&a[1].kind);
    return sample != nullptr ? Answer(value_of(std::string(sample->labels.get(to_text(a[0])))))
                             : refused("error calling label: not a sample");
}

Answer sort_by_label(Arguments& a, const TemplateData&) {
    const auto* list = list_of(a[1]);
    if (list == nullptr) {
        return refused("error calling sortByLabel: not a vector");
    }
    TemplateList sorted = **list;
    const std::string name = to_text(a[0]);
    std::stable_sort(sorted.begin(), sorted.end(), [&name](const TemplateValue& x, const TemplateValue& y) {
        const auto* left = std::get_if<TemplateSample>(&x.kind);
        const auto* right = std::get_if<TemplateSample>(&y.kind);
        return left != nullptr && right != nullptr && left->labels.get(name) < right->labels.get(name);
    });
    return TemplateValue{std::make_shared<const TemplateList>(std::move(sorted))};
}

Answer parse_seconds(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const Milliseconds duration, parse_duration(to_text(a[0])));
    return TemplateValue{static_cast<double>(duration.count()) / 1000};
}

Answer as_is(Arguments& a, const TemplateData&) { return std::move(a[0]); }
Answer external_url(Arguments&, const TemplateData& data) { return value_of(data.external_url); }

/// The path of the external address, without a slash at its end.
Answer path_prefix(Arguments&, const TemplateData& data) {
    const std::string& url = data.external_url;
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    if (path == std::string::npos) {
        return value_of("");
    }
    return value_of(url.substr(path, url.find_first_of("?#", path) - path));
}

struct Row {
    std::string_view name;
    std::size_t least;
    std::size_t most;
    Answer (*run)(Arguments&, const TemplateData&);
};

constexpr std::size_t any = 1'000;
constexpr std::array rows{Row{"and", 1, any, as_is},
                          Row{"or", 1, any, as_is},
                          Row{"not", 1, 1, not_},
                          Row{"eq", 2, any, eq},
                          Row{"ne", 2, 2, ne},
                          Row{"lt", 2, 2, lt},
                          Row{"le", 2, 2, le},
                          Row{"gt", 2, 2, gt},
                          Row{"ge", 2, 2, ge},
                          Row{"len", 1, 1, len},
                          Row{"index", 2, 2, index},
                          Row{"print", 0, any, print},
                          Row{"println", 0, any, println},
                          Row{"printf", 1, any, printf},
                          Row{"humanize", 1, 1, humanized<humanize>},
                          Row{"humanize1024", 1, 1, humanized<humanize1024>},
                          Row{"humanizeDuration", 1, 1, humanized<humanize_duration>},
                          Row{"humanizePercentage", 1, 1, humanized<humanize_percentage>},
                          Row{"humanizeTimestamp", 1, 1, humanized<humanize_timestamp>},
                          Row{"title", 1, 1, title},
                          Row{"toUpper", 1, 1, to_upper},
                          Row{"toLower", 1, 1, to_lower},
                          Row{"match", 2, 2, match},
                          Row{"reReplaceAll", 3, 3, replace_all},
                          Row{"stripPort", 1, 1, strip_port},
                          Row{"stripDomain", 1, 1, strip_domain},
                          Row{"query", 1, 1, query},
                          Row{"first", 1, 1, first},
                          Row{"value", 1, 1, sample_value},
                          Row{"label", 2, 2, sample_label},
                          Row{"sortByLabel", 2, 2, sort_by_label},
                          Row{"parseDuration", 1, 1, parse_seconds},
                          Row{"safeHtml", 1, 1, as_is},
                          Row{"externalURL", 0, 0, external_url},
                          Row{"pathPrefix", 0, 0, path_prefix}};

}  // namespace

bool is_true(const TemplateValue& value) {
    struct Truth {
        bool operator()(std::monostate) const { return false; }
        bool operator()(bool b) const { return b; }
        bool operator()(std::int64_t i) const { return i != 0; }
        bool operator()(double d) const { return d != 0; }
        bool operator()(const std::string& s) const { return !s.empty(); }
        bool operator()(const model::Labels& l) const { return !l.empty(); }
        bool operator()(const TemplateSample&) const { return true; }
        bool operator()(const std::shared_ptr<const TemplateList>& l) const { return !l->empty(); }
    };
    return std::visit(Truth{}, value.kind);
}

Result<double> to_number(const TemplateValue& value) {
    if (const auto* number = std::get_if<double>(&value.kind)) {
        return *number;
    }
    if (const auto* whole = std::get_if<std::int64_t>(&value.kind)) {
        return static_cast<double>(*whole);
    }
    if (const auto* text = std::get_if<std::string>(&value.kind)) {
        return parse_float(*text);
    }
    return refused("can't convert the argument to a float");
}

bool is_template_function(std::string_view name) { return std::ranges::find(rows, name, &Row::name) != rows.end(); }

Result<TemplateValue> call_template_function(const std::string& name, std::vector<TemplateValue> arguments,
                                             const TemplateData& data) {
    const auto row = std::ranges::find(rows, std::string_view(name), &Row::name);
    NOROSHI_ASSERT(row != rows.end(), "the parser lets only known functions through");
    if (arguments.size() < row->least || arguments.size() > row->most) {
        return refused(fmt::format("wrong number of args for {}: want {} got {}", name, row->least, arguments.size()));
    }
    return row->run(arguments, data);
}

}  // namespace noroshi::rules
