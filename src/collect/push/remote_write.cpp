// src/collect/push/remote_write.cpp - implements RemoteWriteReceiver.
#include "collect/push/remote_write.hpp"

#include <fmt/format.h>
#include <remote_write.pb.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "base/net/snappy.hpp"
#include "model/histogram_layout.hpp"

namespace noroshi::collect {
namespace {

constexpr Milliseconds most_ahead = std::chrono::minutes(10);
constexpr std::size_t most_texts = 10;

enum class Version { unknown, one, two };

Version version_of(std::string_view type) {
    std::string plain;
    std::ranges::copy_if(type, std::back_inserter(plain), [](char c) { return c != ' '; });
    if (plain.empty() || plain == "application/x-protobuf" || plain == "application/x-protobuf;proto=prometheus.WriteRequest") {
        return Version::one;
    }
    return plain == "application/x-protobuf;proto=io.prometheus.write.v2.Request" ? Version::two : Version::unknown;
}

/// Whole counts are sent as differences. They wrap around rather than overflow; a count below 0 is found later.
template <class Spans, class Deltas, class Counts>
model::HistogramSide side_of(const Spans& spans, const Deltas& deltas, const Counts& counts, bool whole) {
    model::HistogramSide out;
    for (const wire::BucketSpan& span : spans) {
        out.spans.push_back({span.offset(), span.length()});
    }
    if (!whole) {
        out.counts.assign(counts.begin(), counts.end());
        return out;
    }
    std::uint64_t count = 0;
    for (const std::int64_t delta : deltas) {
        count += static_cast<std::uint64_t>(delta);
        out.counts.push_back(static_cast<double>(static_cast<std::int64_t>(count)));
    }
    return out;
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
    Batch(RemoteWriteReceiver& receiver, bool two)
        : receiver_(receiver), two_(two), now_(receiver.clock_.now()) {
        out_.counted = two;
    }

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
            refuse("symbols", "the first symbol must be the empty text");
            return;
        }
        for (const wire::SeriesV2& series : request.timeseries()) {
            if (const std::optional<std::vector<model::Label>> labels = referred(request, series)) {
                add_series(*labels, series);
            }
        }
    }

    WriteOutcome take() && {
        if (faults_ > most_texts) {
            out_.text += fmt::format("and {} more\n", faults_ - most_texts);
        }
        return std::move(out_);
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
                refuse("symbols", "a label refers to a symbol that is not there");
                return std::nullopt;
            }
            const std::string& name = request.symbols(static_cast<int>(refs[i]));
            const std::string& value = request.symbols(static_cast<int>(refs[i + 1]));
            bytes += name.size() + value.size();
            if (bytes > most_label_bytes || labels.size() >= most_labels) {
                refuse("label_limit", too_many());
                return std::nullopt;
            }
            labels.push_back({name, value});
        }
        if (refs.size() % 2 != 0) {
            refuse("symbols", "labels are pairs of references, found one without its pair");
            return std::nullopt;
        }
        return labels;
    }

    static std::string too_many() {
        return fmt::format("a series has at most {} labels of {} bytes together", most_labels, most_label_bytes);
    }

    bool judge(std::vector<model::Label>& labels) {
        std::ranges::sort(labels);
        std::size_t bytes = 0;
        bool valid = true;
        bool named = false;
        for (const model::Label& label : labels) {
            bytes += label.name.size() + label.value.size();
            named = named || (label.name == model::metric_name_label && !label.value.empty());
            valid = valid && !label.name.empty() && is_utf8(label.name) && is_utf8(label.value);
        }
        if (bytes > most_label_bytes || labels.size() > most_labels) {
            refuse("label_limit", too_many());
            return false;
        }
        const bool twice = std::ranges::adjacent_find(labels, {}, &model::Label::name) != labels.end();
        if (!valid || !named || twice) {
            const std::string_view what = !valid ? "invalid label" : !named ? "invalid metric name" : "duplicated label";
            // Version 1 passes over such a series in silence, as Prometheus does.
            two_ ? refuse("labels", std::string(what) + " in a series") : drop("labels");
            return false;
        }
        return true;
    }

    template <class Series>
    void add_series(std::vector<model::Label> given, const Series& series) {
        if (!judge(given)) {
            return;
        }
        const model::Labels labels(std::move(given));
        if (series.samples().empty() && series.histograms().empty()) {
            if (two_) {
                refuse("empty", "a series must have a sample or a histogram: " + labels.to_string());
            }
            return;
        }
        const Result<tsdb::SeriesId> id = receiver_.head_.open_series(labels);
        if (!id) {
            refuse("series_limit", id.error().message, 429);
            return;
        }
        for (const wire::Sample& sample : series.samples()) {
            if (in_bounds(labels, sample.timestamp())) {
                store(*id, labels, from_unix_ms(sample.timestamp()), sample.value(), out_.samples);
            }
        }
        for (const wire::Histogram& histogram : series.histograms()) {
            add_histogram(*id, labels, histogram);
        }
    }

    void add_histogram(tsdb::SeriesId id, const model::Labels& labels, const wire::Histogram& in) {
        if (!in_bounds(labels, in.timestamp())) {
            return;
        }
        Result<model::HistogramSample> sample = histogram_of(in);
        if (!sample) {
            refuse("histogram", sample.error().message + " in series " + labels.to_string());
            return;
        }
        store(id, labels, sample->at, std::move(sample->value), out_.histograms);
    }

    void store(tsdb::SeriesId id, const model::Labels& labels, TimestampMs at, tsdb::Value value, std::size_t& counter) {
        const Result<void> stored = receiver_.head_.append(id, at, std::move(value));
        stored ? void(++counter) : refuse("conflict", stored.error().message + " for series " + labels.to_string());
    }

    bool in_bounds(const model::Labels& labels, std::int64_t at_ms) {
        if (at_ms > to_unix_ms(now_ + most_ahead) || at_ms < std::max<std::int64_t>(0, to_unix_ms(now_ - receiver_.max_age_))) {
            refuse("out_of_bounds", "out of bounds: the time is too far from now for series " + labels.to_string());
            return false;
        }
        return true;
    }

    void drop(const char* reason) {
        receiver_.metrics_
            .counter("noroshi_remote_write_dropped_total", "What came by remote write and was not stored, by reason.",
                     {{"reason", reason}})
            .add();
    }

    void refuse(const char* reason, const std::string& text, unsigned status = 400) {
        drop(reason);
        // 429 wins: the sender comes again, and finds what is there already accepted.
        out_.status = out_.status == 429 ? 429 : status;
        if (++faults_ <= most_texts) {
            out_.text += text + "\n";
        }
    }

    RemoteWriteReceiver& receiver_;
    bool two_;
    TimestampMs now_;
    WriteOutcome out_;
    std::size_t faults_{0};
};

RemoteWriteReceiver::RemoteWriteReceiver(tsdb::Head& head, const Clock& clock, Metrics& metrics, Milliseconds max_age)
    : head_(head), clock_(clock), metrics_(metrics), max_age_(max_age) {}

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
    Batch batch(*this, version == Version::two);
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
