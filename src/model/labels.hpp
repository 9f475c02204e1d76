// src/model/labels.hpp - Labels: the sorted, immutable label set that names a series or an alert.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace noroshi::model {

inline constexpr std::string_view metric_name_label = "__name__";
inline constexpr std::string_view alert_name_label = "alertname";

struct Label {
    std::string name;
    std::string value;
    auto operator<=>(const Label&) const = default;
};

/// Sorted by name bytes, names unique, no empty value (an empty value means the label is absent).
class Labels {
  public:
    Labels() = default;
    /// Sorts; drops empty values. A name given twice keeps the last.
    explicit Labels(std::vector<Label> labels);
    Labels(std::initializer_list<Label> labels) : Labels(std::vector<Label>(labels)) {}

    /// The value, or "" when absent.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return !get(name).empty(); }
    [[nodiscard]] std::string_view metric_name() const { return get(metric_name_label); }
    /// A copy with `name` set, or removed when `value` is empty.
    [[nodiscard]] Labels with(std::string_view name, std::string_view value) const;
    [[nodiscard]] Labels without(std::string_view name) const { return with(name, ""); }

    /// XXH64, seed 0, over name 0xff value 0xff of each label: Prometheus's label hash.
    [[nodiscard]] std::uint64_t hash() const;
    /// Alertmanager's and Prometheus's fingerprint: FNV-1a 64 over name 0xff value 0xff.
    [[nodiscard]] std::uint64_t fingerprint() const;
    /// `name{a="b", c="d"}` as Prometheus prints it; `{}` when empty.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] auto begin() const { return labels_.begin(); }
    [[nodiscard]] auto end() const { return labels_.end(); }
    [[nodiscard]] std::size_t size() const { return labels_.size(); }
    [[nodiscard]] bool empty() const { return labels_.empty(); }
    auto operator<=>(const Labels&) const = default;

  private:
    std::vector<Label> labels_;
};

struct LabelsHash {
    std::size_t operator()(const Labels& labels) const { return static_cast<std::size_t>(labels.hash()); }
};

/// [a-zA-Z_][a-zA-Z0-9_]*
[[nodiscard]] bool is_legacy_label_name(std::string_view name);
/// [a-zA-Z_:][a-zA-Z0-9_:]*
[[nodiscard]] bool is_legacy_metric_name(std::string_view name);
/// `text` with \, " and newline escaped, in double quotes (Go's %q for the printable rest).
[[nodiscard]] std::string quote(std::string_view text);
/// A fingerprint as 16 hex digits.
[[nodiscard]] std::string format_fingerprint(std::uint64_t fingerprint);

}  // namespace noroshi::model
