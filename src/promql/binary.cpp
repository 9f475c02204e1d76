// src/promql/binary.cpp - binary operators over scalars and vectors.
#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <set>
#include <unordered_map>

#include "binary_element.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

bool drops_name(const Binary& binary) { return changes_meaning(binary.op) || binary.return_bool; }

Result<StepValue> with_scalar(Evaluation& evaluation, const Node& node, const Binary& binary, Table table,
                              const Scalars& scalars, bool scalar_left) {
    HistogramOperator on_histogram(evaluation, node, binary);
    const bool trims = is_trim(binary.op);
    for (std::size_t i = 0; i < table.size(); ++i) {
        NOROSHI_TRY_VOID(evaluation.keep_on(table.steps()));
        const std::span<double> values = table.values(i);
        for (std::size_t step = 0; step < values.size(); ++step) {
            const double value = values[step];
            if (!has_value(value)) {
                continue;
            }
            if (trims || table.is_histogram(i, step)) {
                const Cell own = cell_of(table, i, step);
                const Cell other{scalars[step], nullptr};
                set(table, i, step, scalar_left ? on_histogram(other, own) : on_histogram(own, other));
                continue;
            }
            const double left = scalar_left ? scalars[step] : value;
            const double right = scalar_left ? value : scalars[step];
            values[step] = combine(binary, left, right, value).value_or(no_value);
        }
        if (drops_name(binary)) {
            evaluation.drop_name(table.row(i));
        }
    }
    if (drops_name(binary)) {
        NOROSHI_TRY_VOID(evaluation.unify(table));
    }
    return StepValue(std::move(table));
}

/// The labels by which two elements are matched.
model::Labels signature(const Matching& matching, const model::Labels& labels) {
    return labels.filtered([&matching](model::LabelView label) {
        const bool listed = std::ranges::count(matching.labels, label.name) != 0;
        return matching.on ? listed : !listed && !is_metadata_label(label.name);
    });
}

/// The rows of both sides by what they are matched by: rows of one group have one number.
struct Groups {
    std::vector<std::size_t> left;
    std::vector<std::size_t> right;
    std::size_t count{0};
};

Result<Groups> group(Evaluation& evaluation, const Matching& matching, const Table& left, const Table& right) {
    Groups out;
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> numbers;
    numbers.reserve(left.size() + right.size());
    const auto number = [&](const Table& table, std::vector<std::size_t>& into) -> Result<void> {
        into.reserve(table.size());
        for (std::size_t i = 0; i < table.size(); ++i) {
            NOROSHI_TRY_VOID(evaluation.keep_on(table.row(i).labels.size()));
            into.push_back(numbers.emplace(signature(matching, table.row(i).labels), numbers.size()).first->second);
        }
        return {};
    };
    NOROSHI_TRY_VOID(number(left, out.left));
    NOROSHI_TRY_VOID(number(right, out.right));
    out.count = numbers.size();
    return out;
}

/// For each step, which groups have a value on this side.
Result<std::vector<bool>> presence(Evaluation& evaluation, const Table& table, const std::vector<std::size_t>& numbers,
                                   std::size_t count) {
    std::vector<bool> out(table.steps() * count);
    for (std::size_t i = 0; i < table.size(); ++i) {
        NOROSHI_TRY_VOID(evaluation.keep_on(table.steps()));
        for (std::size_t step = 0; step < table.steps(); ++step) {
            if (has_value(table.values(i)[step])) {
                out[step * count + numbers[i]] = true;
            }
        }
    }
    return out;
}

/// Keeps the values of `table` in whose group the other side has one, or has none.
Result<void> filter(Evaluation& evaluation, Table& table, const std::vector<std::size_t>& numbers,
                    const std::vector<bool>& others, std::size_t count, bool wanted) {
    for (std::size_t i = 0; i < table.size(); ++i) {
        NOROSHI_TRY_VOID(evaluation.keep_on(table.steps()));
        for (std::size_t step = 0; step < table.steps(); ++step) {
            if (others[step * count + numbers[i]] != wanted) {
                table.clear(i, step);
            }
        }
    }
    return {};
}

Result<StepValue> set_operation(Evaluation& evaluation, const Binary& binary, Table left, Table right) {
    NOROSHI_TRY(const Groups groups, group(evaluation, binary.matching, left, right));
    if (binary.op != BinaryOp::or_) {
        NOROSHI_TRY(const std::vector<bool> others, presence(evaluation, right, groups.right, groups.count));
        NOROSHI_TRY_VOID(filter(evaluation, left, groups.left, others, groups.count, binary.op == BinaryOp::and_));
        return StepValue(std::move(left));
    }
    NOROSHI_TRY(const std::vector<bool> others, presence(evaluation, left, groups.left, groups.count));
    NOROSHI_TRY_VOID(filter(evaluation, right, groups.right, others, groups.count, false));
    left.reserve(left.size() + right.size());
    for (std::size_t i = 0; i < right.size(); ++i) {
        left.copy_row(left.add(right.row(i)), right, i);
    }
    NOROSHI_TRY_VOID(left.unify());
    return StepValue(std::move(left));
}

