// src/api/state_handlers.cpp - targets, rules, alerts and the daemon itself, as Prometheus's API tells of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <set>

#include "answer.hpp"
#include "base/numbers.hpp"
#include "prometheus_handlers.hpp"

namespace noroshi::api {
namespace {

using Response = Result<net::ServerResponse>;

std::string time_text(TimestampMs at) { return at == TimestampMs{} ? "0001-01-01T00:00:00Z" : format_rfc3339(at); }
double seconds_of(Milliseconds duration) { return static_cast<double>(duration.count()) / 1'000.0; }

Json labels_json(const model::Labels& labels) {
    Json out = Json::object();
    for (const model::Label& label : labels) {
        out[label.name] = label.value;
    }
    return out;
}

/// Go's 'e' form with the fewest digits: "1e+00".
std::string exponent_text(double value) {
    if (value != value) {
        return "NaN";
    }
    char buffer[40];
    const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value, std::chars_format::scientific);
    const std::string text(std::begin(buffer), end.ptr);
    return text == "inf" ? "+Inf" : text == "-inf" ? "-Inf" : text;
}

Json alert_json(const model::Alert& alert) {
    Json out{{"labels", labels_json(alert.labels)},
             {"annotations", labels_json(alert.annotations)},
             {"state", model::alert_state_name(alert.state)},
             {"activeAt", format_rfc3339(alert.active_at)},
             {"value", exponent_text(alert.value)}};
    if (alert.keep_firing_since) {
        out["keepFiringSince"] = format_rfc3339(*alert.keep_firing_since);
    }
    return out;
}

Json rule_json(const rules::RuleStatus& status, bool with_alerts) {
    const rules::Rule& rule = status.rule;
    const std::string_view health = !status.last_error.empty()                 ? "err"
                                    : status.last_evaluation == TimestampMs{} ? "unknown"
                                                                              : "ok";
    Json out = Json::object();
    if (!rule.alert.empty()) {
        model::AlertState state = model::AlertState::inactive;
        for (const model::Alert& alert : status.alerts) {
            state = std::max(state, alert.state);
        }
        out["state"] = model::alert_state_name(state);
    }
    out["name"] = rule.name();
    out["query"] = rule.expression.to_string();
    if (!rule.alert.empty()) {
        out["duration"] = seconds_of(rule.hold);
        out["keepFiringFor"] = seconds_of(rule.keep_firing_for);
    }
    out["labels"] = labels_json(rule.labels);
    if (!rule.alert.empty()) {
        out["annotations"] = labels_json(rule.annotations);
        out["alerts"] = Json::array();
        for (const model::Alert& alert : with_alerts ? status.alerts : std::vector<model::Alert>()) {
            out["alerts"].push_back(alert_json(alert));
        }
    }
    out["health"] = health;
    if (!status.last_error.empty()) {
        out["lastError"] = status.last_error;
    }
    out["lastEvaluation"] = time_text(status.last_evaluation);
    out["type"] = rule.alert.empty() ? "recording" : "alerting";
    return out;
}

/// Which rules are asked for.
struct RuleFilter {
    std::vector<std::string_view> names;
    std::vector<std::string_view> groups;
    std::vector<std::string_view> files;
    std::vector<std::vector<model::Matcher>> sets;
    bool alerting{true};
    bool recording{true};
    bool with_alerts{true};

