// src/rules/template_value.cpp - types, truth, fields and texts of a template's values.
#include "template_value.hpp"

#include <fmt/format.h>

#include <array>

#include "base/utf8.hpp"

namespace noroshi::rules {
namespace {

template <class... F>
struct Cases : F... {
    using F::operator()...;
};

constexpr std::string_view data_type =
    "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }";

std::string_view whole_type(TemplateWhole::Type type) {
    constexpr std::array<std::string_view, 6> names{"int", "int64", "int32", "uint8", "time.Month", "time.Weekday"};
    return names[static_cast<std::size_t>(type)];
}

tl::unexpected<Error> no_field() { return fail(Errc::invalid_argument, ""); }

Result<TemplateValue> sample_field(const TemplateSample& sample, std::string_view name) {
    if (name == "Labels") {
        return TemplateValue{std::make_shared<const model::Labels>(sample.labels)};
    }
    return name == "Value" ? Result<TemplateValue>(sample_value(sample.value, sample.histogram)) : no_field();
}

Result<TemplateValue> histogram_field(const model::Histogram& histogram, std::string_view name) {
    const std::array<std::pair<std::string_view, double>, 4> numbers{{{"Count", histogram.count}, {"Sum", histogram.sum},
                                                                      {"ZeroCount", histogram.zero_count},
                                                                      {"ZeroThreshold", histogram.zero_threshold}}};
    for (const auto& [known, number] : numbers) {
        if (known == name) {
            return TemplateValue{number};
        }
    }
    return name == "Schema" ? Result<TemplateValue>(whole_value(histogram.schema, TemplateWhole::Type::int32)) : no_field();
}

Result<TemplateValue> data_field(const TemplateData& data, std::string_view name) {
    // Not owned: the data outlives the expansion that sees it.
    const auto borrowed = [](const model::Labels& labels) {
        return TemplateValue{std::shared_ptr<const model::Labels>(std::shared_ptr<void>(), &labels)};
    };
    if (name == "Labels") {
        return borrowed(data.labels);
    }
    if (name == "ExternalLabels") {
        return borrowed(data.external_labels);
    }
    if (name == "ExternalURL") {
        return text_value(data.external_url);
    }
    return name == "Value" ? Result<TemplateValue>(sample_value(data.value, data.histogram)) : no_field();
}

}  // namespace

TemplateValue text_value(std::string text) { return {TemplateText{std::move(text)}}; }
TemplateValue whole_value(std::int64_t number, TemplateWhole::Type type) { return {TemplateWhole{number, type}}; }
TemplateValue sample_value(double value, const std::shared_ptr<const model::Histogram>& histogram) {
    return histogram ? TemplateValue{histogram} : TemplateValue{value};
}

std::string type_name(const TemplateValue& value) {
    return std::visit(Cases{[](std::monostate) { return std::string("<nil>"); },
                            [](bool) { return std::string("bool"); },
                            [](const TemplateWhole& whole) { return std::string(whole_type(whole.type)); },
                            [](double) { return std::string("float64"); },
                            [](const TemplateText& text) { return std::string(text.html ? "template.HTML" : "string"); },
                            [](const std::shared_ptr<const model::Labels>&) { return std::string("map[string]string"); },
                            [](const std::shared_ptr<const TemplateArgs>&) { return std::string("map[string]interface {}"); },
                            [](const std::shared_ptr<const TemplateSample>&) { return std::string("*template.sample"); },
                            [](const std::shared_ptr<const TemplateSamples>&) { return std::string("template.queryResult"); },
                            [](const TemplateTime& time) { return std::string(time.pointer ? "*time.Time" : "time.Time"); },
                            [](const TemplateDuration& d) { return std::string(d.pointer ? "*time.Duration" : "time.Duration"); },
                            [](const std::shared_ptr<const model::Histogram>&) { return std::string("*histogram.FloatHistogram"); },
                            [](const TemplateData*) { return std::string(data_type); }},
                      value.kind);
}

std::string pointed_type_name(const TemplateValue& value) {
    std::string name = type_name(value);
    return name.starts_with('*') ? name.substr(1) : name;
}

bool is_true(const TemplateValue& value) {
    return std::visit(Cases{[](std::monostate) { return false; },
                            [](bool b) { return b; },
                            [](const TemplateWhole& whole) { return whole.number != 0; },
                            [](double d) { return d != 0; },
                            [](const TemplateText& text) { return !text.text.empty(); },
                            [](const std::shared_ptr<const model::Labels>& labels) { return !labels->empty(); },
                            [](const std::shared_ptr<const TemplateArgs>& args) { return !args->values.empty(); },
                            [](const std::shared_ptr<const TemplateSamples>& samples) { return !samples->empty(); },
                            [](const TemplateDuration& d) { return d.pointer || d.nanoseconds != 0; },
                            [](const auto&) { return true; }},
                      value.kind);
}

TemplateKind kind_of(const TemplateValue& value) {
    return std::visit(Cases{[](bool) { return TemplateKind::boolean; },
                            [](const TemplateWhole& whole) {
                                return whole.type == TemplateWhole::Type::uint8 ? TemplateKind::unsigned_whole : TemplateKind::whole;
                            },
                            [](double) { return TemplateKind::real; },
                            [](const TemplateText&) { return TemplateKind::text; },
                            [](const TemplateDuration& d) { return d.pointer ? TemplateKind::other : TemplateKind::whole; },
                            [](const auto&) { return TemplateKind::other; }},
                      value.kind);
}

std::int64_t integer_of(const TemplateValue& value) {
    const auto* duration = value.get<TemplateDuration>();
    return duration != nullptr ? duration->nanoseconds : value.get<TemplateWhole>()->number;
}

Result<TemplateValue> field_of(const TemplateValue& value, std::string_view name) {
    if (const auto labels = value.shared<model::Labels>()) {
        return text_value(std::string(labels->get(name)));
    }
    if (const auto args = value.shared<TemplateArgs>()) {
        const auto found = args->values.find(std::string(name));
        return found == args->values.end() ? TemplateValue{} : found->second;
    }
    if (const auto sample = value.shared<TemplateSample>()) {
        return sample_field(*sample, name);
    }
    if (const auto histogram = value.shared<model::Histogram>()) {
        return histogram_field(*histogram, name);
    }
    const auto* data = value.get<const TemplateData*>();
    return data != nullptr ? data_field(**data, name) : no_field();
}

std::string go_quote(std::string_view text) {
    constexpr std::string_view letters = "abfnrtv";
    constexpr std::string_view controls = "\a\b\f\n\r\t\v";
    std::string out = "\"";
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Character next = utf8_at(text, at);
        const std::string_view bytes = text.substr(at, next.length);
        at += next.length;
        const std::size_t control = controls.find(bytes[0]);
        if (!next.valid || (control == std::string_view::npos && (next.code < ' ' || next.code == 0x7f))) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
        } else if (control != std::string_view::npos) {
            out += {'\\', letters[control]};
        } else if (next.code == '"' || next.code == '\\') {
            out += {'\\', bytes[0]};
        } else if (is_printable(next.code)) {
            out += bytes;
        } else {
            const auto code = static_cast<std::uint32_t>(next.code);
            out += code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
        }
    }
    return out + '"';
}

