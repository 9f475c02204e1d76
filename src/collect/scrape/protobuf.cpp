// src/collect/scrape/protobuf.cpp - families and metrics of the protobuf exposition, and their series.
#include "scrape/protobuf.hpp"

#include <client_metrics.pb.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.hpp"
#include "histogram_side.hpp"
#include "model/histogram_layout.hpp"
#include "scrape/protobuf_wire.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {
namespace {

/// Types as the format numbers them.
enum class Kind : std::uint64_t { counter, gauge, summary, untyped, histogram, gauge_histogram };

tl::unexpected<Error> wrong(std::string message) { return fail(Errc::parse, std::move(message)); }
tl::unexpected<Error> too_much(std::string message) { return fail(Errc::limit, std::move(message)); }

/// Any NaN becomes the ordinary one, so that no target writes a stale marker.
double plain(double value) { return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value; }

struct FamilyParts {
    std::string_view name;
    std::string_view help;
    std::uint64_t kind{0};
    std::vector<std::string_view> metrics;
};

Result<FamilyParts> read_family(std::string_view bytes, std::size_t max_metrics) {
    FamilyParts out;
    WireReader in(bytes);
    while (in.next()) {
        if (in.is_text(1)) {
            out.name = in.text();
        } else if (in.is_text(2)) {
            out.help = in.text();
        } else if (in.is_number(3)) {
            out.kind = in.number();
        } else if (in.is_text(4)) {
            out.metrics.push_back(in.text());
            if (out.metrics.size() > max_metrics) {
                return too_much(fmt::format("more than {} metrics in a family", max_metrics));
            }
        }
    }
    if (in.failed()) {
        return wrong("a family is not the protobuf message that the Content-Type names");
    }
    if (out.name.empty() || !is_utf8(out.name) || !is_utf8(out.help)) {
        return wrong(out.name.empty() ? "a family without a name" : "name or help text of a family is not valid UTF-8");
    }
    return out;
}

/// The samples of one body, under the limits.
class Samples {
  public:
    explicit Samples(const ParseLimits& limits) : limits_(limits) {}

    /// `bound`: le or quantile, with its value; none when empty.
    Result<void> add(std::string name, const std::vector<model::Label>& labels, std::string_view bound, double bound_value,
                     tsdb::Value value) {
        if (samples_.size() >= limits_.max_samples) {
            return too_much(fmt::format("more than {} samples", limits_.max_samples));
        }
        ScrapedSample sample{.labels = {}, .value = value.number, .at = at, .emptied = {}, .histogram = std::move(value.histogram)};
        std::vector<model::Label> all = labels;
        all.push_back({std::string(model::metric_name_label), std::move(name)});
        if (!bound.empty()) {
            all.push_back({std::string(bound), bound_text(bound_value)});
        }
        for (const model::Label& label : all) {
            label_bytes_ += label.name.size() + label.value.size();
            if (label.value.empty()) {
                sample.emptied.push_back(label.name);
            }
        }
        all_labels_ += all.size();
        if (all_labels_ > limits_.max_all_labels || label_bytes_ > limits_.max_all_label_bytes) {
            return too_much(fmt::format("more than {} labels or {} bytes of labels in all", limits_.max_all_labels,
                                        limits_.max_all_label_bytes));
        }
        std::ranges::sort(all, {}, &model::Label::name);
        const auto twice = std::ranges::adjacent_find(all, {}, &model::Label::name);
        if (twice != all.end()) {
            return wrong("label " + shown(twice->name) + " given twice");
        }
        sample.labels = model::Labels(std::move(all));
        samples_.push_back(std::move(sample));
        return {};
    }
    Result<void> add_native(const std::string& name, const std::vector<model::Label>& labels, model::HistogramPtr histogram) {
        all_buckets_ += histogram->positive.counts.size() + histogram->negative.counts.size() +
                        histogram->positive.spans.size() + histogram->negative.spans.size();
        if (all_buckets_ > limits_.max_all_buckets) {
            return too_much(fmt::format("more than {} buckets of native histograms in all", limits_.max_all_buckets));
        }
        return add(name, labels, {}, 0, std::move(histogram));
    }
    [[nodiscard]] std::vector<ScrapedSample> take() { return std::move(samples_); }

