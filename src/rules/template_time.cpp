// src/rules/template_time.cpp - times and durations in templates: their texts, layouts and methods.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "template_functions.hpp"

namespace noroshi::rules {
namespace {

using Arguments = TemplateArguments;
using Answer = Result<TemplateValue>;
using Type = TemplateWhole::Type;
using std::chrono::floor;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::array<std::string_view, 12> months{"January", "February", "March",     "April",   "May",      "June",
                                                  "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> weekdays{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/// A time in its parts, UTC.
struct Parts {
    std::int64_t year;
    std::int64_t month;
    std::int64_t day;
    std::int64_t hour;
    std::int64_t minute;
    std::int64_t second;
    std::int64_t nanosecond;
    std::int64_t weekday;  ///< 0 is Sunday
    std::int64_t year_day;
};

Parts parts_of(std::int64_t nanoseconds) {
    const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(nanoseconds)};
    const auto days = floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss clock{time - days};
    const std::chrono::sys_days new_year{date.year() / 1 / 1};
    return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
            clock.minutes().count(), clock.seconds().count(), clock.subseconds().count(),
            std::chrono::weekday(days).c_encoding(), (days - new_year).count() + 1};
}

/// ".123" of nine digits cut to `digits`; without the zeros at its end, or nothing, when `trims`.
std::string fraction(std::int64_t nanosecond, std::size_t digits, bool trims, char mark) {
    std::string text = fmt::format("{:09}", nanosecond).substr(0, digits);
    if (trims) {
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text.empty() ? "" : mark + text;
}

using Write = std::string (*)(const Parts&);
struct Element {
    std::string_view text;  ///< as the reference time shows it
    Write write;
};

std::string two(std::int64_t number) { return fmt::format("{:02}", number); }

/// Longer before shorter of the same begin.
constexpr std::array elements{
    Element{"January", [](const Parts& p) { return std::string(month_name(p.month)); }},
    Element{"Jan", [](const Parts& p) { return std::string(month_name(p.month).substr(0, 3)); }},
    Element{"Monday", [](const Parts& p) { return std::string(weekday_name(p.weekday)); }},
    Element{"Mon", [](const Parts& p) { return std::string(weekday_name(p.weekday).substr(0, 3)); }},
    Element{"MST", [](const Parts&) { return std::string("UTC"); }},
    Element{"2006", [](const Parts& p) { return fmt::format("{:04}", p.year); }},
    Element{"__2", [](const Parts& p) { return fmt::format("{:3}", p.year_day); }},
    Element{"002", [](const Parts& p) { return fmt::format("{:03}", p.year_day); }},
    Element{"01", [](const Parts& p) { return two(p.month); }},
    Element{"02", [](const Parts& p) { return two(p.day); }},
    Element{"03", [](const Parts& p) { return two((p.hour + 11) % 12 + 1); }},
    Element{"04", [](const Parts& p) { return two(p.minute); }},
    Element{"05", [](const Parts& p) { return two(p.second); }},
    Element{"06", [](const Parts& p) { return two(p.year % 100); }},
    Element{"15", [](const Parts& p) { return two(p.hour); }},
    Element{"_2", [](const Parts& p) { return fmt::format("{:2}", p.day); }},
    Element{"PM", [](const Parts& p) { return std::string(p.hour >= 12 ? "PM" : "AM"); }},
    Element{"pm", [](const Parts& p) { return std::string(p.hour >= 12 ? "pm" : "am"); }},
    Element{"-07:00:00", [](const Parts&) { return std::string("+00:00:00"); }},
    Element{"-070000", [](const Parts&) { return std::string("+000000"); }},
    Element{"-07:00", [](const Parts&) { return std::string("+00:00"); }},
    Element{"-0700", [](const Parts&) { return std::string("+0000"); }},
    Element{"-07", [](const Parts&) { return std::string("+00"); }},
    Element{"Z07:00:00", [](const Parts&) { return std::string("Z"); }},
    Element{"Z070000", [](const Parts&) { return std::string("Z"); }},
    Element{"Z07:00", [](const Parts&) { return std::string("Z"); }},
    Element{"Z0700", [](const Parts&) { return std::string("Z"); }},
    Element{"Z07", [](const Parts&) { return std::string("Z"); }},
    Element{"1", [](const Parts& p) { return std::to_string(p.month); }},
    Element{"2", [](const Parts& p) { return std::to_string(p.day); }},
    Element{"3", [](const Parts& p) { return std::to_string((p.hour + 11) % 12 + 1); }},
    Element{"4", [](const Parts& p) { return std::to_string(p.minute); }},
    Element{"5", [](const Parts& p) { return std::to_string(p.second); }},
};

/// The element that begins here. "Jan" and "Mon" inside longer words of small letters are none, nor is "_2" before "006".
const Element* element_at(std::string_view layout) {
    if (layout.starts_with("_2006")) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(elements, [&](const Element& element) { return layout.starts_with(element.text); });
    if (found == elements.end()) {
        return nullptr;
    }
    const bool name = found->text == "Jan" || found->text == "Mon";
    const char behind = layout.size() > 3 ? layout[3] : '\0';
    return name && behind >= 'a' && behind <= 'z' ? nullptr : &*found;
}

/// Of ".000" or ",999": how many digits; 0 when it is no fraction of a second.
std::size_t fraction_digits(std::string_view layout) {
    if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',') || (layout[1] != '0' && layout[1] != '9')) {
        return 0;
    }
    const std::size_t end = std::min(layout.find_first_not_of(layout[1], 1), layout.size());
    const bool digit_behind = end < layout.size() && layout[end] >= '0' && layout[end] <= '9';
    return digit_behind ? 0 : end - 1;
}

