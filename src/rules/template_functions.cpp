// src/rules/template_functions.cpp - the functions that Prometheus gives to templates, and the table of all.
#include "template_functions.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"
#include "base/utf8.hpp"

namespace noroshi::rules {
namespace {

using Arguments = TemplateArguments;
using Answer = Result<TemplateValue>;

tl::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

const std::string& text_of(const TemplateValue& value) { return value.get<TemplateText>()->text; }

/// What Go says when a nil sample is looked into.
tl::unexpected<Error> nil_sample() { return refused("runtime error: invalid memory address or nil pointer dereference"); }

template <std::string (*F)(double)>
Answer humanized(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const double number, to_number(a[0]));
    return text_value(F(number));
}

Answer humanized_timestamp(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const double number, to_number(a[0]));
    if (std::isnan(number) || std::isinf(number)) {
        return text_value(format_float(number));
    }
    NOROSHI_TRY(const TemplateTime time, time_of(number));
    return text_value(time_text(time.nanoseconds));
}

Answer to_time(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const double number, to_number(a[0]));
    NOROSHI_TRY(TemplateTime time, time_of(number));
    time.pointer = true;
    return TemplateValue{time};
}

Answer to_duration(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const double number, to_number(a[0]));
    const double nanoseconds = number * 1e9;
    // As amd64 converts what does not fit.
    const bool fits = std::fabs(nanoseconds) < 0x1p63;
    return TemplateValue{TemplateDuration{fits ? static_cast<std::int64_t>(nanoseconds) : std::numeric_limits<std::int64_t>::min(), true}};
}

Answer now(Arguments&, const TemplateData& data) { return TemplateValue{to_unix_seconds(data.now)}; }

Answer upper(Arguments& a, const TemplateData&) { return text_value(to_upper_utf8(text_of(a[0]))); }
Answer lower(Arguments& a, const TemplateData&) { return text_value(to_lower_utf8(text_of(a[0]))); }

/// The first letter of each word large, the rest as it is. Apostrophes, dots and colons between letters, and
/// underscores, do not end a word.
Answer title(Arguments& a, const TemplateData&) {
    const std::string& text = text_of(a[0]);
    std::string out;
    bool in_word = false;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Character next = utf8_at(text, at);
        const bool letter = is_letter(next.code);
        append_utf8(out, letter && !in_word ? to_upper_character(next.code) : next.code);
        at += next.length;
        const bool joins = next.code == '\'' || next.code == '.' || next.code == ':' || next.code == 0x2019;
        const bool goes_on = at < text.size() && is_letter(utf8_at(text, at).code);
        in_word = letter || (in_word && ((joins && goes_on) || next.code == '_' || is_digit_character(next.code)));
    }
    return text_value(std::move(out));
}

std::string_view fault_name(re2::RE2::ErrorCode code) {
    switch (code) {
        case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
        case re2::RE2::ErrorBadCharClass: return "invalid character class";
        case re2::RE2::ErrorBadCharRange: return "invalid character class range";
        case re2::RE2::ErrorMissingBracket: return "missing closing ]";
        case re2::RE2::ErrorMissingParen: return "missing closing )";
        case re2::RE2::ErrorUnexpectedParen: return "unexpected )";
        case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
        case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
        case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
        case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
        case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
        case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
        case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
        default: return "expression too large";
    }
}

Result<std::unique_ptr<re2::RE2>> compiled(const std::string& pattern) {
    auto regex = std::make_unique<re2::RE2>(pattern, re2::RE2::Quiet);
    if (!regex->ok()) {
        return refused(fmt::format("error parsing regexp: {}: `{}`", fault_name(regex->error_code()), regex->error_arg()));
    }
    return regex;
}

Answer match(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const std::unique_ptr<re2::RE2> regex, compiled(text_of(a[0])));
    return TemplateValue{re2::RE2::PartialMatch(text_of(a[1]), *regex)};
}

using Groups = std::vector<re2::StringPiece>;

