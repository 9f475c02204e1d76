// src/rules/template_format.cpp - values as text: Go's %v and Printf, and the humanize family.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "base/numbers.hpp"
#include "template_tree.hpp"

namespace noroshi::rules {
namespace {

/// Go's "%.4g".
std::string four_digits(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return format_float(value);
    }
    return fmt::format("{:.4g}", value);
}

std::string map_text(const model::Labels& labels) {
    std::string out = "map[";
    for (const model::Label& label : labels) {
        out += (out.size() == 4 ? "" : " ") + label.name + ":" + label.value;
    }
    return out + "]";
}

std::string scaled(double value, double step, const std::array<std::string_view, 8>& large) {
    std::string_view prefix;
    for (const std::string_view next : large) {
        if (std::fabs(value) < step) {
            break;
        }
        prefix = next;
        value /= step;
    }
    return four_digits(value) + std::string(prefix);
}

std::string small(double value) {
    constexpr std::array<std::string_view, 8> prefixes{"m", "u", "n", "p", "f", "a", "z", "y"};
    std::string_view prefix;
    for (const std::string_view next : prefixes) {
        if (std::fabs(value) >= 1) {
            break;
        }
        prefix = next;
        value *= 1000;
    }
    return four_digits(value) + std::string(prefix);
}

const TemplateValue* at(const std::vector<TemplateValue>& values, std::size_t index) {
    return index < values.size() ? &values[index] : nullptr;
}

std::string type_name(const TemplateValue& value) {
    constexpr std::array<std::string_view, 8> names{"<nil>", "bool", "int", "float64", "string", "map[string]string",
                                                    "sample", "slice"};
    return std::string(names[value.kind.index()]);
}

std::string with_double(const std::string& spec, double value) {
    std::array<char, 400> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), spec.c_str(), value);
    return {buffer.data(), static_cast<std::size_t>(std::clamp(length, 0, 399))};
}

/// What stands between % and the verb: "-8.2".
struct Flags {
    bool left{false};
    bool zero{false};
    std::size_t width{0};
    std::optional<std::size_t> precision;
};

Flags flags_of(std::string_view text) {
    Flags out;
    bool in_precision = false;
    for (const char c : text.substr(1)) {
        if (c == '.') {
            in_precision = true;
            out.precision = 0;
        } else if (c >= '0' && c <= '9') {
            out.zero = out.zero || (c == '0' && !in_precision && out.width == 0);
            std::size_t& number = in_precision ? *out.precision : out.width;
            number = number * 10 + static_cast<std::size_t>(c - '0');
        } else {
            out.left = out.left || c == '-';
        }
    }
    return out;
}

/// The text at its width, counted in bytes; at most a kilobyte of padding, whatever the template says.
std::string padded(const Flags& flags, std::string text) {
    constexpr std::size_t max_width = 1024;
    const std::size_t width = std::min(flags.width, max_width);
    if (text.size() >= width) {
        return text;
    }
    const std::string padding(width - text.size(), flags.zero && !flags.left ? '0' : ' ');
    return flags.left ? text + padding : padding + text;
}

/// One verb with its flags, e.g. "%-8.2f". Go names what does not fit instead of failing.
std::string verb(const std::string& flag_text, char letter, const TemplateValue& value) {
    const auto* number = std::get_if<double>(&value.kind);
    const auto* whole = std::get_if<std::int64_t>(&value.kind);
    const bool plain = flag_text.size() == 1;
    const Flags flags = flags_of(flag_text);
    switch (letter) {
        case 'v':
            return padded(flags, to_text(value));
        case 's':
            if (number != nullptr || whole != nullptr) {
                break;
            }
            return padded(flags, to_text(value).substr(0, flags.precision.value_or(std::string::npos)));
        case 'q':
            return padded(flags, model::quote(to_text(value)));
        case 't':
            return padded(flags, to_text(value));
        case 'd':
        case 'x':
            if (whole == nullptr) {
                break;
            }
            return padded(flags, letter == 'd' ? fmt::format("{}", *whole) : fmt::format("{:x}", *whole));
        case 'f':
        case 'e':
        case 'g':
            if (number == nullptr) {
                break;
            }
            if (letter == 'g' && plain) {
                return go_float(*number);
            }
            if (std::isnan(*number) || std::isinf(*number)) {
                return format_float(*number);
            }
            return with_double(flag_text + letter, *number);
        default:
            break;
    }
    return fmt::format("%!{}({}={})", letter, type_name(value), to_text(value));
}

}  // namespace

