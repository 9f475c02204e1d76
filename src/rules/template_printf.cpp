// src/rules/template_printf.cpp - values as text: Go's Print family and its verbs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/numbers.hpp"
#include "base/utf8.hpp"
#include "template_value.hpp"

namespace noroshi::rules {
namespace {

/// Whatever a template says: of padding and of a number's digits.
constexpr int most_padding = 1024;
constexpr int most_digits = 300;

/// What stands between % and the verb.
struct Flags {
    bool plus{false};
    bool minus{false};
    bool sharp{false};
    bool space{false};
    bool zero{false};
    bool go_syntax{false};    ///< %#v
    bool field_names{false};  ///< %+v
    std::optional<int> width{};
    std::optional<int> precision{};
};

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

/// Verbs written into one text, which ends early when it becomes too long.
class Printer {
  public:
    std::string out;
    Flags flags;

    [[nodiscard]] bool full() const { return out.size() > longest_template_text; }

    /// As an argument of Printf.
    void argument(const TemplateValue& value, char32_t verb) {
        if (verb == 'T') {
            return pad(type_name(value));
        }
        if (value.empty()) {
            return verb == 'v' ? pad("<nil>") : bad_verb(value, verb);
        }
        print(value, verb, 0);
    }

    void pad(std::string_view text) { pad_as(text, flags.zero); }

  private:
    void pad_as(std::string_view text, bool zeros) {
        const auto length = static_cast<int>(utf8_length(text));
        const int missing = std::clamp(flags.width.value_or(0) - length, 0, most_padding);
        const std::string padding(static_cast<std::size_t>(missing), zeros && !flags.minus ? '0' : ' ');
        out += flags.minus ? "" : padding;
        out += text;
        out += flags.minus ? padding : "";
    }

    void bad_verb(const TemplateValue& value, char32_t verb) {
        out += "%!";
        append_utf8(out, verb);
        if (value.empty()) {
            out += "(<nil>)";
            return;
        }
        out += "(" + type_name(value) + "=";
        std::swap(methods_, no_methods_);
        print(value, 'v', 0);
        std::swap(methods_, no_methods_);
        out += ")";
    }

