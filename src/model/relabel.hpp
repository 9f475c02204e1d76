// src/model/relabel.hpp - RelabelRule: one entry of relabel_configs, Prometheus's way of choosing and rewriting labels.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/labels.hpp"

namespace re2 {
class RE2;
}

namespace noroshi::model {

enum class RelabelAction {
    replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
};

/// An entry as written, with Prometheus's defaults.
struct RelabelSpec {
    RelabelAction action{RelabelAction::replace};
    std::vector<std::string> source_labels{};
    std::string separator{";"};
    std::string regex{"(.*)"};
    std::string target_label{};
    std::string replacement{"$1"};
    std::uint64_t modulus{0};
    bool operator==(const RelabelSpec&) const = default;
};

/// Labels while they are rewritten: names to values, none empty.
using LabelMap = std::map<std::string, std::string, std::less<>>;

/// Immutable; copies share the compiled expression.
class RelabelRule {
  public:
    /// Errors: parse (bad regex), invalid_argument (a field that the action needs or can't have; the text begins with
    /// the key). The rules are those of Prometheus 3.16, model/relabel, with UTF-8 label names.
    [[nodiscard]] static Result<RelabelRule> create(RelabelSpec spec);
    /// False: what the labels belong to is dropped.
    [[nodiscard]] bool apply(LabelMap& labels) const;
    bool operator==(const RelabelRule& other) const { return spec_ == other.spec_; }

  private:
    RelabelRule(RelabelSpec spec, std::shared_ptr<const re2::RE2> regex)
        : spec_(std::move(spec)), regex_(std::move(regex)) {}
    [[nodiscard]] bool matches(const std::string& text) const;
    /// `text` with $1, ${name} replaced by the groups of `value`; nothing when the value doesn't match.
    [[nodiscard]] std::optional<std::string> expand(std::string_view text, const std::string& value) const;
    void replace(LabelMap& labels, const std::string& value) const;
    void map_names(LabelMap& labels) const;

    RelabelSpec spec_;
    std::shared_ptr<const re2::RE2> regex_;  // shared: rules are copied with the target that holds them
};

/// Applies the rules in order; false at the first that drops. Pure.
[[nodiscard]] bool relabel(std::span<const RelabelRule> rules, LabelMap& labels);

}  // namespace noroshi::model
