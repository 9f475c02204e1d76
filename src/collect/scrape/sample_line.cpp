// src/collect/scrape/sample_line.cpp - implements what the text format and OpenMetrics share.
#include "scrape/sample_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/numbers.hpp"

namespace noroshi::collect {

namespace {

tl::unexpected<Error> over_limit(const LineReader& reader, std::string message) {
    Error error = reader.fault(std::move(message)).value();
    error.code = Errc::limit;
    return fail(std::move(error));
}

/// Name of the label that holds the bound of this series: "le", "quantile" or "".
std::string_view bound_label(const Family& family, std::string_view series_name) {
    if (family.name.empty() || !series_name.starts_with(family.name)) {
        return {};
    }
    const std::string_view suffix = series_name.substr(family.name.size());
    const bool histogram = family.type == FamilyType::histogram || family.type == FamilyType::gaugehistogram;
    if (histogram && suffix == "_bucket") {
        return "le";
    }
    return family.type == FamilyType::summary && suffix.empty() ? "quantile" : std::string_view{};
}

}  // namespace

bool BodyLines::next(std::string_view& line) {
    if (rest_.empty()) {
        return false;
    }
    const std::size_t end = rest_.find('\n');
    terminated_ = end != std::string_view::npos;
    line = rest_.substr(0, end);
    rest_.remove_prefix(terminated_ ? end + 1 : rest_.size());
    ++number_;
    return true;
}

Result<void> check_line(std::string_view line, std::uint32_t number, const ParseLimits& limits) {
    if (line.size() <= limits.max_line_bytes) {
        return {};
    }
    return over_limit(LineReader({}, number, Blanks::any), fmt::format("line longer than {} bytes", limits.max_line_bytes));
}

Result<std::vector<model::Label>> read_labels(LineReader& reader, std::size_t max_labels, std::string* name) {
    std::vector<model::Label> labels;
    if (!reader.take("{")) {
        return reader.fault("expected {");
    }
    reader.skip_gap();
    while (!reader.take("}")) {
        const std::size_t begin = reader.column();
        const bool quoted = reader.peek() == '"';
        std::string label;
        if (quoted) {
            NOROSHI_TRY(label, reader.quoted());
        } else {
            label = reader.identifier(false);
        }
        if (label.empty()) {
            return reader.fault("expected a label name or }", begin);
        }
        reader.skip_gap();
        if (reader.take("=")) {
            reader.skip_gap();
            NOROSHI_TRY(std::string value, reader.quoted());
            labels.push_back({std::move(label), std::move(value)});
        } else if (!quoted || name == nullptr) {
            return reader.fault("expected = after label name " + shown(label));
        } else if (!name->empty()) {
            return reader.fault("second metric name " + shown(label), begin);
        } else {
            *name = std::move(label);
        }
        if (labels.size() > max_labels) {
            return over_limit(reader, fmt::format("more than {} labels", max_labels));
        }
        reader.skip_gap();
        if (!reader.take(",") && reader.peek() != '}') {
            return reader.fault("expected , or }");
        }
        reader.skip_gap();
    }
    return labels;
}

Result<SeriesText> read_series(LineReader& reader, std::size_t max_labels) {
    SeriesText series;
    const std::size_t begin = reader.column();
    series.name = reader.identifier(true);
    const bool named = !series.name.empty();
    if (!named && reader.peek() != '{') {
        return reader.fault("expected a metric name", begin);
    }
    if (named) {
        reader.skip_gap();
    }
    if (reader.peek() == '{') {
        NOROSHI_TRY(series.labels, read_labels(reader, max_labels, &series.name));
    }
    if (series.name.empty()) {
        return reader.fault("series without a metric name", begin);
    }
    return series;
}

Result<std::string> read_metadata_name(LineReader& reader) {
    const std::size_t begin = reader.column();
    std::string name;
    if (reader.peek() == '"') {
        NOROSHI_TRY(name, reader.quoted());
    } else {
        name = reader.identifier(true);
    }
    if (name.empty()) {
        return reader.fault("expected a metric name", begin);
    }
    return name;
}

Result<double> read_value(LineReader& reader) {
    const std::size_t begin = reader.column();
    const std::string_view word = reader.word();
    const Result<double> value = parse_float(word);
    if (!value || !is_plain_number(word)) {
        return reader.fault("expected a value, got " + shown(word), begin);
    }
    return std::isnan(*value) ? std::numeric_limits<double>::quiet_NaN() : *value;
}

bool is_plain_number(std::string_view word) { return word.find_first_of("pPxX_") == std::string_view::npos; }

std::string normal_bound(std::string_view text) {
    const Result<double> value = parse_float(text);
    return value ? bound_text(*value) : std::string(text);
}

std::string bound_text(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    // Go's 'g' with the shortest digits: exponent form below 1e-4 and from 1e6 on.
    char buffer[40];
    const double magnitude = std::fabs(value);
    const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e6);
    const std::to_chars_result end = std::to_chars(std::begin(buffer), std::end(buffer), value,
                                                   fixed ? std::chars_format::fixed : std::chars_format::scientific);
    std::string out(std::begin(buffer), end.ptr);
    if (out.find_first_of(".e") == std::string::npos) {
        out += ".0";
    }
    return out;
}

Result<void> SampleCollector::count(std::size_t labels, bool own_time, const LineReader& reader) {
    if (samples_.size() >= limits_.max_samples) {
        return over_limit(reader, fmt::format("more than {} samples", limits_.max_samples));
    }
    if (!own_time && ++series_ > limits_.max_series) {
        return over_limit(reader, fmt::format("series_limit: more than {} series", limits_.max_series));
    }
    all_labels_ += labels + 1;
    if (all_labels_ > limits_.max_all_labels) {
        return over_limit(reader, fmt::format("more than {} labels in all", limits_.max_all_labels));
    }
    return {};
}

Result<void> SampleCollector::add_known(const LineMemo& memo, std::size_t labels, double value, std::optional<TimestampMs> at,
                                        const LineReader& reader) {
    NOROSHI_TRY_VOID(count(labels, at.has_value(), reader));
    samples_.push_back({.labels = {}, .value = value, .at = at, .emptied = {}, .line = memo.size()});
    return {};
}

Result<void> SampleCollector::add(SeriesText series, double value, std::optional<TimestampMs> at, const Family& family,
                                  const LineReader& reader) {
    NOROSHI_TRY_VOID(count(series.labels.size(), at.has_value(), reader));
    const std::string_view bound = bound_label(family, series.name);
    ScrapedSample sample{.labels = {}, .value = value, .at = at, .emptied = {}, .line = 0};
    for (model::Label& label : series.labels) {
        if (!bound.empty() && label.name == bound) {
            label.value = normal_bound(label.value);
        }
        if (label.value.empty()) {
            sample.emptied.push_back(label.name);
        }
    }
    series.labels.push_back({std::string(model::metric_name_label), std::move(series.name)});
    std::ranges::sort(series.labels, {}, &model::Label::name);
    const auto twice = std::ranges::adjacent_find(series.labels, {}, &model::Label::name);
    if (twice != series.labels.end()) {
        return reader.fault("label " + shown(twice->name) + " given twice", 1);
    }
    sample.labels = model::Labels(std::move(series.labels));
    samples_.push_back(std::move(sample));
    return {};
}

}  // namespace noroshi::collect
