// src/collect/scrape/openmetrics.cpp - OpenMetrics 1.0 text.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "scrape/metadata.hpp"
#include "scrape/openmetrics_families.hpp"
#include "scrape/openmetrics_rules.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {

namespace {

/// Seconds beyond which milliseconds no longer fit: far outside any calendar, far inside int64.
constexpr double max_seconds = 1e15;

/// Of all label names and values of an exemplar.
constexpr std::size_t max_exemplar_characters = 128;

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Seconds with a fraction. Errors: parse.
Result<TimestampMs> read_seconds(LineReader& reader) {
    const std::size_t begin = reader.column();
    const std::string_view word = reader.word();
    const Result<double> seconds = parse_float(word);
    if (!is_plain_number(word) || !seconds || !(std::fabs(*seconds) <= max_seconds)) {
        return reader.fault("expected a timestamp in seconds, got " + shown(word), begin);
    }
    return from_unix_ms(std::llround(*seconds * 1000.0));
}

/// One body of this format, read line by line.
class OpenMetricsParser {
  public:
    OpenMetricsParser(const ParseLimits& limits, std::vector<FamilyMetadata>* metadata)
        : limits_(limits), collector_(limits), metadata_(metadata) {}

    Result<void> line(std::string_view text, std::uint32_t number) {
        LineReader reader(text, number, Blanks::single);
        if (ended_) {
            return reader.fault("text after # EOF");
        }
        if (text == "# EOF") {
            ended_ = true;
            return {};
        }
        if (text.empty()) {
            return reader.fault("blank line");
        }
        return reader.take("# ") ? metadata(reader) : sample(reader);
    }

    /// All samples, once the body is through. Errors: parse.
    Result<std::vector<ScrapedSample>> finish(std::uint32_t lines) {
        if (!ended_) {
            return LineReader({}, lines + 1, Blanks::single).fault("no # EOF at the end: the answer was cut short");
        }
        NOROSHI_TRY_VOID(families_.finish());
        NOROSHI_TRY_VOID(rules_.finish());
        NOROSHI_TRY_VOID(check_unique());
        return collector_.take();
    }

  private:
    Result<void> metadata(LineReader& reader) {
        const std::size_t begin = reader.column();
        const std::string_view keyword = reader.word();
        if (keyword != "HELP" && keyword != "TYPE" && keyword != "UNIT") {
            return reader.fault("expected HELP, TYPE, UNIT or EOF, got " + shown(keyword), begin);
        }
        NOROSHI_TRY_VOID(reader.separator("the metric name"));
        NOROSHI_TRY(const std::string name, read_metadata_name(reader));
        if (!reader.take(" ")) {
            return reader.fault("expected one space after the metric name");
        }
        const std::string_view text = reader.rest();
        if (keyword == "TYPE") {
            metadata_.type(name, text);
            return families_.type(name, text, reader);
        }
        if (keyword == "UNIT") {
            metadata_.unit(name, text);
            return families_.unit(name, text, reader);
        }
        if (!is_utf8(text)) {
            return reader.fault("help text is not valid UTF-8");
        }
        metadata_.help(name, text, true);
        return families_.help(name, reader);
    }

    Result<void> sample(LineReader& reader) {
        NOROSHI_TRY(SeriesText series, read_series(reader, limits_.max_labels));
        NOROSHI_TRY_VOID(families_.sample(series.name, reader));
        NOROSHI_TRY_VOID(reader.separator("the value"));
        NOROSHI_TRY(const double value, read_value(reader));
        std::optional<TimestampMs> at;
        if (!reader.at_end()) {
            NOROSHI_TRY_VOID(reader.separator("the timestamp"));
            if (reader.peek() != '#') {
                NOROSHI_TRY(at, read_seconds(reader));
                if (!reader.at_end()) {
                    NOROSHI_TRY_VOID(reader.separator("the exemplar"));
                    if (reader.at_end()) {
                        return reader.fault("expected an exemplar after the space");
                    }
                }
            }
        }
        const bool has_exemplar = !reader.at_end();
        if (has_exemplar) {
            NOROSHI_TRY_VOID(exemplar(reader));
        }
        if (std::ranges::any_of(series.labels, [](const model::Label& label) { return label.name.starts_with("__"); })) {
            return reader.fault("label names that begin with __ are reserved", 1);
        }
        const Family& family = families_.current();
        const OpenMetricsSample read{std::string_view(series.name).substr(std::min(family.name.size(), series.name.size())),
                                     series.labels, value, at, has_exemplar};
        NOROSHI_TRY_VOID(rules_.sample(family, read, reader));
        NOROSHI_TRY_VOID(collector_.add(std::move(series), value, at, families_.current(), reader));
        lines_.push_back(reader.line_number());
        return {};
    }

    /// `# {labels} value [timestamp]`: must be well formed, is not kept.
    Result<void> exemplar(LineReader& reader) {
        if (!reader.take("# ")) {
            return reader.fault("expected an exemplar or the end of the line");
        }
        NOROSHI_TRY(const auto labels, read_labels(reader, limits_.max_labels, nullptr));
        std::size_t characters = 0;
        for (const model::Label& label : labels) {
            characters += characters_of(label.name) + characters_of(label.value);
        }
        if (characters > max_exemplar_characters) {
            return reader.fault(fmt::format("labels of an exemplar with more than {} characters", max_exemplar_characters));
        }
        NOROSHI_TRY_VOID(reader.separator("the exemplar's value"));
        NOROSHI_TRY(const double value, read_value(reader));
        static_cast<void>(value);
        if (!reader.at_end()) {
            NOROSHI_TRY_VOID(reader.separator("the exemplar's timestamp"));
            NOROSHI_TRY(const TimestampMs at, read_seconds(reader));
            static_cast<void>(at);
        }
        return reader.at_end() ? Result<void>{} : reader.fault("unexpected text after the exemplar");
    }

    /// One series may come again only at later times. By sorting: no choice of labels makes it slow, as it could a hash.
    Result<void> check_unique() const {
        const std::vector<ScrapedSample>& samples = collector_.samples();
        std::vector<std::size_t> order(samples.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) -> const model::Labels& { return samples[i].labels; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            const ScrapedSample& before = samples[order[i - 1]];
            const ScrapedSample& after = samples[order[i]];
            if (before.labels != after.labels || (before.at && after.at && *before.at < *after.at)) {
                continue;
            }
            return LineReader({}, lines_[order[i]], Blanks::single)
                .fault("series " + shown(after.labels.to_string()) + " given twice");
        }
        return {};
    }

    const ParseLimits& limits_;
    SampleCollector collector_;
    MetadataCollector metadata_;
    OpenMetricsFamilies families_;
    OpenMetricsRules rules_;
    std::vector<std::uint32_t> lines_;  // of each sample
    bool ended_{false};
};

}  // namespace

Result<std::vector<ScrapedSample>> parse_openmetrics(std::string_view body, const ParseLimits& limits,
                                                     std::vector<FamilyMetadata>* metadata) {
    OpenMetricsParser parser(limits, metadata);
    BodyLines lines(body);
    std::string_view text;
    while (lines.next(text)) {
        NOROSHI_TRY_VOID(check_line(text, lines.number(), limits));
        NOROSHI_TRY_VOID(parser.line(text, lines.number()));
    }
    return parser.finish(lines.number());
}

}  // namespace noroshi::collect