    static bool listed(const std::vector<std::string_view>& list, std::string_view text) {
        return list.empty() || std::ranges::find(list, text) != list.end();
    }
    [[nodiscard]] bool wants(const rules::GroupStatus& group) const {
        return listed(groups, group.name) && listed(files, group.file);
    }
    [[nodiscard]] bool wants(const rules::Rule& rule) const {
        const auto holds = [&](const std::vector<model::Matcher>& set) {
            return std::ranges::all_of(set, [&](const model::Matcher& m) { return m.matches(rule.labels.get(m.name())); });
        };
        return (rule.alert.empty() ? recording : alerting) && listed(names, rule.name()) &&
               (sets.empty() || std::ranges::any_of(sets, holds));
    }
};

Result<RuleFilter> rule_filter(const Parameters& parameters) {
    RuleFilter out{parameters.all("rule_name[]"), parameters.all("rule_group[]"), parameters.all("file[]"), {}};
    NOROSHI_TRY(out.sets, parameters.match());
    const std::string_view type = parameters.get("type");
    if (!type.empty() && type != "alert" && type != "record") {
        return invalid_parameter("type", fmt::format("not supported value {}", model::quote(type)));
    }
    out.alerting = type != "record";
    out.recording = type != "alert";
    const std::string_view without = parameters.get("exclude_alerts");
    out.with_alerts = without != "true" && without != "1";
    return out;
}

std::string url_text(const net::Url& url) {
    const bool ipv6 = url.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}{}", url.scheme, ipv6 ? "[" : "", url.host, ipv6 ? "]" : "", url.port, url.target);
}

Json target_json(const collect::TargetHealth& health) {
    const collect::Target& target = health.target;
    const std::string url = url_text(target.url);
    const std::size_t path = url.find('/', url.find("://") + 3);
    const std::string interval = format_duration(target.interval);
    const std::string timeout = format_duration(target.timeout);
    Json discovered = labels_json(target.labels.without("instance"));
    discovered["__address__"] = url.substr(url.find("://") + 3, path - url.find("://") - 3);
    discovered["__metrics_path__"] = target.url.target.substr(0, target.url.target.find('?'));
    discovered["__scheme__"] = target.url.scheme;
    discovered["__scrape_interval__"] = interval;
    discovered["__scrape_timeout__"] = timeout;
    const bool scraped = health.last_scrape != TimestampMs{};
    return {{"discoveredLabels", std::move(discovered)},
            {"labels", labels_json(target.labels)},
            {"scrapePool", target.job},
            {"scrapeUrl", url},
            {"globalUrl", url},
            {"lastError", health.last_error},
            {"lastScrape", time_text(health.last_scrape)},
            {"lastScrapeDuration", seconds_of(health.last_duration)},
            {"health", !scraped ? "unknown" : health.up ? "up" : "down"},
            {"scrapeInterval", interval},
            {"scrapeTimeout", timeout}};
}

/// The largest counts first, as Prometheus lists them.
Json largest(const std::map<std::string, std::uint64_t>& counts, std::size_t limit) {
    std::vector<std::pair<std::string, std::uint64_t>> list(counts.begin(), counts.end());
    std::ranges::stable_sort(list, std::greater{}, &std::pair<std::string, std::uint64_t>::second);
    Json out = Json::array();
    for (std::size_t i = 0; i < std::min(limit, list.size()); ++i) {
        out.push_back({{"name", list[i].first}, {"value", list[i].second}});
    }
    return out;
}

/// Of a parameter that may be left out.
Result<std::optional<std::int64_t>> whole_number(const Parameters& parameters, std::string_view name) {
    const std::string_view text = parameters.get(name);
    if (text.empty()) {
        return std::optional<std::int64_t>();
    }
    const Result<std::int64_t> number = parse_int(text);
    if (!number) {
        return bad_data(fmt::format("{} must be a number", name));
    }
    return std::optional(*number);
}

Result<std::vector<model::Matcher>> target_matchers(const Parameters& parameters) {
    const std::string_view text = parameters.get("match_target");
    if (text.empty()) {
        return std::vector<model::Matcher>();
    }
    Result<std::vector<model::Matcher>> matchers = promql::parse_series_selector(text);
    if (!matchers) {
        return invalid_parameter("match_target", matchers.error().message);
    }
    return matchers;
}

/// All families of a target, or the one that is asked for.
std::vector<collect::FamilyMetadata> metadata_of(const collect::TargetHealth& health, std::string_view metric) {
    std::vector<collect::FamilyMetadata> out;
    if (health.metadata) {
        std::ranges::copy_if(*health.metadata, std::back_inserter(out), [&](const collect::FamilyMetadata& family) {
            return metric.empty() || family.name == metric;
        });
    }
    return out;
}

class StateHandlers {
  public:
    explicit StateHandlers(Shared sources) : sources_(std::move(sources)) {}

    Task<Response> targets(net::ServerRequest /*request*/, Parameters parameters) const {
        const std::string_view state = parameters.get("state");
        const std::string_view pool = parameters.get("scrapePool");
        const bool any = state.empty() || state == "any";
        Json active = Json::array();
        Json dropped = Json::object();
        for (const collect::TargetHealth& health : sources_->targets()) {
            if ((any || state == "active") && (pool.empty() || pool == health.target.job)) {
                active.push_back(target_json(health));
            }
            dropped[health.target.job] = 0;
        }
        Json data{{"activeTargets", std::move(active)}, {"droppedTargets", Json::array()}};
        data["droppedTargetCounts"] = any || state == "dropped" ? std::move(dropped) : Json();
        co_return data_response(data);
    }