/// A number with the zeros at its end, and a point without digits, taken away: "1.5".
std::string trimmed(std::uint64_t whole, std::uint64_t part, std::size_t digits) {
    std::string text = fmt::format("{}.{:0{}}", whole, part, digits);
    text.erase(text.find_last_not_of('0') + 1);
    return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

std::int64_t nanoseconds_of(const TemplateValue& value) {
    const auto* time = value.get<TemplateTime>();
    return time != nullptr ? time->nanoseconds : value.get<TemplateDuration>()->nanoseconds;
}

tl::unexpected<Error> out_of_range() { return fail(Errc::invalid_argument, "time is more than 292 years from 1970"); }

/// `__int128` because seconds since the year 1 do not fit.
using Wide = __int128;
Answer narrow_time(Wide nanoseconds) {
    const auto out = static_cast<std::int64_t>(nanoseconds);
    return out == nanoseconds ? Answer(TemplateValue{TemplateTime{out}}) : out_of_range();
}
TemplateValue clamped_duration(Wide nanoseconds) {
    constexpr Wide most = std::numeric_limits<std::int64_t>::max();
    return {TemplateDuration{static_cast<std::int64_t>(std::clamp(nanoseconds, -most - 1, most))}};
}
/// To the multiple of `step` nearest to zero or, `rounds`, nearest; a half goes away from zero.
Wide stepped(Wide value, Wide step, bool rounds) {
    if (step <= 0) {
        return value;
    }
    const Wide rest = value % step;
    const Wide down = value - rest;
    const Wide away = rest < 0 ? -rest : rest;
    return rounds && away + away >= step ? down + (rest < 0 ? -step : step) : down;
}

template <std::int64_t Parts::*Field, Type Kind = Type::int_>
Answer part(Arguments& a, const TemplateData&) {
    return whole_value(parts_of(nanoseconds_of(a[0])).*Field, Kind);
}
template <std::int64_t Unit>
Answer unix_time(Arguments& a, const TemplateData&) {
    const std::int64_t nanoseconds = nanoseconds_of(a[0]);
    return whole_value(nanoseconds / Unit - (nanoseconds % Unit < 0 ? 1 : 0), Type::int64);
}
template <std::int64_t Unit>
Answer in_units(Arguments& a, const TemplateData&) {
    return whole_value(nanoseconds_of(a[0]) / Unit, Type::int64);
}
template <std::int64_t Unit>
Answer in_real_units(Arguments& a, const TemplateData&) {
    const std::int64_t nanoseconds = nanoseconds_of(a[0]);
    return TemplateValue{static_cast<double>(nanoseconds / Unit) + static_cast<double>(nanoseconds % Unit) / static_cast<double>(Unit)};
}

Answer format(Arguments& a, const TemplateData&) { return text_value(format_time(nanoseconds_of(a[0]), a[1].get<TemplateText>()->text)); }
Answer time_string(Arguments& a, const TemplateData&) { return text_value(time_text(nanoseconds_of(a[0]))); }
Answer duration_string(Arguments& a, const TemplateData&) { return text_value(duration_text(nanoseconds_of(a[0]))); }
Answer name_of(Arguments& a, const TemplateData&) { return text_value(to_text(a[0])); }
Answer same_time(Arguments& a, const TemplateData&) { return TemplateValue{TemplateTime{nanoseconds_of(a[0])}}; }
Answer never(Arguments&, const TemplateData&) { return TemplateValue{false}; }

Answer add(Arguments& a, const TemplateData&) { return narrow_time(Wide(nanoseconds_of(a[0])) + nanoseconds_of(a[1])); }
Answer sub(Arguments& a, const TemplateData&) { return clamped_duration(Wide(nanoseconds_of(a[0])) - nanoseconds_of(a[1])); }
Answer before(Arguments& a, const TemplateData&) { return TemplateValue{nanoseconds_of(a[0]) < nanoseconds_of(a[1])}; }
Answer after(Arguments& a, const TemplateData&) { return TemplateValue{nanoseconds_of(a[0]) > nanoseconds_of(a[1])}; }
Answer equals(Arguments& a, const TemplateData&) { return TemplateValue{nanoseconds_of(a[0]) == nanoseconds_of(a[1])}; }
Answer compare(Arguments& a, const TemplateData&) {
    const std::int64_t left = nanoseconds_of(a[0]);
    const std::int64_t right = nanoseconds_of(a[1]);
    return whole_value(left < right ? -1 : left > right ? 1 : 0);
}

/// Years, months and days, each as many as are given; what is over goes on into the next month.
Answer add_date(Arguments& a, const TemplateData&) {
    for (std::size_t i = 1; i <= 3; ++i) {
        if (std::abs(integer_of(a[i])) > 1'000'000) {
            return out_of_range();
        }
    }
    const std::int64_t nanoseconds = nanoseconds_of(a[0]);
    const Parts parts = parts_of(nanoseconds);
    const std::int64_t month = parts.year * 12 + parts.month - 1 + integer_of(a[1]) * 12 + integer_of(a[2]);
    const std::int64_t year = month >= 0 ? month / 12 : -((11 - month) / 12);
    if (std::abs(year) > 30'000) {
        return out_of_range();
    }
    const std::chrono::year_month_day first{std::chrono::year(static_cast<int>(year)),
                                            std::chrono::month(static_cast<unsigned>(month - year * 12 + 1)), std::chrono::day(1)};
    const Wide days = Wide(std::chrono::sys_days(first).time_since_epoch().count()) + parts.day - 1 + integer_of(a[3]);
    const Wide day = Wide(86'400) * second;
    const Wide of_day = ((parts.hour * 60 + parts.minute) * 60 + parts.second) * Wide(second) + parts.nanosecond;
    return narrow_time(days * day + of_day);
}

template <bool Rounds>
Answer time_step(Arguments& a, const TemplateData&) {
    constexpr Wide from_year_one = Wide(62'135'596'800) * second;
    return narrow_time(stepped(nanoseconds_of(a[0]) + from_year_one, nanoseconds_of(a[1]), Rounds) - from_year_one);
}
template <bool Rounds>
Answer duration_step(Arguments& a, const TemplateData&) {
    return clamped_duration(stepped(nanoseconds_of(a[0]), nanoseconds_of(a[1]), Rounds));
}
Answer absolute(Arguments& a, const TemplateData&) {
    const Wide nanoseconds = nanoseconds_of(a[0]);
    return clamped_duration(nanoseconds < 0 ? -nanoseconds : nanoseconds);
}

const std::vector<TemplateFunction>& time_methods() {
    using enum TemplateType;
    static const std::vector<TemplateFunction> table{{"Format", {text}, {}, 10, format},
                                                     {"String", {}, {}, 0, time_string},
                                                     {"Unix", {}, {}, 0, unix_time<second>},
                                                     {"UnixMilli", {}, {}, 0, unix_time<1'000'000>},
                                                     {"UnixMicro", {}, {}, 0, unix_time<1'000>},
                                                     {"UnixNano", {}, {}, 0, unix_time<1>},
                                                     {"Year", {}, {}, 0, part<&Parts::year>},
                                                     {"Month", {}, {}, 0, part<&Parts::month, Type::month>},
                                                     {"Day", {}, {}, 0, part<&Parts::day>},
                                                     {"Hour", {}, {}, 0, part<&Parts::hour>},
                                                     {"Minute", {}, {}, 0, part<&Parts::minute>},
                                                     {"Second", {}, {}, 0, part<&Parts::second>},
                                                     {"Nanosecond", {}, {}, 0, part<&Parts::nanosecond>},
                                                     {"Weekday", {}, {}, 0, part<&Parts::weekday, Type::weekday>},
                                                     {"YearDay", {}, {}, 0, part<&Parts::year_day>},
                                                     {"UTC", {}, {}, 0, same_time},
                                                     {"IsZero", {}, {}, 0, never},
                                                     {"IsDST", {}, {}, 0, never},
                                                     {"Add", {duration}, {}, 0, add},
                                                     {"AddDate", {integer, integer, integer}, {}, 0, add_date},
                                                     {"Sub", {time}, {}, 0, sub},
                                                     {"Before", {time}, {}, 0, before},
                                                     {"After", {time}, {}, 0, after},
                                                     {"Equal", {time}, {}, 0, equals},
                                                     {"Compare", {time}, {}, 0, compare},
                                                     {"Round", {duration}, {}, 0, time_step<true>},
                                                     {"Truncate", {duration}, {}, 0, time_step<false>}};
    return table;
}

const std::vector<TemplateFunction>& duration_methods() {
    using enum TemplateType;
    static const std::vector<TemplateFunction> table{{"String", {}, {}, 0, duration_string},
                                                     {"Hours", {}, {}, 0, in_real_units<3'600 * second>},
                                                     {"Minutes", {}, {}, 0, in_real_units<60 * second>},
                                                     {"Seconds", {}, {}, 0, in_real_units<second>},
                                                     {"Milliseconds", {}, {}, 0, in_units<1'000'000>},
                                                     {"Microseconds", {}, {}, 0, in_units<1'000>},
                                                     {"Nanoseconds", {}, {}, 0, in_units<1>},
                                                     {"Abs", {}, {}, 0, absolute},
                                                     {"Round", {duration}, {}, 0, duration_step<true>},
                                                     {"Truncate", {duration}, {}, 0, duration_step<false>}};
    return table;
}

const std::vector<TemplateFunction>& name_methods() {
    static const std::vector<TemplateFunction> table{{"String", {}, {}, 0, name_of}};
    return table;
}

}  // namespace

std::string_view month_name(std::int64_t month) {
    return month >= 1 && month <= 12 ? months[static_cast<std::size_t>(month) - 1] : "%!Month";
}
std::string_view weekday_name(std::int64_t weekday) {
    return weekday >= 0 && weekday < 7 ? weekdays[static_cast<std::size_t>(weekday)] : "%!Weekday";
}

std::string time_text(std::int64_t nanoseconds) { return format_time(nanoseconds, "2006-01-02 15:04:05.999999999 -0700 MST"); }

std::string format_time(std::int64_t nanoseconds, std::string_view layout) {
    const Parts parts = parts_of(nanoseconds);
    std::string out;
    while (!layout.empty()) {
        if (const std::size_t digits = fraction_digits(layout); digits > 0) {
            out += fraction(parts.nanosecond, digits, layout[1] == '9', layout[0]);
            layout.remove_prefix(digits + 1);
        } else if (const Element* element = element_at(layout); element != nullptr) {
            out += element->write(parts);
            layout.remove_prefix(element->text.size());
        } else {
            out += layout.front();
            layout.remove_prefix(1);
        }
    }
    return out;
}

std::string duration_text(std::int64_t nanoseconds) {
    const std::string sign = nanoseconds < 0 ? "-" : "";
    const std::uint64_t amount = nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
    if (amount == 0) {
        return "0s";
    }
    constexpr std::uint64_t in_second = second;
    if (amount < in_second) {
        const auto [unit, size, digits] = amount < 1'000       ? std::tuple("ns", 1UL, 0UL)
                                          : amount < 1'000'000 ? std::tuple("µs", 1'000UL, 3UL)
                                                               : std::tuple("ms", 1'000'000UL, 6UL);
        return sign + (digits == 0 ? std::to_string(amount) : trimmed(amount / size, amount % size, digits)) + unit;
    }
    const std::uint64_t seconds = amount / in_second;
    const std::string last = trimmed(seconds % 60, amount % in_second, 9) + "s";
    if (seconds < 60) {
        return sign + last;
    }
    return seconds < 3'600 ? fmt::format("{}{}m{}", sign, seconds / 60, last)
                           : fmt::format("{}{}h{}m{}", sign, seconds / 3'600, seconds / 60 % 60, last);
}

const TemplateFunction* find_template_method(const TemplateValue& receiver, std::string_view name) {
    const auto* whole = receiver.get<TemplateWhole>();
    const bool named = (whole != nullptr && (whole->type == Type::month || whole->type == Type::weekday)) || receiver.shared<model::Histogram>();
    const std::vector<TemplateFunction>* table = receiver.get<TemplateTime>() != nullptr       ? &time_methods()
                                                 : receiver.get<TemplateDuration>() != nullptr ? &duration_methods()
                                                 : named                                       ? &name_methods()
                                                                                               : nullptr;
    if (table == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find(*table, name, &TemplateFunction::name);
    return found == table->end() ? nullptr : &*found;
}

}  // namespace noroshi::rules
