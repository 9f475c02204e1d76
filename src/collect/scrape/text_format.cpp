// src/collect/scrape/text_format.cpp - the Prometheus text format 0.0.4 and 1.0.0.
#include <array>
#include <utility>

#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "model/text_hash.hpp"
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
    TextParser(const ParseLimits& limits, std::vector<FamilyMetadata>* metadata, LineMemo* memo)
        : limits_(limits), memo_(memo), collector_(limits), metadata_(metadata) {
        if (memo_ != nullptr) {
            collector_.reserve(memo_->size());
            memo_->begin();
        }
    }

    Result<void> line(std::string_view text, std::uint32_t number) {
        LineReader reader(text, number, Blanks::any);
        if (memo_ != nullptr && !text.empty() && text.front() != '#') {
            if (const LineMemo::Line* known = memo_->find(text, context_)) {
                reader.skip(known->text_bytes);
                return known_sample(known->labels, reader);
            }
        }
        reader.skip_gap();
        if (reader.at_end()) {
            return {};
        }
        return reader.take("#") ? comment(reader) : sample(text, reader);
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
                // What a bound means depends on the family.
                const bool has_bounds = type == FamilyType::histogram || type == FamilyType::summary;
                context_ = has_bounds ? model::text_hash(family_.name, static_cast<std::uint64_t>(type)) : 0;
                return {};
            }
        }
        return reader.fault("expected a metric type, got " + shown(trimmed(text)), begin);
    }

    struct Reading {
        double value{0};
        std::optional<TimestampMs> at{};
    };

    Result<void> known_sample(std::size_t labels, LineReader& reader) {
        NOROSHI_TRY(const Reading reading, rest(reader));
        return collector_.add_known(*memo_, labels, reading.value, reading.at, reader);
    }

    Result<void> sample(std::string_view text, LineReader& reader) {
        const std::size_t begin = reader.column() - 1;
        NOROSHI_TRY(SeriesText series, read_series(reader, limits_.max_labels));
        const std::size_t labels = series.labels.size();
        const std::size_t end = text.find_last_not_of(" \t", reader.column() - 2) + 1;
        NOROSHI_TRY(const Reading reading, rest(reader));
        NOROSHI_TRY_VOID(collector_.add(std::move(series), reading.value, reading.at, family_, reader));
        if (memo_ != nullptr && begin == 0) {
            memo_->add(text.substr(0, end), labels, context_);
            collector_.note_line(*memo_);
        }
        return {};
    }

    /// Value and timestamp.
    Result<Reading> rest(LineReader& reader) {
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
        return Reading{value, at};
    }

    const ParseLimits& limits_;
    LineMemo* memo_;  // may be null
    SampleCollector collector_;
    MetadataCollector metadata_;
    Family family_;
    std::uint64_t context_{0};
};

}  // namespace

Result<std::vector<ScrapedSample>> parse_text(std::string_view body, const ParseLimits& limits,
                                              std::vector<FamilyMetadata>* metadata, LineMemo* memo) {
    TextParser parser(limits, metadata, memo);
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
    if (memo != nullptr) {
        memo->end();
    }
    return parser.take();
}

}  // namespace noroshi::collect
