// src/model/matcher.cpp - label matchers over RE2.
#include "model/matcher.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "model/labels.hpp"

namespace noroshi::model {
namespace {

std::string_view op_text(MatchOp op) {
    switch (op) {
        case MatchOp::equal:
            return "=";
        case MatchOp::not_equal:
            return "!=";
        case MatchOp::regex:
            return "=~";
        case MatchOp::not_regex:
            return "!~";
    }
    return "=";
}

/// Go's spelling of a named group, which this RE2 lacks, in the older form that both know.
std::string with_old_group_names(std::string_view pattern) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\' && i + 1 < pattern.size()) {
            out += pattern[i++];
            out += pattern[i];
            continue;
        }
        out += pattern[i];
        const std::string_view rest = pattern.substr(i);
        if (rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!")) {
            out += "?P";
            ++i;
        }
    }
    return out;
}

}  // namespace

Result<Matcher> Matcher::create(MatchOp op, std::string name, std::string value) {
    if (op == MatchOp::equal || op == MatchOp::not_equal) {
        return Matcher(op, std::move(name), std::move(value), nullptr);
    }
    re2::RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    auto regex = std::make_shared<const re2::RE2>("^(?:" + with_old_group_names(value) + ")$", options);
    if (!regex->ok()) {
        return fail(Errc::parse, fmt::format("bad regular expression {}: {}", quote(value), regex->error()));
    }
    return Matcher(op, std::move(name), std::move(value), std::move(regex));
}

bool Matcher::matches(std::string_view label_value) const {
    switch (op_) {
        case MatchOp::equal:
            return label_value == value_;
        case MatchOp::not_equal:
            return label_value != value_;
        case MatchOp::regex:
            return re2::RE2::FullMatch({label_value.data(), label_value.size()}, *regex_);
        case MatchOp::not_regex:
            return !re2::RE2::FullMatch({label_value.data(), label_value.size()}, *regex_);
    }
    return false;
}

std::string Matcher::to_string() const {
    const std::string name = is_legacy_label_name(name_) ? name_ : quote(name_);
    return name + std::string(op_text(op_)) + quote(value_);
}

}  // namespace noroshi::model
