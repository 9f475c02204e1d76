// src/daemon/discovery.cpp - file and HTTP discovery: reading again, what changed, what failed.
#include "discovery.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "base/ascii.hpp"
#include "base/file.hpp"
#include "config/target_groups.hpp"

namespace noroshi::daemon {
namespace {

using Groups = std::vector<config::StaticConfig>;
using SourceConfig = std::variant<config::FileSdConfig, config::HttpSdConfig>;

/// So often files are looked at; what did not change is not read.
constexpr Milliseconds look_every{2'000};
/// Said of targets that are left out, at most, at one change.
constexpr std::size_t most_said = 20;

/// Another version of a file has another one.
struct FileMark {
    std::int64_t seconds{0};
    std::int64_t nanoseconds{0};
    std::int64_t size{0};
    std::uint64_t inode{0};
    bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const std::string& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) {
        return {};
    }
    return {facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_size, facts.st_ino};
}

/// One file, or one URL.
struct Place {
    Groups groups;      // as they were last read without a fault
    std::string error;  // of the last reading
    FileMark mark;
};

/// One entry of file_sd_configs or http_sd_configs.
struct Source {
    explicit Source(SourceConfig c) : config(std::move(c)) {}
    SourceConfig config;
    std::map<std::string, Place> places;  // by file or URL
    bool removed{false};
};
using SourcePtr = std::shared_ptr<Source>;  // shared: by the list and its coroutine

struct Job {
    config::ScrapeConfig config;
    std::shared_ptr<net::ClientSetup> client;  // shared with the targets
    std::vector<SourcePtr> sources;
};

bool is_json(const net::Headers& headers) {
    const auto found = headers.find("Content-Type");
    std::string type = found == headers.end() ? "" : found->second;
    std::erase_if(type, [](char c) { return c == ' ' || c == '"'; });
    type = ascii_lower(type);
    return type == "application/json" || type == "application/json;charset=utf-8";
}

}  // namespace

struct Discovery::State {
    State(net::HttpClient& c, Timers& t, const Executor& executor, Metrics& m, Log l, OnTargets on)
        : client(c), timers(t), metrics(m), log(std::move(l)), on_targets(std::move(on)),
          left_out(m.gauge("noroshi_targets_left_out", "Targets that are not scraped because no scrape can be made of them.")),
          tasks(executor) {}

    /// Takes what a place gave. True when its groups are others than before.
    bool take(Place& place, const std::string& name, std::string_view kind, Result<Groups> groups) {
        if (!groups) {
            metrics.counter("noroshi_discovery_failures_total", "Files and URLs of targets that could not be read, by reason.",
                            {{"kind", std::string(kind)}, {"reason", std::string(errc_name(groups.error().code))}})
                .add();
            std::string error = groups.error().to_string();
            if (place.error != error) {
                log.error("discovery_failed", {{"source", name}, {"error", error}, {"kept", place.groups.size()}});
            }
            place.error = std::move(error);
            return false;
        }
        if (!std::exchange(place.error, {}).empty()) {
            log.info("discovery_recovered", {{"source", name}});
        }
        const bool changed = place.groups != *groups;
        place.groups = std::move(*groups);
        return changed;
    }

    /// Looks at all files of a source; reads those that changed, or all. True when its groups are others than before.
    bool read_files(Source& source, bool all) {
        bool changed = false;
        std::set<std::string> found;
        for (const std::string& pattern : std::get<config::FileSdConfig>(source.config).files) {
            for (const fs::path& path : glob_files("/", pattern)) {
                found.insert(path.string());
            }
        }
        changed = std::erase_if(source.places, [&](const auto& each) { return !found.contains(each.first); }) > 0;
        for (const std::string& file : found) {
            const FileMark mark = mark_of(file);
            const auto [entry, is_new] = source.places.try_emplace(file);
            Place& place = entry->second;
            if (all || is_new || place.mark != mark) {
                place.mark = mark;
                changed = take(place, file, "file", config::read_target_groups(file)) || changed;
            }
        }
        return changed;
    }

    Task<void> watch_files(SourcePtr source) {
        const Milliseconds refresh = std::get<config::FileSdConfig>(source->config).refresh_interval;
        const Milliseconds step = std::min(look_every, refresh);
        Milliseconds since{0};
        while (!source->removed) {
            if (!co_await timers.sleep_for(step) || source->removed) {
                co_return;
            }
            since += step;
            const bool all = since >= refresh;
            since = all ? Milliseconds(0) : since;
            if (read_files(*source, all)) {
                tell();
            }
        }
    }

