// src/promql/histogram.cpp - quantiles and fractions of classic histograms.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>

#include "base/numbers.hpp"
#include "evaluate.hpp"

namespace noroshi::promql {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Bucket {
    double upper;
    double count;  ///< cumulative
};

/// What had to be done to make cumulative counts grow.
struct Forced {
    std::size_t times{0};
    double lowest{std::numeric_limits<double>::infinity()};
    double highest{-std::numeric_limits<double>::infinity()};
    double most{0};
    TimestampMs first{TimestampMs::max()};
    TimestampMs last{TimestampMs::min()};
};

void sort_and_merge(std::vector<Bucket>& buckets) {
    std::ranges::stable_sort(buckets, {}, &Bucket::upper);
    std::vector<Bucket> merged;
    for (const Bucket& bucket : buckets) {
        if (!merged.empty() && merged.back().upper == bucket.upper) {
            merged.back().count += bucket.count;
        } else {
            merged.push_back(bucket);
        }
    }
    buckets = std::move(merged);
}

/// A difference of 1e-12 is a rounding of sums, not an observation.
bool is_rounding(double a, double b) {
    const double sum = std::fabs(a) + std::fabs(b);
    const double difference = std::fabs(a - b);
    if (a == 0 || b == 0 || sum < std::numeric_limits<double>::min()) {
        return difference < 1e-12 * std::numeric_limits<double>::min();
    }
    return difference / std::min(sum, std::numeric_limits<double>::max()) < 1e-12;
}

/// Makes the counts grow: scrapes of moving counters can break that. True when it was more than a rounding.
bool make_monotonic(std::vector<Bucket>& buckets, Forced& forced) {
    bool done = false;
    double before = buckets.front().count;
    for (std::size_t i = 1; i < buckets.size(); ++i) {
        Bucket& bucket = buckets[i];
        if (bucket.count == before) {
            continue;
        }
        if (is_rounding(before, bucket.count)) {
            bucket.count = before;
        } else if (bucket.count < before) {
            forced.lowest = std::min(forced.lowest, bucket.upper);
            forced.highest = std::max(forced.highest, bucket.upper);
            forced.most = std::max(forced.most, before - bucket.count);
            bucket.count = before;
            done = true;
        } else {
            before = bucket.count;
        }
    }
    return done;
}

bool is_whole(const std::vector<Bucket>& buckets) { return !buckets.empty() && std::isinf(buckets.back().upper); }

double bucket_quantile(double q, std::vector<Bucket>& buckets, bool& was_forced, Forced& forced) {
    if (std::isnan(q)) {
        return nan;
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    sort_and_merge(buckets);
    if (!is_whole(buckets)) {
        return nan;
    }
    was_forced = make_monotonic(buckets, forced);
    if (buckets.size() < 2 || buckets.back().count == 0) {
        return nan;
    }
    const double rank = q * buckets.back().count;
    const auto found = std::ranges::find_if(buckets, [rank](const Bucket& b) { return b.count >= rank; });
    const auto index = static_cast<std::size_t>(found - buckets.begin());
    if (index >= buckets.size() - 1) {
        return buckets[buckets.size() - 2].upper;
    }
    if (index == 0 && buckets[0].upper <= 0) {
        return buckets[0].upper;
    }
    const double start = index == 0 ? 0 : buckets[index - 1].upper;
    const double below = index == 0 ? 0 : buckets[index - 1].count;
    const double inside = buckets[index].count - below;
    return start + (buckets[index].upper - start) * ((rank - below) / inside);
}

/// How many observations are at most `value`, linear within a bucket. A bucket without an end is not divided.
double rank_of(double value, const std::vector<Bucket>& buckets) {
    double lower = buckets.front().upper > 0 ? 0 : -std::numeric_limits<double>::infinity();
    double rank = 0;
    for (const Bucket& bucket : buckets) {
        if (value <= lower) {
            return rank;
        }
        if (value < bucket.upper) {
            return std::isinf(lower) ? bucket.count : rank + (bucket.count - rank) * (value - lower) / (bucket.upper - lower);
        }
        rank = bucket.count;
        lower = bucket.upper;
    }
    return rank;
}

double bucket_fraction(double lower, double upper, std::vector<Bucket>& buckets) {
    sort_and_merge(buckets);
    if (!is_whole(buckets)) {
        return nan;
    }
    const double count = buckets.back().count;
    if (count == 0 || std::isnan(lower) || std::isnan(upper)) {
        return nan;
    }
    if (lower >= upper) {
        return 0;
    }
    return (rank_of(upper, buckets) - rank_of(lower, buckets)) / count;
}

/// The classic histograms of a vector: which rows are buckets of which histogram.
struct Classic {
    struct Member {
        std::size_t row;
        double upper;
    };
    std::vector<Row> rows;  ///< without `le`
    std::vector<std::vector<Member>> members;
};

Classic classic_of(CallContext& context, const Table& table, const Node& argument) {
    Classic out;
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> places;
    const bool is_delayed = context.evaluation.options().delayed_name_removal;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const model::Labels& labels = table.row(i).labels;
        const std::string_view bound = labels.get("le");
        const Result<double> upper = parse_float(bound);
        if (!upper || std::isnan(*upper)) {
            std::string text = fmt::format("bucket label \"le\" is missing or has a malformed value of {}", model::quote(bound));
            if (is_delayed && !labels.metric_name().empty()) {
                text += fmt::format(" for metric name {}", model::quote(labels.metric_name()));
            }
            context.evaluation.warn(argument, text);
            continue;
        }
        Row row{labels.without("le"), table.row(i).drop_name};
        const auto [place, is_new] = places.emplace(row.labels, out.rows.size());
        if (is_new) {
            out.rows.push_back(std::move(row));
            out.members.emplace_back();
        }
        out.members[place->second].push_back({i, *upper});
    }
    return out;
}

/// Calls `value_of(buckets, step)` for each histogram at each step where it has buckets; `relabel` may change its row.
template <class ValueOf>
void add_each(CallContext& context, const Classic& classic, const Table& table, Table& out, const ValueOf& value_of,
              const std::function<void(Row&)>& relabel = {}) {
    std::vector<Bucket> buckets;
    for (std::size_t number = 0; number < classic.rows.size(); ++number) {
        Row row = classic.rows[number];
        context.evaluation.drop_name(row);
        if (relabel) {
            relabel(row);
        }
        const std::size_t place = out.add(std::move(row));
        for (std::size_t step = 0; step < table.steps(); ++step) {
            buckets.clear();
            for (const Classic::Member& member : classic.members[number]) {
                if (const double count = table.values(member.row)[step]; has_value(count)) {
                    buckets.push_back({member.upper, count});
                }
            }
            if (!buckets.empty()) {
                out.values(place)[step] = value_of(number, buckets, step);
            }
        }
        out.drop_last_if_empty();
    }
}

void check_quantiles(CallContext& context, const Node& node, const Scalars& quantiles) {
    for (const double q : quantiles) {
        if (std::isnan(q) || q < 0 || q > 1) {
            context.evaluation.warn(node, fmt::format("quantile value should be between 0 and 1, got {}", format_float(q)));
        }
    }
}

std::string rfc3339(TimestampMs at) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", std::chrono::floor<std::chrono::seconds>(at));
}

