// src/model/labels.hpp - Labels: the sorted, immutable label set that names a series or an alert.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace noroshi::model {

inline constexpr std::string_view metric_name_label = "__name__";
inline constexpr std::string_view alert_name_label = "alertname";

/// A label by itself, to make label sets of.
struct Label {
    std::string name;
    std::string value;
    auto operator<=>(const Label&) const = default;
};

/// A label of a set; valid as long as one copy of the set lives.
struct LabelView {
    std::string_view name;
    std::string_view value;
    auto operator<=>(const LabelView&) const = default;
    // implicit: a label taken out of a set becomes one by itself
    operator Label() const { return {std::string(name), std::string(value)}; }
};

/// Sorted by name bytes, names unique, no empty value (an empty value means the label is absent).
/// Copies share one immutable block of memory, which also has the hash: to copy, and mostly to compare, costs a few
/// instructions. Thread: copies may be used by several at once.
class Labels {
    struct Block;

  public:
    class Iterator {
      public:
        using value_type = LabelView;
        using reference = LabelView;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::random_access_iterator_tag;

        Iterator() = default;
        LabelView operator*() const { return (*this)[0]; }
        LabelView operator[](difference_type by) const;
        /// What `->` of a value that is made on the way needs.
        struct Pointer {
            LabelView label;
            const LabelView* operator->() const { return &label; }
        };
        Pointer operator->() const { return {**this}; }
        Iterator& operator+=(difference_type by) {
            index_ += by;
            return *this;
        }
        Iterator& operator-=(difference_type by) { return *this += -by; }
        Iterator& operator++() { return *this += 1; }
        Iterator& operator--() { return *this -= 1; }
        Iterator operator++(int) { return std::exchange(*this, *this + 1); }
        Iterator operator--(int) { return std::exchange(*this, *this - 1); }
        friend Iterator operator+(Iterator at, difference_type by) { return at += by; }
        friend Iterator operator+(difference_type by, Iterator at) { return at += by; }
        friend Iterator operator-(Iterator at, difference_type by) { return at -= by; }
        friend difference_type operator-(Iterator a, Iterator b) { return a.index_ - b.index_; }
        friend bool operator==(Iterator a, Iterator b) { return a.index_ == b.index_; }
        friend auto operator<=>(Iterator a, Iterator b) { return a.index_ <=> b.index_; }

      private:
        friend class Labels;
        Iterator(const Block* block, difference_type index) : block_(block), index_(index) {}
        const Block* block_{nullptr};
        difference_type index_{0};
    };

    Labels() = default;
    /// Sorts; drops empty values. A name given twice keeps the last.
    explicit Labels(std::vector<Label> labels);
    Labels(std::initializer_list<Label> labels) : Labels(std::vector<Label>(labels)) {}
    /// Of labels that are sorted by name already, none twice and none empty.
    [[nodiscard]] static Labels of_sorted(std::span<const LabelView> labels);
    Labels(const Labels& other);
    Labels(Labels&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    Labels& operator=(Labels other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    ~Labels();

    /// The value, or "" when absent.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return !get(name).empty(); }
    [[nodiscard]] std::string_view metric_name() const { return get(metric_name_label); }
    /// A copy with `name` set, or removed when `value` is empty.
    [[nodiscard]] Labels with(std::string_view name, std::string_view value) const;
    [[nodiscard]] Labels without(std::string_view name) const { return with(name, ""); }
    /// A copy with the labels for which `keep(LabelView)` holds; the very same when it holds for all.
    template <class Keep>
    [[nodiscard]] Labels filtered(Keep keep) const {
        std::vector<LabelView> kept;
        kept.reserve(size());
        for (const LabelView label : *this) {
            if (keep(label)) {
                kept.push_back(label);
            }
        }
        return kept.size() == size() ? *this : of_sorted(kept);
    }

    /// XXH64, seed 0, over name 0xff value 0xff of each label: Prometheus's label hash.
    [[nodiscard]] std::uint64_t hash() const;
    /// Alertmanager's and Prometheus's fingerprint: FNV-1a 64 over name 0xff value 0xff.
    [[nodiscard]] std::uint64_t fingerprint() const;
    /// `name{a="b", c="d"}` as Prometheus prints it; `{}` when empty.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] Iterator begin() const { return {block_, 0}; }
    [[nodiscard]] Iterator end() const { return {block_, static_cast<std::ptrdiff_t>(size())}; }
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return block_ == nullptr; }
    /// Bytes that all copies hold together.
    [[nodiscard]] std::size_t memory() const;
    bool operator==(const Labels& other) const;
    /// Label by label, name before value.
    std::strong_ordering operator<=>(const Labels& other) const;

  private:
    explicit Labels(const Block* block) : block_(block) {}
    [[nodiscard]] std::string_view text() const;

    const Block* block_{nullptr};  // counted; null: no labels
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