    void print(const TemplateValue& value, char32_t verb, int depth) {
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

    void composite(const TemplateValue& value, char32_t verb, int depth) {
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
    void map(const TemplateValue& value, const Entries& entries, char32_t verb, int depth) {
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

    void fields(const TemplateValue& value, const std::vector<std::pair<std::string_view, TemplateValue>>& all, char32_t verb, int depth) {
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

    void element(const TemplateValue& value, char32_t verb, int depth) {
        if (value.empty()) {
            out += flags.go_syntax ? "interface {}(nil)" : "<nil>";
            return;
        }
        print(value, verb, depth + 1);
    }

    void text(const TemplateValue& value, std::string text, char32_t verb) {
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

    void hex_bytes(std::string_view text, bool upper) {
        const std::string_view prefix = upper ? "0X" : "0x";
        std::string written;
        for (std::size_t i = 0; i < text.size() && (!flags.precision || static_cast<int>(i) < *flags.precision); ++i) {
            written += flags.space && i > 0 ? " " : "";
            written += flags.sharp && (i == 0 || flags.space) ? prefix : "";
            written += fmt::format(fmt::runtime(upper ? "{:02X}" : "{:02x}"), static_cast<unsigned char>(text[i]));
        }
        pad(written);
    }

    void integer(const TemplateValue& value, char32_t verb) {
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

    /// With leading zeros as precision, or a width of zeros, asks for them.
    void digits(std::string text, std::string_view prefix, bool negative) {
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

    void real(const TemplateValue& value, double number, char32_t verb) {
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

    [[nodiscard]] std::string magnitude(double number, char32_t verb) const {
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

    /// Go's exponent has two digits at least.
    [[nodiscard]] std::string hexadecimal(double number) const {
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

  public:
    bool follow{false};  ///< pointers are followed before they are printed

  private:
    bool methods_{true};
    bool no_methods_{false};
};

/// Reads "%...verb" by "%...verb".
class Formatter {
  public:
    Formatter(std::string_view format, const std::vector<TemplateValue>& arguments) : format_(format), arguments_(arguments) {}

    std::string run() {
        while (at_ < format_.size() && !printer_.full()) {
            const std::size_t percent = std::min(format_.find('%', at_), format_.size());
            printer_.out += format_.substr(at_, percent - at_);
            at_ = percent + 1;
            if (percent < format_.size() && !one()) {
                break;
            }
        }
        if (!reordered_ && next_ < arguments_.size()) {
            extra();
        }
        return std::move(printer_.out);
    }

  private:
    [[nodiscard]] char peek() const { return at_ < format_.size() ? format_[at_] : '\0'; }

    /// False: the format ended inside.
    bool one() {
        printer_.flags = {};
        good_index_ = true;
        read_flags();
        bool after_index = read_index();
        if (peek() == '*') {
            read_star(printer_.flags.width, "%!(BADWIDTH)", true);
            after_index = false;
        } else {
            printer_.flags.width = read_number();
            good_index_ = good_index_ && !(after_index && printer_.flags.width);
        }
        if (peek() == '.' && at_ + 1 < format_.size()) {
            ++at_;
            good_index_ = good_index_ && !after_index;
            after_index = read_index();
            if (peek() == '*') {
                read_star(printer_.flags.precision, "%!(BADPREC)", false);
                after_index = false;
            } else {
                printer_.flags.precision = read_number().value_or(0);
            }
        }
        if (!after_index) {
            read_index();
        }
        if (at_ >= format_.size()) {
            printer_.out += "%!(NOVERB)";
            return false;
        }
        verb();
        return true;
    }

    void verb() {
        const Utf8Character letter = utf8_at(format_, at_);
        at_ += letter.length;
        if (letter.code == '%') {
            printer_.out += '%';
            return;
        }
        if (!good_index_ || next_ >= arguments_.size()) {
            printer_.out += "%!";
            append_utf8(printer_.out, letter.code);
            printer_.out += good_index_ ? "(MISSING)" : "(BADINDEX)";
            return;
        }
        if (letter.code == 'v') {
            printer_.flags.go_syntax = std::exchange(printer_.flags.sharp, false);
            printer_.flags.field_names = std::exchange(printer_.flags.plus, false);
        }
        printer_.argument(arguments_[next_++], letter.code);
    }

    void read_flags() {
        for (;; ++at_) {
            switch (peek()) {
                case '#': printer_.flags.sharp = true; break;
                case '0': printer_.flags.zero = true; break;
                case '+': printer_.flags.plus = true; break;
                case '-': printer_.flags.minus = true; break;
                case ' ': printer_.flags.space = true; break;
                default: return;
            }
        }
    }

    std::optional<int> read_number() {
        const std::size_t from = at_;
        int out = 0;
        while (peek() >= '0' && peek() <= '9') {
            out = std::min(out * 10 + (peek() - '0'), 1'000'000);
            ++at_;
        }
        return at_ > from ? std::optional(out) : std::nullopt;
    }

    /// "[2]": the argument for what comes, from 1.
    bool read_index() {
        if (peek() != '[') {
            return false;
        }
        reordered_ = true;
        const std::size_t close = format_.find(']', at_);
        if (close == std::string_view::npos) {
            good_index_ = false;
            ++at_;
            return false;
        }
        ++at_;
        const std::optional<int> index = read_number();
        const bool whole = index && at_ == close;
        at_ = close + 1;
        if (!whole || *index < 1 || static_cast<std::size_t>(*index) > arguments_.size()) {
            good_index_ = false;
            return whole;
        }
        next_ = static_cast<std::size_t>(*index) - 1;
        return true;
    }

    void read_star(std::optional<int>& out, std::string_view fault, bool is_width) {
        ++at_;
        const TemplateValue* value = next_ < arguments_.size() ? &arguments_[next_] : nullptr;
        next_ += value != nullptr ? 1 : 0;
        const auto* whole = value != nullptr ? value->get<TemplateWhole>() : nullptr;
        if (whole == nullptr || std::abs(whole->number) > 1'000'000) {
            printer_.out += fault;
            return;
        }
        const auto number = static_cast<int>(whole->number);
        if (number < 0 && !is_width) {
            printer_.out += fault;
            return;
        }
        if (number < 0) {
            printer_.flags.minus = true;
            printer_.flags.zero = false;
        }
        out = std::abs(number);
    }

    void extra() {
        printer_.flags = {};
        printer_.out += "%!(EXTRA ";
        for (std::size_t i = next_; i < arguments_.size() && !printer_.full(); ++i) {
            printer_.out += i > next_ ? ", " : "";
            if (!arguments_[i].empty()) {
                printer_.out += type_name(arguments_[i]) + "=";
            }
            printer_.argument(arguments_[i], 'v');
        }
        printer_.out += ")";
    }

    std::string_view format_;
    const std::vector<TemplateValue>& arguments_;
    Printer printer_;
    std::size_t at_{0};
    std::size_t next_{0};
    bool reordered_{false};
    bool good_index_{true};
};

}  // namespace

std::string format_printf(std::string_view format, const std::vector<TemplateValue>& arguments) {
    return Formatter(format, arguments).run();
}

std::string to_text(const TemplateValue& value) { return print_followed({value}); }

std::string print_values(const std::vector<TemplateValue>& values) {
    Printer printer;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        const bool texts = values[i].get<TemplateText>() != nullptr || (i > 0 && values[i - 1].get<TemplateText>() != nullptr);
        printer.out += i > 0 && !texts ? " " : "";
        printer.argument(values[i], 'v');
    }
    return std::move(printer.out);
}

std::string print_line(const std::vector<TemplateValue>& values) {
    Printer printer;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        printer.out += i > 0 ? " " : "";
        printer.argument(values[i], 'v');
    }
    return printer.out + "\n";
}

std::string print_followed(const std::vector<TemplateValue>& values) {
    Printer printer;
    printer.follow = true;
    for (std::size_t i = 0; i < values.size() && !printer.full(); ++i) {
        const auto is_text = [&](std::size_t at) { return values[at].empty() || values[at].get<TemplateText>() != nullptr; };
        printer.out += i > 0 && !is_text(i) && !is_text(i - 1) ? " " : "";
        if (values[i].empty()) {
            printer.out += "<no value>";
        } else {
            printer.argument(values[i], 'v');
        }
    }
    return std::move(printer.out);
}

}  // namespace noroshi::rules
