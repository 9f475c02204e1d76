// test/conformance/promql/script.cpp - reads the test language.
#include "script.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/numbers.hpp"
#include "collect/collect.hpp"
#include "model/sample.hpp"

namespace noroshi::conformance {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Takes `word` and the blanks after it from the front.
bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word) || (text.size() > word.size() && text[word.size()] != ' ' && text[word.size()] != '\t')) {
        return false;
    }
    text = trimmed(text.substr(word.size()));
    return true;
}

std::string_view next_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text = trimmed(text.substr(word.size()));
    return word;
}

/// A duration, or seconds; either may be negative.
Result<Milliseconds> time_of(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::string_view rest = negative ? text.substr(1) : text;
    Result<Milliseconds> duration = parse_duration(rest);
    if (!duration) {
        NOROSHI_TRY(const double seconds, parse_float(rest));
        duration = Milliseconds(std::llround(seconds * 1000));
    }
    return negative ? -*duration : *duration;
}

Result<double> number_of(std::string_view text) {
    return text == "stale" ? Result<double>(model::stale_marker()) : parse_float(text);
}

/// One word of a sequence: "1", "_x3", "1x4", "1+2x3", "-1-2x3".
Result<void> add_values(std::string_view word, std::vector<Slot>& out) {
    static const RE2 repeated(R"(_x(\d+))");
    static const RE2 series(R"(([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|Inf|NaN|stale))(?:([-+][0-9.]+(?:[eE][-+]?[0-9]+)?))?x(\d+))");
    int times = 0;
    std::string first;
    std::string step;
    if (word == "_") {
        out.emplace_back();
    } else if (RE2::FullMatch(word, repeated, &times)) {
        out.insert(out.end(), static_cast<std::size_t>(times), std::nullopt);
    } else if (RE2::FullMatch(word, series, &first, &step, &times)) {
        NOROSHI_TRY(double value, number_of(first));
        const double add = step.empty() ? 0 : *parse_float(step);
        for (int i = 0; i <= times; ++i) {  // n more samples after the first
            out.emplace_back(Point(value));
            if (!step.empty()) {
                value += add;
            }
        }
    } else {
        NOROSHI_TRY(const double value, number_of(word));
        out.emplace_back(Point(value));
    }
    return {};
}

/// The end of `name{...}` in `text`, with quotes skipped.
std::size_t end_of_metric(std::string_view text) {
    char quote = 0;
    bool braces = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            i += c == '\\' ? 1 : 0;
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '{') {
            braces = true;
        } else if (c == '}') {
            return i + 1;
        } else if (!braces && (c == ' ' || c == '\t')) {
            const std::string_view rest = trimmed(text.substr(i));
            if (!rest.starts_with('{') || rest.starts_with("{{")) {
                return i;
            }
        }
    }
    return text.size();
}

