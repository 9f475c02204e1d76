// src/rules/template.hpp - templates of labels and annotations: Go's text/template with Prometheus's functions (3.5).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/histogram.hpp"
#include "model/labels.hpp"
#include "promql/promql.hpp"

namespace noroshi::rules {

/// What a template sees.
struct TemplateData {
    model::Labels labels;  ///< $labels, with the metric name
    double value{0};       ///< $value
    std::shared_ptr<const model::Histogram> histogram{};  ///< $value instead, when there is one
    model::Labels external_labels;
    std::string external_url{};
    TimestampMs now{};  ///< of the evaluation
    std::function<Result<promql::Vector>(std::string_view expression)> query;  ///< for the function `query`
};

struct TemplateSet;

/// A parsed template with those it defines; immutable, cheap to copy.
class Template {
  public:
    /// `alert` names it in errors. Errors: parse (in Go's words), limit (over 64 KiB, or nested too deep), unsupported
    /// (a complex number).
    [[nodiscard]] static Result<Template> parse(std::string_view text, std::string_view alert = {});
    /// Runs it. At most 100,000 steps, 64 KiB of output and of each text on the way, 500 levels. Errors:
    /// invalid_argument (in Go's words, with the place), limit.
    [[nodiscard]] Result<std::string> expand(const TemplateData& data) const;

  private:
    explicit Template(std::shared_ptr<const TemplateSet> set) : set_(std::move(set)) {}
    std::shared_ptr<const TemplateSet> set_;  // shared: immutable
};

}  // namespace noroshi::rules
