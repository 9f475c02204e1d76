// src/model/regex.cpp - implements anchored_regex.
#include "regex.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <string>

#include "model/labels.hpp"

namespace noroshi::model {
namespace {

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

Result<std::shared_ptr<const re2::RE2>> anchored_regex(std::string_view pattern) {
    re2::RE2::Options options;
    options.set_dot_nl(true);
    options.set_log_errors(false);
    auto regex = std::make_shared<const re2::RE2>("^(?:" + with_old_group_names(pattern) + ")$", options);
    if (!regex->ok()) {
        return fail(Errc::parse, fmt::format("bad regular expression {}: {}", quote(pattern), regex->error()));
    }
    return regex;
}

}  // namespace noroshi::model
