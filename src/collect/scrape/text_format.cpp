// src/collect/scrape/text_format.cpp - the Prometheus text format 0.0.4 and 1.0.0.
#include <array>
#include <utility>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "scrape/metadata.hpp"
#include "scrape/sample_line.hpp"

namespace noroshi::collect {

namespace {

constexpr std::array<std::pair<std::string_view, FamilyType>, 5> types{{{"counter", FamilyType::counter},
                                                                        {"gauge", FamilyType::gauge},
                                                                        {"histogram", FamilyType::histogram},
                                                                        {"summary", FamilyType::summary},
                                                                        {"untyped", FamilyType::unknown}}};

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// One body of this format, read line by line.
class TextParser {
  public:
    TextParser(const ParseLimits& limits, std::vector<FamilyMetadata>* metadata)
        : limits_(limits), collector_(limits), metadata_(metadata) {}

    Result<void> line(std::string_view text, std::uint32_t number) {
        LineReader reader(text, number, Blanks::any);
        reader.skip_gap();
        if (reader.at_end()) {
            return {};
        }
        return reader.take("#") ? comment(reader) : sample(reader);
    }
    std::vector<ScrapedSample> take() { return collector_.take(); }

  private:
    /// Anything after '#' but HELP and TYPE, each between blanks, is a comment.
    Result<void> comment(LineReader& reader) {
        if (reader.peek() != ' ' && reader.peek() != '\t') {
            return {};
        }
        reader.skip_gap();
        const std::string_view keyword = reader.word();
        if ((keyword != "HELP" && keyword != "TYPE") || reader.at_end()) {
            return {};
        }
        reader.skip_gap();
        NOROSHI_TRY(std::string name, read_metadata_name(reader));
        if (!reader.at_end() && reader.peek() != ' ' && reader.peek() != '\t') {
            return reader.fault("expected a blank after the metric name");
        }
        const std::size_t begin = reader.column();
        const std::string_view text = reader.rest();
        if (keyword == "HELP") {
            if (!is_utf8(text)) {
                return reader.fault("help text is not valid UTF-8", begin);
            }
            metadata_.help(name, text.substr(text.empty() ? 0 : 1), false);
            return {};
        }
        for (const auto& [word, type] : types) {
            if (trimmed(text) == word) {
                metadata_.type(name, word);
                family_ = {std::move(name), type};
                return {};
            }
        }
        return reader.fault("expected a metric type, got " + shown(trimmed(text)), begin);
    }

    Result<void> sample(LineReader& reader) {
        NOROSHI_TRY(SeriesText series, read_series(reader, limits_.max_labels));
        NOROSHI_TRY_VOID(reader.separator("the value"));
        NOROSHI_TRY(const double value, read_value(reader));
        NOROSHI_TRY_VOID(reader.separator("the timestamp"));
        std::optional<TimestampMs> at;
        if (!reader.at_end()) {
            const std::size_t begin = reader.column();
            const std::string_view word = reader.word();
            const Result<std::int64_t> ms = parse_int(word);
            if (!ms || word.starts_with('+')) {
                return reader.fault("expected a timestamp in milliseconds, got " + shown(word), begin);
            }
            at = from_unix_ms(*ms);
            reader.skip_gap();
        }
        if (!reader.at_end()) {
            return reader.fault("unexpected text after the timestamp");
        }
        return collector_.add(std::move(series), value, at, family_, reader);
    }

    const ParseLimits& limits_;
    SampleCollector collector_;
    MetadataCollector metadata_;
    Family family_;
};

}  // namespace

Result<std::vector<ScrapedSample>> parse_text(std::string_view body, const ParseLimits& limits, std::vector<FamilyMetadata>* metadata) {
    TextParser parser(limits, metadata);
    BodyLines lines(body);
    std::string_view text;
    while (lines.next(text)) {
        NOROSHI_TRY_VOID(check_line(text, lines.number(), limits));
        if (!lines.terminated()) {
            LineReader reader(text, lines.number(), Blanks::any);
            return reader.fault("last line does not end in a line feed: the answer was cut short", text.size() + 1);
        }
        NOROSHI_TRY_VOID(parser.line(text, lines.number()));
    }
    return parser.take();
}

}  // namespace noroshi::collect