    // NOLINTNEXTLINE(*-reference-coroutine-parameters): both belong to the source, which `ask_url` holds
    Task<Result<Groups>> fetch(const config::HttpSdConfig& config, net::ClientSetup& setup) {
        net::Request request;
        request.url = config.url;
        request.timeout = config.refresh_interval;
        request.body_limit = config::max_target_groups;
        request.headers["Accept"] = "application/json";
        request.headers["X-Prometheus-Refresh-Interval-Seconds"] =
            fmt::format("{}", static_cast<double>(config.refresh_interval.count()) / 1000.0);
        NOROSHI_CO_TRY_VOID(setup.apply(request));
        NOROSHI_CO_TRY(const net::Response response, co_await client.send(std::move(request)));
        if (response.status != 200) {
            co_return fail(Errc::refused, fmt::format("server returned HTTP status {}", response.status));
        }
        if (!is_json(response.headers)) {
            co_return fail(Errc::unsupported, "expected Content-Type application/json");
        }
        NOROSHI_CO_TRY(Groups groups, config::parse_target_groups_json(config.url_text, response.body));
        for (config::StaticConfig& group : groups) {
            group.labels = group.labels.with("__meta_url", config.url_text);
        }
        co_return groups;
    }

    Task<void> ask_url(SourcePtr source) {
        const auto& config = std::get<config::HttpSdConfig>(source->config);
        net::ClientSetup setup(config.client);
        while (!source->removed) {
            Result<Groups> groups = co_await fetch(config, setup);
            if (source->removed || (!groups && groups.error().code == Errc::cancelled)) {
                co_return;
            }
            if (take(source->places[config.url_text], config.url_text, "http", std::move(groups))) {
                tell();
            }
            if (!co_await timers.sleep_for(config.refresh_interval)) {
                co_return;
            }
        }
    }

    SourcePtr source_of(const SourceConfig& config, std::vector<SourcePtr>& before) {
        const auto same = [&](const SourcePtr& source) { return source->config == config; };
        for (std::vector<SourcePtr>* list : {&sources, &before}) {
            if (const auto found = std::ranges::find_if(*list, same); found != list->end()) {
                if (list == &before) {
                    sources.push_back(*found);
                }
                return *found;
            }
        }
        SourcePtr source = sources.emplace_back(std::make_shared<Source>(config));
        if (std::holds_alternative<config::FileSdConfig>(config)) {
            read_files(*source, true);
            tasks.spawn("file discovery", watch_files(source));
        } else {
            tasks.spawn("http discovery", ask_url(source));
        }
        return source;
    }

    /// Makes the targets of all jobs anew.
    void tell() {
        std::vector<collect::Target> targets;
        std::set<std::string> unusable;
        for (const Job& job : jobs) {
            Groups groups = job.config.static_configs;
            for (const SourcePtr& source : job.sources) {
                for (const auto& [name, place] : source->places) {
                    groups.insert(groups.end(), place.groups.begin(), place.groups.end());
                }
            }
            MadeTargets made = make_targets(job.config, groups, job.client);
            std::ranges::move(made.targets, std::back_inserter(targets));
            unusable.insert(made.left_out.begin(), made.left_out.end());
        }
        left_out.set(static_cast<double>(unusable.size()));
        std::size_t said = 0;
        for (const std::string& text : unusable) {
            if (!told.contains(text) && ++said <= most_said) {
                log.warn("target_left_out", {{"reason", text}});
            }
        }
        told = std::move(unusable);
        on_targets(std::move(targets));
    }

    net::HttpClient& client;
    Timers& timers;
    Metrics& metrics;
    Log log;
    OnTargets on_targets;
    Gauge& left_out;
    std::vector<Job> jobs;
    std::vector<SourcePtr> sources;
    std::set<std::string> told;
    TaskGroup tasks;
};

Discovery::Discovery(net::HttpClient& client, Timers& timers, const Executor& executor, Metrics& metrics, Log log,
                     OnTargets on_targets)
    : state_(std::make_unique<State>(client, timers, executor, metrics, std::move(log), std::move(on_targets))) {}

Discovery::~Discovery() = default;

void Discovery::set_jobs(std::vector<config::ScrapeConfig> jobs) {
    std::vector<SourcePtr> before = std::exchange(state_->sources, {});
    state_->jobs.clear();
    for (config::ScrapeConfig& config : jobs) {
        Job job{std::move(config), nullptr, {}};
        job.client = std::make_shared<net::ClientSetup>(job.config.client);
        for (const config::FileSdConfig& files : job.config.file_sd_configs) {
            job.sources.push_back(state_->source_of(files, before));
        }
        for (const config::HttpSdConfig& url : job.config.http_sd_configs) {
            job.sources.push_back(state_->source_of(url, before));
        }
        state_->jobs.push_back(std::move(job));
    }
    for (const SourcePtr& source : before) {
        source->removed = std::ranges::find(state_->sources, source) == state_->sources.end();
    }
    state_->tell();
}

Task<void> Discovery::stop() { co_await state_->tasks.stop(); }

std::vector<std::string> Discovery::failing() const {
    std::vector<std::string> out;
    for (const SourcePtr& source : state_->sources) {
        for (const auto& [name, place] : source->places) {
            if (!place.error.empty()) {
                out.push_back(name);
            }
        }
    }
    return out;
}

}  // namespace noroshi::daemon