/// Operators between vectors, one step after the other; what labels say is worked out once.
class VectorMatch {
  public:
    VectorMatch(Evaluation& evaluation, const Node& node, const Binary& binary, const Table& left, const Table& right)
        : evaluation_(evaluation), binary_(binary), on_histogram_(evaluation, node, binary), swapped_(binary.matching.card == Card::one_to_many),
          many_(swapped_ ? right : left), one_(swapped_ ? left : right), out_(left.steps()) {}

    Result<StepValue> run() {
        const Matching& matching = binary_.matching;
        NOROSHI_TRY(Groups groups, group(evaluation_, matching, many_, one_));
        many_groups_ = std::move(groups.left);
        one_groups_ = std::move(groups.right);
        one_at_.resize(groups.count);
        matched_.resize(groups.count);
        const std::optional<double> fill_one = swapped_ ? matching.fill_left : matching.fill_right;
        const std::optional<double> fill_many = swapped_ ? matching.fill_right : matching.fill_left;
        for (std::size_t step = 0; step < out_.steps(); ++step) {
            NOROSHI_TRY_VOID(evaluation_.keep_on(many_.size() + one_.size()));
            if (!fill_one && !fill_many && is_empty(many_, step)) {
                continue;  // nothing can match, so duplicates of the other side are nobody's fault
            }
            NOROSHI_TRY_VOID(index_one_side(step));
            matched_.assign(matched_.size(), false);
            written_.clear();
            for (std::size_t i = 0; i < many_.size(); ++i) {
                const double many = many_.values(i)[step];
                const std::size_t found = one_at_[many_groups_[i]];
                if (!has_value(many) || (found == none && !fill_one)) {
                    continue;
                }
                const Cell one = found == none ? Cell{*fill_one, nullptr} : cell_of(one_, found, step);
                NOROSHI_TRY_VOID(write(step, i, found, cell_of(many_, i, step), one, many_groups_[i]));
            }
            for (std::size_t i = 0; fill_many && i < one_.size(); ++i) {
                const double one = one_.values(i)[step];
                if (has_value(one) && !matched_[one_groups_[i]]) {
                    NOROSHI_TRY_VOID(write(step, none, i, Cell{*fill_many, nullptr}, cell_of(one_, i, step), one_groups_[i]));
                }
            }
        }
        out_.drop_empty_rows();
        return StepValue(std::move(out_));
    }

  private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    static bool is_empty(const Table& table, std::size_t step) {
        const auto is_there = [&table, step](std::size_t row) { return has_value(table.values(row)[step]); };
        return std::ranges::none_of(std::views::iota(std::size_t{0}, table.size()), is_there);
    }

    Result<void> index_one_side(std::size_t step) {
        std::ranges::fill(one_at_, none);
        for (std::size_t i = 0; i < one_.size(); ++i) {
            if (!has_value(one_.values(i)[step])) {
                continue;
            }
            std::size_t& place = one_at_[one_groups_[i]];
            if (place != none) {
                return duplicate(place, i);
            }
            place = i;
        }
        return {};
    }

    [[nodiscard]] Result<void> duplicate(std::size_t a, std::size_t b) const {
        std::string first = with_braces(one_.row(a).labels);
        std::string second = with_braces(one_.row(b).labels);
        if (second < first) {
            std::swap(first, second);
        }
        return fail(Errc::invalid_argument,
                    fmt::format("found duplicate series for the match group {} on the {} hand-side of the operation: "
                                "[{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                                with_braces(signature(binary_.matching, one_.row(a).labels)), swapped_ ? "left" : "right",
                                first, second));
    }

    /// All labels inside the braces, the name too: how Prometheus prints a series in this message.
    static std::string with_braces(const model::Labels& labels) {
        std::string out;
        for (const model::Label& label : labels) {
            out += fmt::format("{}{}={}", out.empty() ? "" : ", ", label.name, model::quote(label.value));
        }
        return "{" + out + "}";
    }

