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
#include "native_histogram.hpp"

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
    // Counts that fall from bucket to bucket are possible: nobody has more than all.
    return (std::min(rank_of(upper, buckets), count) - std::min(rank_of(lower, buckets), count)) / count;
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

const Node* vector_argument(const CallContext& context) {
    return std::ranges::find(context.nodes, ValueType::vector, [](const NodePtr& node) { return node->type; })->get();
}

bool is_all_histograms(const Table& table, std::size_t row) {
    for (std::size_t step = 0; step < table.steps(); ++step) {
        if (has_value(table.values(row)[step]) && !table.is_histogram(row, step)) {
            return false;
        }
    }
    return true;
}

Classic classic_of(CallContext& context, const Table& table, const Node& argument) {
    Classic out;
    std::unordered_map<model::Labels, std::size_t, model::LabelsHash> places;
    const bool is_delayed = context.evaluation.options().delayed_name_removal;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const model::Labels& labels = table.row(i).labels;
        if (is_all_histograms(table, i)) {
            continue;
        }
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

/// A native histogram of the same labels at the same step.
bool has_native(const Table& table, const model::Labels& labels, std::size_t step) {
    for (std::size_t i = 0; i < table.size() && table.has_histograms(); ++i) {
        if (table.is_histogram(i, step) && table.row(i).labels == labels) {
            return true;
        }
    }
    return false;
}

/// Calls `value_of(histogram, step, name)` for each native histogram that no classic one of the same labels contradicts.
template <class ValueOf>
void add_native(CallContext& context, const Classic& classic, const Table& table, Table& out, const ValueOf& value_of,
                const std::function<void(Row&)>& relabel = {}) {
    for (std::size_t i = 0; i < table.size() && table.has_histograms(); ++i) {
        const auto same = std::ranges::find(classic.rows, table.row(i).labels, &Row::labels);
        const bool is_delayed = context.evaluation.options().delayed_name_removal;
        const std::string name(is_delayed ? table.row(i).labels.metric_name() : "");
        Row row = table.row(i);
        context.evaluation.drop_name(row);
        if (relabel) {
            relabel(row);
        }
        const std::size_t place = out.add(std::move(row));
        for (std::size_t step = 0; step < table.steps(); ++step) {
            const bool contradicted =
                same != classic.rows.end() &&
                std::ranges::any_of(classic.members[static_cast<std::size_t>(same - classic.rows.begin())],
                                    [&](const Classic::Member& member) { return has_value(table.values(member.row)[step]) && !table.is_histogram(member.row, step); });
            if (table.is_histogram(i, step) && !contradicted) {
                out.set(place, step, value_of(*table.histogram(i, step), step, name));
            }
        }
        out.drop_last_if_empty();
    }
}

void tell_mix(CallContext& context, const model::Labels& labels) {
    const bool names = context.evaluation.options().delayed_name_removal && !labels.metric_name().empty();
    context.evaluation.warn(*vector_argument(context),
                            fmt::format("vector contains a mix of classic and native histograms{}",
                                        names ? fmt::format(" for metric name {}", model::quote(labels.metric_name())) : ""));
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
                const double count = table.values(member.row)[step];
                if (has_value(count) && !table.is_histogram(member.row, step)) {
                    buckets.push_back({member.upper, count});
                }
            }
            if (buckets.empty()) {
                continue;
            }
            if (has_native(table, classic.rows[number].labels, step)) {
                tell_mix(context, classic.rows[number].labels);
            } else {
                out.set(place, step, value_of(number, buckets, step));
            }
        }
        out.drop_last_if_empty();
    }
}

std::string for_metric(const std::string& name) {
    return name.empty() ? "" : fmt::format(" for metric name {}", model::quote(name));
}

void add_native_quantiles(CallContext& context, const Classic& classic, const Table& table, const Scalars& quantiles,
                          Table& out, const std::function<void(Row&)>& relabel = {}) {
    const auto one = [&](const model::Histogram& histogram, std::size_t step, const std::string& name) {
        const HistogramQuantile found = quantile(quantiles[step], histogram);
        if (found.nans != NanEffect::none) {
            const char* effect = found.nans == NanEffect::result_is_nan ? "NaN" : "skewed higher";
            context.evaluation.inform(*vector_argument(context),
                                      fmt::format("input to histogram_quantile has NaN observations, result is {}{}", effect,
                                                  for_metric(name)));
        }
        return found.value;
    };
    add_native(context, classic, table, out, one, relabel);
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
    warn_of_quantiles(context.evaluation, *context.nodes[0], quantiles);
    Table out(table.steps());
    const Classic classic = classic_of(context, table, *context.nodes[1]);
    add_native_quantiles(context, classic, table, quantiles, out);
    add_quantiles(context, classic, table, *context.nodes[1], quantiles, out);
    return StepValue(std::move(out));
}