std::string go_float(double value) { return format_float_go(value); }

std::string to_text(const TemplateValue& value) {
    struct Text {
        std::string operator()(std::monostate) const { return "<no value>"; }
        std::string operator()(bool b) const { return b ? "true" : "false"; }
        std::string operator()(std::int64_t i) const { return std::to_string(i); }
        std::string operator()(double d) const { return go_float(d); }
        std::string operator()(const std::string& s) const { return s; }
        std::string operator()(const model::Labels& l) const { return map_text(l); }
        std::string operator()(const TemplateSample& s) const {
            return "{" + map_text(s.labels) + " " + go_float(s.value) + "}";
        }
        std::string operator()(const std::shared_ptr<const TemplateList>& list) const {
            std::string out = "[";
            for (const TemplateValue& item : *list) {
                out += (out.size() == 1 ? "" : " ") + to_text(item);
            }
            return out + "]";
        }
    };
    return std::visit(Text{}, value.kind);
}

std::string format_printf(std::string_view format, const std::vector<TemplateValue>& arguments) {
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        std::string flags = "%";
        ++i;
        while (i < format.size() && flags.size() < 8 && std::string_view("+-# 0123456789.").find(format[i]) != std::string_view::npos) {
            flags += format[i++];
        }
        if (i == format.size()) {
            return out + "%!(NOVERB)";
        }
        if (format[i] == '%') {
            out += '%';
            continue;
        }
        const TemplateValue* value = at(arguments, next++);
        out += value == nullptr ? fmt::format("%!{}(MISSING)", format[i]) : verb(flags, format[i], *value);
    }
    if (next < arguments.size()) {
        out += "%!(EXTRA ";
        for (std::size_t i = next; i < arguments.size(); ++i) {
            out += (i == next ? "" : ", ") + type_name(arguments[i]) + "=" + to_text(arguments[i]);
        }
        out += ")";
    }
    return out;
}

std::string humanize(double value) {
    if (value == 0 || std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    return std::fabs(value) >= 1 ? scaled(value, 1000, {"k", "M", "G", "T", "P", "E", "Z", "Y"}) : small(value);
}

std::string humanize1024(double value) {
    if (std::fabs(value) <= 1 || std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    return scaled(value, 1024, {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"});
}

std::string humanize_duration(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return four_digits(value);
    }
    if (value == 0) {
        return "0s";
    }
    if (std::fabs(value) < 1) {
        return small(value) + "s";
    }
    if (std::fabs(value) < 60) {
        return four_digits(value) + "s";
    }
    const char* sign = value < 0 ? "-" : "";
    const auto whole = static_cast<std::int64_t>(std::min(std::fabs(value), 9e18));
    const std::int64_t days = whole / 86400;
    const std::int64_t hours = whole / 3600 % 24;
    const std::int64_t minutes = whole / 60 % 60;
    const std::int64_t seconds = whole % 60;
    if (days != 0) {
        return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
    }
    if (hours != 0) {
        return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
    }
    return fmt::format("{}{}m {}s", sign, minutes, seconds);
}

std::string humanize_percentage(double ratio) { return four_digits(ratio * 100) + "%"; }

std::string humanize_timestamp(double seconds) {
    if (std::isnan(seconds) || std::isinf(seconds) || std::fabs(seconds) > 9e11) {
        return four_digits(seconds);
    }
    const TimestampMs t = from_unix_ms(static_cast<std::int64_t>(std::floor(seconds * 1000)));
    const auto whole = std::chrono::floor<std::chrono::seconds>(t);
    std::string text = fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(whole.time_since_epoch().count()));
    if (const auto ms = (t - whole).count(); ms != 0) {
        std::string fraction = fmt::format(".{:03}", ms);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        text += fraction;
    }
    return text + " +0000 UTC";
}

}  // namespace noroshi::rules
