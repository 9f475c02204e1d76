// src/promql/binary.cpp - binary operators over scalars and vectors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

double arithmetic(BinaryOp op, double a, double b) {
    switch (op) {
        case BinaryOp::add:
            return a + b;
        case BinaryOp::sub:
            return a - b;
        case BinaryOp::mul:
            return a * b;
        case BinaryOp::div:
            return a / b;
        case BinaryOp::mod:
            return std::fmod(a, b);
        case BinaryOp::pow:
            return std::pow(a, b);
        case BinaryOp::atan2:
            return std::atan2(a, b);
        default:
            return 0;
    }
}

bool compare(BinaryOp op, double a, double b) {
    switch (op) {
        case BinaryOp::eq:
            return a == b;
        case BinaryOp::ne:
            return a != b;
        case BinaryOp::lt:
            return a < b;
        case BinaryOp::le:
            return a <= b;
        case BinaryOp::gt:
            return a > b;
        case BinaryOp::ge:
            return a >= b;
        default:
            return false;
    }
}

/// The value an element gets, or nothing when a comparison filters it out; a filter keeps `kept`.
std::optional<double> combine(const Binary& binary, double left, double right, double kept) {
    if (!is_comparison(binary.op)) {
        return arithmetic(binary.op, left, right);
    }
    const bool holds = compare(binary.op, left, right);
    if (binary.return_bool) {
        return holds ? 1.0 : 0.0;
    }
    return holds ? std::optional(kept) : std::nullopt;
}

bool drops_name(const Binary& binary) { return !is_comparison(binary.op) || binary.return_bool; }

Result<Value> with_scalar(const Binary& binary, Vector vector, double scalar, bool scalar_left) {
    Vector out;
    for (VectorSample& element : vector) {
        const double left = scalar_left ? scalar : element.value;
        const double right = scalar_left ? element.value : scalar;
        const std::optional<double> value = combine(binary, left, right, element.value);
        if (!value) {
            continue;
        }
        out.push_back({drops_name(binary) ? without_metadata(element.labels) : std::move(element.labels),
                       *value});
    }
    NOROSHI_TRY_VOID(require_unique(out));
    return Value(std::move(out));
}

/// The labels by which two elements are matched.
model::Labels signature(const Matching& matching, const model::Labels& labels) {
    std::vector<model::Label> out;
    for (const model::Label& label : labels) {
        const bool listed = std::ranges::count(matching.labels, label.name) != 0;
        if (matching.on ? listed : !listed && !is_metadata_label(label.name)) {
            out.push_back(label);
        }
    }
    return model::Labels(std::move(out));
}

Value set_operation(const Binary& binary, Vector left, Vector right) {
    std::set<model::Labels> known;
    const bool is_or = binary.op == BinaryOp::or_;
    for (const VectorSample& element : is_or ? left : right) {
        known.insert(signature(binary.matching, element.labels));
    }
    Vector out;
    if (is_or) {
        out = std::move(left);
        for (VectorSample& element : right) {
            if (!known.contains(signature(binary.matching, element.labels))) {
                out.push_back(std::move(element));
            }
        }
        return out;
    }
    for (VectorSample& element : left) {
        const bool found = known.contains(signature(binary.matching, element.labels));
        if (found == (binary.op == BinaryOp::and_)) {
            out.push_back(std::move(element));
        }
    }
    return out;
}

/// Labels of a result: the many side's, or the matched ones, with what group_left or group_right brings along.
model::Labels result_labels(const Binary& binary, const model::Labels& many, const model::Labels& one) {
    const Matching& matching = binary.matching;
    model::Labels out = drops_name(binary) ? without_metadata(many) : many;
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

class VectorMatch {
  public:
    VectorMatch(const Binary& binary, const Vector& left, const Vector& right)
        : binary_(binary), swapped_(binary.matching.card == Card::one_to_many) {
        many_ = swapped_ ? &right : &left;
        one_ = swapped_ ? &left : &right;
    }

    Result<Value> run() {
        NOROSHI_TRY_VOID(index_one_side());
        Vector out;
        for (const VectorSample& many : *many_) {
            const model::Labels by = signature(binary_.matching, many.labels);
            const auto found = one_by_signature_.find(by);
            if (found == one_by_signature_.end()) {
                continue;
            }
            const VectorSample& one = *found->second;
            const double left = swapped_ ? one.value : many.value;
            const double right = swapped_ ? many.value : one.value;
            const std::optional<double> value = combine(binary_, left, right, left);
            model::Labels labels = result_labels(binary_, many.labels, one.labels);
            // Duplicates count also where the comparison filters them out.
            NOROSHI_TRY_VOID(check_unique(by, labels));
            if (value) {
                out.push_back({std::move(labels), *value});
            }
        }
        return Value(std::move(out));
    }

  private:
    Result<void> index_one_side() {
        for (const VectorSample& element : *one_) {
            model::Labels by = signature(binary_.matching, element.labels);
            const auto [place, inserted] = one_by_signature_.emplace(std::move(by), &element);
            if (!inserted) {
                return fail(Errc::invalid_argument,
                            fmt::format("found duplicate series for the match group {} on the {} hand-side of the "
                                        "operation: [{}, {}];many-to-many matching not allowed: matching labels must "
                                        "be unique on one side",
                                        place->first.to_string(), swapped_ ? "left" : "right",
                                        with_braces(place->second->labels), with_braces(element.labels)));
            }
        }
        return {};
    }

    /// All labels inside the braces, the name too: how Prometheus prints a series in this message.
    static std::string with_braces(const model::Labels& labels) {
        std::string out;
        for (const model::Label& label : labels) {
            out += fmt::format("{}{}={}", out.empty() ? "" : ", ", label.name, model::quote(label.value));
        }
        return "{" + out + "}";
    }

    Result<void> check_unique(const model::Labels& by, const model::Labels& labels) {
        if (binary_.matching.card == Card::one_to_one) {
            if (!matched_.insert(by).second) {
                return fail(Errc::invalid_argument,
                            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)");
            }
            return {};
        }
        if (!matched_.insert(labels).second) {
            return fail(Errc::invalid_argument,
                        "multiple matches for labels: grouping labels must ensure unique matches");
        }
        return {};
    }

    const Binary& binary_;
    bool swapped_;
    const Vector* many_;
    const Vector* one_;
    std::unordered_map<model::Labels, const VectorSample*, model::LabelsHash> one_by_signature_;
    std::set<model::Labels> matched_;
};

}  // namespace

Result<Value> apply_binary(const Binary& binary, Value left, Value right) {
    const auto* left_scalar = std::get_if<double>(&left);
    const auto* right_scalar = std::get_if<double>(&right);
    if (left_scalar != nullptr && right_scalar != nullptr) {
        return Value(*combine(binary, *left_scalar, *right_scalar, *left_scalar));
    }
    if (left_scalar != nullptr) {
        return with_scalar(binary, std::get<Vector>(std::move(right)), *left_scalar, true);
    }
    if (right_scalar != nullptr) {
        return with_scalar(binary, std::get<Vector>(std::move(left)), *right_scalar, false);
    }
    if (is_set_operator(binary.op)) {
        return set_operation(binary, std::get<Vector>(std::move(left)), std::get<Vector>(std::move(right)));
    }
    return VectorMatch(binary, std::get<Vector>(left), std::get<Vector>(right)).run();
}

}  // namespace noroshi::promql
