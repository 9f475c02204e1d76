// src/collect/push/otlp.cpp - implements OtlpReceiver.
#include "collect/push/otlp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "base/net/gzip.hpp"
#include "base/numbers.hpp"
#include "collect/push/otlp_names.hpp"
#include "model/sample.hpp"
#include "otlp_values.hpp"

namespace noroshi::collect {
namespace {

using Attributes = google::protobuf::RepeatedPtrField<otlp::KeyValue>;
using LabelList = std::vector<model::Label>;

constexpr int cumulative = 2;
constexpr std::array<std::string_view, 3> identifying{"service.namespace", "service.name", "service.instance.id"};
constexpr Milliseconds target_info_step = Milliseconds(std::chrono::minutes(5)) / 2;  // half of the lookback: an instant query always finds one
constexpr std::size_t most_target_infos = 10'000;                       // of one request

std::int64_t ms_of(std::uint64_t nanoseconds) { return static_cast<std::int64_t>(nanoseconds / 1'000'000); }

const otlp::AnyValue* find(const Attributes& attributes, std::string_view key) {
    const auto found = std::ranges::find(attributes, key, [](const otlp::KeyValue& pair) -> std::string_view { return pair.key(); });
    return found == attributes.end() ? nullptr : &found->value();
}

void set_label(LabelList& labels, std::string_view name, std::string value) {
    std::erase_if(labels, [name](const model::Label& label) { return label.name == name; });
    if (!value.empty()) {
        labels.push_back({std::string(name), std::move(value)});
    }
}

/// Labels of attributes in the order of their keys. Keys that become one name share it, their values joined by ';'.
Result<LabelList> labels_of(const Attributes& attributes, std::span<const std::string_view> ignored) {
    std::vector<const otlp::KeyValue*> sorted;
    for (const otlp::KeyValue& pair : attributes) {
        if (std::ranges::find(ignored, std::string_view(pair.key())) == ignored.end()) {
            sorted.push_back(&pair);
        }
    }
    if (sorted.size() > most_labels) {
        return fail(Errc::limit, too_many_labels());
    }
    std::ranges::stable_sort(sorted, {}, [](const otlp::KeyValue* pair) -> std::string_view { return pair->key(); });
    LabelList out;
    for (const otlp::KeyValue* pair : sorted) {
        NOROSHI_TRY(const std::string name, otlp_label_name(pair->key()));
        std::string value = text_of(pair->value());
        const auto same = std::ranges::find(out, name, &model::Label::name);
        if (same != out.end()) {
            same->value += ";" + value;
        } else if (!value.empty()) {
            out.push_back({name, std::move(value)});
        }
    }
    return out;
}

/// The samples of one resource: all its series have its job and instance.
class ResourceWriter {
  public:
    ResourceWriter(Intake& intake, const Attributes& attributes) : intake_(intake), attributes_(attributes) {
        if (const otlp::AnyValue* service = find(attributes, "service.name")) {
            const otlp::AnyValue* space = find(attributes, "service.namespace");
            job_ = (space != nullptr ? text_of(*space) + "/" : "") + text_of(*service);
        }
        if (const otlp::AnyValue* instance = find(attributes, "service.instance.id")) {
            instance_ = text_of(*instance);
        }
    }

    void add(const otlp::Metric& metric) {
        switch (metric.data_case()) {
            case otlp::Metric::kGauge:
                return add_points(metric, OtlpKind::gauge, cumulative, metric.gauge().data_points());
            case otlp::Metric::kSum:
                return add_points(metric, metric.sum().is_monotonic() ? OtlpKind::counter : OtlpKind::other,
                                  metric.sum().aggregation_temporality(), metric.sum().data_points());
            case otlp::Metric::kHistogram:
                return add_points(metric, OtlpKind::other, metric.histogram().aggregation_temporality(), metric.histogram().data_points());
            case otlp::Metric::kExponentialHistogram:
                return add_points(metric, OtlpKind::other, metric.exponential_histogram().aggregation_temporality(),
                                  metric.exponential_histogram().data_points());
            case otlp::Metric::kSummary:
                return add_points(metric, OtlpKind::other, cumulative, metric.summary().data_points());
            case otlp::Metric::DATA_NOT_SET:
                intake_.refuse("type", fmt::format("the metric {} has data of a kind that is not known", model::quote(metric.name())));
        }
    }

