// src/rules/template_printer.cpp - values of templates by the verbs of Go's fmt, written into one text.
#include "template_printer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/numbers.hpp"
#include "base/utf8.hpp"

namespace noroshi::rules {
namespace {

/// Whatever a template says: of padding and of a number's digits.
constexpr int most_padding = 1024;
constexpr int most_digits = 300;

/// The text of a type that has a String method; nothing: it has none.
std::optional<std::string> own_text(const TemplateValue& value) {
    if (const auto* time = value.get<TemplateTime>()) {
        return time_text(time->nanoseconds);
    }
    if (const auto* duration = value.get<TemplateDuration>()) {
        return duration_text(duration->nanoseconds);
    }
    if (const auto histogram = value.shared<model::Histogram>()) {
        return histogram->to_string();
    }
    const auto* whole = value.get<TemplateWhole>();
    if (whole != nullptr && whole->type == TemplateWhole::Type::month) {
        return std::string(month_name(whole->number));
    }
    if (whole != nullptr && whole->type == TemplateWhole::Type::weekday) {
        return std::string(weekday_name(whole->number));
    }
    return std::nullopt;
}

std::string quoted_character(char32_t code) {
    std::string text;
    append_utf8(text, code);
    if (text == "'") {
        return "'\\''";
    }
    return text == "\"" ? "'\"'" : "'" + go_quote(text).substr(1, go_quote(text).size() - 2) + "'";
}

}  // namespace

void TemplatePrinter::argument(const TemplateValue& value, char32_t verb) {
    if (verb == 'T') {
        return pad(type_name(value));
    }
    if (value.empty()) {
        return verb == 'v' ? pad("<nil>") : bad_verb(value, verb);
    }
    print(value, verb, 0);
}

void TemplatePrinter::pad_as(std::string_view text, bool zeros) {
    const auto length = static_cast<int>(utf8_length(text));
    const int missing = std::clamp(flags.width.value_or(0) - length, 0, most_padding);
    const std::string padding(static_cast<std::size_t>(missing), zeros && !flags.minus ? '0' : ' ');
    out += flags.minus ? "" : padding;
    out += text;
    out += flags.minus ? padding : "";
}

void TemplatePrinter::bad_verb(const TemplateValue& value, char32_t verb) {
    out += "%!";
    append_utf8(out, verb);
    if (value.empty()) {
        out += "(<nil>)";
        return;
    }
    out += "(" + type_name(value) + "=";
    const bool before = std::exchange(methods_, false);
    print(value, 'v', 0);
    methods_ = before;
    out += ")";
}

void TemplatePrinter::print(const TemplateValue& value, char32_t verb, int depth) {
    if (full()) {
        return;
    }
    const bool stringable = verb == 'v' || verb == 's' || verb == 'x' || verb == 'X' || verb == 'q';
    if (const std::optional<std::string> text = stringable && methods_ && !flags.go_syntax ? own_text(value) : std::nullopt) {
        return this->text(value, *text, verb);
    }
    if (const auto* boolean = value.get<bool>()) {
        return verb == 'v' || verb == 't' ? pad(*boolean ? "true" : "false") : bad_verb(value, verb);
    }
    if (value.get<TemplateWhole>() != nullptr || value.get<TemplateDuration>() != nullptr) {
        return integer(value, verb);
    }
    if (const auto* number = value.get<double>()) {
        return real(value, *number, verb);
    }
    if (const auto* held = value.get<TemplateText>()) {
        return text(value, held->text, verb);
    }
    composite(value, verb, depth);
}

void TemplatePrinter::composite(const TemplateValue& value, char32_t verb, int depth) {
    if (const auto labels = value.shared<model::Labels>()) {
        std::vector<std::pair<std::string, TemplateValue>> entries;
        for (const model::Label& label : *labels) {
            entries.emplace_back(label.name, text_value(label.value));
        }
        return map(value, entries, verb, depth);
    }
    if (const auto args = value.shared<TemplateArgs>()) {
        return map(value, args->values, verb, depth);
    }
    if (const auto samples = value.shared<TemplateSamples>()) {
        out += flags.go_syntax ? type_name(value) + "{" : "[";
        for (std::size_t i = 0; i < samples->size() && !full(); ++i) {
            out += i > 0 ? (flags.go_syntax ? ", " : " ") : "";
            print(TemplateValue{(*samples)[i]}, verb, depth + 1);
        }
        out += flags.go_syntax ? "}" : "]";
        return;
    }
    if (const auto sample = value.shared<TemplateSample>()) {
        // Inside others Go shows an address, which says nothing.
        out += depth == 0 && !follow ? "&" : "";
        return fields(value, {{"Labels", TemplateValue{std::make_shared<const model::Labels>(sample->labels)}},
                              {"Value", sample_value(sample->value, sample->histogram)}}, verb, depth);
    }
    if (const auto* data = value.get<const TemplateData*>()) {
        const auto labels = [](const model::Labels& of) { return TemplateValue{std::make_shared<const model::Labels>(of)}; };
        return fields(value, {{"Labels", labels((*data)->labels)},
                              {"ExternalLabels", labels((*data)->external_labels)},
                              {"ExternalURL", text_value((*data)->external_url)},
                              {"Value", sample_value((*data)->value, (*data)->histogram)}}, verb, depth);
    }
    // A time or histogram by a verb that has no text of it.
    out += value.empty() ? "<nil>" : own_text(value).value_or("");
}

template <class Entries>
void TemplatePrinter::map(const TemplateValue& value, const Entries& entries, char32_t verb, int depth) {
    out += flags.go_syntax ? type_name(value) + "{" : "map[";
    bool first = true;
    for (const auto& [name, entry] : entries) {
        if (full()) {
            break;
        }
        out += first ? "" : flags.go_syntax ? ", " : " ";
        first = false;
        print(text_value(name), verb, depth + 1);
        out += ":";
        element(entry, verb, depth);
    }
    out += flags.go_syntax ? "}" : "]";
}

void TemplatePrinter::fields(const TemplateValue& value, const std::vector<std::pair<std::string_view, TemplateValue>>& all, char32_t verb, int depth) {
    out += flags.go_syntax ? pointed_type_name(value) + "{" : "{";
    for (std::size_t i = 0; i < all.size(); ++i) {
        out += i == 0 ? "" : flags.go_syntax ? ", " : " ";
        if (flags.go_syntax || flags.field_names) {
            out += fmt::format("{}:", all[i].first);
        }
        element(all[i].second, verb, depth);
    }
    out += "}";
}

void TemplatePrinter::element(const TemplateValue& value, char32_t verb, int depth) {
    if (value.empty()) {
        out += flags.go_syntax ? "interface {}(nil)" : "<nil>";
        return;
    }
    print(value, verb, depth + 1);
}

void TemplatePrinter::text(const TemplateValue& value, std::string text, char32_t verb) {
    switch (verb) {
        case 'v':
        case 's':
        case 'q':
            break;
        case 'x':
        case 'X':
            return hex_bytes(text, verb == 'X');
        default:
            return bad_verb(value, verb);
    }
    if (flags.precision) {
        std::size_t end = 0;
        for (int i = 0; i < *flags.precision && end < text.size(); ++i) {
            end += utf8_at(text, end).length;
        }
        text.resize(end);
    }
    if (verb == 'q' || (verb == 'v' && flags.go_syntax)) {
        const bool backquotes = flags.sharp && is_utf8(text) && std::ranges::none_of(text, [](char c) {
            return c == '`' || (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
        });
        text = backquotes ? "`" + text + "`" : go_quote(text);
    }
    pad(text);
}

void TemplatePrinter::hex_bytes(std::string_view text, bool upper) {
    const std::string_view prefix = upper ? "0X" : "0x";
    std::string written;
    for (std::size_t i = 0; i < text.size() && (!flags.precision || static_cast<int>(i) < *flags.precision); ++i) {
        written += flags.space && i > 0 ? " " : "";
        written += flags.sharp && (i == 0 || flags.space) ? prefix : "";
        written += fmt::format(fmt::runtime(upper ? "{:02X}" : "{:02x}"), static_cast<unsigned char>(text[i]));
    }
    pad(written);
}

void TemplatePrinter::integer(const TemplateValue& value, char32_t verb) {
    const std::int64_t number = integer_of(value);
    const std::uint64_t amount = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    switch (verb) {
        case 'v':
        case 'd':
            return digits(fmt::format("{}", amount), "", number < 0);
        case 'b':
            return digits(fmt::format("{:b}", amount), flags.sharp ? "0b" : "", number < 0);
        case 'o':
            return digits(fmt::format("{:o}", amount), flags.sharp && amount != 0 ? "0" : "", number < 0);
        case 'O':
            return digits(fmt::format("{:o}", amount), "0o", number < 0);
        case 'x':
            return digits(fmt::format("{:x}", amount), flags.sharp ? "0x" : "", number < 0);
        case 'X':
            return digits(fmt::format("{:X}", amount), flags.sharp ? "0X" : "", number < 0);
        case 'c': {
            std::string text;
            append_utf8(text, static_cast<char32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(number), 0x110000)));
            return pad(text);
        }
        case 'q':
            return pad(quoted_character(static_cast<char32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(number), 0x110000))));
        case 'U':
            return pad_as(fmt::format("U+{:04X}", static_cast<std::uint64_t>(number)), false);
        default:
            return bad_verb(value, verb);
    }
}

