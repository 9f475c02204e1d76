// src/daemon/check.cpp - check a file by planning with it.
#include "daemon/check.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/numbers.hpp"
#include "collect/collect.hpp"
#include "plan.hpp"

namespace noroshi::daemon {

Checked check_config(const std::filesystem::path& file) {
    Checked out;
    config::Loaded loaded = config::load(file);
    out.warnings = std::move(loaded.warnings);
    out.errors = std::move(loaded.errors);
    if (!loaded.config) {
        return out;
    }
    Planned planned = make_plan(*loaded.config);
    out.errors = std::move(planned.errors);
    out.summary = fmt::format("{} targets, {} alerting rules, {} receivers", planned.plan.targets.size(),
                              planned.plan.things(), planned.plan.receivers.size());
    return out;
}

Checked check_rules(const std::filesystem::path& file) {
    Checked out;
    Result<std::string> text = read_file(file, 4u << 20);
    if (!text) {
        out.errors.push_back(std::move(text).error().with(file.string()));
        return out;
    }
    rules::ParsedRules parsed = rules::parse_rules(file.string(), *text);
    std::size_t count = 0;
    for (const rules::RuleGroup& group : parsed.groups) {
        count += group.rules.size();
    }
    out.errors = std::move(parsed.errors);
    out.summary = fmt::format("{} groups, {} rules", parsed.groups.size(), count);
    return out;
}

HostSeries read_host() {
    const SystemClock clock;
    collect::HostCollector::Reading reading = collect::HostCollector("/", clock).read();
    HostSeries out;
    out.problems = std::move(reading.problems);
    for (const collect::ScrapedSample& sample : reading.samples) {
        out.lines.push_back(fmt::format("{} {}", sample.labels.to_string(), format_float(sample.value)));
    }
    std::ranges::sort(out.lines);
    return out;
}

}  // namespace noroshi::daemon