    /// What else is known of the resource, as a series that is always 1.
    void add_target_info(std::size_t& left) {
        const auto is_other = [](const otlp::KeyValue& pair) { return std::ranges::find(identifying, std::string_view(pair.key())) == identifying.end(); };
        if (earliest_ > latest_ || std::ranges::none_of(attributes_, is_other)) {
            return;
        }
        Result<LabelList> labels = labels_of(attributes_, identifying);
        if (!labels) {
            intake_.refuse("labels", labels.error().message + " in a resource");
            return;
        }
        identify(*labels);
        const auto is_identifier = [](const model::Label& label) { return label.name == "job" || label.name == "instance"; };
        if (std::ranges::none_of(*labels, is_identifier)) {
            return;
        }
        const std::optional<model::Labels> series = named(std::move(*labels), "target_info");
        const std::optional<tsdb::SeriesId> id = series ? intake_.open(*series) : std::nullopt;
        if (!id) {
            return;
        }
        const std::int64_t first = std::max(earliest_, intake_.oldest_ms());
        for (std::int64_t at = first; at < latest_ && left > 0; at += target_info_step.count(), --left) {
            intake_.append(*id, *series, at, 1);
        }
        intake_.append(*id, *series, latest_, 1);
    }

  private:
    template <class Points>
    void add_points(const otlp::Metric& metric, OtlpKind kind, int temporality, const Points& points) {
        for (const auto& point : points) {
            earliest_ = std::min(earliest_, ms_of(point.time_unix_nano()));
            latest_ = std::max(latest_, ms_of(point.time_unix_nano()));
        }
        const auto count = static_cast<std::size_t>(points.size());
        if (temporality != cumulative && count > 0) {
            intake_.refuse("delta", fmt::format("the metric {} is not cumulative: set the temporality preference of its exporter to cumulative",
                                                model::quote(metric.name())), count);
            return;
        }
        const Result<std::string> name = otlp_metric_name(metric.name(), metric.unit(), kind);
        if (!name) {
            intake_.refuse("name", name.error().message, std::max<std::size_t>(count, 1));
            return;
        }
        for (const auto& point : points) {
            Result<LabelList> labels = labels_of(point.attributes(), std::array{std::string_view(model::metric_name_label)});
            if (!labels) {
                intake_.refuse("labels", fmt::format("{} in the metric {}", labels.error().message, *name));
                continue;
            }
            identify(*labels);
            add(*name, *labels, point);
        }
    }

    void identify(LabelList& labels) const {
        if (!job_.empty()) {
            set_label(labels, "job", job_);
        }
        if (!instance_.empty()) {
            set_label(labels, "instance", instance_);
        }
    }

    /// The labels with their metric's name, or nothing: they cannot be, which was told.
    std::optional<model::Labels> named(LabelList labels, std::string name) {
        set_label(labels, model::metric_name_label, std::move(name));
        if (const std::optional<LabelFault> fault = fault_of_labels(labels)) {
            intake_.refuse(fault->reason, fault->text);
            return std::nullopt;
        }
        return model::Labels(std::move(labels));
    }

    /// One number. `extra`: a further label, as "le".
    template <class Point>
    void put(std::string name, LabelList labels, const Point& point, double value, std::string_view extra = {}, std::string extra_value = {}) {
        if (!extra.empty()) {
            set_label(labels, extra, std::move(extra_value));
        }
        if (const std::optional<model::Labels> series = named(std::move(labels), std::move(name))) {
            if (const std::optional<tsdb::SeriesId> id = intake_.open(*series)) {
                intake_.append(*id, *series, ms_of(point.time_unix_nano()), is_missing(point.flags()) ? model::stale_marker() : value);
            }
        }
    }

    void add(const std::string& name, const LabelList& labels, const otlp::NumberPoint& point) {
        const bool is_whole = point.value_case() == otlp::NumberPoint::kAsInt;
        put(name, labels, point, is_whole ? static_cast<double>(point.as_int()) : point.as_double());
    }

