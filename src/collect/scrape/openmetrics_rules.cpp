// src/collect/scrape/openmetrics_rules.cpp - implements OpenMetricsRules.
#include "scrape/openmetrics_rules.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/numbers.hpp"

namespace noroshi::collect {

namespace {

using enum FamilyType;

const model::Label* label(const OpenMetricsSample& sample, std::string_view name) {
    const auto found = std::ranges::find(sample.labels, name, &model::Label::name);
    return found == sample.labels.end() ? nullptr : &*found;
}

bool is_histogram(FamilyType type) { return type == histogram || type == gaugehistogram; }

/// The label that tells the samples of one metric apart.
std::string_view inner_label(const Family& family) {
    return is_histogram(family.type)  ? "le"
           : family.type == summary  ? "quantile"
           : family.type == stateset ? std::string_view(family.name)
                                     : std::string_view();
}

/// The other labels, in order, as one text.
std::string metric_key(const Family& family, const OpenMetricsSample& sample) {
    const std::string_view inner = inner_label(family);
    std::vector<const model::Label*> rest;
    for (const model::Label& each : sample.labels) {
        if (each.name != inner) {
            rest.push_back(&each);
        }
    }
    std::ranges::sort(rest, {}, [](const model::Label* each) -> const std::string& { return each->name; });
    std::string out;
    for (const model::Label* each : rest) {
        out += each->name + '\xff' + each->value + '\xff';
    }
    return out;
}

bool may_have_exemplar(FamilyType type, std::string_view suffix) {
    return (type == counter && suffix == "_total") || (is_histogram(type) && suffix == "_bucket");
}

Result<void> check_value(const Family& family, const OpenMetricsSample& sample, const LineReader& reader) {
    const double v = sample.value;
    const auto refuse = [&](std::string_view what) { return reader.fault(fmt::format("expected {}, got {}", what, format_float(v)), 1); };
    const bool whole = v >= 0 && (std::isinf(v) || v == std::floor(v));
    if (sample.suffix == "_created" && !(v >= 0)) {
        return refuse("a time as _created");
    }
    switch (family.type) {
        case counter:
            return v >= 0 ? Result<void>{} : refuse("a total of at least 0");
        case info:
            return v == 1 ? Result<void>{} : refuse("1 as the value of an info");
        case stateset:
            if (label(sample, family.name) == nullptr) {
                return reader.fault("a state set needs a label with its own name, " + shown(family.name), 1);
            }
            return v == 0 || v == 1 ? Result<void>{} : refuse("0 or 1 as the value of a state");
        case summary:
            if (sample.suffix.empty()) {
                const model::Label* quantile = label(sample, "quantile");
                const Result<double> bound = quantile ? parse_float(quantile->value) : fail(Errc::parse, "");
                if (!bound || !(*bound >= 0 && *bound <= 1)) {
                    return reader.fault("a summary needs a label quantile from 0 to 1", 1);
                }
                return v < 0 ? refuse("a quantile of at least 0") : Result<void>{};
            }
            return sample.suffix == "_count" && !whole ? refuse("a whole count")
                   : sample.suffix == "_sum" && !(v >= 0) ? refuse("a sum of at least 0")
                                                           : Result<void>{};
        case histogram:
        case gaugehistogram:
            if ((sample.suffix == "_bucket" || sample.suffix == "_count" || sample.suffix == "_gcount") && !whole) {
                return refuse("a whole count");
            }
            return (sample.suffix == "_sum" && !(v >= 0)) || std::isnan(v) ? refuse("a sum of at least 0") : Result<void>{};
        case unknown:
        case gauge:
            break;
    }
    return {};
}

}  // namespace

Result<void> OpenMetricsRules::sample(const Family& family, const OpenMetricsSample& sample, const LineReader& reader) {
    if (sample.exemplar && !may_have_exemplar(family.type, sample.suffix)) {
        return reader.fault("only totals and buckets may have an exemplar", 1);
    }
    NOROSHI_TRY_VOID(check_value(family, sample, reader));
    if (family.type == unknown || family.type == gauge || family.type == info) {
        NOROSHI_TRY_VOID(end_point());  // a metric of these is one sample, whose repetition is looked at elsewhere
        family_ = {};
        return {};
    }
    NOROSHI_TRY_VOID(begin_metric(family, sample, reader));
    if (is_histogram(family.type)) {
        NOROSHI_TRY_VOID(sample.suffix == "_bucket" ? bucket(sample, reader) : part(sample, reader));
    }
    line_ = reader.line_number();
    return {};
}

Result<void> OpenMetricsRules::begin_metric(const Family& family, const OpenMetricsSample& sample, const LineReader& reader) {
    std::string key = metric_key(family, sample);
    const bool same_family = family.name == family_.name;
    if (!same_family || key != metric_) {
        NOROSHI_TRY_VOID(end_point());
        if (!same_family) {
            metrics_.clear();
            family_ = family;
        }
        if (!metrics_.insert(key).second) {
            return reader.fault("the samples of one metric must stand together", 1);
        }
        metric_ = std::move(key);
    } else if (point_ && point_->at.has_value() != sample.at.has_value()) {
        return reader.fault("expected a timestamp at all samples of a metric or at none", 1);
    } else if (point_ && point_->at != sample.at) {
        NOROSHI_TRY_VOID(end_point());
    }
    if (!point_) {
        point_.emplace().at = sample.at;
    }
    return {};
}

Result<void> OpenMetricsRules::bucket(const OpenMetricsSample& sample, const LineReader& reader) {
    const model::Label* le = label(sample, "le");
    const Result<double> bound = le ? parse_float(le->value) : fail(Errc::parse, "");
    if (!bound || std::isnan(*bound)) {
        return reader.fault("a bucket needs a number as its label le", 1);
    }
    if (point_->bound && *bound <= *point_->bound) {
        return reader.fault("buckets must stand in the order of le", 1);
    }
    if (point_->bound && sample.value < point_->in_bucket) {
        return reader.fault("a bucket holds at least what the one before it holds", 1);
    }
    point_->bound = *bound;
    point_->in_bucket = sample.value;
    point_->negative_bound = point_->negative_bound || *bound < 0;
    if (std::isinf(*bound) && *bound > 0) {
        point_->infinite = sample.value;
    }
    return {};
}

Result<void> OpenMetricsRules::part(const OpenMetricsSample& sample, const LineReader& reader) {
    if (label(sample, "le") != nullptr) {
        return reader.fault("only buckets have a label le", 1);
    }
    if (sample.suffix == "_count" || sample.suffix == "_gcount") {
        point_->count = sample.value;
    } else if (sample.suffix == "_sum" || sample.suffix == "_gsum") {
        point_->sum = sample.value;
    }
    return {};
}

Result<void> OpenMetricsRules::end_point() {
    const std::optional<MetricPoint> point = std::exchange(point_, std::nullopt);
    if (!point || !is_histogram(family_.type)) {
        return {};
    }
    const auto fault = [&](std::string message) { return LineReader({}, line_, Blanks::single).fault(std::move(message)); };
    if (!point->infinite) {
        return fault(fmt::format("histogram {} without a bucket le=\"+Inf\"", shown(family_.name)));
    }
    if (point->count && *point->count != *point->infinite) {
        return fault(fmt::format("histogram {}: the count is not that of the bucket le=\"+Inf\"", shown(family_.name)));
    }
    if (point->sum.has_value() != point->count.has_value()) {
        return fault(fmt::format("histogram {}: expected count and sum together", shown(family_.name)));
    }
    if (point->sum && point->negative_bound && family_.type == histogram) {
        return fault(fmt::format("histogram {}: no sum may stand beside buckets below 0", shown(family_.name)));
    }
    if (point->sum && *point->sum < 0 && !point->negative_bound) {
        return fault(fmt::format("histogram {}: a sum below 0 without buckets below 0", shown(family_.name)));
    }
    return {};
}

}  // namespace noroshi::collect