void TemplatePrinter::digits(std::string text, std::string_view prefix, bool negative) {
    const bool has_sign = negative || flags.plus || flags.space;
    int wanted = 0;
    if (flags.precision) {
        wanted = *flags.precision;
        if (wanted == 0 && text == "0") {
            return pad_as("", false);
        }
    } else if (flags.zero && !flags.minus && flags.width) {
        wanted = *flags.width - (has_sign ? 1 : 0);
    }
    wanted = std::min(wanted, most_padding);
    if (static_cast<int>(text.size()) < wanted) {
        text.insert(0, static_cast<std::size_t>(wanted) - text.size(), '0');
    }
    if (prefix == "0" && text.starts_with('0')) {
        prefix = "";
    }
    pad_as((negative ? "-" : flags.plus ? "+" : flags.space ? " " : "") + std::string(prefix) + text, false);
}

void TemplatePrinter::real(const TemplateValue& value, double number, char32_t verb) {
    constexpr std::u32string_view known = U"vgGfFeExX";
    if (known.find(verb) == std::u32string_view::npos) {
        return bad_verb(value, verb);
    }
    const bool special = std::isnan(number) || std::isinf(number);
    std::string text = special ? (std::isnan(number) ? "NaN" : "Inf") : magnitude(std::fabs(number), verb);
    const bool negative = std::signbit(number) && !std::isnan(number);
    // The sign stands before zeros; infinity always has one.
    const std::string sign = negative ? "-" : flags.plus ? "+" : flags.space ? " " : std::isinf(number) ? "+" : "";
    const int missing = std::clamp(flags.width.value_or(0) - static_cast<int>(text.size() + sign.size()), 0, most_padding);
    if (flags.zero && !flags.minus && !special) {
        text.insert(0, static_cast<std::size_t>(missing), '0');
    }
    pad_as(sign + text, false);
}