    Task<Response> pools(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        std::set<std::string> names;
        for (const collect::TargetHealth& health : sources_->targets()) {
            names.insert(health.target.job);
        }
        co_return data_response({{"scrapePools", names}});
    }

    Task<Response> rules(net::ServerRequest /*request*/, Parameters parameters) const {
        NOROSHI_CO_TRY(const RuleFilter filter, rule_filter(parameters));
        Json groups = Json::array();
        for (const rules::GroupStatus& group : sources_->groups()) {
            Json list = Json::array();
            for (const rules::RuleStatus& status : filter.wants(group) ? group.rules : std::vector<rules::RuleStatus>()) {
                if (filter.wants(status.rule)) {
                    list.push_back(rule_json(status, filter.with_alerts));
                }
            }
            if (!list.empty()) {
                groups.push_back({{"name", group.name}, {"file", group.file}, {"rules", std::move(list)},
                                  {"interval", seconds_of(group.interval)}, {"limit", group.limit},
                                  {"lastEvaluation", time_text(group.last_evaluation)}});
            }
        }
        co_return data_response({{"groups", std::move(groups)}});
    }

    Task<Response> alerts(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        Json out = Json::array();
        for (const rules::GroupStatus& group : sources_->groups()) {
            for (const rules::RuleStatus& rule : group.rules) {
                for (const model::Alert& alert : rule.alerts) {
                    out.push_back(alert_json(alert));
                }
            }
        }
        co_return data_response({{"alerts", std::move(out)}});
    }

    /// noroshi routes its alerts itself.
    Task<Response> alertmanagers(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        co_return data_response({{"activeAlertmanagers", Json::array()}, {"droppedAlertmanagers", Json::array()}});
    }

    Task<Response> metadata(net::ServerRequest /*request*/, Parameters parameters) const {
        NOROSHI_CO_TRY(const std::optional<std::int64_t> limit, whole_number(parameters, "limit"));
        NOROSHI_CO_TRY(const std::optional<std::int64_t> per_metric, whole_number(parameters, "limit_per_metric"));
        const std::string_view metric = parameters.get("metric");
        std::map<std::string, std::set<std::array<std::string, 3>>> found;  // the same words of several targets count once
        for (const collect::TargetHealth& health : sources_->targets()) {
            for (const collect::FamilyMetadata& family : metadata_of(health, metric)) {
                auto& texts = found[family.name];
                if (!per_metric || *per_metric <= 0 || static_cast<std::int64_t>(texts.size()) < *per_metric) {
                    texts.insert({family.type, family.unit, family.help});
                }
            }
        }
        Json out = Json::object();
        for (const auto& [name, texts] : found) {
            if (limit && *limit >= 0 && static_cast<std::int64_t>(out.size()) >= *limit) {
                break;
            }
            for (const auto& [type, unit, help] : texts) {
                out[name].push_back({{"type", type}, {"unit", unit}, {"help", help}});
            }
        }
        co_return data_response(out);
    }

    Task<Response> target_metadata(net::ServerRequest /*request*/, Parameters parameters) const {
        NOROSHI_CO_TRY(const std::optional<std::int64_t> limit, whole_number(parameters, "limit"));
        NOROSHI_CO_TRY(const std::vector<model::Matcher> wanted, target_matchers(parameters));
        const std::string_view metric = parameters.get("metric");
        Json out = Json::array();
        for (const collect::TargetHealth& health : sources_->targets()) {
            const model::Labels& labels = health.target.labels;
            if (limit && *limit >= 0 && static_cast<std::int64_t>(out.size()) >= *limit) {
                break;
            }
            if (!std::ranges::all_of(wanted, [&](const model::Matcher& m) { return m.matches(labels.get(m.name())); })) {
                continue;
            }
            for (const collect::FamilyMetadata& family : metadata_of(health, metric)) {
                Json& entry = out.emplace_back(Json{{"target", labels_json(labels)}, {"type", family.type}, {"help", family.help},
                                                    {"unit", family.unit}});
                if (metric.empty()) {
                    entry["metric"] = family.name;
                }
            }
        }
        co_return data_response(out);
    }

    Task<Response> build(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        co_return data_response({{"version", prometheus_version}, {"revision", ""}, {"branch", "noroshi " + sources_->facts().version},
                                 {"buildUser", ""}, {"buildDate", ""}, {"goVersion", ""}});
    }