std::string_view group_named(const re2::RE2& regex, const Groups& groups, std::string_view name) {
    std::size_t number = groups.size();
    if (name.find_first_not_of("0123456789") == std::string_view::npos && (name.size() == 1 || name[0] != '0')) {
        number = name.size() < 6 ? std::stoul(std::string(name)) : number;
    } else if (const auto found = regex.NamedCapturingGroups().find(std::string(name)); found != regex.NamedCapturingGroups().end()) {
        number = static_cast<std::size_t>(found->second);
    }
    return number < groups.size() ? std::string_view(groups[number].data(), groups[number].size()) : std::string_view();
}

/// The replacement with $1, $name and ${name} filled in; "$$" is a dollar. An unknown group is empty.
void append_replacement(std::string& out, std::string_view replacement, const re2::RE2& regex, const Groups& groups) {
    constexpr std::string_view word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    while (!replacement.empty() && out.size() <= longest_template_text) {
        const std::size_t dollar = std::min(replacement.find('$'), replacement.size());
        out += replacement.substr(0, dollar);
        replacement.remove_prefix(dollar);
        if (replacement.size() < 2) {
            out += replacement;
            return;
        }
        const bool brace = replacement[1] == '{';
        const std::size_t from = brace ? 2 : 1;
        const std::size_t end = std::min(replacement.find_first_not_of(word, from), replacement.size());
        const bool closed = !brace || (end < replacement.size() && replacement[end] == '}');
        if (replacement[1] == '$') {
            out += '$';
            replacement.remove_prefix(2);
        } else if (end == from || !closed) {
            out += '$';
            replacement.remove_prefix(1);
        } else {
            out += group_named(regex, groups, replacement.substr(from, end - from));
            replacement.remove_prefix(end + (brace ? 1 : 0));
        }
    }
}

/// All matches in turn. An empty one directly behind another does not count.
Answer replace_all(Arguments& a, const TemplateData&) {
    const std::string& pattern = text_of(a[0]);
    Result<std::unique_ptr<re2::RE2>> regex = compiled(pattern);
    if (!regex) {
        return refused(fmt::format("regexp: Compile({}): {}", pattern.find('`') == std::string::npos ? "`" + pattern + "`" : go_quote(pattern),
                                   regex.error().message));
    }
    const std::string& text = text_of(a[2]);
    Groups groups(static_cast<std::size_t>((*regex)->NumberOfCapturingGroups()) + 1);
    std::string out;
    std::size_t copied = 0;
    for (std::size_t at = 0; at <= text.size() && out.size() <= longest_template_text;) {
        if (!(*regex)->Match(text, at, text.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
            break;
        }
        const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
        const std::size_t end = begin + groups[0].size();
        out.append(text, copied, begin - copied);
        if (end > copied || begin == 0) {
            append_replacement(out, text_of(a[1]), **regex, groups);
        }
        copied = end;
        const std::size_t width = at < text.size() ? utf8_at(text, at).length : 1;
        at = std::max(end, at + width);
    }
    return text_value(out.append(text, copied));
}

struct HostPort {
    std::string host;
    std::string port;
};

/// Go's SplitHostPort.
std::optional<HostPort> split_host_port(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    std::string host = text.substr(0, colon);
    std::size_t behind = 0;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string::npos || close + 1 != colon) {
            return std::nullopt;
        }
        host = text.substr(1, close - 1);
        behind = close + 1;
    } else if (host.find(':') != std::string::npos) {
        return std::nullopt;
    }
    if (text.find('[', behind == 0 ? 0 : 1) != std::string::npos || text.find(']', behind) != std::string::npos) {
        return std::nullopt;
    }
    return HostPort{std::move(host), text.substr(colon + 1)};
}

Answer strip_port(Arguments& a, const TemplateData&) {
    const std::optional<HostPort> split = split_host_port(text_of(a[0]));
    return text_value(split ? split->host : text_of(a[0]));
}

bool is_address(const std::string& host) {
    unsigned char bytes[16];
    const std::size_t zone = host.find('%');
    const bool named_zone = zone != std::string::npos && zone + 1 < host.size();
    return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           ((zone == std::string::npos || named_zone) && ::inet_pton(AF_INET6, host.substr(0, zone).c_str(), bytes) == 1);
}