    std::optional<TimestampMs> at;  ///< of the metric in hand

  private:
    const ParseLimits& limits_;
    std::vector<ScrapedSample> samples_;
    std::size_t all_labels_{0};
    std::size_t label_bytes_{0};
    std::size_t all_buckets_{0};
};

Result<std::vector<model::Label>> read_labels(const wire::Metric& metric, std::size_t max_labels) {
    if (static_cast<std::size_t>(metric.label_size()) > max_labels) {
        return too_much(fmt::format("more than {} labels", max_labels));
    }
    std::vector<model::Label> out;
    for (const wire::LabelText& label : metric.label()) {
        if (label.name().empty() || !is_utf8(label.name()) || !is_utf8(label.value())) {
            return wrong(label.name().empty() ? "a label without a name" : "a label is not valid UTF-8");
        }
        out.push_back({label.name(), label.value()});
    }
    return out;
}

bool is_native(const wire::ScrapedHistogram& in) {
    return in.positive_span_size() > 0 || in.negative_span_size() > 0 || in.zero_threshold() > 0 || in.zero_count() > 0;
}

bool is_float(const wire::ScrapedHistogram& in) {
    return in.sample_count_float() > 0 || in.zero_count_float() > 0 || in.positive_count_size() > 0 ||
           in.negative_count_size() > 0;
}

Result<model::HistogramPtr> native_of(const wire::ScrapedHistogram& in, bool gauge) {
    const bool whole = !is_float(in);
    auto out = std::make_shared<model::Histogram>();
    out->schema = in.schema();
    out->hint = gauge ? model::ResetHint::gauge : model::ResetHint::unknown;
    out->zero_threshold = in.zero_threshold();
    out->zero_count = whole ? static_cast<double>(in.zero_count()) : in.zero_count_float();
    out->count = whole ? static_cast<double>(in.sample_count()) : in.sample_count_float();
    out->sum = plain(in.sample_sum());
    out->positive = side_of(in.positive_span(), in.positive_delta(), in.positive_count(), whole);
    out->negative = side_of(in.negative_span(), in.negative_delta(), in.negative_count(), whole);
    if (Result<void> valid = model::admit(*out, whole); !valid) {
        return wrong(valid.error().message);
    }
    model::compact(*out);
    return model::HistogramPtr(std::move(out));
}

/// One family's metrics.
class FamilyReader {
  public:
    FamilyReader(const FamilyParts& family, const ParseLimits& limits, const HistogramOptions& histograms, Samples& samples)
        : name_(family.name), kind_(static_cast<Kind>(family.kind)), limits_(limits), histograms_(histograms), samples_(samples) {}

    Result<void> read(std::string_view bytes) {
        if (bytes.size() > limits_.max_line_bytes) {
            return too_much(fmt::format("a metric longer than {} bytes", limits_.max_line_bytes));
        }
        wire::Metric metric;
        if (!metric.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
            return wrong("a metric is not the protobuf message that the Content-Type names");
        }
        NOROSHI_TRY(labels_, read_labels(metric, limits_.max_labels));
        samples_.at = metric.timestamp_ms() == 0 ? std::nullopt : std::optional(from_unix_ms(metric.timestamp_ms()));
        switch (kind_) {
            case Kind::counter:
                return add("", metric.counter().value());
            case Kind::gauge:
                return add("", metric.gauge().value());
            case Kind::untyped:
                return add("", metric.untyped().value());
            case Kind::summary:
                return summary(metric.summary());
            case Kind::histogram:
            case Kind::gauge_histogram:
                return histogram(metric.histogram());
        }
        return wrong(fmt::format("unknown metric type {}", static_cast<std::uint64_t>(kind_)));
    }

  private:
    Result<void> add(std::string_view suffix, double value, std::string_view bound = {}, double bound_value = 0) {
        return samples_.add(name_ + std::string(suffix), labels_, bound, bound_value, plain(value));
    }

    Result<void> summary(const wire::Summary& in) {
        NOROSHI_TRY_VOID(add("_count", static_cast<double>(in.sample_count())));
        NOROSHI_TRY_VOID(add("_sum", in.sample_sum()));
        for (const wire::Quantile& quantile : in.quantile()) {
            NOROSHI_TRY_VOID(add("", quantile.value(), "quantile", quantile.quantile()));
        }
        return {};
    }

