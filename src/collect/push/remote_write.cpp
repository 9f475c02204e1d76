// src/collect/push/remote_write.cpp - implements RemoteWriteReceiver.
#include "collect/push/remote_write.hpp"

#include <remote_write.pb.h>

#include <algorithm>
#include <utility>

#include "base/net/snappy.hpp"
#include "histogram_side.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::collect {
namespace {

enum class Version { unknown, one, two };

Version version_of(std::string_view type) {
    std::string plain;
    std::ranges::copy_if(type, std::back_inserter(plain), [](char c) { return c != ' '; });
    if (plain.empty() || plain == "application/x-protobuf" || plain == "application/x-protobuf;proto=prometheus.WriteRequest") {
        return Version::one;
    }
    return plain == "application/x-protobuf;proto=io.prometheus.write.v2.Request" ? Version::two : Version::unknown;
}

Result<model::HistogramSample> histogram_of(const wire::Histogram& in) {
    const bool whole = in.count_case() != wire::Histogram::kCountFloat;
    model::Histogram out;
    out.schema = in.schema();
    out.hint = in.reset_hint() >= 0 && in.reset_hint() <= 3 ? static_cast<model::ResetHint>(in.reset_hint())
                                                            : model::ResetHint::unknown;
    out.zero_threshold = in.zero_threshold();
    out.zero_count = whole ? static_cast<double>(in.zero_count_int()) : in.zero_count_float();
    out.count = whole ? static_cast<double>(in.count_int()) : in.count_float();
    out.sum = in.sum();
    out.positive = side_of(in.positive_spans(), in.positive_deltas(), in.positive_counts(), whole);
    out.negative = side_of(in.negative_spans(), in.negative_deltas(), in.negative_counts(), whole);
    if (!in.custom_values().empty()) {
        out.custom_values = std::make_shared<const std::vector<double>>(in.custom_values().begin(), in.custom_values().end());
    }
    NOROSHI_TRY_VOID(model::admit(out, whole));
    return model::HistogramSample{from_unix_ms(in.timestamp()), std::make_shared<const model::Histogram>(std::move(out))};
}

}  // namespace

/// What becomes of one request.
class RemoteWriteReceiver::Batch {
  public:
    Batch(const IntakeParts& parts, bool two) : intake_(parts), two_(two) {}

    void add(const wire::RequestV1& request) {
        for (const wire::SeriesV1& series : request.timeseries()) {
            std::vector<model::Label> labels;
            for (const wire::Label& label : series.labels()) {
                labels.push_back({label.name(), label.value()});
            }
            add_series(std::move(labels), series);
        }
    }

    void add(const wire::RequestV2& request) {
        if (!request.timeseries().empty() && (request.symbols().empty() || !request.symbols(0).empty())) {
            intake_.refuse("symbols", "the first symbol must be the empty text");
            return;
        }
        for (const wire::SeriesV2& series : request.timeseries()) {
            if (const std::optional<std::vector<model::Label>> labels = referred(request, series)) {
                add_series(*labels, series);
            }
        }
    }

    WriteOutcome take() && {
        // 429 wins: the sender comes again, and finds what is there already accepted.
        const unsigned status = intake_.is_full() ? 429 : intake_.refused() > 0 ? 400 : 204;
        return {status, intake_.text(), two_, intake_.samples(), intake_.histograms()};
    }

  private:
    /// The labels that a series of version 2 refers to. A long symbol referred to often is not copied first and judged later.
    std::optional<std::vector<model::Label>> referred(const wire::RequestV2& request, const wire::SeriesV2& series) {
        const auto& refs = series.labels_refs();
        std::vector<model::Label> labels;
        std::size_t bytes = 0;
        for (int i = 0; i + 1 < refs.size(); i += 2) {
            const auto symbols = static_cast<std::uint32_t>(request.symbols_size());
            if (refs[i] >= symbols || refs[i + 1] >= symbols) {
                intake_.refuse("symbols", "a label refers to a symbol that is not there");
                return std::nullopt;
            }
            const std::string& name = request.symbols(static_cast<int>(refs[i]));
            const std::string& value = request.symbols(static_cast<int>(refs[i + 1]));
            bytes += name.size() + value.size();
            if (bytes > most_label_bytes || labels.size() >= most_labels) {
                intake_.refuse("label_limit", too_many_labels());
                return std::nullopt;
            }
            labels.push_back({name, value});
        }
        if (refs.size() % 2 != 0) {
            intake_.refuse("symbols", "labels are pairs of references, found one without its pair");
            return std::nullopt;
        }
        return labels;
    }

    template <class Series>
    void add_series(std::vector<model::Label> given, const Series& series) {
        if (const std::optional<LabelFault> fault = fault_of_labels(given)) {
            // Version 1 passes over such a series in silence, as Prometheus does.
            const bool is_silent = !two_ && std::string_view(fault->reason) == "labels";
            is_silent ? intake_.drop(fault->reason) : intake_.refuse(fault->reason, fault->text);
            return;
        }
        const model::Labels labels(std::move(given));
        if (series.samples().empty() && series.histograms().empty()) {
            if (two_) {
                intake_.refuse("empty", "a series must have a sample or a histogram: " + labels.to_string());
            }
            return;
        }
        const std::optional<tsdb::SeriesId> id = intake_.open(labels);
        if (!id) {
            return;
        }
        for (const wire::Sample& sample : series.samples()) {
            intake_.append(*id, labels, sample.timestamp(), sample.value());
        }
        for (const wire::Histogram& histogram : series.histograms()) {
            add_histogram(*id, labels, histogram);
        }
    }

    void add_histogram(tsdb::SeriesId id, const model::Labels& labels, const wire::Histogram& in) {
        if (!intake_.in_bounds(labels, in.timestamp())) {
            return;
        }
        Result<model::HistogramSample> sample = histogram_of(in);
        if (!sample) {
            intake_.refuse("histogram", sample.error().message + " in series " + labels.to_string());
            return;
        }
        intake_.append(id, labels, std::move(*sample));
    }

    Intake intake_;
    bool two_;
};

RemoteWriteReceiver::RemoteWriteReceiver(tsdb::Head& head, const Clock& clock, Metrics& metrics, Milliseconds max_age)
    : parts_{head, clock, metrics, max_age, "noroshi_remote_write_dropped_total", "What came by remote write and was not stored, by reason."} {}

WriteOutcome RemoteWriteReceiver::receive(std::string_view type, std::string_view encoding, std::string_view body) {
    const Version version = version_of(type);
    if (version == Version::unknown) {
        return {415, "expected Content-Type: application/x-protobuf, of prometheus.WriteRequest or io.prometheus.write.v2.Request\n"};
    }
    if (!encoding.empty() && encoding != "snappy") {
        return {415, "expected Content-Encoding: snappy\n"};
    }
    const Result<std::string> plain = net::unsnap(body, most_write_bytes);
    if (!plain) {
        return {400, plain.error().message + "\n"};
    }
    Batch batch(parts_, version == Version::two);
    const auto take = [&](auto request) -> WriteOutcome {
        if (!request.ParseFromString(*plain)) {
            return {400, "body is not the protobuf message that its Content-Type names\n", version == Version::two};
        }
        batch.add(request);
        return std::move(batch).take();
    };
    return version == Version::one ? take(wire::RequestV1()) : take(wire::RequestV2());
}

}  // namespace noroshi::collect
