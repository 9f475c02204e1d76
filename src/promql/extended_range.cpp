// src/promql/extended_range.cpp - numbers of ranges with `anchored` or `smoothed`: values at the borders, not extrapolated.
#include "extended_range.hpp"

#include <algorithm>

#include "start_times.hpp"

namespace noroshi::promql {
namespace {

struct Point : Counted {
    double value;
};

Point point_of(const Window& window, std::size_t i) {
    return {counted(window.samples, window.starts, i), window.samples[i].value};
}

/// Where the counter of `point` began, at zero.
Point beginning(const Point& point) { return {{point.start, point.start}, 0}; }

double on_line(const Point& before, const Point& after, TimestampMs t, bool is_counter) {
    return interpolate({before.at, before.value}, {after.at, after.value}, t, is_counter);
}

/// Samples of a window by index.
struct Cut {
    std::size_t first;  ///< the newest at or before the start; the oldest when there is none
    std::size_t last;   ///< smoothed: the oldest at or after the end; else, and when there is none, the newest
};

std::optional<Cut> cut(const Window& window) {
    const auto within = window.samples.first(window.samples.size() - 1);
    const auto after_start = std::ranges::upper_bound(within, window.start, {}, &model::Sample::at) - within.begin();
    Cut out{static_cast<std::size_t>(std::max<std::ptrdiff_t>(after_start - 1, 0)), within.size()};
    if (window.extension == Extension::smoothed) {
        const auto at_end = std::ranges::lower_bound(within, window.end, {}, &model::Sample::at);
        out.last = static_cast<std::size_t>(at_end - within.begin());
    }
    return window.samples[out.last].at <= window.start ? std::nullopt : std::optional(out);
}

class Borders {
  public:
    Borders(const Window& window, const Cut& cut, bool is_counter)
        : window_(window), cut_(cut), is_counter_(is_counter), smoothed_(window.extension == Extension::smoothed) {}

    [[nodiscard]] Point left() const {
        const Point first = point_of(window_, cut_.first);
        if (first.at == window_.start) {
            return first;
        }
        return first.at > window_.start ? ahead_of(first, window_.start)
                                        : between(first, point_of(window_, cut_.first + 1), window_.start);
    }

    [[nodiscard]] Point right() const {
        const Point last = point_of(window_, cut_.last);
        if (last.at <= window_.end) {
            return at_border(window_.end, last.start, last.value);
        }
        return cut_.last == 0 ? ahead_of(last, window_.end)
                              : between(point_of(window_, cut_.last - 1), last, window_.end);
    }

    /// The samples strictly between the borders.
    [[nodiscard]] std::vector<Point> inner() const {
        std::vector<Point> out;
        for (std::size_t i = cut_.first; i <= cut_.last; ++i) {
            const Point point = point_of(window_, i);
            if (point.at > window_.start && point.at < window_.end) {
                out.push_back(point);
            }
        }
        return out;
    }

  private:
    /// A start behind the border is none that counts there.
    static Point at_border(TimestampMs t, TimestampMs start, double value) {
        return {{t, start > t ? TimestampMs{} : start}, value};
    }

    /// At `t`, before which there is no sample: a counter whose start is known was at zero there.
    [[nodiscard]] Point ahead_of(const Point& first, TimestampMs t) const {
        if (!is_counter_ || !restarted_after(window_.lookback_start, first)) {
            return at_border(t, first.start, first.value);
        }
        const bool grows = smoothed_ && !restarted_after(t, first);
        return at_border(t, first.start, grows ? on_line(beginning(first), first, t, true) : 0);
    }

    [[nodiscard]] Point between(Point before, Point after, TimestampMs t) const {
        if (is_counter_ && restarted_after(t, after)) {
            after = beginning(after);
        } else if (is_counter_ && restarted(before, after)) {
            before = beginning(after);
        }
        return at_border(t, before.start, smoothed_ ? on_line(before, after, t, is_counter_) : before.value);
    }

    const Window& window_;
    Cut cut_;
    bool is_counter_;
    bool smoothed_;
};

}  // namespace

double interpolate(const model::Sample& before, const model::Sample& after, TimestampMs t, bool is_counter) {
    const double from = is_counter && after.value < before.value ? 0 : before.value;
    const auto part = static_cast<double>((t - before.at).count());
    return from + (after.value - from) * part / static_cast<double>((after.at - before.at).count());
}

std::optional<double> extended_change(const Window& window, bool is_counter) {
    const std::optional<Cut> found = cut(window);
    if (!found) {
        return std::nullopt;
    }
    const Point first = point_of(window, found->first);
    if (first.at > window.end) {
        const bool began_inside = is_counter && restarted_after(window.lookback_start, first) && !restarted_after(window.end, first);
        if (!began_inside) {
            return std::nullopt;
        }
    }
    const Borders borders(window, *found, is_counter);
    Point before = borders.left();
    const Point last = borders.right();
    double gained = last.value - before.value;
    if (!is_counter) {
        return gained;
    }
    const auto look = [&](const Point& now) {
        if (now.value < before.value || restarted(before, now)) {
            gained += before.value;
        }
        before = now;
    };
    std::ranges::for_each(borders.inner(), look);
    look(last);
    return gained;
}

std::vector<model::Sample> extended_samples(const Window& window) {
    const std::optional<Cut> found = window.samples.empty() ? std::nullopt : cut(window);
    if (!found) {
        return {};
    }
    const Borders borders(window, *found, false);
    std::vector<model::Sample> out{{window.start, borders.left().value}};
    for (const Point& point : borders.inner()) {
        out.push_back({point.at, point.value});
    }
    out.push_back({window.end, borders.right().value});
    return out;
}

std::optional<Window> from_anchor(const Window& window) {
    if (window.extension != Extension::anchored) {
        return window;
    }
    const auto until_start = [&](const auto& samples, auto at) {
        return static_cast<std::size_t>(std::ranges::upper_bound(samples, window.start, {}, at) - samples.begin());
    };
    std::size_t numbers = until_start(window.samples, &model::Sample::at);
    std::size_t histograms = until_start(window.histograms, &model::HistogramSample::at);
    if (numbers == window.samples.size() && histograms == window.histograms.size()) {
        return std::nullopt;
    }
    if (numbers > 0 && (histograms == 0 || window.samples[numbers - 1].at >= window.histograms[histograms - 1].at)) {
        --numbers;
    } else if (histograms > 0) {
        --histograms;
    }
    Window out = window;
    out.samples = window.samples.subspan(numbers);
    out.starts = window.starts.subspan(std::min(numbers, window.starts.size()));
    out.histograms = window.histograms.subspan(histograms);
    out.histogram_starts = window.histogram_starts.subspan(std::min(histograms, window.histogram_starts.size()));
    return out;
}

}  // namespace noroshi::promql
