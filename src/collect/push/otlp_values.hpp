// src/collect/push/otlp_values.hpp - values of OTLP messages as Prometheus's: texts of attributes, native histograms.
#pragma once

#include <otlp.pb.h>

#include <memory>
#include <string>

#include "base/result.hpp"
#include "model/histogram.hpp"

namespace noroshi::collect {

/// What an attribute's value is as a label: a text as it is, lists and maps as JSON, bytes in base64.
[[nodiscard]] std::string text_of(const otlp::AnyValue& value);
/// A marker of no value when the point says so. Errors: invalid_argument, as model::validate, or a scale below -4.
[[nodiscard]] Result<std::shared_ptr<const model::Histogram>> native_of(const otlp::ExponentialPoint& point);
/// The point says that there is no value.
[[nodiscard]] constexpr bool is_missing(std::uint32_t flags) { return (flags & 1) != 0; }

}  // namespace noroshi::collect