std::string TemplatePrinter::magnitude(double number, char32_t verb) const {
    const bool shortest = verb == 'v' || verb == 'g' || verb == 'G';
    std::string text;
    if (shortest && !flags.precision && !flags.sharp) {
        text = format_float_go(number);
    } else if (verb == 'x' || verb == 'X') {
        text = hexadecimal(number);
    } else {
        const char letter = verb == 'F' ? 'f' : verb == 'v' || verb == 'G' ? 'g' : verb == 'E' ? 'e' : static_cast<char>(verb);
        const std::string spec = flags.sharp ? "%#.*" : "%.*";
        std::array<char, 700> buffer{};
        const int length = std::snprintf(buffer.data(), buffer.size(), (spec + letter).c_str(),
                                         std::min(flags.precision.value_or(6), most_digits), number);
        text.assign(buffer.data(), static_cast<std::size_t>(length));
    }
    if (verb == 'G' || verb == 'E' || verb == 'X') {
        std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    }
    return text;
}

std::string TemplatePrinter::hexadecimal(double number) const {
    std::array<char, 400> buffer{};
    const int length = flags.precision ? std::snprintf(buffer.data(), buffer.size(), "%.*a", std::min(*flags.precision, most_digits), number)
                                       : std::snprintf(buffer.data(), buffer.size(), "%a", number);
    std::string text(buffer.data(), static_cast<std::size_t>(length));
    const std::size_t exponent = text.find('p') + 2;
    if (text.size() - exponent < 2) {
        text.insert(exponent, "0");
    }
    return text;
}

}  // namespace noroshi::rules
