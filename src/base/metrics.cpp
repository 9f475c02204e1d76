// src/base/metrics.cpp - registration and the text exposition of noroshi's own metrics.
#include "base/metrics.hpp"

#include <algorithm>

#include "base/numbers.hpp"

namespace noroshi {
namespace {

constexpr std::size_t most_label_sets = 1'000;

std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || (quotes && c == '"')) {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

std::string label_text(const Metrics::LabelList& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        out += (out.empty() ? "{" : ",") + name + "=\"" + escaped(value, true) + "\"";
    }
    return out.empty() ? out : out + "}";
}

/// The handle for `labels`, made when new; over the limit all share one.
template <class T>
T& find_or_make(std::map<Metrics::LabelList, T*>& known, std::deque<T>& all, Metrics::LabelList labels) {
    std::ranges::sort(labels);
    if (!known.contains(labels) && known.size() >= most_label_sets) {
        labels = {{"overflow", "true"}};
    }
    T*& handle = known[std::move(labels)];
    if (handle == nullptr) {
        handle = &all.emplace_back();
    }
    return *handle;
}

}  // namespace

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, bool is_counter) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        found = families_.emplace(std::string(name), Family{}).first;
        found->second.help = std::string(help);
        found->second.is_counter = is_counter;
    }
    return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, LabelList labels) {
    const std::lock_guard lock(mutex_);
    return find_or_make(family(name, help, true).counters, counters_, std::move(labels));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, LabelList labels) {
    const std::lock_guard lock(mutex_);
    return find_or_make(family(name, help, false).gauges, gauges_, std::move(labels));
}

void Metrics::gauge_function(std::string_view name, std::string_view help, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    family(name, help, false).read = std::move(read);
}

std::string Metrics::expose() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_) {
        out += "# HELP " + name + " " + escaped(family.help, false) + "\n";
        out += "# TYPE " + name + (family.is_counter ? " counter\n" : " gauge\n");
        for (const auto& [labels, counter] : family.counters) {
            out += name + label_text(labels) + " " + std::to_string(counter->value()) + "\n";
        }
        for (const auto& [labels, gauge] : family.gauges) {
            out += name + label_text(labels) + " " + format_float(gauge->value()) + "\n";
        }
        if (family.read) {
            out += name + " " + format_float(family.read()) + "\n";
        }
    }
    return out;
}

}  // namespace noroshi