    Task<Response> runtime(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        const DaemonFacts facts = sources_->facts();
        co_return data_response({{"startTime", format_rfc3339(facts.started)},
                                 {"hostname", facts.host},
                                 {"serverTime", format_rfc3339(sources_->clock.now())},
                                 {"reloadConfigSuccess", facts.reload_ok},
                                 {"lastConfigTime", format_rfc3339(facts.last_reload)},
                                 {"corruptionCount", 0},
                                 {"storageRetention", format_duration(facts.retention)}});
    }

    /// Those of Prometheus's flags that mean something here.
    Task<Response> flags(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        const DaemonFacts facts = sources_->facts();
        co_return data_response({{"query.lookback-delta", format_duration(sources_->engine.lookback_delta)},
                                 {"query.max-samples", std::to_string(sources_->engine.max_samples)},
                                 {"query.max-concurrency", "1"},
                                 {"query.timeout", format_duration(longest_evaluation)},
                                 {"storage.tsdb.retention.time", format_duration(facts.retention)},
                                 {"web.listen-address", facts.listens}});
    }

    Task<Response> series(net::ServerRequest /*request*/, Parameters parameters) const {
        NOROSHI_CO_TRY(const std::size_t asked, parameters.limit());
        const std::size_t limit = asked == 0 ? 10 : asked;
        std::map<std::string, std::uint64_t> by_name;
        std::map<std::string, std::uint64_t> by_pair;
        std::map<std::string, std::set<std::string>> values;
        for (const tsdb::SelectedSeries& each : sources_->head.select({}, earliest_time, latest_time)) {
            ++by_name[std::string(each.labels->metric_name())];
            for (const model::Label& label : *each.labels) {
                ++by_pair[label.name + "=" + label.value];
                values[label.name].insert(label.value);
            }
        }
        std::map<std::string, std::uint64_t> value_counts;
        for (const auto& [name, texts] : values) {
            value_counts[name] = texts.size();
        }
        const tsdb::Stats stats = sources_->head.stats();
        co_return data_response({{"headStats", {{"numSeries", stats.series}, {"numLabelPairs", by_pair.size()}}},
                                 {"seriesCountByMetricName", largest(by_name, limit)},
                                 {"labelValueCountByLabelName", largest(value_counts, limit)},
                                 {"memoryInBytesByLabelName", Json::array()},
                                 {"seriesCountByLabelValuePair", largest(by_pair, limit)}});
    }

    Task<Response> healthy(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        net::ServerResponse out;
        out.body = "noroshi is healthy.\n";
        co_return out;
    }

    /// It listens only when everything runs.
    Task<Response> ready(net::ServerRequest /*request*/, Parameters /*parameters*/) const {
        net::ServerResponse out;
        out.body = "noroshi is ready.\n";
        co_return out;
    }

  private:
    Shared sources_;
};

}  // namespace

std::vector<net::Route> state_routes(const Shared& sources) {
    using Method = Task<Response> (StateHandlers::*)(net::ServerRequest, Parameters) const;
    static constexpr std::pair<const char*, Method> rows[] = {
        {"/api/v1/targets", &StateHandlers::targets},
        {"/api/v1/scrape_pools", &StateHandlers::pools},
        {"/api/v1/rules", &StateHandlers::rules},
        {"/api/v1/alerts", &StateHandlers::alerts},
        {"/api/v1/alertmanagers", &StateHandlers::alertmanagers},
        {"/api/v1/metadata", &StateHandlers::metadata},
        {"/api/v1/targets/metadata", &StateHandlers::target_metadata},
        {"/api/v1/status/buildinfo", &StateHandlers::build},
        {"/api/v1/status/runtimeinfo", &StateHandlers::runtime},
        {"/api/v1/status/flags", &StateHandlers::flags},
        {"/api/v1/status/tsdb", &StateHandlers::series},
        {"/-/healthy", &StateHandlers::healthy},
        {"/-/ready", &StateHandlers::ready},
    };
    const auto handlers = std::make_shared<const StateHandlers>(sources);  // shared: each route's handler keeps it alive
    std::vector<net::Route> out;
    for (const auto& [path, method] : rows) {
        add_route(out, path, false, [handlers, run = method](net::ServerRequest request, Parameters parameters) {
            return ((*handlers).*run)(std::move(request), std::move(parameters));
        });
    }
    return out;
}

}  // namespace noroshi::api