    Result<void> write(std::size_t step, std::size_t many_row, std::size_t one_row, const Cell& many, const Cell& one,
                       std::size_t number) {
        std::optional<Cell> value = combined(swapped_ ? one : many, swapped_ ? many : one);
        if (is_undefined_) {  // and told: no match, so no duplicate either
            is_undefined_ = false;
            return {};
        }
        const std::size_t row = row_of(many_row, one_row);
        // Duplicates count also where the comparison filters them out.
        if (binary_.matching.card == Card::one_to_one && matched_[number]) {
            return fail(Errc::invalid_argument,
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
        }
        if (binary_.matching.card != Card::one_to_one && !written_.insert({number, row}).second) {
            return fail(Errc::invalid_argument, "multiple matches for labels: grouping labels must ensure unique matches");
        }
        matched_[number] = true;
        if (!value) {
            return {};
        }
        if (has_value(out_.values(row)[step])) {
            return fail(Errc::invalid_argument, "vector cannot contain metrics with the same labelset");
        }
        set(out_, row, step, std::move(value));
        return {};
    }

    std::optional<Cell> combined(const Cell& left, const Cell& right) {
        const bool trims = is_trim(binary_.op);
        if (left.histogram || right.histogram || trims) {
            std::optional<Cell> out = on_histogram_(left, right);
            const bool may_filter = left.histogram && right.histogram && is_comparison(binary_.op) &&
                                    (binary_.op == BinaryOp::eq || binary_.op == BinaryOp::ne);
            is_undefined_ = !out && !may_filter;
            return out;
        }
        const std::optional<double> value = combine(binary_, left.value, right.value, left.value);
        return value ? std::optional(Cell{*value, nullptr}) : std::nullopt;
    }

    /// The row of the result for this pair; either may be `none`, when a fill value stands for it.
    std::size_t row_of(std::size_t many_row, std::size_t one_row) {
        const auto [place, is_new] = rows_by_pair_.emplace(std::pair(many_row, one_row), 0);
        if (!is_new) {
            return place->second;
        }
        const auto labels_of = [this](const Table& side, std::size_t row, const Table& other, std::size_t other_row) {
            return row != none ? side.row(row).labels : signature(binary_.matching, other.row(other_row).labels);
        };
        model::Labels labels = result_labels(labels_of(many_, many_row, one_, one_row),
                                             labels_of(one_, one_row, many_, many_row));
        const auto [row, is_new_row] = rows_by_labels_.emplace(labels, out_.size());
        if (is_new_row) {
            const bool goes_later = evaluation_.options().delayed_name_removal && binary_.return_bool;
            out_.add({std::move(labels), goes_later});
        }
        return place->second = row->second;
    }

    /// The many side's, or the matched ones, with what group_left or group_right brings along.
    [[nodiscard]] model::Labels result_labels(const model::Labels& many, const model::Labels& one) const {
        const Matching& matching = binary_.matching;
        const bool drops = changes_meaning(binary_.op) ||
                           (binary_.return_bool && !evaluation_.options().delayed_name_removal);
        model::Labels out = drops ? without_metadata(many) : many;
        if (matching.card == Card::one_to_one) {
            std::vector<model::Label> kept;
            for (const model::Label& label : out) {
                const bool listed = std::ranges::count(matching.labels, label.name) != 0;
                if (listed == matching.on) {
                    kept.push_back(label);
                }
            }
            out = model::Labels(std::move(kept));
        }
        for (const std::string& name : matching.include) {
            out = out.with(name, one.get(name));
        }
        return out;
    }

    struct PairHash {
        std::size_t operator()(const std::pair<std::size_t, std::size_t>& pair) const {
            return pair.first * 0x9e3779b97f4a7c15U ^ pair.second;
        }
    };
    Evaluation& evaluation_;
    const Binary& binary_;
    HistogramOperator on_histogram_;
    bool is_undefined_{false};  ///< of the pair looked at last
    bool swapped_;
    const Table& many_;
    const Table& one_;
    Table out_;
    std::vector<std::size_t> many_groups_;
    std::vector<std::size_t> one_groups_;
    std::vector<std::size_t> one_at_;  ///< of this step, by group: the row of the one side, or none
    std::vector<bool> matched_;        ///< of this step, by group
    std::set<std::pair<std::size_t, std::size_t>> written_;  ///< of this step: group and row of the result
    std::unordered_map<std::pair<std::size_t, std::size_t>, std::size_t, PairHash> rows_by_pair_;
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> rows_by_labels_;
};

}  // namespace

Result<StepValue> apply_binary(Evaluation& evaluation, const Node& node, StepValue left, StepValue right) {
    const auto& binary = std::get<Binary>(node.kind);
    auto* left_scalars = std::get_if<Scalars>(&left);
    auto* right_scalars = std::get_if<Scalars>(&right);
    if (left_scalars != nullptr && right_scalars != nullptr) {
        for (std::size_t step = 0; step < left_scalars->size(); ++step) {
            double& value = (*left_scalars)[step];
            value = *combine(binary, value, (*right_scalars)[step], value);
        }
        return left;
    }
    if (left_scalars != nullptr) {
        return with_scalar(evaluation, node, binary, std::get<Table>(std::move(right)), *left_scalars, true);
    }
    if (right_scalars != nullptr) {
        return with_scalar(evaluation, node, binary, std::get<Table>(std::move(left)), *right_scalars, false);
    }
    if (is_set_operator(binary.op)) {
        return set_operation(evaluation, binary, std::get<Table>(std::move(left)), std::get<Table>(std::move(right)));
    }
    return VectorMatch(evaluation, node, binary, std::get<Table>(left), std::get<Table>(right)).run();
}

}  // namespace noroshi::promql
