// test/conformance/promql/classic_to_native.cpp - collects buckets, sums and counts by step.
#include "classic_to_native.hpp"

#include <cmath>
#include <utility>

#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::conformance {
namespace {

struct Classic {
    std::vector<model::ClassicBucket> buckets;
    double sum{0};
    std::optional<double> count;
};

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
                    steps[i].buckets.push_back({*upper, *number});
                } else {
                    (suffix == "_sum" ? steps[i].sum : steps[i].count.emplace()) = *number;
                }
            }
        }
    }
    NativeSeries out;
    for (const auto& [labels, steps] : collected) {
        for (const auto& [step, classic] : steps) {
            if (Result<model::Histogram> histogram = model::from_classic(classic.buckets, classic.count, classic.sum)) {
                out[labels].emplace(step, std::move(*histogram));
            }
        }
    }
    return out;
}

}  // namespace noroshi::conformance