Answer strip_domain(Arguments& a, const TemplateData&) {
    const HostPort split = split_host_port(text_of(a[0])).value_or(HostPort{text_of(a[0]), ""});
    if (is_address(split.host)) {
        return std::move(a[0]);
    }
    const std::string host = split.host.substr(0, split.host.find('.'));
    if (split.port.empty()) {
        return text_value(host);
    }
    const bool brackets = host.find(':') != std::string::npos;
    return text_value(brackets ? fmt::format("[{}]:{}", host, split.port) : host + ":" + split.port);
}

Answer query(Arguments& a, const TemplateData& data) {
    if (!data.query) {
        return refused("no query engine here");
    }
    Result<promql::Vector> vector = data.query(text_of(a[0]));
    if (!vector) {
        return refused(vector.error().message);
    }
    TemplateSamples out;
    for (promql::VectorSample& sample : *vector) {
        out.push_back(std::make_shared<const TemplateSample>(TemplateSample{std::move(sample.labels), sample.value, std::move(sample.histogram)}));
    }
    return TemplateValue{std::make_shared<const TemplateSamples>(std::move(out))};
}

Answer first(Arguments& a, const TemplateData&) {
    const auto samples = a[0].shared<TemplateSamples>();
    if (!samples || samples->empty()) {
        return refused("first() called on vector with no elements");
    }
    return TemplateValue{samples->front()};
}

Answer value_of(Arguments& a, const TemplateData&) {
    const auto sample = a[0].shared<TemplateSample>();
    return sample ? Answer(sample_value(sample->value, sample->histogram)) : nil_sample();
}
Answer label_of(Arguments& a, const TemplateData&) {
    const auto sample = a[1].shared<TemplateSample>();
    return sample ? Answer(text_value(std::string(sample->labels.get(text_of(a[0]))))) : nil_sample();
}
Answer string_value(Arguments& a, const TemplateData&) {
    const auto sample = a[0].shared<TemplateSample>();
    return sample ? Answer(text_value(std::string(sample->labels.get("__value__")))) : nil_sample();
}

Answer sort_by_label(Arguments& a, const TemplateData&) {
    const auto samples = a[1].shared<TemplateSamples>();
    TemplateSamples sorted = samples ? *samples : TemplateSamples();
    std::ranges::stable_sort(sorted, {}, [&a](const auto& sample) { return sample->labels.get(text_of(a[0])); });
    return TemplateValue{std::make_shared<const TemplateSamples>(std::move(sorted))};
}

/// Maps inside maps inside maps: more than anyone writes, few enough to print and to free.
constexpr std::size_t deepest_args = 30;

Answer args(Arguments& a, const TemplateData&) {
    TemplateArgs out;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (const auto inner = a[i].shared<TemplateArgs>()) {
            out.depth = std::max(out.depth, inner->depth + 1);
        }
        out.values.emplace(fmt::format("arg{}", i), std::move(a[i]));
    }
    if (out.depth > deepest_args) {
        return refused(fmt::format("args inside args are {} deep, expected at most {}", out.depth, deepest_args));
    }
    return TemplateValue{std::make_shared<const TemplateArgs>(std::move(out))};
}

Answer seconds_of(Arguments& a, const TemplateData&) {
    const std::string& text = text_of(a[0]);
    const bool negative = text.starts_with('-');
    const Result<Milliseconds> duration = parse_duration(std::string_view(text).substr(negative ? 1 : 0));
    if (!duration) {
        return refused(text.empty() ? "empty duration string" : "not a valid duration string: " + go_quote(text));
    }
    const double seconds = to_unix_seconds(TimestampMs(*duration));
    return TemplateValue{negative ? -seconds : seconds};
}

Answer safe_html(Arguments& a, const TemplateData&) { return TemplateValue{TemplateText{text_of(a[0]), true}}; }
Answer escaped(Arguments& a, const TemplateData&) { return text_value(query_escaped(text_of(a[0]))); }
Answer graph_link(Arguments& a, const TemplateData&) {
    return text_value(fmt::format("/graph?g0.expr={}&g0.tab=0", query_escaped(text_of(a[0]))));
}
Answer table_link(Arguments& a, const TemplateData&) {
    return text_value(fmt::format("/graph?g0.expr={}&g0.tab=1", query_escaped(text_of(a[0]))));
}
Answer external_url(Arguments&, const TemplateData& data) { return text_value(data.external_url); }

