// src/rules/template.hpp - the part of Go's text/template that rule files use (spec: alerting 3.5).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"
#include "promql/promql.hpp"

namespace noroshi::rules {

struct TemplateValue;
using TemplateList = std::vector<TemplateValue>;

/// One element of `query`.
struct TemplateSample {
    model::Labels labels;
    double value{0};
};

/// A value inside a template: nothing, or one of Go's kinds that occur.
struct TemplateValue {
    using Kind = std::variant<std::monostate, bool, std::int64_t, double, std::string, model::Labels, TemplateSample,
                              std::shared_ptr<const TemplateList>>;
    Kind kind;
};

/// What a template sees.
struct TemplateData {
    model::Labels labels;  ///< $labels, with the metric name
    double value{0};       ///< $value
    model::Labels external_labels;
    std::string external_url{};
    std::function<Result<promql::Vector>(std::string_view expression)> query;  ///< for the function `query`
};

struct TemplateNode;

/// A parsed template; immutable, cheap to copy.
class Template {
  public:
    /// Errors: parse ("unexpected ...", unknown function), limit (over 64 KiB).
    [[nodiscard]] static Result<Template> parse(std::string_view text);
    /// Runs it. At most 100,000 steps and 64 KiB of output. Errors: invalid_argument (a function refused its
    /// arguments), limit.
    [[nodiscard]] Result<std::string> expand(const TemplateData& data) const;

  private:
    explicit Template(std::shared_ptr<const std::vector<TemplateNode>> nodes) : nodes_(std::move(nodes)) {}
    std::shared_ptr<const std::vector<TemplateNode>> nodes_;  // shared: immutable
};

}  // namespace noroshi::rules