namespace {

tl::unexpected<Error> bad_syntax() { return fail(Errc::parse, "invalid syntax"); }

/// The value of the escape behind a backslash at `at`, which moves behind it. Octal and \x escapes are bytes.
Result<std::pair<char32_t, bool>> escape(std::string_view text, std::size_t& at, char quote) {
    if (at >= text.size()) {
        return bad_syntax();
    }
    const char c = text[at++];
    constexpr std::string_view letters = "abfnrtv\\";
    if (const std::size_t known = letters.find(c); known != std::string_view::npos) {
        return std::pair(static_cast<char32_t>("\a\b\f\n\r\t\v\\"[known]), false);
    }
    if (c == quote && (c == '"' || c == '\'')) {
        return std::pair(static_cast<char32_t>(c), false);
    }
    const bool octal = c >= '0' && c <= '7';
    const std::size_t digits = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    at -= octal ? 1 : 0;
    if (digits == 0 || at + digits > text.size()) {
        return bad_syntax();
    }
    const std::string_view number = text.substr(at, digits);
    at += digits;
    if (number.find_first_not_of(octal ? "01234567" : "0123456789abcdefABCDEF") != std::string_view::npos) {
        return bad_syntax();
    }
    const auto code = static_cast<char32_t>(std::stoul(std::string(number), nullptr, octal ? 8 : 16));
    const bool byte = octal || c == 'x';
    if ((byte && code > 255) || (!byte && (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))) {
        return bad_syntax();
    }
    return std::pair(code, byte);
}

}  // namespace

Result<std::string> go_unquote(std::string_view literal) {
    const char quote = literal.front();
    literal = literal.substr(1, literal.size() - 2);
    std::string out;
    for (std::size_t at = 0; at < literal.size();) {
        const char c = literal[at++];
        if (quote == '`' || c != '\\') {
            if (quote != '`' || c != '\r') {
                out += c;
            }
            continue;
        }
        NOROSHI_TRY(const auto read, escape(literal, at, quote));
        if (read.second) {
            out += static_cast<char>(read.first);
        } else {
            append_utf8(out, read.first);
        }
    }
    return out;
}

Result<char32_t> go_unquote_character(std::string_view literal) {
    std::size_t at = 1;
    char32_t code = 0;
    if (literal[at] == '\\') {
        ++at;
        NOROSHI_TRY(const auto read, escape(literal, at, '\''));
        code = read.first;
    } else if (literal[at] == '\'') {
        return bad_syntax();
    } else {
        const Utf8Character next = utf8_at(literal, at);
        code = next.code;
        at += next.length;
    }
    return literal.substr(at) == "'" ? Result<char32_t>(code)
                                     : fail(Errc::parse, fmt::format("malformed character constant: {}", literal));
}

}  // namespace noroshi::rules
