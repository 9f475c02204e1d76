// src/collect/scrape/line_memo.cpp - implements LineMemo.
#include "scrape/line_memo.hpp"

#include <array>
#include <bit>

#include "base/random.hpp"
#include "model/text_hash.hpp"

namespace noroshi::collect {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The bytes of a series part at the beginning of a line: a name, and braces with what is between them.
std::size_t series_bytes(std::string_view text) {
    std::size_t end = text.find_first_of("{ \t");
    if (end == std::string_view::npos || text[end] != '{') {
        return end == std::string_view::npos ? text.size() : end;
    }
    bool quoted = false;
    for (++end; end < text.size(); ++end) {
        if (text[end] == '\\' && quoted) {
            ++end;
        } else if (text[end] == '"') {
            quoted = !quoted;
        } else if (text[end] == '}' && !quoted) {
            return end + 1;
        }
    }
    return text.size();
}

}  // namespace

LineMemo::LineMemo() {
    std::array<std::uint8_t, sizeof(seed_)> bytes{};
    SystemRandom().fill(bytes);
    seed_ = std::bit_cast<std::uint64_t>(bytes);
}

void LineMemo::begin() {
    next_ = 0;
    in_order_ = true;
}

bool LineMemo::fits(const Line& line, std::string_view text, std::uint64_t context) const {
    if (text.size() <= line.text_bytes || !is_blank(text[line.text_bytes])) {
        return false;
    }
    // What follows a name without labels may be its labels.
    const std::size_t rest = text.find_first_not_of(" \t", line.text_bytes);
    return rest != std::string_view::npos && text[rest] != '{' &&
           model::text_hash(text.substr(0, line.text_bytes), seed_ ^ context) == line.hash;
}

const LineMemo::Line* LineMemo::find(std::string_view text, std::uint64_t context) {
    if (in_order_ && next_ < lines_.size()) {
        if (fits(lines_[next_], text, context)) {
            return lines_[next_].is_known() ? &lines_[next_++] : nullptr;
        }
        // The rest of the reading before goes aside, to be looked up.
        in_order_ = false;
        before_.assign(lines_.begin() + next_, lines_.end());
        lines_.resize(next_);
        for (std::uint32_t i = 0; i < before_.size(); ++i) {
            places_.emplace(before_[i].hash, i);
        }
    }
    if (before_.empty()) {
        return nullptr;
    }
    const std::size_t bytes = series_bytes(text);
    const auto place = places_.find(model::text_hash(text.substr(0, bytes), seed_ ^ context));
    if (place == places_.end() || !before_[place->second].is_known() || before_[place->second].text_bytes != bytes || !fits(before_[place->second], text, context)) {
        return nullptr;
    }
    put(before_[place->second]);
    before_[place->second].dropped = false;
    before_[place->second].series = {};  // the same text again in one reading is a duplicate, which the writer finds
    return &lines_[next_ - 1];
}

void LineMemo::add(std::string_view series, std::size_t labels, std::uint64_t context) {
    Line line;
    line.hash = model::text_hash(series, seed_ ^ context);
    line.text_bytes = static_cast<std::uint32_t>(series.size());
    line.labels = static_cast<std::uint16_t>(labels);
    put(line);
}

void LineMemo::put(const Line& line) {
    if (in_order_ && next_ < lines_.size()) {
        lines_[next_] = line;  // the same text, whose series is still to be found
    } else {
        lines_.push_back(line);
    }
    ++next_;
}

void LineMemo::end() {
    lines_.resize(next_);
    if (lines_.capacity() > lines_.size() + lines_.size() / 4) {
        lines_.shrink_to_fit();
    }
    before_ = {};
    places_ = {};
}

void LineMemo::clear() {
    begin();
    end();
    lines_ = {};
}

}  // namespace noroshi::collect
