// test/conformance/promql/script.hpp - a file of Prometheus's PromQL test language as values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/labels.hpp"
#include "promql/series_text.hpp"

namespace noroshi::conformance {

using promql::HistogramSlot;
using promql::Point;
using promql::Slot;

/// A line of series, or what takes its place.
struct Series : promql::SeriesText {
    bool scalar{false};      ///< a number alone
    bool unreadable{false};  ///< a form that this runner does not read; only in a lenient script
};

struct Load {
    Milliseconds step{0};
    bool with_nhcb{false};  ///< classic histograms become native ones too, under the name without `_bucket`
    std::vector<Series> series;
    /// Lines `name{..}@st ..`: by step how far the start time lies from the sample's own time.
    std::map<model::Labels, std::vector<std::optional<Milliseconds>>> starts{};
};

struct Clear {};

struct Eval {
    std::string expression;
    TimestampMs from{};
    TimestampMs to{};
    Milliseconds step{0};  ///< 0: instant
    bool ordered{false};
    bool fails{false};
    /// `expect warn`, `expect info`: each with the message or pattern it may name.
    struct Note {
        std::string message;
        std::string regex;
    };
    std::vector<Note> warnings;
    std::vector<Note> infos;
    bool no_warnings{false};
    bool no_infos{false};
    std::string fail_message;
    std::string fail_regex;
    std::optional<std::string> text;  ///< `expect string`
    std::vector<Series> expected;
    struct Grid {
        TimestampMs from{};
        Milliseconds step{0};
    };
    std::optional<Grid> matrix;  ///< `expect range vector`
};

/// A command that this runner does not know; everything that follows up to `clear` cannot be judged.
struct Unknown {
    std::string text;
};

struct Command {
    std::size_t line{0};
    std::variant<Load, Clear, Eval, Unknown> what;
};

/// `lenient`: a series that cannot be read is marked instead of refused. Errors: parse, with the line.
[[nodiscard]] Result<std::vector<Command>> parse_script(const std::string& file, std::string_view text, bool lenient);

}  // namespace noroshi::conformance
