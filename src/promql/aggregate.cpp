// src/promql/aggregate.cpp - aggregation operators.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "evaluate.hpp"
#include "native_histogram.hpp"

namespace noroshi::promql {
namespace {

model::Labels group_labels(const Aggregate& aggregate, const model::Labels& labels) {
    return labels.filtered([&aggregate](model::LabelView label) {
        const bool listed = std::ranges::count(aggregate.labels, label.name) != 0;
        return aggregate.without ? !listed && !is_metadata_label(label.name) : listed;
    });
}

/// NaN only when all are NaN.
double extreme(const std::vector<double>& values, bool largest) {
    double out = std::numeric_limits<double>::quiet_NaN();
    for (const double value : values) {
        if (std::isnan(out) || (largest ? value > out : value < out)) {
            out = value;
        }
    }
    return out;
}

double summary(AggregateOp op, std::vector<double>& values, double parameter) {
    switch (op) {
        case AggregateOp::sum: {
            ExactSum sum;
            std::ranges::for_each(values, [&sum](double v) { sum.add(v); });
            return sum.value();
        }
        case AggregateOp::avg:
            return mean(values);
        case AggregateOp::min:
            return extreme(values, false);
        case AggregateOp::max:
            return extreme(values, true);
        case AggregateOp::count:
            return static_cast<double>(values.size());
        case AggregateOp::group:
            return 1;
        case AggregateOp::stddev:
            return std::sqrt(variance(values));
        case AggregateOp::stdvar:
            return variance(values);
        case AggregateOp::quantile:
            return quantile(parameter, values);
        case AggregateOp::topk:
        case AggregateOp::bottomk:
        case AggregateOp::limitk:
        case AggregateOp::limit_ratio:
        case AggregateOp::count_values:
            break;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

/// Rows by group: the number of each row's group, and the labels of each group in the order of their first row.
struct Groups {
    std::vector<std::size_t> of_row;
    std::vector<Row> groups;
};

Result<Groups> group(Evaluation& evaluation, const Aggregate& aggregate, const Table& table) {
    Groups out;
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> numbers;
    out.of_row.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        NOROSHI_TRY_VOID(evaluation.keep_on(table.row(i).labels.size()));
        model::Labels labels = group_labels(aggregate, table.row(i).labels);
        const auto [place, is_new] = numbers.emplace(std::move(labels), out.groups.size());
        if (is_new) {
            out.groups.push_back({place->first, false});
        }
        Row& row = out.groups[place->second];
        row.drop_name = row.drop_name || table.row(i).drop_name;
        out.of_row.push_back(place->second);
    }
    return out;
}

/// The rows of each group.
std::vector<std::vector<std::size_t>> members_of(const Groups& groups) {
    std::vector<std::vector<std::size_t>> out(groups.groups.size());
    for (std::size_t row = 0; row < groups.of_row.size(); ++row) {
        out[groups.of_row[row]].push_back(row);
    }
    return out;
}

/// Whether an element belongs to the share `ratio` of all; a negative one is the other share.
bool in_ratio(double ratio, const model::Labels& labels) {
    // The hash as a number of [0, 1], as the reference takes it.
    const double offset = static_cast<double>(labels.hash()) / 18446744073709551616.0;
    return ratio >= 0 ? offset < ratio : offset >= 1.0 + ratio;
}

/// The better of two elements comes first; NaN last.
bool comes_before(double a, double b, bool largest) {
    if (std::isnan(a) || std::isnan(b)) {
        return !std::isnan(a) && std::isnan(b);
    }
    return largest ? a > b : a < b;
}

/// The best `most` of `rows`, in order. Which of equal ones stay is what a binary heap of the best so far, its worst on
/// top, makes of their order: so it is in Prometheus.
std::vector<std::size_t> best_of(const Table& table, const std::vector<std::size_t>& rows, std::size_t step, std::size_t most,
                                 bool largest) {
    const auto value = [&](std::size_t row) { return table.values(row)[step]; };
    const auto is_worse = [&](std::size_t a, std::size_t b) {
        return std::isnan(value(a)) || (largest ? value(a) < value(b) : value(a) > value(b));
    };
    std::vector<std::size_t> heap;
    const auto sift_up = [&](std::size_t i) {
        for (; i > 0 && is_worse(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2) {
            std::swap(heap[i], heap[(i - 1) / 2]);
        }
    };
    const auto sift_down = [&] {
        for (std::size_t i = 0, child = 1; child < heap.size(); i = child, child = 2 * i + 1) {
            child += child + 1 < heap.size() && is_worse(heap[child + 1], heap[child]) ? 1 : 0;
            if (!is_worse(heap[child], heap[i])) {
                break;
            }
            std::swap(heap[i], heap[child]);
        }
    };
    for (const std::size_t row : rows) {
        if (heap.size() < most) {
            heap.push_back(row);
            sift_up(heap.size() - 1);
        } else if (most > 0 && comes_before(value(row), value(heap.front()), largest)) {
            heap.front() = row;
            sift_down();
        }
    }
    std::ranges::stable_sort(heap, [&](std::size_t a, std::size_t b) { return comes_before(value(a), value(b), largest); });
    return heap;
}

void ignore_histogram(Evaluation& evaluation, const Node& node, AggregateOp op) {
    evaluation.inform(node, fmt::format("ignored histogram in {} aggregation", op_text(op)));
}

/// The rows of a group that topk, bottomk, limitk or limit_ratio keeps at a step, in their order.
std::vector<std::size_t> chosen(const Aggregate& aggregate, const Table& table, const std::vector<std::size_t>& members,
                                std::size_t step, double parameter) {
    std::vector<std::size_t> out;
    std::ranges::copy_if(members, std::back_inserter(out),
                         [&table, step](std::size_t row) { return has_value(table.values(row)[step]); });
    if (aggregate.op == AggregateOp::limit_ratio) {
        const double ratio = std::clamp(parameter, -1.0, 1.0);
        std::erase_if(out, [&](std::size_t row) { return ratio == 0 || !in_ratio(ratio, table.row(row).labels); });
        return out;
    }
    const auto most = parameter < 1 ? 0 : static_cast<std::size_t>(std::min(parameter, static_cast<double>(out.size())));
    if (aggregate.op != AggregateOp::limitk) {
        return best_of(table, out, step, most, aggregate.op == AggregateOp::topk);
    }
    out.resize(most);
    return out;
}

Result<void> check_count(const Aggregate& aggregate, Evaluation& evaluation, const Scalars& parameters) {
    const bool is_ratio = aggregate.op == AggregateOp::limit_ratio;
    for (const double parameter : parameters) {
        if (std::isnan(parameter)) {
            return fail(Errc::invalid_argument, is_ratio ? "Ratio value is NaN" : "Parameter value is NaN");
        }
        if (is_ratio && std::fabs(parameter) > 1) {
            evaluation.warn(*aggregate.parameter,
                            fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                                        format_float(parameter), parameter > 1 ? 1 : -1));
        }
        if (!is_ratio && parameter <= -9223372036854775808.0) {
            return fail(Errc::invalid_argument, fmt::format("Scalar value {} underflows int64", format_float_go(parameter)));
        }
        if (!is_ratio && parameter >= 9223372036854775807.0) {
            return fail(Errc::invalid_argument, fmt::format("Scalar value {} overflows int64", format_float_go(parameter)));
        }
    }
    return {};
}

Result<StepValue> select_some(const Aggregate& aggregate, const Node& node, Evaluation& evaluation, Table table,
                              const Scalars& parameters) {
    if (aggregate.op != AggregateOp::limit_ratio && std::ranges::none_of(parameters, [](double k) { return k >= 1 || std::isnan(k); })) {
        return StepValue(Table(table.steps()));
    }
    NOROSHI_TRY_VOID(check_count(aggregate, evaluation, parameters));
    if (table.any_histogram() && (aggregate.op == AggregateOp::topk || aggregate.op == AggregateOp::bottomk)) {
        ignore_histogram(evaluation, node, aggregate.op);
        table.drop_histograms();
    }
    NOROSHI_TRY(const Groups groups, group(evaluation, aggregate, table));
    Table out(table.steps());
    std::vector<std::size_t> place(table.size(), table.size());
    for (const std::vector<std::size_t>& members : members_of(groups)) {
        for (std::size_t step = 0; step < table.steps(); ++step) {
            NOROSHI_TRY_VOID(evaluation.keep_on(members.size()));
            for (const std::size_t row : chosen(aggregate, table, members, step, parameters[step])) {
                if (place[row] == table.size()) {
                    place[row] = out.add(table.row(row));
                }
                out.copy(place[row], step, table, row, step);
            }
        }
    }
    return StepValue(std::move(out));
}

Result<StepValue> count_values(Evaluation& evaluation, const Aggregate& aggregate, const Table& table,
                               const std::string& label) {
    if (label.empty() || !is_utf8(label)) {
        return fail(Errc::invalid_argument, fmt::format("invalid label name {}", model::quote(label)));
    }
    Table out(table.steps());
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> places;
    for (std::size_t step = 0; step < table.steps(); ++step) {
        for (std::size_t i = 0; i < table.size(); ++i) {
            const double value = table.values(i)[step];
            if (!has_value(value)) {
                continue;
            }
            NOROSHI_TRY_VOID(evaluation.keep_on(16 * table.row(i).labels.size()));  // labels are made for each element
            // The new label may be one of those that group, or that go.
            const HistogramPtr histogram = table.histogram(i, step);
            const model::Labels valued =
                table.row(i).labels.with(label, histogram ? histogram->to_string() : format_float_plain(value));
            const model::Labels grouped = group_labels(aggregate, valued);
            const model::Labels labels = aggregate.without ? grouped : grouped.with(label, valued.get(label));
            const auto [place, is_new] = places.emplace(labels, out.size());
            if (is_new) {
                out.add({labels, table.row(i).drop_name});
            }
            double& count = out.values(place->second)[step];
            count = has_value(count) ? count + 1 : 1;
        }
    }
    return StepValue(std::move(out));
}

/// sum or avg of a group that has histograms at a step.
class HistogramTotal {
  public:
    HistogramTotal(const Aggregate& aggregate, Evaluation& evaluation) : aggregate_(aggregate), evaluation_(evaluation) {}

    /// Null: there is none, which was told.
    HistogramPtr of(const Table& table, const std::vector<std::size_t>& members, std::size_t step) {
        std::vector<Named> histograms;
        std::size_t numbers = 0;
        bool number_first = false;
        for (const std::size_t row : members) {
            if (HistogramPtr histogram = table.histogram(row, step)) {
                histograms.push_back({std::move(histogram), table.row(row).labels.metric_name()});
            } else if (has_value(table.values(row)[step])) {
                ++numbers;
                number_first = number_first || histograms.empty();
            }
        }
        if (numbers > 0) {
            evaluation_.warn(*aggregate_.inner, "encountered a mix of histograms and floats for aggregation");
        }
        if (number_first) {
            return nullptr;  // what is wrong with the histograms is told only where they came first
        }
        HistogramPtr out = aggregate_.op == AggregateOp::sum ? total<HistogramSum>(histograms) : total<HistogramMean>(histograms);
        return numbers > 0 ? nullptr : out;
    }

  private:
    struct Named {
        HistogramPtr histogram;
        std::string_view name;
    };

    template <class Total>
    HistogramPtr total(const std::vector<Named>& histograms) {
        const model::Histogram& first = *histograms.front().histogram;
        Total total(first);
        for (std::size_t i = 1; i < histograms.size(); ++i) {
            const auto& [histogram, name] = histograms[i];
            if (histogram->has_custom_bounds() != first.has_custom_bounds()) {
                evaluation_.warn(*aggregate_.inner, fmt::format("vector contains a mix of histograms with exponential and "
                                                                "custom buckets schemas for metric name {}",
                                                                model::quote(name)));
            }
            total.add(*histogram);
        }
        const HistogramNotes notes = total.notes();
        if (notes.reset_collision) {
            evaluation_.warn(*aggregate_.inner, "conflicting counter resets during histogram aggregation");
        }
        if (notes.bounds_reconciled) {
            evaluation_.inform(*aggregate_.inner, "mismatched custom buckets were reconciled during aggregation");
        }
        if (notes.incompatible) {
            return nullptr;
        }
        auto out = std::make_shared<model::Histogram>(std::move(total).take());
        model::compact(*out);
        return out;
    }

    const Aggregate& aggregate_;
    Evaluation& evaluation_;
};

/// Operators for which a histogram is an element as any other.
bool only_counts(AggregateOp op) { return op == AggregateOp::count || op == AggregateOp::group; }
bool adds_histograms(AggregateOp op) { return op == AggregateOp::sum || op == AggregateOp::avg; }

bool any_histogram(const Table& table, const std::vector<std::size_t>& members, std::size_t step) {
    return table.has_histograms() &&
           std::ranges::any_of(members, [&](std::size_t row) { return table.is_histogram(row, step); });
}

}  // namespace

Result<StepValue> apply_aggregate(Evaluation& evaluation, const Node& node, Table elements, const StepValue& parameter) {
    const auto& aggregate = std::get<Aggregate>(node.kind);
    if (aggregate.op == AggregateOp::count_values) {
        return count_values(evaluation, aggregate, elements, std::get<std::string>(parameter));
    }
    const auto& parameters = std::get<Scalars>(parameter);
    if (selects(aggregate.op)) {
        return select_some(aggregate, node, evaluation, std::move(elements), parameters);
    }
    if (aggregate.op == AggregateOp::quantile) {
        warn_of_quantiles(evaluation, *aggregate.parameter, parameters);
    }
    if (elements.any_histogram() && !only_counts(aggregate.op) && !adds_histograms(aggregate.op)) {
        ignore_histogram(evaluation, *aggregate.inner, aggregate.op);
        elements.drop_histograms();
    }
    NOROSHI_TRY(const Groups groups, group(evaluation, aggregate, elements));
    Table out(elements.steps());
    HistogramTotal histogram_total(aggregate, evaluation);
    std::vector<double> values;
    const std::vector<std::vector<std::size_t>> members = members_of(groups);
    for (std::size_t number = 0; number < members.size(); ++number) {
        const std::size_t row = out.add(groups.groups[number]);
        for (std::size_t step = 0; step < elements.steps(); ++step) {
            NOROSHI_TRY_VOID(evaluation.keep_on(members[number].size()));
            if (adds_histograms(aggregate.op) && any_histogram(elements, members[number], step)) {
                if (HistogramPtr histogram = histogram_total.of(elements, members[number], step)) {
                    out.set(row, step, std::move(histogram));
                }
                continue;
            }
            values.clear();
            for (const std::size_t member : members[number]) {
                if (const double value = elements.values(member)[step]; has_value(value)) {
                    values.push_back(value);
                }
            }
            if (!values.empty()) {
                out.set(row, step, summary(aggregate.op, values, parameters[step]));
            }
        }
    }
    return StepValue(std::move(out));
}

}  // namespace noroshi::promql
