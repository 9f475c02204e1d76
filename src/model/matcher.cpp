// src/model/matcher.cpp - label matchers over RE2.
#include "model/matcher.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "model/labels.hpp"
#include "regex.hpp"

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

}  // namespace

Result<Matcher> Matcher::create(MatchOp op, std::string name, std::string value) {
    if (op == MatchOp::equal || op == MatchOp::not_equal) {
        return Matcher(op, std::move(name), std::move(value), nullptr);
    }
    NOROSHI_TRY(std::shared_ptr<const re2::RE2> regex, anchored_regex(value));
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