    void add(const std::string& name, const LabelList& labels, const otlp::HistogramPoint& point) {
        if (point.has_sum()) {
            put(name + "_sum", labels, point, point.sum());
        }
        const auto count = static_cast<double>(point.count());
        put(name + "_count", labels, point, count);
        std::uint64_t below = 0;
        for (int i = 0; i < std::min(point.explicit_bounds_size(), point.bucket_counts_size()); ++i) {
            below += point.bucket_counts(i);
            const double bound = point.explicit_bounds(i);
            if (bound != std::numeric_limits<double>::infinity()) {  // that one is the count
                put(name + "_bucket", labels, point, static_cast<double>(below), "le", format_float_plain(bound));
            }
        }
        put(name + "_bucket", labels, point, count, "le", "+Inf");
    }

    void add(const std::string& name, const LabelList& labels, const otlp::ExponentialPoint& point) {
        const std::optional<model::Labels> series = named(labels, name);
        const std::int64_t at_ms = ms_of(point.time_unix_nano());
        if (!series || !intake_.in_bounds(*series, at_ms)) {
            return;
        }
        Result<std::shared_ptr<const model::Histogram>> histogram = native_of(point);
        if (!histogram) {
            intake_.refuse("histogram", histogram.error().message + " in series " + series->to_string());
            return;
        }
        if (const std::optional<tsdb::SeriesId> id = intake_.open(*series)) {
            intake_.append(*id, *series, model::HistogramSample{from_unix_ms(at_ms), std::move(*histogram)});
        }
    }

    void add(const std::string& name, const LabelList& labels, const otlp::SummaryPoint& point) {
        put(name + "_sum", labels, point, point.sum());
        put(name + "_count", labels, point, static_cast<double>(point.count()));
        for (const otlp::Quantile& each : point.quantile_values()) {
            put(name, labels, point, each.value(), "quantile", format_float_plain(each.quantile()));
        }
    }

    Intake& intake_;
    const Attributes& attributes_;
    std::string job_;
    std::string instance_;
    std::int64_t earliest_{std::numeric_limits<std::int64_t>::max()};
    std::int64_t latest_{std::numeric_limits<std::int64_t>::min()};
};

OtlpOutcome failed(unsigned status, std::string text) {
    otlp::Status answer;
    answer.set_message(text);
    return {status, answer.SerializeAsString(), std::move(text), 0};
}

}  // namespace

OtlpReceiver::OtlpReceiver(tsdb::Head& head, const Clock& clock, Metrics& metrics, Milliseconds max_age)
    : parts_{head, clock, metrics, max_age, "noroshi_otlp_dropped_total", "What came by OTLP and was not stored, by reason."} {}

OtlpOutcome OtlpReceiver::receive(std::string_view type, std::string_view encoding, std::string_view body) {
    if (type.substr(0, type.find(';')) != "application/x-protobuf") {
        return failed(415, "expected Content-Type: application/x-protobuf");
    }
    if (!encoding.empty() && encoding != "gzip" && encoding != "identity") {
        return failed(415, "expected Content-Encoding: gzip, or none");
    }
    std::string unpacked;
    if (encoding == "gzip") {
        Result<std::string> plain = net::gunzip(body, most_write_bytes);
        if (!plain) {
            return failed(400, plain.error().message);
        }
        unpacked = std::move(*plain);
        body = unpacked;
    }
    otlp::ExportRequest request;
    if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
        return failed(400, "body is not an export request of metrics");
    }
    Intake intake(parts_);
    std::size_t target_infos = most_target_infos;
    for (const otlp::ResourceMetrics& resource : request.resource_metrics()) {
        ResourceWriter writer(intake, resource.resource().attributes());
        for (const otlp::ScopeMetrics& scope : resource.scope_metrics()) {
            for (const otlp::Metric& metric : scope.metrics()) {
                writer.add(metric);
            }
        }
        writer.add_target_info(target_infos);
    }
    if (intake.is_full()) {
        return failed(429, intake.text());  // the sender comes again, and finds what is there already accepted
    }
    if (intake.refused() == 0) {
        return {};
    }
    otlp::ExportResponse answer;
    answer.mutable_partial_success()->set_rejected_data_points(static_cast<std::int64_t>(intake.refused()));
    answer.mutable_partial_success()->set_error_message(intake.text());
    return {200, answer.SerializeAsString(), intake.text(), intake.refused()};
}

}  // namespace noroshi::collect
