// src/notify/render.cpp - one group's message for a phone.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/numbers.hpp"
#include "notify/notify.hpp"
#include "text.hpp"

namespace noroshi::notify {
namespace {

constexpr std::size_t most_title_bytes = 200;
constexpr std::size_t most_body_bytes = 6 * 1024;
constexpr std::size_t most_alerts = 10;

std::string label(const model::Labels& labels, std::string_view name) { return cleaned(labels.get(name), false); }

/// Four digits are enough for a person.
std::string short_number(double value) {
    const std::string exact = format_float(value);
    return exact.size() <= 9 ? exact : fmt::format("{:.5g}", value);
}

std::string since(TimestampMs from, TimestampMs now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(from);
    const Milliseconds lasted = std::chrono::floor<std::chrono::seconds>(now - from);
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC ({})", fmt::gmtime(seconds.time_since_epoch().count()),
                       format_duration(std::max(lasted, Milliseconds(0))));
}

/// Labels that tell alerts of one name apart: all but the name, the severity and the job.
std::string what_of(const model::Labels& labels) {
    std::string out;
    for (const model::Label& l : labels) {
        if (l.name == model::alert_name_label || l.name == "severity" || l.name == "job") {
            continue;
        }
        out += (out.empty() ? "" : ", ") + cleaned(l.name, false) + "=" + shortened(cleaned(l.value, false), 100);
    }
    return out;
}

std::string paragraph(const model::Alert& alert, TimestampMs now) {
    const bool resolved = alert.resolved_at.has_value();
    const std::string summary = label(alert.annotations, "summary");
    std::string out = (resolved ? "[ok] " : "[!] ") + (summary.empty() ? label(alert.labels, "alertname") : summary);
    if (const std::string what = what_of(alert.labels); !what.empty()) {
        out += "\n" + what;
    }
    const TimestampMs from = alert.fired_at.value_or(alert.active_at);
    if (resolved) {
        const Milliseconds lasted = std::chrono::floor<std::chrono::seconds>(*alert.resolved_at - from);
        out += "\nlasted " + format_duration(std::max(lasted, Milliseconds(0)));
    } else {
        out += fmt::format("\nvalue {}, since {}", short_number(alert.value), since(from, now));
    }
    if (const std::string more = cleaned(alert.annotations.get("description"), true); !resolved && !more.empty()) {
        out += "\n" + shortened(more, 800);
    }
    if (const std::string runbook = label(alert.annotations, "runbook_url"); !resolved && !runbook.empty()) {
        out += "\nrunbook: " + shortened(runbook, 300);
    }
    return out;
}

model::Labels common_labels(const std::vector<const model::Alert*>& alerts) {
    std::vector<model::Label> out;
    for (const model::Label& l : alerts.front()->labels) {
        if (std::ranges::all_of(alerts, [&l](const model::Alert* a) { return a->labels.get(l.name) == l.value; })) {
            out.push_back(l);
        }
    }
    return model::Labels(std::move(out));
}

std::string title_of(const std::vector<const model::Alert*>& alerts, const model::Labels& common, bool firing) {
    const std::string word = firing ? "FIRING" : "RESOLVED";
    const std::string name = label(common, model::alert_name_label);
    std::string title = word + " ";
    if (alerts.size() > 1) {
        title += name.empty() ? fmt::format("{} alerts", alerts.size()) : fmt::format("{} x {}", alerts.size(), name);
    } else {
        title += name;
    }
    if (const std::string instance = label(common, "instance"); !instance.empty()) {
        title += " on " + instance;
    }
    return shortened(std::move(title), most_title_bytes);
}

}  // namespace

Rendered render(const store::GroupRow& group, TimestampMs now) {
    std::vector<const model::Alert*> firing;
    std::vector<const model::Alert*> resolved;
    for (const store::GroupAlert& entry : group.alerts) {
        if (!entry.alert.resolved_at) {
            firing.push_back(&entry.alert);
        } else if (entry.told_firing && !entry.told_resolved) {
            resolved.push_back(&entry.alert);
        }
    }
    const auto by_labels = [](const model::Alert* a, const model::Alert* b) { return a->labels < b->labels; };
    std::ranges::sort(firing, by_labels);
    std::ranges::sort(resolved, by_labels);

    Rendered out;
    out.status = firing.empty() ? model::MessageStatus::resolved : model::MessageStatus::firing;
    std::vector<const model::Alert*> shown = firing;
    shown.insert(shown.end(), resolved.begin(), resolved.end());
    if (shown.empty()) {
        out.title = "RESOLVED";
        return out;
    }
    out.labels = common_labels(firing.empty() ? resolved : firing);
    out.title = title_of(firing.empty() ? resolved : firing, out.labels, !firing.empty());
    for (std::size_t i = 0; i < shown.size() && i < most_alerts; ++i) {
        out.body += (i == 0 ? "" : "\n\n") + paragraph(*shown[i], now);
    }
    if (shown.size() > most_alerts) {
        out.body += fmt::format("\n\nand {} more", shown.size() - most_alerts);
    }
    out.body = shortened(std::move(out.body), most_body_bytes);
    return out;
}

}  // namespace noroshi::notify
