// src/rules/template_builtins.cpp - the functions that Go's text/template has by itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "template_functions.hpp"

namespace noroshi::rules {
namespace {

using Arguments = TemplateArguments;
using Answer = Result<TemplateValue>;

tl::unexpected<Error> refused(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

Answer not_(Arguments& a, const TemplateData&) { return TemplateValue{!is_true(a[0])}; }

// Comparison: only what is of one kind, and integers of either sign.

tl::unexpected<Error> incompatible(const TemplateValue& a, const TemplateValue& b) {
    return refused(fmt::format("incompatible types for comparison: {} and {}", type_name(a), type_name(b)));
}
bool is_integer(TemplateKind kind) { return kind == TemplateKind::whole || kind == TemplateKind::unsigned_whole; }

/// Of values that are not of a basic kind: nil equals nil, a pointer itself, a struct of times its equal.
Result<bool> same_other(const TemplateValue& a, const TemplateValue& b) {
    if (a.empty() || b.empty()) {
        return a.empty() == b.empty();
    }
    if (a.kind.index() != b.kind.index()) {
        return refused(fmt::format("non-comparable types {}: {}, {}: {}", format_printf("%s", {a}), type_name(a), type_name(b), to_text(b)));
    }
    if (a.shared<TemplateSample>() || a.shared<model::Histogram>()) {
        return a.shared<TemplateSample>() == b.shared<TemplateSample>() && a.shared<model::Histogram>() == b.shared<model::Histogram>();
    }
    if (const auto* time = a.get<TemplateTime>()) {
        return *time == *b.get<TemplateTime>();
    }
    if (const auto* duration = a.get<TemplateDuration>()) {
        return *duration == *b.get<TemplateDuration>();
    }
    return refused(fmt::format("non-comparable type {}: {}", format_printf("%s", {b}), type_name(b)));
}

Result<bool> equal(const TemplateValue& a, const TemplateValue& b) {
    const TemplateKind left = kind_of(a);
    const TemplateKind right = kind_of(b);
    if (is_integer(left) && is_integer(right)) {
        return integer_of(a) == integer_of(b);
    }
    if (left != right) {
        return a.empty() || b.empty() ? Result<bool>(false) : incompatible(a, b);
    }
    switch (left) {
        case TemplateKind::boolean:
            return *a.get<bool>() == *b.get<bool>();
        case TemplateKind::real:
            return *a.get<double>() == *b.get<double>();
        case TemplateKind::text:
            return a.get<TemplateText>()->text == b.get<TemplateText>()->text;
        default:
            return same_other(a, b);
    }
}

Result<bool> less(const TemplateValue& a, const TemplateValue& b) {
    const TemplateKind left = kind_of(a);
    const TemplateKind right = kind_of(b);
    if (left == TemplateKind::other || right == TemplateKind::other || (left == right && left == TemplateKind::boolean)) {
        return refused("invalid type for comparison");
    }
    if (is_integer(left) && is_integer(right)) {
        return integer_of(a) < integer_of(b);
    }
    if (left != right) {
        return incompatible(a, b);
    }
    return left == TemplateKind::real ? *a.get<double>() < *b.get<double>() : a.get<TemplateText>()->text < b.get<TemplateText>()->text;
}

Answer eq(Arguments& a, const TemplateData&) {
    if (a.size() == 1) {
        return refused("missing argument for comparison");
    }
    for (std::size_t i = 1; i < a.size(); ++i) {
        NOROSHI_TRY(const bool same, equal(a[0], a[i]));
        if (same) {
            return TemplateValue{true};
        }
    }
    return TemplateValue{false};
}
Answer ne(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const bool same, equal(a[0], a[1]));
    return TemplateValue{!same};
}
Answer lt(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const bool below, less(a[0], a[1]));
    return TemplateValue{below};
}
Result<bool> at_most(const TemplateValue& a, const TemplateValue& b) {
    NOROSHI_TRY(const bool below, less(a, b));
    return below ? Result<bool>(true) : equal(a, b);
}
Answer le(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const bool fits, at_most(a[0], a[1]));
    return TemplateValue{fits};
}
// Go turns the opposite round, so that NaN is above and at least everything.
Answer gt(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const bool fits, at_most(a[0], a[1]));
    return TemplateValue{!fits};
}
Answer ge(Arguments& a, const TemplateData&) {
    NOROSHI_TRY(const bool below, less(a[0], a[1]));
    return TemplateValue{!below};
}

Answer len(Arguments& a, const TemplateData&) {
    const auto size = [](std::size_t count) { return whole_value(static_cast<std::int64_t>(count)); };
    if (const auto* text = a[0].get<TemplateText>()) {
        return size(text->text.size());
    }
    if (const auto labels = a[0].shared<model::Labels>()) {
        return size(labels->size());
    }
    if (const auto args = a[0].shared<TemplateArgs>()) {
        return size(args->values.size());
    }
    if (const auto samples = a[0].shared<TemplateSamples>()) {
        return size(samples->size());
    }
    return refused(a[0].empty() ? "reflect: call of reflect.Value.Type on zero Value" : "len of type " + pointed_type_name(a[0]));
}

/// A place in what has `size` elements, its end too.
Result<std::size_t> place_in(const TemplateValue& index, std::size_t size) {
    const auto* whole = index.get<TemplateWhole>();
    const auto* duration = index.get<TemplateDuration>();
    if (whole == nullptr && (duration == nullptr || duration->pointer)) {
        return refused(index.empty() ? "cannot index slice/array with nil" : "cannot index slice/array with type " + type_name(index));
    }
    const std::int64_t at = integer_of(index);
    if (at < 0 || at > static_cast<std::int64_t>(size)) {
        return refused(fmt::format("index out of range: {}", at));
    }
    return static_cast<std::size_t>(at);
}

