// src/model/matcher.hpp - Matcher: one condition on one label, as in {job=~"node.*"}.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace re2 {
class RE2;
}

namespace noroshi::model {

enum class MatchOp { equal, not_equal, regex, not_regex };

/// Immutable; copies share the compiled expression. Regexes are RE2, anchored at both ends, '.' matches newline.
class Matcher {
  public:
    /// Errors: parse (bad regex, with RE2's reason).
    [[nodiscard]] static Result<Matcher> create(MatchOp op, std::string name, std::string value);

    /// An absent label is the empty string.
    [[nodiscard]] bool matches(std::string_view label_value) const;
    [[nodiscard]] bool matches_empty() const { return matches(""); }
    [[nodiscard]] MatchOp op() const { return op_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& value() const { return value_; }
    /// `name=~"value"`
    [[nodiscard]] std::string to_string() const;

  private:
    Matcher(MatchOp op, std::string name, std::string value, std::shared_ptr<const re2::RE2> regex)
        : op_(op), name_(std::move(name)), value_(std::move(value)), regex_(std::move(regex)) {}
    MatchOp op_;
    std::string name_;
    std::string value_;
    std::shared_ptr<const re2::RE2> regex_;  // shared: matchers are copied with the expression that holds them
};

}  // namespace noroshi::model