/// The path of the external address.
Answer path_prefix(Arguments&, const TemplateData& data) {
    const std::string& url = data.external_url;
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    if (path == std::string::npos) {
        return text_value("");
    }
    return text_value(url.substr(path, url.find_first_of("?#", path) - path));
}

const std::vector<TemplateFunction>& functions() {
    using enum TemplateType;
    static const std::vector<TemplateFunction> table = [] {
        std::vector<TemplateFunction> out = template_builtins();
        const std::vector<TemplateFunction> own{{"humanize", {any}, {}, 0, humanized<humanize>},
                                                {"humanize1024", {any}, {}, 0, humanized<humanize1024>},
                                                {"humanizeDuration", {any}, {}, 0, humanized<humanize_duration>},
                                                {"humanizePercentage", {any}, {}, 0, humanized<humanize_percentage>},
                                                {"humanizeTimestamp", {any}, {}, 0, humanized_timestamp},
                                                {"toTime", {any}, {}, 0, to_time},
                                                {"toDuration", {any}, {}, 0, to_duration},
                                                {"now", {}, {}, 0, now},
                                                {"title", {text}, {}, 10, title},
                                                {"toUpper", {text}, {}, 10, upper},
                                                {"toLower", {text}, {}, 10, lower},
                                                {"match", {text, text}, {}, 100, match},
                                                {"reReplaceAll", {text, text, text}, {}, 100, replace_all},
                                                {"stripPort", {text}, {}, 0, strip_port},
                                                {"stripDomain", {text}, {}, 0, strip_domain},
                                                {"query", {text}, {}, 100, query},
                                                {"first", {samples}, {}, 0, first},
                                                {"value", {sample}, {}, 0, value_of},
                                                {"label", {text, sample}, {}, 0, label_of},
                                                {"strvalue", {sample}, {}, 0, string_value},
                                                {"sortByLabel", {text, samples}, {}, 100, sort_by_label},
                                                {"args", {}, any, 0, args},
                                                {"parseDuration", {text}, {}, 0, seconds_of},
                                                {"safeHtml", {text}, {}, 0, safe_html},
                                                {"urlQueryEscape", {text}, {}, 10, escaped},
                                                {"graphLink", {text}, {}, 10, graph_link},
                                                {"tableLink", {text}, {}, 10, table_link},
                                                {"externalURL", {}, {}, 0, external_url},
                                                {"pathPrefix", {}, {}, 0, path_prefix}};
        out.insert(out.end(), own.begin(), own.end());
        return out;
    }();
    return table;
}

}  // namespace

std::string_view type_name(TemplateType type) {
    constexpr std::array<std::string_view, 8> names{"interface {}", "reflect.Value", "string", "template.queryResult",
                                                    "*template.sample", "int", "time.Time", "time.Duration"};
    return names[static_cast<std::size_t>(type)];
}

const TemplateFunction* find_template_function(std::string_view name) {
    const auto found = std::ranges::find(functions(), name, &TemplateFunction::name);
    return found == functions().end() ? nullptr : &*found;
}

Result<double> to_number(const TemplateValue& value) {
    if (const auto* number = value.get<double>()) {
        return *number;
    }
    const auto* whole = value.get<TemplateWhole>();
    if (whole != nullptr && (whole->type == TemplateWhole::Type::int_ || whole->type == TemplateWhole::Type::int64)) {
        return static_cast<double>(whole->number);
    }
    if (const auto* duration = value.get<TemplateDuration>(); duration != nullptr && !duration->pointer) {
        return static_cast<double>(duration->nanoseconds) / 1e9;
    }
    if (const auto* text = value.get<TemplateText>(); text != nullptr && !text->html) {
        const Result<double> number = parse_float(text->text);
        const bool overflows = number && std::isinf(*number) && text->text.find_first_of("0123456789") != std::string::npos;
        if (number && !overflows) {
            return *number;
        }
        return refused(fmt::format("strconv.ParseFloat: parsing {}: {}", go_quote(text->text), overflows ? "value out of range" : "invalid syntax"));
    }
    return refused(fmt::format("can't convert {} to float", type_name(value)));
}

}  // namespace noroshi::rules
