// src/base/result.cpp - names and texts of errors.
#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace noroshi {

std::string_view errc_name(Errc code) {
    switch (code) {
        case Errc::invalid_argument:
            return "invalid_argument";
        case Errc::not_found:
            return "not_found";
        case Errc::parse:
            return "parse";
        case Errc::limit:
            return "limit";
        case Errc::io:
            return "io";
        case Errc::timeout:
            return "timeout";
        case Errc::cancelled:
            return "cancelled";
        case Errc::refused:
            return "refused";
        case Errc::corrupt:
            return "corrupt";
        case Errc::unsupported:
            return "unsupported";
        case Errc::conflict:
            return "conflict";
        case Errc::internal:
            return "internal";
    }
    return "internal";
}

Error Error::with(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
}

std::string Error::to_string() const {
    std::string text = where.file;
    if (where.line != 0) {
        text += (text.empty() ? "" : ":") + std::to_string(where.line);
        if (where.column != 0) {
            text += ":" + std::to_string(where.column);
        }
    }
    return text.empty() ? message : text + ": " + message;
}

std::string first_word(std::string_view message) { return std::string(message.substr(0, message.find_first_of(": "))); }

void assertion_failed(const char* condition, const char* why, const char* file, int line) {
    std::fprintf(stderr, "noroshi: broken promise: %s (%s) at %s:%d\n", why, condition, file, line);
    std::abort();
}

}  // namespace noroshi
