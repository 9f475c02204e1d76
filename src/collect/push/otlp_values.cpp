// src/collect/push/otlp_values.cpp - implements the values of OTLP messages.
#include "otlp_values.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "base/numbers.hpp"
#include "model/histogram_layout.hpp"
#include "model/sample.hpp"

namespace noroshi::collect {
namespace {

constexpr double zero_threshold = 1e-128;  // what Prometheus gives histograms that come this way

/// As ECMAScript writes it: no zero in front of an exponent.
std::string number_text(double value) {
    if (std::isinf(value)) {
        return value > 0 ? "Infinity" : "-Infinity";
    }
    std::string out = format_float(value);
    if (const std::size_t zero = out.find("e-0"); zero != std::string::npos) {
        out.erase(zero + 2, 1);
    }
    return out;
}

/// A value inside of a list or map; what JSON cannot say is null. The decoder bounds the depth.
void append_json(std::string& out, const otlp::AnyValue& value) {
    switch (value.value_case()) {
        case otlp::AnyValue::kStringValue:
            append_json_string(out, value.string_value());
            return;
        case otlp::AnyValue::kBytesValue:
            append_json_string(out, text_of(value));
            return;
        case otlp::AnyValue::kArrayValue: {
            out += '[';
            for (int i = 0; i < value.array_value().values_size(); ++i) {
                out += i > 0 ? "," : "";
                append_json(out, value.array_value().values(i));
            }
            out += ']';
            return;
        }
        case otlp::AnyValue::kKvlistValue: {
            std::map<std::string_view, const otlp::AnyValue*> sorted;
            for (const otlp::KeyValue& pair : value.kvlist_value().values()) {
                sorted[pair.key()] = &pair.value();
            }
            out += '{';
            for (auto pair = sorted.begin(); pair != sorted.end(); ++pair) {
                out += pair == sorted.begin() ? "" : ",";
                append_json_string(out, pair->first);
                out += ':';
                append_json(out, *pair->second);
            }
            out += '}';
            return;
        }
        case otlp::AnyValue::kDoubleValue:
            out += std::isfinite(value.double_value()) ? text_of(value) : "null";
            return;
        case otlp::AnyValue::kBoolValue:
        case otlp::AnyValue::kIntValue:
            out += text_of(value);
            return;
        case otlp::AnyValue::VALUE_NOT_SET:
            out += "null";
    }
}

/// Buckets come without gaps and begin at `offset`; bucket 0 is (1, base], which is Prometheus's bucket 1.
Result<model::HistogramSide> side_of(const otlp::Buckets& in, int scale_down) {
    model::SideWriter out;
    std::int64_t last = 0;
    double count = 0;
    const auto put = [&] {
        if (count > 0) {
            out.put(last, count);
        }
    };
    for (int i = 0; i < in.bucket_counts_size(); ++i) {
        const std::int64_t index = ((static_cast<std::int64_t>(in.offset()) + i) >> scale_down) + 1;
        if (index > std::numeric_limits<std::int32_t>::max()) {
            return fail(Errc::invalid_argument, "buckets: an index is out of range");
        }
        if (index != last) {
            put();
            last = index;
            count = 0;
        }
        count += static_cast<double>(in.bucket_counts(i));
    }
    put();
    return std::move(out).take();
}

}  // namespace

std::string text_of(const otlp::AnyValue& value) {
    switch (value.value_case()) {
        case otlp::AnyValue::kStringValue:
            return value.string_value();
        case otlp::AnyValue::kBoolValue:
            return value.bool_value() ? "true" : "false";
        case otlp::AnyValue::kIntValue:
            return std::to_string(value.int_value());
        case otlp::AnyValue::kDoubleValue:
            return number_text(value.double_value());
        case otlp::AnyValue::kBytesValue:
            return to_base64(as_bytes(value.bytes_value()));
        case otlp::AnyValue::kArrayValue:
        case otlp::AnyValue::kKvlistValue: {
            std::string out;
            append_json(out, value);
            return out;
        }
        case otlp::AnyValue::VALUE_NOT_SET:
            break;
    }
    return {};
}

Result<std::shared_ptr<const model::Histogram>> native_of(const otlp::ExponentialPoint& point) {
    model::Histogram out;
    if (is_missing(point.flags())) {
        out.sum = model::stale_marker();
        return std::make_shared<const model::Histogram>(std::move(out));
    }
    if (point.scale() < model::Histogram::min_schema) {
        return fail(Errc::invalid_argument, fmt::format("scale: at least {} is expected, found {}", model::Histogram::min_schema, point.scale()));
    }
    out.schema = std::min(point.scale(), model::Histogram::max_schema);
    const int scale_down = std::min(point.scale() - out.schema, 62);
    out.zero_threshold = zero_threshold;
    out.zero_count = static_cast<double>(point.zero_count());
    out.count = static_cast<double>(point.count());
    out.sum = point.sum();
    NOROSHI_TRY(out.positive, side_of(point.positive(), scale_down));
    NOROSHI_TRY(out.negative, side_of(point.negative(), scale_down));
    NOROSHI_TRY_VOID(model::validate(out, true));
    return std::make_shared<const model::Histogram>(std::move(out));
}

}  // namespace noroshi::collect