/// One quantile of all classic histograms.
void add_quantiles(CallContext& context, const Classic& classic, const Table& table, const Node& argument,
                   const Scalars& quantiles, Table& out, const std::function<void(Row&)>& relabel = {}) {
    std::map<std::string, Forced> forced_by_name;
    const bool is_delayed = context.evaluation.options().delayed_name_removal;
    const auto one = [&](std::size_t number, std::vector<Bucket>& buckets, std::size_t step) {
        bool was_forced = false;
        const std::string name(is_delayed ? classic.rows[number].labels.metric_name() : "");
        Forced now = forced_by_name.contains(name) ? forced_by_name[name] : Forced{};
        const double value = bucket_quantile(quantiles[step], buckets, was_forced, now);
        if (was_forced) {
            ++now.times;
            now.first = std::min(now.first, time_at(context.steps, step));
            now.last = std::max(now.last, time_at(context.steps, step));
            forced_by_name[name] = now;
        }
        return value;
    };
    add_each(context, classic, table, out, one, relabel);
    for (const auto& [name, forced] : forced_by_name) {
        context.evaluation.inform(
            argument,
            fmt::format("input to histogram_quantile needed to be fixed for monotonicity (see "
                        "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}",
                        name.empty() ? "" : fmt::format(" for metric name {}", model::quote(name))),
            fmt::format(", from buckets {} to {}, with a max diff of {:.2g}, over {} samples from {} to {}",
                        format_float_go(forced.lowest), format_float_go(forced.highest), forced.most, forced.times,
                        rfc3339(forced.first), rfc3339(forced.last)));
    }
}

Result<StepValue> histogram_quantile(CallContext& context) {
    const auto& quantiles = std::get<Scalars>(context.values[0]);
    const auto& table = std::get<Table>(context.values[1]);
    check_quantiles(context, *context.nodes[0], quantiles);
    Table out(table.steps());
    add_quantiles(context, classic_of(context, table, *context.nodes[1]), table, *context.nodes[1], quantiles, out);
    return StepValue(std::move(out));
}

Result<StepValue> histogram_quantiles(CallContext& context) {
    const auto& table = std::get<Table>(context.values[0]);
    const auto& label = std::get<std::string>(context.values[1]);
    const Classic classic = classic_of(context, table, *context.nodes[0]);
    Table out(table.steps());
    for (std::size_t i = 2; i < context.values.size(); ++i) {
        const auto& quantiles = std::get<Scalars>(context.values[i]);
        check_quantiles(context, *context.nodes[i], quantiles);
        const std::string text = quantiles.empty() ? "" : format_float(quantiles.front());
        add_quantiles(context, classic, table, *context.nodes[0], quantiles, out, [&](Row& row) {
            row.labels = row.labels.with(label, text.find_first_of(".eIN") == std::string::npos ? text + ".0" : text);
        });
    }
    return StepValue(std::move(out));
}

Result<StepValue> histogram_fraction(CallContext& context) {
    const auto& lower = std::get<Scalars>(context.values[0]);
    const auto& upper = std::get<Scalars>(context.values[1]);
    const auto& table = std::get<Table>(context.values[2]);
    Table out(table.steps());
    add_each(context, classic_of(context, table, *context.nodes[2]), table, out,
             [&](std::size_t, std::vector<Bucket>& buckets, std::size_t step) {
                 return bucket_fraction(lower[step], upper[step], buckets);
             });
    return StepValue(std::move(out));
}

}  // namespace

std::vector<Function> histogram_functions() {
    constexpr ValueType s = ValueType::scalar;
    constexpr ValueType v = ValueType::vector;
    return {{"histogram_quantile", {s, v}, 0, v, histogram_quantile},
            {"histogram_fraction", {s, s, v}, 0, v, histogram_fraction},
            {"histogram_quantiles", {v, ValueType::string, s, s}, -1, v, histogram_quantiles, false, true}};
}

}  // namespace noroshi::promql
