// src/base/net/form.cpp - forms and percent-encoding, read and written.
#include "base/net/form.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/net/http_client.hpp"

namespace noroshi::net {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Result<std::string> percent_decoded(std::string_view text, bool plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += plus && text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = text.size() - i > 2 ? hex_digit(text[i + 1]) : -1;
        const int low = text.size() - i > 2 ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return fail(Errc::parse, fmt::format("invalid URL escape \"{}\"", text.substr(i, 3)));
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

Result<Form> parse_form(std::string_view text) {
    Form out;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty()) {
            continue;
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        NOROSHI_TRY(std::string name, percent_decoded(pair.substr(0, equals), true));
        NOROSHI_TRY(std::string value, percent_decoded(pair.substr(std::min(pair.size(), equals + 1)), true));
        out.emplace_back(std::move(name), std::move(value));
    }
    return out;
}

std::string form_text(const Form& form) {
    std::string out;
    for (const auto& [name, value] : form) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", percent_encoded(name), percent_encoded(value));
    }
    return out;
}

}  // namespace noroshi::net
