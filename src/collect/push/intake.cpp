// src/collect/push/intake.cpp - implements Intake.
#include "collect/push/intake.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace noroshi::collect {
namespace {

constexpr Milliseconds most_ahead = std::chrono::minutes(10);
constexpr std::size_t most_texts = 10;

}  // namespace

std::string too_many_labels() {
    return fmt::format("a series has at most {} labels of {} bytes together", most_labels, most_label_bytes);
}

std::optional<LabelFault> fault_of_labels(std::vector<model::Label>& labels) {
    std::ranges::sort(labels);
    std::size_t bytes = 0;
    bool valid = true;
    bool named = false;
    for (const model::Label& label : labels) {
        bytes += label.name.size() + label.value.size();
        named = named || (label.name == model::metric_name_label && !label.value.empty());
        valid = valid && !label.name.empty() && is_utf8(label.name) && is_utf8(label.value);
    }
    if (bytes > most_label_bytes || labels.size() > most_labels) {
        return LabelFault{"label_limit", too_many_labels()};
    }
    const bool twice = std::ranges::adjacent_find(labels, {}, &model::Label::name) != labels.end();
    if (!valid || !named || twice) {
        const char* what = !valid ? "invalid label" : !named ? "invalid metric name" : "duplicated label";
        return LabelFault{"labels", std::string(what) + " in a series"};
    }
    return std::nullopt;
}

Intake::Intake(const IntakeParts& parts) : parts_(parts), now_(parts.clock.now()) {}

std::optional<tsdb::SeriesId> Intake::open(const model::Labels& labels) {
    const Result<tsdb::SeriesId> id = parts_.head.open_series(labels);
    if (!id) {
        is_full_ = true;
        refuse("series_limit", id.error().message);
        return std::nullopt;
    }
    return *id;
}

void Intake::append(tsdb::SeriesId series, const model::Labels& labels, std::int64_t at_ms, double value) {
    if (!in_bounds(labels, at_ms)) {
        return;
    }
    const Result<void> stored = parts_.head.append(series, from_unix_ms(at_ms), value);
    stored ? void(++samples_) : refuse("conflict", stored.error().message + " for series " + labels.to_string());
}

void Intake::append(tsdb::SeriesId series, const model::Labels& labels, model::HistogramSample sample) {
    const Result<void> stored = parts_.head.append(series, sample.at, std::move(sample.value));
    stored ? void(++histograms_) : refuse("conflict", stored.error().message + " for series " + labels.to_string());
}

std::int64_t Intake::oldest_ms() const { return std::max<std::int64_t>(0, to_unix_ms(now_ - parts_.max_age)); }

bool Intake::in_bounds(const model::Labels& labels, std::int64_t at_ms) {
    if (at_ms > to_unix_ms(now_ + most_ahead) || at_ms < oldest_ms()) {
        refuse("out_of_bounds", "out of bounds: the time is too far from now for series " + labels.to_string());
        return false;
    }
    return true;
}

void Intake::drop(const char* reason, std::size_t times) {
    parts_.metrics.counter(parts_.counter, parts_.help, {{"reason", reason}}).add(times);
}

void Intake::refuse(const char* reason, std::string_view text, std::size_t times) {
    drop(reason, times);
    refused_ += times;
    if (++faults_ <= most_texts) {
        text_ += text;
        text_ += '\n';
    }
}

std::string Intake::text() const {
    return faults_ > most_texts ? fmt::format("{}and {} more\n", text_, faults_ - most_texts) : text_;
}

}  // namespace noroshi::collect