    Result<void> histogram(const wire::ScrapedHistogram& in) {
        if (!histograms_.native || !is_native(in)) {
            return classic(in);
        }
        NOROSHI_TRY(model::HistogramPtr native, native_of(in, kind_ == Kind::gauge_histogram));
        NOROSHI_TRY_VOID(samples_.add_native(name_, labels_, std::move(native)));
        return histograms_.classic_too && in.bucket_size() > 0 ? classic(in) : Result<void>{};
    }

    /// A count that is given as a float and is not 0 wins, as in Prometheus.
    static double count_of(std::uint64_t whole, double fraction) {
        return fraction != 0 ? fraction : static_cast<double>(whole);
    }

    Result<void> classic(const wire::ScrapedHistogram& in) {
        const double count = count_of(in.sample_count(), in.sample_count_float());
        NOROSHI_TRY_VOID(add("_count", count));
        NOROSHI_TRY_VOID(add("_sum", in.sample_sum()));
        constexpr double infinity = std::numeric_limits<double>::infinity();
        for (const wire::ClassicBucket& bucket : in.bucket()) {
            const double counted = count_of(bucket.cumulative_count(), bucket.cumulative_count_float());
            NOROSHI_TRY_VOID(add("_bucket", counted, "le", bucket.upper_bound()));
            if (bucket.upper_bound() == infinity) {
                return {};
            }
        }
        return add("_bucket", count, "le", infinity);
    }

    std::string name_;
    Kind kind_;
    const ParseLimits& limits_;
    const HistogramOptions& histograms_;
    Samples& samples_;
    std::vector<model::Label> labels_;  // of the metric in hand
};

}  // namespace

Result<std::vector<ScrapedSample>> parse_protobuf(std::string_view body, const ParseLimits& limits,
                                                  const HistogramOptions& histograms) {
    Samples samples(limits);
    std::size_t number = 0;
    while (!body.empty()) {
        ++number;
        const auto in_family = [number](Error error, std::string_view name) {
            return fail(std::move(error).with(fmt::format("family {}{}{}", number, name.empty() ? "" : " ",
                                                          name.empty() ? std::string() : shown(name))));
        };
        const std::optional<std::string_view> bytes = take_delimited(body);
        if (!bytes) {
            return in_family({Errc::parse, "the answer was cut short"}, {});
        }
        Result<FamilyParts> family = read_family(*bytes, limits.max_samples);
        if (!family) {
            return in_family(std::move(family).error(), {});
        }
        FamilyReader reader(*family, limits, histograms, samples);
        for (const std::string_view metric : family->metrics) {
            if (Result<void> read = reader.read(metric); !read) {
                return in_family(std::move(read).error(), family->name);
            }
        }
    }
    return samples.take();
}

Result<void> limit_histogram(model::HistogramPtr& histogram, const HistogramOptions& options) {
    const auto buckets = [](const model::Histogram& h) { return h.positive.counts.size() + h.negative.counts.size(); };
    const auto over = [&](const model::Histogram& h) { return options.bucket_limit != 0 && buckets(h) > options.bucket_limit; };
    const int finest = finest_schema(options.min_bucket_factor);
    const bool is_finer = !histogram->has_custom_bounds() && histogram->schema > finest;
    if (!is_finer && !over(*histogram)) {
        return {};
    }
    auto out = std::make_shared<model::Histogram>(*histogram);
    if (is_finer) {
        model::reduce_resolution(*out, finest);
    }
    while (over(*out)) {
        if (out->has_custom_bounds() || out->schema <= model::Histogram::min_schema) {
            return too_much(fmt::format("a native histogram has {} buckets, {} allowed", buckets(*out), options.bucket_limit));
        }
        model::reduce_resolution(*out, out->schema - 1);
    }
    histogram = std::move(out);
    return {};
}

int finest_schema(double min_bucket_factor) {
    using model::Histogram;
    if (!(min_bucket_factor > 1)) {
        return Histogram::max_schema;
    }
    const double schema = std::floor(-std::log2(std::log2(min_bucket_factor)));
    return static_cast<int>(std::clamp<double>(schema, Histogram::min_schema, Histogram::max_schema));
}

}  // namespace noroshi::collect
