// src/rules/template_number.cpp - number and character constants of templates, as Go reads them.
#include "template_number.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/numbers.hpp"

namespace noroshi::rules {
namespace {

/// "0x", "0o", "0b" or the "0" of old octals: what it says of the base, and how long it is.
std::pair<int, std::size_t> base_of(std::string_view digits) {
    if (digits.size() < 2 || digits[0] != '0') {
        return {10, 0};
    }
    switch (digits[1]) {
        case 'x':
        case 'X':
            return {16, 2};
        case 'o':
        case 'O':
            return {8, 2};
        case 'b':
        case 'B':
            return {2, 2};
        default:
            return {8, 1};
    }
}

/// The digits without their underscores, each of which must stand between two digits or behind the prefix.
std::optional<std::string> without_underscores(std::string_view digits, bool behind_prefix) {
    std::string out;
    bool digit_before = behind_prefix;
    for (const char c : digits) {
        if (c == '_' && !digit_before) {
            return std::nullopt;
        }
        digit_before = c != '_';
        if (digit_before) {
            out += c;
        }
    }
    return digit_before && !out.empty() ? std::optional(out) : std::nullopt;
}

/// The amount of an integer constant without its sign. Nothing: it is none, or is above 2^64.
std::optional<std::uint64_t> amount(std::string_view digits) {
    const auto [base, prefix] = base_of(digits);
    const std::optional<std::string> plain = without_underscores(digits.substr(prefix), prefix > 0);
    if (!plain) {
        return std::nullopt;
    }
    std::uint64_t out = 0;
    const auto [end, code] = std::from_chars(plain->data(), plain->data() + plain->size(), out, base);
    return code == std::errc{} && end == plain->data() + plain->size() ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> go_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::optional<std::uint64_t> read = amount(text.substr(negative || text.starts_with('+') ? 1 : 0));
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!read || *read > most + (negative ? 1 : 0)) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(negative ? 0 - *read : *read);
}

Result<void> read_template_number(const Token& token, TemplateOperand& out) {
    if (token.kind == TokenKind::character_constant) {
        NOROSHI_TRY(const char32_t code, go_unquote_character(token.text));
        out.is_whole = true;
        out.whole = code;
        out.literal = whole_value(out.whole);
        return {};
    }
    if (token.kind == TokenKind::complex || token.text.ends_with('i')) {
        return fail(Errc::unsupported, fmt::format("complex numbers like {} are not supported", token.text));
    }
    if (const std::optional<std::int64_t> whole = go_integer(token.text)) {
        out.is_whole = true;
        out.whole = *whole;
        out.literal = whole_value(*whole);
        return {};
    }
    out.overflows = amount(token.text).has_value();
    if (out.overflows) {
        return {};
    }
    std::string plain(token.text);
    const bool hex = plain.find_first_of("xX") != std::string::npos;
    if (hex && plain.find_first_of("pP") != std::string::npos) {
        std::erase(plain, '_');
    }
    const Result<double> real = parse_float(plain);
    if (!real || std::isinf(*real) || (hex && plain.find_first_of("pP") == std::string::npos)) {
        return fail(Errc::parse, "illegal number syntax: " + go_quote(token.text));
    }
    if (plain.find_first_of(".eEpP") == std::string::npos) {
        return fail(Errc::parse, "integer overflow: " + go_quote(token.text));
    }
    out.literal.kind = *real;
    if (std::trunc(*real) == *real && std::fabs(*real) < 9e18) {
        out.is_whole = true;
        out.whole = static_cast<std::int64_t>(*real);
    }
    return {};
}

}  // namespace noroshi::rules
