// src/cli/query.cpp - `noroshi query`: an expression evaluated by a running daemon, or by any Prometheus.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/client.hpp"
#include "base/runtime.hpp"
#include "cli.hpp"
#include "daemon/desk.hpp"
#include "model/labels.hpp"
#include "printable.hpp"
#include "version.hpp"

namespace noroshi::cli {
namespace {

using Json = nlohmann::ordered_json;

struct QueryOptions : CommonOptions {
    std::string expression;
    std::string config;
    std::string url;
    std::string time;
    std::string start;
    std::string end;
    std::string step;
    bool json{false};
};

/// `name{a="b"}` of a JSON object of labels, safe for a terminal.
std::string series_text(const Json& metric) {
    std::vector<model::Label> labels;
    for (const auto& [name, value] : metric.items()) {
        labels.push_back({name, value.get<std::string>()});
    }
    return escaped_line(model::Labels(std::move(labels)).to_string());
}

/// "2026-01-31T12:00:00.000Z  17"; a histogram as its JSON.
std::string point_text(const Json& point) {
    const auto at = from_unix_ms(static_cast<std::int64_t>(point.at(0).get<double>() * 1'000 + 0.5));
    const Json& value = point.at(1);
    return format_rfc3339(at) + "  " + escaped_line(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string value_text(const Json& point) {
    const Json& value = point.at(1);
    return escaped_line(value.is_string() ? value.get<std::string>() : value.dump());
}

/// A line an element, values under each other.
void print_vector(const Json& result) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::size_t width = 0;
    for (const Json& element : result) {
        rows.emplace_back(series_text(element.at("metric")),
                          value_text(element.contains("histogram") ? element.at("histogram") : element.at("value")));
        width = std::max(width, rows.back().first.size());
    }
    for (const auto& [series, value] : rows) {
        fmt::print("{:<{}}  {}\n", series, width, value);
    }
}

/// Each series on a line, its samples below.
void print_matrix(const Json& result) {
    for (const Json& series : result) {
        fmt::print("{}\n", series_text(series.at("metric")));
        for (const char* kind : {"values", "histograms"}) {
            for (const Json& point : series.value(kind, Json::array())) {
                fmt::print("    {}\n", point_text(point));
            }
        }
    }
}

int print_answer(const std::string& text, bool as_json) {
    if (as_json) {
        fmt::print("{}\n", text);
        return exit_ok;
    }
    try {
        const Json answer = Json::parse(text);
        for (const char* kind : {"warnings", "infos"}) {
            for (const Json& note : answer.value(kind, Json::array())) {
                fmt::print(stderr, "{}\n", escaped_line(note.get<std::string>()));
            }
        }
        const Json& data = answer.at("data");
        const std::string type = data.at("resultType").get<std::string>();
        const Json& result = data.at("result");
        if (type == "vector") {
            print_vector(result);
        } else if (type == "matrix") {
            print_matrix(result);
        } else {
            fmt::print("{}\n", value_text(result));
        }
        return exit_ok;
    } catch (const Json::exception& fault) {
        print_error({Errc::parse, fmt::format("expected an answer of Prometheus's API: {}", fault.what()), {}, false});
        return exit_fault;
    }
}

Task<int> ask(net::HttpClient& http, daemon::ApiAddress address, QueryOptions options) {  // NOLINT(*-reference-coroutine-parameters): outlives the loop
    net::Form form{{"query", options.expression}};
    const bool range = !options.start.empty();
    const std::pair<const char*, std::string> others[] = {
        {"time", range ? "" : options.time}, {"start", options.start}, {"end", options.end}, {"step", options.step}};
    for (const auto& [name, value] : others) {
        if (!value.empty()) {
            form.emplace_back(name, value);
        }
    }
    api::Client client(http, address.base, address.token);
    const Result<std::string> answer = co_await client.ask(range ? "/api/v1/query_range" : "/api/v1/query", std::move(form));
    if (!answer) {
        print_error(answer.error());
        co_return exit_fault;
    }
    co_return print_answer(*answer, options.json);
}

Result<daemon::ApiAddress> address_of(const QueryOptions& options) {
    if (!options.url.empty()) {
        // Somebody else's server is not shown our token.
        const std::size_t end = options.url.find_last_not_of('/');
        return daemon::ApiAddress{options.url.substr(0, end + 1), ""};
    }
    daemon::DeskOptions desk{.config_file = std::nullopt, .data_folder = data_folder(options), .identity = {}};
    if (!options.config.empty()) {
        desk.config_file = options.config;
    }
    return daemon::api_address(desk, print_error);
}

int query(const QueryOptions& options) {
    const Result<daemon::ApiAddress> address = address_of(options);
    if (!address) {
        if (!address.error().message.empty()) {
            print_error(address.error());
        }
        return exit_fault;
    }
    Runtime runtime(0);
    const auto http = net::make_http_client(runtime.executor(), fmt::format("noroshi/{}", version));
    return runtime.run(ask(*http, *address, options));
}

}  // namespace

void add_query(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("query", "evaluates a PromQL expression in a running daemon, or in any Prometheus");
    auto options = std::make_shared<QueryOptions>();  // shared: lives as long as the callback
    add_common(*command, *options);
    options->log_level = "warn";
    command->add_option("EXPR", options->expression, "the expression")->required();
    command->add_option("-c,--config", options->config, "noroshi.yml of the running daemon, for the address of its API");
    CLI::Option* time = command->add_option("--time", options->time, "when, as 2026-01-31T12:00:00Z or Unix seconds; now unless told");
    CLI::Option* start = command->add_option("--start", options->start, "first time of a range")->excludes(time);
    CLI::Option* end = command->add_option("--end", options->end, "last time of a range")->needs(start);
    CLI::Option* step = command->add_option("--step", options->step, "between two times of a range: 15s, or seconds")->needs(start);
    start->needs(end)->needs(step);
    command->add_option("--url", options->url, "another server, as http://127.0.0.1:9090");
    command->add_flag("--json", options->json, "the answer as it came");
    command->callback([options, &exit_code] { exit_code = query(*options); });
}

}  // namespace noroshi::cli