Result<model::Labels> metric_of(std::string_view text) {
    if (text.find("\\u") != std::string_view::npos) {
        return fail(Errc::parse, "code points are not read here: write the character");
    }
    static const RE2 empty(R"(\s*\{\s*\}\s*)");
    if (RE2::FullMatch(text, empty)) {
        return model::Labels{};
    }
    std::string line(text);
    std::string name;
    if (RE2::PartialMatch(line, R"re(__name__\s*=\s*"([^"]*)")re", &name)) {
        RE2::Replace(&line, R"re(__name__\s*=\s*"[^"]*"\s*,?)re", "");
        NOROSHI_TRY(const model::Labels labels, metric_of(line));
        return labels.with("__name__", name);
    }
    const bool nameless = line.starts_with('{') && !RE2::PartialMatch(line, R"re(^\{\s*("[^"]*")\s*[,}])re");
    if (nameless) {
        line.insert(0, "nameless");
    }
    NOROSHI_TRY(const auto samples, collect::parse_exposition(line + " 1\n", collect::ExpositionFormat::text_0_0_4));
    if (samples.size() != 1) {
        return fail(Errc::parse, "expected one metric");
    }
    return nameless ? samples[0].labels.without("__name__") : samples[0].labels;
}

Result<Series> series_of(std::string_view line) {
    Series out;
    if (parse_float(line)) {
        out.scalar = true;
        out.values.emplace_back(Point(*parse_float(line)));
        return out;
    }
    const std::size_t end = end_of_metric(line);
    NOROSHI_TRY(out.labels, metric_of(line.substr(0, end)));
    std::string_view values = trimmed(line.substr(end));
    while (!values.empty()) {
        if (!values.starts_with("{{")) {
            NOROSHI_TRY_VOID(add_values(next_word(values), out.values));
            continue;
        }
        NOROSHI_TRY(std::vector<HistogramSlot> histograms, take_histograms(values));
        std::ranges::move(histograms, std::back_inserter(out.values));
        values = trimmed(values);
    }
    return out;
}

/// `expect ...` and the older words for the same. True when `line` was one of them.
Result<bool> take_expectation(std::string_view line, Eval& eval) {
    if (take(line, "expected_fail_message")) {
        eval.fail_message = line;
        return true;
    }
    if (take(line, "expected_fail_regexp")) {
        eval.fail_regex = line;
        return true;
    }
    if (!take(line, "expect")) {
        return false;
    }
    if (take(line, "fail")) {
        eval.fails = true;
        if (line.starts_with("msg:")) {
            eval.fail_message = trimmed(line.substr(4));
        } else if (line.starts_with("regex:")) {
            eval.fail_regex = trimmed(line.substr(6));
        }
    } else if (take(line, "ordered")) {
        eval.ordered = true;
    } else if (take(line, "string")) {
        if (line.size() < 2) {
            return fail(Errc::parse, "expected a quoted string");
        }
        eval.text = line.substr(1, line.size() - 2);
    } else if (take(line, "range vector from")) {
        Eval::Grid grid;
        NOROSHI_TRY(const Milliseconds from, time_of(next_word(line)));
        grid.from = TimestampMs(from);
        next_word(line);
        next_word(line);
        next_word(line);
        NOROSHI_TRY(grid.step, time_of(next_word(line)));
        eval.matrix = grid;
    }
    for (const auto& [word, into] : {std::pair("warn", &eval.warnings), std::pair("info", &eval.infos)}) {
        if (take(line, word)) {
            into->push_back({std::string(line.starts_with("msg:") ? trimmed(line.substr(4)) : ""),
                             std::string(line.starts_with("regex:") ? trimmed(line.substr(6)) : "")});
        }
    }
    eval.no_warnings = eval.no_warnings || line == "no_warn";
    eval.no_infos = eval.no_infos || line == "no_info";
    return true;
}

/// The head line of an eval; nothing when it is none.
Result<std::optional<Eval>> eval_of(std::string_view line) {
    Eval out;
    const std::string_view word = next_word(line);
    if (!word.starts_with("eval")) {
        return std::nullopt;
    }
    out.fails = word == "eval_fail";
    out.ordered = word == "eval_ordered";
    if (word == "eval_warn") {
        out.warnings.emplace_back();
    }
    if (word == "eval_info") {
        out.infos.emplace_back();
    }
    if (take(line, "instant")) {
        if (!take(line, "at")) {
            return fail(Errc::parse, "expected \"at\"");
        }
        NOROSHI_TRY(const Milliseconds at, time_of(next_word(line)));
        out.from = out.to = TimestampMs(at);
    } else if (take(line, "range")) {
        take(line, "from");
        NOROSHI_TRY(const Milliseconds from, time_of(next_word(line)));
        take(line, "to");
        NOROSHI_TRY(const Milliseconds to, time_of(next_word(line)));
        take(line, "step");
        NOROSHI_TRY(out.step, time_of(next_word(line)));
        out.from = TimestampMs(from);
        out.to = TimestampMs(to);
    } else {
        return fail(Errc::parse, "expected \"instant\" or \"range\"");
    }
    out.expression = line;
    return out;
}

Result<Command> command_of(std::string_view line) {
    if (line == "clear") {
        return Command{0, Clear{}};
    }
    std::string_view rest = line;
    const bool with_nhcb = take(rest, "load_with_nhcb");
    if (with_nhcb || take(rest, "load")) {
        NOROSHI_TRY(const Milliseconds step, time_of(rest));
        return Command{0, Load{step, with_nhcb, {}}};
    }
    NOROSHI_TRY(std::optional<Eval> eval, eval_of(line));
    if (eval) {
        return Command{0, std::move(*eval)};
    }
    return Command{0, Unknown{std::string(line)}};
}

Result<Series> series_of(std::string_view line, bool lenient) {
    Result<Series> series = series_of(line);
    return series || !lenient ? series : Series{.labels = {}, .values = {}, .unreadable = true};
}

Result<void> add_line(std::string_view line, Command& command, bool lenient) {
    if (auto* load = std::get_if<Load>(&command.what)) {
        NOROSHI_TRY(Series series, series_of(line, lenient));
        load->series.push_back(std::move(series));
    } else if (auto* eval = std::get_if<Eval>(&command.what)) {
        NOROSHI_TRY(const bool taken, take_expectation(line, *eval));
        if (!taken) {
            NOROSHI_TRY(Series series, series_of(line, lenient));
            eval->expected.push_back(std::move(series));
        }
    }
    return {};
}

}  // namespace

Result<std::vector<Command>> parse_script(const std::string& file, std::string_view text, bool lenient) {
    std::vector<Command> out;
    bool open = false;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::string_view content = trimmed(line);
        if (content.empty() || content.starts_with('#')) {
            open = open && !content.empty();
            continue;
        }
        const bool indented = line.starts_with(' ') || line.starts_with('\t');
        Result<void> read;
        if (indented && open) {
            read = add_line(content, out.back(), lenient);
        } else if (Result<Command> command = command_of(content)) {
            command->line = number;
            out.push_back(std::move(*command));
            open = true;
        } else {
            read = fail(std::move(command).error());
        }
        if (!read) {
            Error error = std::move(read).error();
            error.where = {file, static_cast<std::uint32_t>(number), 0};
            return fail(std::move(error));
        }
    }
    return out;
}

}  // namespace noroshi::conformance
