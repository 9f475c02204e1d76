// src/api/series_handlers.cpp - which series, label names and label values there are, and federation.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "answer.hpp"
#include "base/bytes.hpp"
#include "base/numbers.hpp"
#include "prometheus_handlers.hpp"

namespace noroshi::api {
namespace {

using Response = Result<net::ServerResponse>;
using MatcherSets = std::vector<std::vector<model::Matcher>>;

/// What is asked for: series that one of the sets matches (all when there is none), with samples from `start` to `end`.
struct Wanted {
    MatcherSets sets;
    TimestampMs start{};
    TimestampMs end{};
    std::size_t limit{0};
};

Result<Wanted> wanted_of(const Parameters& parameters) {
    Wanted out;
    NOROSHI_TRY(out.limit, parameters.limit());
    NOROSHI_TRY(out.start, parameters.time("start", earliest_time));
    NOROSHI_TRY(out.end, parameters.time("end", latest_time));
    NOROSHI_TRY(out.sets, parameters.match());
    if (out.sets.empty()) {
        out.sets.emplace_back();
    }
    return out;
}

/// Calls `use` with the labels of each; a series that two sets match comes twice.
template <class Use>
void each_series(const tsdb::Head& head, const Wanted& wanted, const Use& use) {
    for (const std::vector<model::Matcher>& matchers : wanted.sets) {
        for (const tsdb::SelectedSeries& series : head.select(matchers, wanted.start - Milliseconds(1), wanted.end)) {
            use(*series.labels);
        }
    }
}

/// The texts that `texts_of` puts into the set for each series, in order.
template <class Collect>
net::ServerResponse distinct(const tsdb::Head& head, const Wanted& wanted, const Collect& texts_of) {
    std::set<std::string, std::less<>> found;
    each_series(head, wanted, [&](const model::Labels& labels) { texts_of(labels, found); });
    std::vector<std::string> list(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    promql::Annotations annotations;
    truncate(list, wanted.limit, annotations);
    return list_response(std::move(list), std::move(annotations));
}

void put(std::set<std::string, std::less<>>& texts, std::string_view text) {
    if (!text.empty() && texts.find(text) == texts.end()) {
        texts.emplace(text);
    }
}

/// A line of text 0.0.4; none for a name or label that this format has no word for.
void write_line(std::string& out, const model::Labels& labels, const model::Sample& sample) {
    std::string braces;
    for (const model::Label& label : labels) {
        if (label.name == model::metric_name_label) {
            continue;
        }
        if (!model::is_legacy_label_name(label.name)) {
            return;
        }
        braces += fmt::format("{}{}=\"", braces.empty() ? "{" : ",", label.name);
        for (const char c : label.value) {
            braces += c == '\n' ? "\\n" : c == '\\' ? "\\\\" : c == '"' ? "\\\"" : std::string(1, c);
        }
        braces += '"';
    }
    if (model::is_legacy_metric_name(labels.metric_name())) {
        out += fmt::format("{}{}{} {} {}\n", labels.metric_name(), braces, braces.empty() ? "" : "}", format_float(sample.value),
                           to_unix_ms(sample.at));
    }
}

class SeriesHandlers {
  public:
    explicit SeriesHandlers(Shared sources) : sources_(std::move(sources)) {}

    Task<Response> series(net::ServerRequest /*request*/, Parameters parameters) const {
        if (parameters.all("match[]").empty()) {
            co_return bad_data("no match[] parameter provided");
        }
        Result<Wanted> wanted = wanted_of(parameters);
        if (!wanted) {
            const bool own = wanted.error().message.starts_with("invalid parameter");
            co_return own ? fail(wanted.error()) : invalid_parameter("match[]", wanted.error().message);
        }
        std::vector<model::Labels> list;
        each_series(sources_->head, *wanted, [&](const model::Labels& labels) { list.push_back(labels); });
        if (wanted->sets.size() > 1) {
            std::ranges::sort(list);
            list.erase(std::ranges::unique(list).begin(), list.end());
        }
        promql::Annotations annotations;
        truncate(list, wanted->limit, annotations);
        const auto all = std::make_shared<const std::vector<model::Labels>>(std::move(list));  // shared: std::function is copied
        co_return streamed_response(
            [all, next = std::size_t{0}](JsonWriter& json) mutable {
                if (next == 0) {
                    json.open('[');
                }
                const bool rest = next < all->size();
                if (rest) {
                    write_labels(json, (*all)[next++]);
                } else {
                    json.close(']');
                }
                return rest;
            },
            std::move(annotations));
    }

    Task<Response> names(net::ServerRequest /*request*/, Parameters parameters) const {
        NOROSHI_CO_TRY(const Wanted wanted, wanted_of(parameters));
        co_return distinct(sources_->head, wanted, [](const model::Labels& labels, auto& texts) {
            for (const model::Label& label : labels) {
                put(texts, label.name);
            }
        });
    }

    Task<Response> values(net::ServerRequest request, Parameters parameters) const {
        constexpr std::string_view before = "/api/v1/label/";
        constexpr std::string_view after = "/values";
        std::string_view segment = request.path;
        segment.remove_prefix(before.size());
        segment.remove_suffix(after.size());
        const Result<std::string> decoded = net::percent_decoded(segment, false);
        if (!decoded) {
            co_return bad_data(decoded.error().message);
        }
        const std::string name = unescaped_name(*decoded);
        if (name.empty() || !is_utf8(name)) {
            co_return bad_data("invalid label name: " + model::quote(name));
        }
        NOROSHI_CO_TRY(const Wanted wanted, wanted_of(parameters));
        co_return distinct(sources_->head, wanted,
                           [&name](const model::Labels& labels, auto& texts) { put(texts, labels.get(name)); });
    }

    /// The newest sample of each series, as an exposition of text 0.0.4.
    Task<Response> federate(net::ServerRequest /*request*/, Parameters parameters) const {
        Wanted wanted;
        NOROSHI_CO_TRY(wanted.sets, parameters.match());
        wanted.end = sources_->clock.now();
        const TimestampMs after = wanted.end - sources_->engine.lookback_delta;
        std::map<model::Labels, model::Sample> newest;
        for (const std::vector<model::Matcher>& matchers : wanted.sets) {
            for (const tsdb::SelectedSeries& series : sources_->head.select(matchers, after, wanted.end)) {
                model::Sample sample{{}, model::stale_marker()};  // what is left out
                while (series.cursor->next(sample)) {
                }
                // The text format can't show a histogram.
                if (!model::is_stale_marker(sample.value) && !series.cursor->histogram()) {
                    newest.insert_or_assign(*series.labels, sample);
                }
            }
        }
        net::ServerResponse out;
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        for (const auto& [labels, sample] : newest) {
            write_line(out.body, labels, sample);
        }
        co_return out;
    }

  private:
    Shared sources_;
};

}  // namespace

std::vector<net::Route> series_routes(const Shared& sources) {
    using Method = Task<Response> (SeriesHandlers::*)(net::ServerRequest, Parameters) const;
    struct Row {
        const char* path;
        bool post;
        Method method;
    };
    static constexpr Row rows[] = {
        {"/api/v1/series", true, &SeriesHandlers::series},
        {"/api/v1/labels", true, &SeriesHandlers::names},
        {"/api/v1/label/*/values", false, &SeriesHandlers::values},
        {"/federate", false, &SeriesHandlers::federate},
    };
    const auto handlers = std::make_shared<const SeriesHandlers>(sources);  // shared: each route's handler keeps it alive
    std::vector<net::Route> out;
    for (const Row& row : rows) {
        add_route(out, row.path, row.post, [handlers, run = row.method](net::ServerRequest request, Parameters parameters) {
            return ((*handlers).*run)(std::move(request), std::move(parameters));
        });
    }
    return out;
}

}  // namespace noroshi::api
