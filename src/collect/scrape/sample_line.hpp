// src/collect/scrape/sample_line.hpp - what the text format and OpenMetrics share: lines, series, families, collecting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/collect.hpp"
#include "scrape/line_memo.hpp"
#include "scrape/line_reader.hpp"

namespace noroshi::collect {

/// Splits a body at line feeds.
class BodyLines {
  public:
    explicit BodyLines(std::string_view body) : rest_(body) {}
    /// The next line without its line feed; false at the end.
    [[nodiscard]] bool next(std::string_view& line);
    /// Number of the line given last, from 1.
    [[nodiscard]] std::uint32_t number() const { return number_; }
    /// Whether the line given last was ended by a line feed.
    [[nodiscard]] bool terminated() const { return terminated_; }

  private:
    std::string_view rest_;
    std::uint32_t number_{0};
    bool terminated_{true};
};

/// `name{label="value",...}` of one line, not yet a label set.
struct SeriesText {
    std::string name;
    std::vector<model::Label> labels;  ///< as written, without the name
};

/// Types of both formats; the text format calls unknown "untyped".
enum class FamilyType { unknown, counter, gauge, histogram, gaugehistogram, stateset, info, summary };

/// The family that the last metadata spoke of.
struct Family {
    std::string name;
    FamilyType type{FamilyType::unknown};
};

/// Reads the series part, with names in the old form or quoted (UTF-8). Errors: parse, limit.
[[nodiscard]] Result<SeriesText> read_series(LineReader& reader, std::size_t max_labels);
/// `{label="value",...}` from the brace on; a quoted string without '=' is the metric name and goes to `name`,
/// or is a fault when `name` is null (exemplars). Errors: parse, limit.
[[nodiscard]] Result<std::vector<model::Label>> read_labels(LineReader& reader, std::size_t max_labels, std::string* name);
/// A metric name after HELP, TYPE or UNIT, plain or quoted. Errors: parse.
[[nodiscard]] Result<std::string> read_metadata_name(LineReader& reader);
/// Neither a hexadecimal number nor one with underscores between its digits: expositions have none of them.
[[nodiscard]] bool is_plain_number(std::string_view word);
/// The value of a sample or exemplar. Any NaN becomes the ordinary one, so that no target writes a stale marker.
/// Errors: parse.
[[nodiscard]] Result<double> read_value(LineReader& reader);

/// The samples of one body, under the limits.
class SampleCollector {
  public:
    explicit SampleCollector(const ParseLimits& limits) : limits_(limits) {}
    /// Adds a sample. `le` and `quantile` of a series of `family` are brought to one form when it is a histogram or a
    /// summary. Errors: parse (a label twice), limit.
    [[nodiscard]] Result<void> add(SeriesText series, double value, std::optional<TimestampMs> at, const Family& family,
                                   const LineReader& reader);
    /// Adds a sample of a known line of the memo, its newest.
    [[nodiscard]] Result<void> add_known(const LineMemo& memo, std::size_t labels, double value, std::optional<TimestampMs> at,
                                         const LineReader& reader);
    /// The newest sample is of the newest line of the memo.
    void note_line(const LineMemo& memo) { samples_.back().line = memo.size(); }
    void reserve(std::size_t samples) { samples_.reserve(samples); }
    [[nodiscard]] const std::vector<ScrapedSample>& samples() const { return samples_; }
    [[nodiscard]] std::vector<ScrapedSample> take() { return std::move(samples_); }

  private:
    [[nodiscard]] Result<void> count(std::size_t labels, bool own_time, const LineReader& reader);

    const ParseLimits& limits_;
    std::vector<ScrapedSample> samples_;
    std::size_t all_labels_{0};
    std::size_t series_{0};  // samples without a time of their own
};

/// The value of `le` or `quantile` in Prometheus's one form ("1" -> "1.0"); what is no number stays.
[[nodiscard]] std::string normal_bound(std::string_view text);
/// The same of a number.
[[nodiscard]] std::string bound_text(double value);

/// A line over the limit. Error: limit.
[[nodiscard]] Result<void> check_line(std::string_view line, std::uint32_t number, const ParseLimits& limits);

/// The parsers of the two formats, see parse_exposition. With a `memo`, lines that it knows are not parsed but for their value.
[[nodiscard]] Result<std::vector<ScrapedSample>> parse_text(std::string_view body, const ParseLimits& limits,
                                                            std::vector<FamilyMetadata>* metadata, LineMemo* memo = nullptr);
[[nodiscard]] Result<std::vector<ScrapedSample>> parse_openmetrics(std::string_view body, const ParseLimits& limits,
                                                                   std::vector<FamilyMetadata>* metadata);

}  // namespace noroshi::collect