Answer key_of(const TemplateValue& map, const TemplateValue& key) {
    const auto* text = key.get<TemplateText>();
    if (text == nullptr || text->html) {
        return refused(key.empty() ? "value is nil; should be of type string" : fmt::format("value has type {}; should be string", type_name(key)));
    }
    return field_of(map, text->text);
}

Answer item_of(const TemplateValue& item, const TemplateValue& index) {
    if (const auto* text = item.get<TemplateText>()) {
        NOROSHI_TRY(const std::size_t at, place_in(index, text->text.size()));
        return at < text->text.size() ? Answer(whole_value(static_cast<unsigned char>(text->text[at]), TemplateWhole::Type::uint8))
                                      : refused("reflect: string index out of range");
    }
    if (const auto samples = item.shared<TemplateSamples>()) {
        NOROSHI_TRY(const std::size_t at, place_in(index, samples->size()));
        return at < samples->size() ? Answer(TemplateValue{(*samples)[at]}) : refused("reflect: slice index out of range");
    }
    if (item.shared<model::Labels>() || item.shared<TemplateArgs>()) {
        return key_of(item, index);
    }
    return refused(item.empty() ? "index of nil pointer" : "can't index item of type " + pointed_type_name(item));
}

Answer index(Arguments& a, const TemplateData&) {
    if (a[0].empty()) {
        return refused("index of untyped nil");
    }
    TemplateValue item = a[0];
    for (std::size_t i = 1; i < a.size(); ++i) {
        NOROSHI_TRY(item, item_of(item, a[i]));
    }
    return item;
}

Answer slice(Arguments& a, const TemplateData&) {
    const auto* text = a[0].get<TemplateText>();
    const auto samples = a[0].shared<TemplateSamples>();
    if (a[0].empty()) {
        return refused("slice of untyped nil");
    }
    if (a.size() > 4) {
        return refused(fmt::format("too many slice indexes: {}", a.size() - 1));
    }
    if (text != nullptr && a.size() == 4) {
        return refused("cannot 3-index slice a string");
    }
    if (text == nullptr && !samples) {
        return refused("can't slice item of type " + pointed_type_name(a[0]));
    }
    const std::size_t size = text != nullptr ? text->text.size() : samples->size();
    std::size_t bounds[3] = {0, size, size};
    for (std::size_t i = 1; i < a.size(); ++i) {
        NOROSHI_TRY(bounds[i - 1], place_in(a[i], size));
    }
    for (std::size_t i = 0; i < 2; ++i) {
        if (bounds[i] > bounds[i + 1]) {
            return refused(fmt::format("invalid slice index: {} > {}", bounds[i], bounds[i + 1]));
        }
    }
    if (text != nullptr) {
        return TemplateValue{TemplateText{text->text.substr(bounds[0], bounds[1] - bounds[0]), text->html}};
    }
    const auto from = samples->begin();
    return TemplateValue{std::make_shared<const TemplateSamples>(from + static_cast<std::ptrdiff_t>(bounds[0]),
                                                                 from + static_cast<std::ptrdiff_t>(bounds[1]))};
}

Answer print(Arguments& a, const TemplateData&) { return text_value(print_values(a)); }
Answer println(Arguments& a, const TemplateData&) { return text_value(print_line(a)); }
Answer printf(Arguments& a, const TemplateData&) {
    return text_value(format_printf(a[0].get<TemplateText>()->text, {a.begin() + 1, a.end()}));
}

Answer html(Arguments& a, const TemplateData&) {
    std::string out;
    for (const char c : print_followed(a)) {
        switch (c) {
            case '\0': out += "\xef\xbf\xbd"; break;
            case '"': out += "&#34;"; break;
            case '\'': out += "&#39;"; break;
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            default: out += c;
        }
    }
    return text_value(std::move(out));
}

Answer js(Arguments& a, const TemplateData&) {
    const std::string text = print_followed(a);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Character next = utf8_at(text, at);
        const char32_t c = next.code;
        if (c == '\\' || c == '\'' || c == '"') {
            out += {'\\', static_cast<char>(c)};
        } else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=' || (c >= 0x80 && !is_printable(c))) {
            out += fmt::format("\\u{:04X}", static_cast<std::uint32_t>(c));
        } else {
            out += std::string_view(text).substr(at, next.length);
        }
        at += next.length;
    }
    return text_value(std::move(out));
}

Answer urlquery(Arguments& a, const TemplateData&) { return text_value(query_escaped(print_followed(a))); }

/// Never called: the evaluator runs these itself.
Answer by_evaluator(Arguments&, const TemplateData&) { return refused("not callable"); }

}  // namespace

std::string query_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        out += c == ' ' ? "+" : plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::vector<TemplateFunction> template_builtins() {
    using enum TemplateType;
    return {{"and", {value}, value, 0, by_evaluator},
            {"or", {value}, value, 0, by_evaluator},
            {"call", {value}, value, 0, by_evaluator},
            {"not", {value}, {}, 0, not_},
            {"eq", {value}, value, 0, eq},
            {"ne", {value, value}, {}, 0, ne},
            {"lt", {value, value}, {}, 0, lt},
            {"le", {value, value}, {}, 0, le},
            {"gt", {value, value}, {}, 0, gt},
            {"ge", {value, value}, {}, 0, ge},
            {"len", {value}, {}, 0, len},
            {"index", {value}, value, 0, index},
            {"slice", {value}, value, 0, slice},
            {"print", {}, any, 0, print},
            {"println", {}, any, 0, println},
            {"printf", {text}, any, 0, printf},
            {"html", {}, any, 10, html},
            {"js", {}, any, 10, js},
            {"urlquery", {}, any, 10, urlquery}};
}

}  // namespace noroshi::rules
