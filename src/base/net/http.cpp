// src/base/net/http.cpp - URLs and header names.
#include "base/ascii.hpp"
#include "base/net/http.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/net/http_client.hpp"
#include "base/numbers.hpp"

namespace noroshi::net {
namespace {

tl::unexpected<Error> bad_url(std::string_view text, std::string_view why) {
    return fail(Errc::parse, fmt::format("bad URL \"{}\": {}", text.substr(0, 200), why));
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

}  // namespace

bool CaseInsensitive::operator()(std::string_view a, std::string_view b) const {
    const auto lower = [](char c) { return ascii_lower(c); };
    return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
}

Result<Url> parse_url(std::string_view text) {
    if (!is_printable(text)) {
        return bad_url(text, "it holds spaces or control characters");
    }
    const std::size_t mark = text.find("://");
    if (mark == std::string_view::npos) {
        return bad_url(text, "expected http:// or https://");
    }
    Url url;
    url.scheme = std::string(text.substr(0, mark));
    if (url.scheme != "http" && url.scheme != "https") {
        return bad_url(text, "expected http:// or https://");
    }
    std::string_view rest = text.substr(mark + 3);
    const std::size_t path = rest.find_first_of("/?#");
    std::string_view authority = rest.substr(0, path);
    if (path != std::string_view::npos) {
        url.target = std::string(rest.substr(path, rest.find('#') - path));
    }
    if (!url.target.starts_with('/')) {
        url.target.insert(0, "/");
    }
    if (authority.find('@') != std::string_view::npos) {
        return bad_url(text, "credentials do not belong into a URL");
    }
    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) {
            return bad_url(text, "expected ] after the IPv6 address");
        }
        url.host = std::string(authority.substr(1, end - 1));
        authority.remove_prefix(end + 1);
        if (!authority.empty() && !authority.starts_with(':')) {
            return bad_url(text, "expected a port after ]");
        }
        port = authority.empty() ? authority : authority.substr(1);
    } else {
        const std::size_t colon = authority.find(':');
        url.host = std::string(authority.substr(0, colon));
        port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
        if (colon != std::string_view::npos && port.empty()) {
            return bad_url(text, "expected a port after :");
        }
    }
    if (url.host.empty()) {
        return bad_url(text, "expected a host");
    }
    url.port = url.scheme == "https" ? 443 : 80;
    if (!port.empty()) {
        const Result<std::int64_t> number = parse_int(port);
        if (!number || *number < 1 || *number > 65535 || port.starts_with('+')) {
            return bad_url(text, "expected a port from 1 to 65535");
        }
        url.port = static_cast<std::uint16_t>(*number);
    }
    return url;
}

Result<Url> resolve_url(const Url& base, std::string_view location) {
    const std::size_t scheme = location.find("://");
    if (scheme != std::string_view::npos && scheme < location.find_first_of("/?#")) {
        return parse_url(location);
    }
    if (location.starts_with("//")) {
        return parse_url(base.scheme + ":" + std::string(location));
    }
    if (!is_printable(location)) {
        return bad_url(location, "it holds spaces or control characters");
    }
    location = location.substr(0, location.find('#'));
    Url out = base;
    if (location.starts_with('/')) {
        out.target = std::string(location);
    } else if (location.starts_with('?')) {
        out.target = base.target.substr(0, base.target.find('?')) + std::string(location);
    } else if (!location.empty()) {
        const std::string path = base.target.substr(0, base.target.find('?'));
        out.target = path.substr(0, path.rfind('/') + 1) + std::string(location);
    }
    return out;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace noroshi::net
