// src/promql/series_text.cpp - reads a metric and a sequence of values.
#include "promql/series_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/numbers.hpp"
#include "histogram_text.hpp"
#include "lexer.hpp"
#include "model/histogram_layout.hpp"
#include "model/sample.hpp"

namespace noroshi::promql {
namespace {

constexpr std::string_view blanks = " \t\r\n";

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size())); }

/// Walks over the tokens of a metric.
class MetricReader {
  public:
    explicit MetricReader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Result<model::Labels> read() {
        if (peek().kind == TokenKind::identifier) {
            add(model::metric_name_label, take().text);
        }
        if (peek().is("{")) {
            take();
            NOROSHI_TRY_VOID(label_set());
        }
        if (peek().kind != TokenKind::end) {
            return unexpected("a label set in braces");
        }
        return model::Labels(std::move(labels_));
    }

  private:
    Result<void> label_set() {
        while (!peek().is("}")) {
            if (peek().kind != TokenKind::identifier && peek().kind != TokenKind::string) {
                return unexpected("a label name");
            }
            const Token name = take();
            if (peek().is("=")) {
                take();
                if (peek().kind != TokenKind::string) {
                    return unexpected("a quoted value");
                }
                add(name.text, take().text);
            } else if (name.kind == TokenKind::string) {
                add(model::metric_name_label, name.text);
            } else {
                return unexpected("\"=\"");
            }
            if (!peek().is(",")) {
                break;
            }
            take();
        }
        if (!peek().is("}")) {
            return unexpected("\",\" or \"}\"");
        }
        take();
        return {};
    }

    void add(std::string_view name, std::string value) { labels_.push_back({std::string(name), std::move(value)}); }
    [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
    /// Not at the end: the last token stays.
    Token take() { return tokens_[at_++]; }
    [[nodiscard]] tl::unexpected<Error> unexpected(std::string_view expected) const {
        return fail(Errc::parse, peek().kind == TokenKind::end
                                     ? fmt::format("expected {} in a metric, got its end", expected)
                                     : fmt::format("expected {} in a metric, got \"{}\"", expected, peek().text));
    }

    std::vector<Token> tokens_;
    std::size_t at_{0};
    std::vector<model::Label> labels_;
};

/// The end of `name{...}` in `text`, with quotes skipped.
std::size_t end_of_metric(std::string_view text) {
    char quote = 0;
    bool braces = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            i += c == '\\' && quote != '`' ? 1 : 0;
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '{') {
            braces = true;
        } else if (c == '}') {
            return i + 1;
        } else if (!braces && blanks.find(c) != std::string_view::npos) {
            std::string_view rest = text.substr(i);
            skip_blanks(rest);
            if (!rest.starts_with('{') || rest.starts_with("{{")) {
                return i;
            }
        }
    }
    return text.size();
}

/// `1`, `+Inf`, `stale`; hexadecimal numbers would not be told from repetitions. A leading sign is taken.
Result<double> take_number(std::string_view& text, bool may_be_stale) {
    const std::size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
    std::size_t end = sign;
    const auto digits = [&] { end = std::min(text.find_first_not_of("0123456789._", end), text.size()); };
    digits();
    if (end > sign && end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        ++end;
        end += end < text.size() && (text[end] == '+' || text[end] == '-') ? 1 : 0;
        digits();
    } else if (end == sign) {
        const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z' && c != 'x') || (c >= 'A' && c <= 'Z'); };
        end = static_cast<std::size_t>(std::find_if_not(text.begin() + sign, text.end(), is_letter) - text.begin());
    }
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    if (may_be_stale && word == "stale") {
        return model::stale_marker();
    }
    Result<double> number = parse_float(word);
    if (!number) {
        return fail(Errc::parse, fmt::format("expected a number, \"stale\", \"_\" or a histogram, got \"{}\"",
                                             word.empty() ? text.substr(0, 20) : word));
    }
    return number;
}

/// The number behind `x`.
Result<std::size_t> take_times(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    const Result<std::int64_t> times = parse_int(text.substr(1, end - 1));
    if (!times) {
        return fail(Errc::parse, "expected a whole number after \"x\"");
    }
    text.remove_prefix(end);
    if (static_cast<std::size_t>(*times) > max_series_values) {
        return fail(Errc::limit, fmt::format("a series may have at most {} values", max_series_values));
    }
    return static_cast<std::size_t>(*times);
}

Result<void> add_numbers(std::string_view& text, std::vector<Slot>& out) {
    if (text.starts_with('_')) {
        text.remove_prefix(1);
        std::size_t times = 1;
        if (text.starts_with('x')) {
            NOROSHI_TRY(times, take_times(text));
        }
        out.insert(out.end(), times, std::nullopt);
        return {};
    }
    NOROSHI_TRY(double value, take_number(text, true));
    double step = 0;
    const bool steps = text.starts_with('+') || text.starts_with('-');
    if (steps) {
        NOROSHI_TRY(step, take_number(text, false));
    }
    std::size_t times = 0;
    if (text.starts_with('x')) {
        NOROSHI_TRY(times, take_times(text));
    } else if (steps) {
        return fail(Errc::parse, "expected \"x\" and a whole number after the step of a value");
    }
    for (std::size_t i = 0; i <= times; ++i) {  // `times` more after the first
        out.emplace_back(Point(value));
        value = steps ? value + step : value;
    }
    return {};
}

}  // namespace

Result<model::Labels> parse_metric(std::string_view text, bool unquoted_names) {
    NOROSHI_TRY(std::vector<Token> tokens, tokenize(text, unquoted_names));
    return MetricReader(std::move(tokens)).read();
}

Result<std::vector<Slot>> parse_series_values(std::string_view text) {
    std::vector<Slot> out;
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        if (text.starts_with("{{")) {
            NOROSHI_TRY(std::vector<HistogramSlot> histograms, take_histograms(text));
            std::ranges::move(histograms, std::back_inserter(out));
        } else {
            NOROSHI_TRY_VOID(add_numbers(text, out));
        }
        if (!text.empty() && blanks.find(text.front()) == std::string_view::npos) {
            return fail(Errc::parse, fmt::format("expected a blank between values, got \"{}\"", text.substr(0, 20)));
        }
        if (out.size() > max_series_values) {
            return fail(Errc::limit, fmt::format("a series may have at most {} values", max_series_values));
        }
    }
    return out;
}

Result<SeriesText> parse_series(std::string_view text, bool unquoted_names) {
    const std::size_t end = end_of_metric(text);
    SeriesText out;
    NOROSHI_TRY(out.labels, parse_metric(text.substr(0, end), unquoted_names));
    NOROSHI_TRY(out.values, parse_series_values(text.substr(end)));
    return out;
}

bool is_expected(const HistogramSlot& expected, model::Histogram got, bool (*close)(double, double)) {
    model::Histogram want = expected.value;
    model::compact(want);
    model::compact(got);
    const auto same_side = [close](const model::HistogramSide& a, const model::HistogramSide& b) {
        return a.spans == b.spans && std::ranges::equal(a.counts, b.counts, close);
    };
    return want.schema == got.schema && close(want.count, got.count) && close(want.sum, got.sum) &&
           want.zero_threshold == got.zero_threshold && close(want.zero_count, got.zero_count) &&
           (!want.has_custom_bounds() || want.bounds() == got.bounds()) && same_side(want.positive, got.positive) &&
           same_side(want.negative, got.negative) && (!expected.hint_given || want.hint == got.hint);
}

}  // namespace noroshi::promql
