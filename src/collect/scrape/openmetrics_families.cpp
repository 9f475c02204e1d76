// src/collect/scrape/openmetrics_families.cpp - implements OpenMetricsFamilies.
#include "scrape/openmetrics_families.hpp"

#include <algorithm>
#include <array>

namespace noroshi::collect {

namespace {

using Suffixes = std::span<const std::string_view>;

struct TypeRow {
    std::string_view word;
    FamilyType type;
    Suffixes suffixes;
};

constexpr std::array<std::string_view, 1> bare{""};
constexpr std::array<std::string_view, 2> of_counter{"_total", "_created"};
constexpr std::array<std::string_view, 4> of_histogram{"_bucket", "_sum", "_count", "_created"};
constexpr std::array<std::string_view, 3> of_gaugehistogram{"_bucket", "_gsum", "_gcount"};
constexpr std::array<std::string_view, 1> of_info{"_info"};
constexpr std::array<std::string_view, 4> of_summary{"", "_sum", "_count", "_created"};

/// The types of OpenMetrics 1.0 with the suffixes of their samples (specification, section "Metric Types").
constexpr std::array<TypeRow, 8> types{{{"unknown", FamilyType::unknown, bare},
                                        {"counter", FamilyType::counter, of_counter},
                                        {"gauge", FamilyType::gauge, bare},
                                        {"histogram", FamilyType::histogram, of_histogram},
                                        {"gaugehistogram", FamilyType::gaugehistogram, of_gaugehistogram},
                                        {"stateset", FamilyType::stateset, bare},
                                        {"info", FamilyType::info, of_info},
                                        {"summary", FamilyType::summary, of_summary}}};

const TypeRow& row_of(FamilyType type) { return *std::ranges::find(types, type, &TypeRow::type); }

bool is_sample_of(const Family& family, std::string_view name) {
    if (family.name.empty() || !name.starts_with(family.name)) {
        return false;
    }
    return std::ranges::count(row_of(family.type).suffixes, name.substr(family.name.size())) != 0;
}

}  // namespace

tl::unexpected<Error> OpenMetricsFamilies::second_time(const std::string& name, const LineReader& reader) {
    return reader.fault("family " + shown(name) + " comes a second time: families must be contiguous", 1);
}

Result<void> OpenMetricsFamilies::open(const std::string& name, const LineReader& reader) {
    NOROSHI_TRY_VOID(finish());
    const auto [seen, is_new] = families_.try_emplace(name);
    if (!is_new && std::exchange(seen->second.twice, true)) {
        return second_time(name, reader);
    }
    again_ = !is_new;
    again_line_ = reader.line_number();
    ++ordinal_;
    current_ = {name, FamilyType::unknown};
    given_ = {};
    has_unit_ = false;
    has_samples_ = false;
    last_sample_.clear();
    return {};
}

Result<void> OpenMetricsFamilies::metadata(const std::string& name, bool Given::* what, std::string_view keyword,
                                           const LineReader& reader) {
    if (current_.name != name) {
        NOROSHI_TRY_VOID(open(name, reader));
    } else if (has_samples_ && what != &Given::unit && !families_[name].twice) {
        NOROSHI_TRY_VOID(open(name, reader));
    } else if (has_samples_) {
        return reader.fault(fmt::format("{} of {} after its samples", keyword, shown(name)), 1);
    }
    if (given_.*what) {
        return reader.fault(fmt::format("second {} of {}", keyword, shown(name)), 1);
    }
    given_.*what = true;
    return {};
}

Result<void> OpenMetricsFamilies::finish() const {
    return again_ ? second_time(current_.name, LineReader({}, again_line_, Blanks::single)) : Result<void>{};
}

Result<void> OpenMetricsFamilies::help(const std::string& name, const LineReader& reader) {
    return metadata(name, &Given::help, "HELP", reader);
}

Result<void> OpenMetricsFamilies::type(const std::string& name, std::string_view type, const LineReader& reader) {
    NOROSHI_TRY_VOID(metadata(name, &Given::type, "TYPE", reader));
    const auto row = std::ranges::find(types, type, &TypeRow::word);
    if (row == types.end()) {
        return reader.fault("expected a metric type, got " + shown(type));
    }
    Seen& seen = families_[name];
    if (std::exchange(again_, false)) {
        if ((seen.type == FamilyType::counter) == (row->type == FamilyType::counter)) {
            return second_time(name, reader);
        }
    } else {
        seen.type = row->type;
    }
    current_.type = row->type;
    NOROSHI_TRY_VOID(check_unitless(reader));
    for (const std::string_view suffix : row->suffixes) {
        const auto [owner, is_new] = sample_of_.emplace(name + std::string(suffix), ordinal_);
        if (!is_new && owner->second != ordinal_) {
            return reader.fault("samples of " + shown(owner->first) + " would come in two families", 1);
        }
    }
    return {};
}

Result<void> OpenMetricsFamilies::unit(const std::string& name, std::string_view unit, const LineReader& reader) {
    NOROSHI_TRY_VOID(metadata(name, &Given::unit, "UNIT", reader));
    if (!unit.empty() && !name.ends_with("_" + std::string(unit))) {
        return reader.fault(fmt::format("unit {} is not the end of the name {}", shown(unit), shown(name)));
    }
    has_unit_ = !unit.empty();
    return check_unitless(reader);
}

Result<void> OpenMetricsFamilies::check_unitless(const LineReader& reader) const {
    const bool unitless = current_.type == FamilyType::info || current_.type == FamilyType::stateset;
    return unitless && has_unit_ ? reader.fault(fmt::format("{} is of type {}: it has no unit", shown(current_.name),
                                                            row_of(current_.type).word),
                                                1)
                                 : Result<void>{};
}

Result<void> OpenMetricsFamilies::sample(const std::string& name, const LineReader& reader) {
    if (has_samples_ && name == last_sample_) {
        return {};
    }
    if (!is_sample_of(current_, name)) {
        if (name == current_.name) {
            return reader.fault(fmt::format("{} is of type {}: its samples have another suffix", shown(name),
                                            row_of(current_.type).word),
                                1);
        }
        NOROSHI_TRY_VOID(open(name, reader));
    }
    if (again_) {
        return second_time(name, reader);
    }
    const auto [owner, is_new] = sample_of_.emplace(name, ordinal_);
    if (!is_new && owner->second != ordinal_) {
        return reader.fault("samples of " + shown(name) + " come in two families", 1);
    }
    has_samples_ = true;
    last_sample_ = name;
    return {};
}

}  // namespace noroshi::collect