Result<StepValue> histogram_quantiles(CallContext& context) {
    const auto& table = std::get<Table>(context.values[0]);
    const auto& label = std::get<std::string>(context.values[1]);
    const Classic classic = classic_of(context, table, *context.nodes[0]);
    Table out(table.steps());
    for (std::size_t i = 2; i < context.values.size(); ++i) {
        const auto& quantiles = std::get<Scalars>(context.values[i]);
        warn_of_quantiles(context.evaluation, *context.nodes[i], quantiles);
        const std::string text = quantiles.empty() ? "" : format_float(quantiles.front());
        const auto relabel = [&](Row& row) {
            row.labels = row.labels.with(label, text.find_first_of(".eIN") == std::string::npos ? text + ".0" : text);
        };
        add_native_quantiles(context, classic, table, quantiles, out, relabel);
        add_quantiles(context, classic, table, *context.nodes[0], quantiles, out, relabel);
    }
    return StepValue(std::move(out));
}

Result<StepValue> histogram_fraction(CallContext& context) {
    const auto& lower = std::get<Scalars>(context.values[0]);
    const auto& upper = std::get<Scalars>(context.values[1]);
    const auto& table = std::get<Table>(context.values[2]);
    Table out(table.steps());
    const Classic classic = classic_of(context, table, *context.nodes[2]);
    add_native(context, classic, table, out,
               [&](const model::Histogram& histogram, std::size_t step, const std::string& name) {
                   const HistogramFraction found = fraction(lower[step], upper[step], histogram);
                   if (found.excludes_nans) {
                       context.evaluation.inform(*context.nodes[2],
                                                 "input to histogram_fraction has NaN observations, which are excluded "
                                                 "from all fractions" + for_metric(name));
                   }
                   return found.value;
               });
    add_each(context, classic, table, out,
             [&](std::size_t, std::vector<Bucket>& buckets, std::size_t step) {
                 return bucket_fraction(lower[step], upper[step], buckets);
             });
    return StepValue(std::move(out));
}

/// A number of each native histogram; numbers go.
template <double (*F)(const model::Histogram&)>
Result<StepValue> each_native(CallContext& context) {
    const auto& table = std::get<Table>(context.values[0]);
    Table out(table.steps());
    for (std::size_t i = 0; i < table.size(); ++i) {
        Row row = table.row(i);
        context.evaluation.drop_name(row);
        const std::size_t place = out.add(std::move(row));
        for (std::size_t step = 0; step < table.steps(); ++step) {
            if (const HistogramPtr histogram = table.histogram(i, step)) {
                out.set(place, step, F(*histogram));
            }
        }
        out.drop_last_if_empty();
    }
    return StepValue(std::move(out));
}

double count_of_native(const model::Histogram& histogram) { return histogram.count; }
double sum_of_native(const model::Histogram& histogram) { return histogram.sum; }
double mean_of_native(const model::Histogram& histogram) { return mean(histogram); }
double variance_of_native(const model::Histogram& histogram) { return variance(histogram); }
double deviation_of_native(const model::Histogram& histogram) { return std::sqrt(variance(histogram)); }

}  // namespace

std::vector<Function> histogram_functions() {
    constexpr ValueType s = ValueType::scalar;
    constexpr ValueType v = ValueType::vector;
    return {{"histogram_count", {v}, 0, v, each_native<count_of_native>},
            {"histogram_sum", {v}, 0, v, each_native<sum_of_native>},
            {"histogram_avg", {v}, 0, v, each_native<mean_of_native>},
            {"histogram_stdvar", {v}, 0, v, each_native<variance_of_native>},
            {"histogram_stddev", {v}, 0, v, each_native<deviation_of_native>},
            {"histogram_quantile", {s, v}, 0, v, histogram_quantile},
            {"histogram_fraction", {s, s, v}, 0, v, histogram_fraction},
            {"histogram_quantiles", {v, ValueType::string, s, s}, -1, v, histogram_quantiles, false, true}};
}

}  // namespace noroshi::promql
