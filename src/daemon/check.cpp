// src/daemon/check.cpp - check a file by planning with it.
#include "daemon/check.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/numbers.hpp"
#include "collect/collect.hpp"
#include "config/target_groups.hpp"
#include "plan.hpp"
#include "targets.hpp"

namespace noroshi::daemon {

namespace {

/// How many targets the files of file_sd_configs give now; what they would be refused for goes to `warnings`.
std::size_t read_discovered(const config::Config& config, std::vector<std::string>& warnings) {
    std::size_t count = 0;
    for (const config::ScrapeConfig& job : config.scrape_configs) {
        for (const config::FileSdConfig& source : job.file_sd_configs) {
            for (const std::string& pattern : source.files) {
                for (const fs::path& file : glob_files("/", pattern)) {
                    const auto groups = config::read_target_groups(file.string());
                    if (!groups) {
                        warnings.push_back(groups.error().to_string());
                        continue;
                    }
                    MadeTargets made = make_targets(job, *groups, nullptr);
                    count += made.targets.size();
                    std::ranges::move(made.left_out, std::back_inserter(warnings));
                }
            }
        }
    }
    return count;
}

}  // namespace

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
    std::ranges::move(planned.left_out, std::back_inserter(out.warnings));
    out.summary = fmt::format("{} targets, {} alerting rules, {} receivers", planned.plan.targets.size() + read_discovered(*loaded.config, out.warnings),
                              planned.plan.things(), planned.plan.receivers.size());
    return out;
}

Checked check_rules(const std::string& file, std::string_view text, bool ignore_unknown_fields) {
    Checked out;
    rules::ParsedRules parsed = rules::parse_rules(file, text, {.ignore_unknown_fields = ignore_unknown_fields});
    std::size_t count = 0;
    for (const rules::RuleGroup& group : parsed.groups) {
        count += group.rules.size();
    }
    out.errors = std::move(parsed.errors);
    out.duplicates = std::move(parsed.duplicates);
    out.hints = std::move(parsed.hints);
    out.summary = fmt::format("{} groups, {} rules", parsed.groups.size(), count);
    return out;
}

rules::RuleTestReport test_rules(const std::filesystem::path& file, const rules::RuleTestOptions& options) {
    return rules::run_rule_tests(file, options);
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
