// test/conformance/promql/classic_to_native.cpp - collects buckets, sums and counts by step.
#include "classic_to_native.hpp"

#include <cmath>
#include <memory>

#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::conformance {
namespace {

struct Classic {
    std::map<double, double> cumulative;  ///< by upper bound
    double sum{0};
    std::optional<double> count;
};

model::Histogram convert(const Classic& classic) {
    model::Histogram out;
    out.schema = model::Histogram::custom_schema;
    out.sum = classic.sum;
    std::vector<double> bounds;
    double before = 0;
    for (const auto& [upper, count] : classic.cumulative) {
        out.positive.counts.push_back(count - before);
        before = count;
        if (!std::isinf(upper)) {
            bounds.push_back(upper);
        }
    }
    const bool has_last = !classic.cumulative.empty() && std::isinf(classic.cumulative.rbegin()->first);
    out.count = classic.count.value_or(before);
    if (!has_last) {
        out.positive.counts.push_back(out.count - before);
    }
    out.positive.spans.push_back({0, static_cast<std::uint32_t>(out.positive.counts.size())});
    out.custom_values = std::make_shared<const std::vector<double>>(std::move(bounds));
    model::compact(out);
    return out;
}

}  // namespace

NativeSeries native_of_classic(const std::vector<Series>& all) {
    std::map<model::Labels, std::map<std::size_t, Classic>> collected;
    for (const Series& series : all) {
        const std::string name(series.labels.metric_name());
        for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
            if (!name.ends_with(suffix)) {
                continue;
            }
            const Result<double> upper = parse_float(series.labels.get("le"));
            if (suffix == "_bucket" && (!upper || std::isnan(*upper))) {
                continue;
            }
            const std::string base = name.substr(0, name.size() - suffix.size());
            auto& steps = collected[series.labels.without("le").with(model::metric_name_label, base)];
            for (std::size_t i = 0; i < series.values.size(); ++i) {
                const auto* number = series.values[i] ? std::get_if<double>(&*series.values[i]) : nullptr;
                if (number == nullptr) {
                    continue;
                }
                if (suffix == "_bucket") {
                    steps[i].cumulative[*upper] = *number;
                } else {
                    (suffix == "_sum" ? steps[i].sum : steps[i].count.emplace()) = *number;
                }
            }
        }
    }
    NativeSeries out;
    for (const auto& [labels, steps] : collected) {
        for (const auto& [step, classic] : steps) {
            out[labels].emplace(step, convert(classic));
        }
    }
    return out;
}

}  // namespace noroshi::conformance
