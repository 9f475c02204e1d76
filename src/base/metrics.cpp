// src/base/metrics.cpp - registration and the text exposition of noroshi's own metrics.
#include "base/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
template <class T, class... Args>
T& find_or_make(std::map<Metrics::LabelList, T*>& known, std::deque<T>& all, Metrics::LabelList labels, Args... args) {
    std::ranges::sort(labels);
    if (!known.contains(labels) && known.size() >= most_label_sets) {
        labels = {{"overflow", "true"}};
    }
    T*& handle = known[std::move(labels)];
    if (handle == nullptr) {
        handle = &all.emplace_back(std::move(args)...);
    }
    return *handle;
}

/// The lines of one label set; buckets count all values up to their bound.
void expose_histogram(const std::string& name, const Metrics::LabelList& labels, const Histogram& histogram,
                      std::string& out) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
        count += histogram.count(i);
        Metrics::LabelList bucket = labels;
        bucket.emplace_back("le", i < histogram.bounds().size() ? format_float(histogram.bounds()[i]) : "+Inf");
        out += name + "_bucket" + label_text(bucket) + " " + std::to_string(count) + "\n";
    }
    out += name + "_sum" + label_text(labels) + " " + format_float(histogram.sum()) + "\n";
    out += name + "_count" + label_text(labels) + " " + std::to_string(count) + "\n";
}

constexpr std::array<std::string_view, 3> kind_names{"counter", "gauge", "histogram"};

}  // namespace

void Histogram::observe(double value) {
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, Kind kind) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        found = families_.emplace(std::string(name), Family{}).first;
        found->second.help = std::string(help);
        found->second.kind = kind;
    }
    return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, LabelList labels) {
    const std::lock_guard lock(mutex_);
    return find_or_make(family(name, help, Kind::counter).counters, counters_, std::move(labels));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, LabelList labels) {
    const std::lock_guard lock(mutex_);
    return find_or_make(family(name, help, Kind::gauge).gauges, gauges_, std::move(labels));
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                              LabelList labels) {
    const std::lock_guard lock(mutex_);
    return find_or_make(family(name, help, Kind::histogram).histograms, histograms_, std::move(labels), std::move(bounds));
}

void Metrics::gauge_function(std::string_view name, std::string_view help, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    family(name, help, Kind::gauge).read = std::move(read);
}

std::string Metrics::expose() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_) {
        out += "# HELP " + name + " " + escaped(family.help, false) + "\n";
        out += fmt::format("# TYPE {} {}\n", name, kind_names[static_cast<std::size_t>(family.kind)]);
        for (const auto& [labels, counter] : family.counters) {
            out += name + label_text(labels) + " " + std::to_string(counter->value()) + "\n";
        }
        for (const auto& [labels, gauge] : family.gauges) {
            out += name + label_text(labels) + " " + format_float(gauge->value()) + "\n";
        }
        for (const auto& [labels, histogram] : family.histograms) {
            expose_histogram(name, labels, *histogram, out);
        }
        if (family.read) {
            out += name + " " + format_float(family.read()) + "\n";
        }
    }
    return out;
}

}  // namespace noroshi
