// src/collect/scrape/line_reader.cpp - implements LineReader.
#include "scrape/line_reader.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "model/labels.hpp"

namespace noroshi::collect {

namespace {

constexpr std::size_t max_shown_bytes = 40;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_identifier_byte(char c, bool first, bool colons) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':') ||
           (!first && c >= '0' && c <= '9');
}

}  // namespace

std::string shown(std::string_view text) {
    if (text.size() <= max_shown_bytes) {
        return model::quote(text);
    }
    return model::quote(text.substr(0, max_shown_bytes)) + "...";
}

bool LineReader::take(std::string_view text) {
    if (!line_.substr(at_).starts_with(text)) {
        return false;
    }
    at_ += text.size();
    return true;
}

void LineReader::skip_gap() {
    while (blanks_ == Blanks::any && !at_end() && is_blank(line_[at_])) {
        ++at_;
    }
}

Result<void> LineReader::separator(std::string_view before) {
    if (blanks_ == Blanks::any) {
        skip_gap();
        return {};
    }
    if (!take(" ")) {
        return fault(fmt::format("expected one space before {}", before));
    }
    if (peek() == ' ') {
        return fault(fmt::format("more than one space before {}", before));
    }
    return {};
}

std::string_view LineReader::word() {
    const std::size_t begin = at_;
    while (!at_end() && !is_blank(line_[at_])) {
        ++at_;
    }
    return line_.substr(begin, at_ - begin);
}

std::string_view LineReader::identifier(bool colons) {
    const std::size_t begin = at_;
    while (!at_end() && is_identifier_byte(line_[at_], at_ == begin, colons)) {
        ++at_;
    }
    return line_.substr(begin, at_ - begin);
}

Result<std::string> LineReader::quoted() {
    const std::size_t begin = column();
    if (!take("\"")) {
        return fault("expected a quoted string, got " + shown(line_.substr(at_, 1)));
    }
    std::string text;
    for (;;) {
        const std::size_t stop = line_.find_first_of("\"\\", at_);
        if (stop == std::string_view::npos || (line_[stop] == '\\' && stop + 1 >= line_.size())) {
            return fault("string without closing quote", begin);
        }
        text.append(line_, at_, stop - at_);
        at_ = stop + 1;
        if (line_[stop] == '"') {
            break;
        }
        const char escaped = line_[at_++];
        if (escaped != 'n' && escaped != '"' && escaped != '\\') {
            text += '\\';
        }
        text += escaped == 'n' ? '\n' : escaped;
    }
    if (!is_utf8(text)) {
        return fault("string is not valid UTF-8", begin);
    }
    return text;
}

std::string_view LineReader::rest() {
    const std::string_view left = line_.substr(at_);
    at_ = line_.size();
    return left;
}

tl::unexpected<Error> LineReader::fault(std::string message, std::size_t column) const {
    Error error{Errc::parse, std::move(message), {}, false};
    error.where.line = number_;
    error.where.column = static_cast<std::uint32_t>(column == 0 ? at_ + 1 : column);
    return fail(std::move(error));
}

}  // namespace noroshi::collect
