// test/conformance/promql/script.cpp - reads the test language.
#include "script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/numbers.hpp"

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

Result<Series> series_of(std::string_view line) {
    Series out;
    if (const Result<double> number = parse_float(line)) {
        out.scalar = true;
        out.values.emplace_back(Point(*number));
        return out;
    }
    NOROSHI_TRY(static_cast<promql::SeriesText&>(out), promql::parse_series(line, true));
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
        return Command{0, Load{step, with_nhcb, {}, {}}};
    }
    NOROSHI_TRY(std::optional<Eval> eval, eval_of(line));
    if (eval) {
        return Command{0, std::move(*eval)};
    }
    return Command{0, Unknown{std::string(line)}};
}

Result<Series> series_of(std::string_view line, bool lenient) {
    Result<Series> series = series_of(line);
    if (!series && lenient) {
        series = Series();
        series->unreadable = true;
    }
    return series;
}

/// `_`, `_x3`, `-1m`, `-1mx3` (four times), `-1m-30sx3`: durations in the forms that numbers have.
Result<void> add_starts(std::string_view item, std::vector<std::optional<Milliseconds>>& out) {
    std::size_t times = 0;
    const std::size_t x = item.find('x');
    if (x != std::string_view::npos) {
        NOROSHI_TRY(const std::int64_t count, parse_int(item.substr(x + 1)));
        times = static_cast<std::size_t>(count);
        item = item.substr(0, x);
    }
    if (item == "_") {
        out.insert(out.end(), x == std::string_view::npos ? 1 : times, std::nullopt);
        return {};
    }
    const std::size_t second = std::min(item.find_first_of("+-", 1), item.size());
    const auto duration = [](std::string_view text) { return time_of(text.starts_with('+') ? text.substr(1) : text); };
    NOROSHI_TRY(Milliseconds start, duration(item.substr(0, second)));
    Milliseconds step{0};
    if (second < item.size()) {
        NOROSHI_TRY(step, duration(item.substr(second)));
    }
    for (std::size_t i = 0; i <= times; ++i, start += step) {
        out.emplace_back(start);
    }
    return {};
}

/// False: `line` is no line of start times.
Result<bool> take_starts(std::string_view line, Load& load) {
    std::string_view metric = next_word(line);
    if (!metric.ends_with("@st")) {
        return false;
    }
    metric.remove_suffix(3);
    NOROSHI_TRY(model::Labels labels, promql::parse_metric(metric, true));
    auto& starts = load.starts[std::move(labels)];
    while (!line.empty()) {
        NOROSHI_TRY_VOID(add_starts(next_word(line), starts));
    }
    return true;
}

Result<void> add_line(std::string_view line, Command& command, bool lenient) {
    if (auto* load = std::get_if<Load>(&command.what)) {
        NOROSHI_TRY(const bool taken, take_starts(line, *load));
        if (taken) {
            return {};
        }
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
