// src/api/query_handlers.cpp - expressions evaluated for whoever asks, within a budget of time.
#include <fmt/format.h>

#include <algorithm>

#include "answer.hpp"
#include "prometheus_handlers.hpp"

namespace noroshi::api {
namespace {

using Response = Result<net::ServerResponse>;

/// Shares the I/O thread between queries and everything else: one that took long is followed by a rest as long as it.
class Turns {
  public:
    explicit Turns(const PrometheusSources& sources) : clock_(sources.clock), timers_(sources.timers) {}

    /// Waits for a turn; false when `patience` ran out first.
    Task<bool> wait(Milliseconds patience) {
        const SteadyMs give_up = clock_.steady() + patience;
        while (clock_.steady() < free_at_) {
            const Milliseconds rest = std::min(free_at_, give_up) - clock_.steady();
            if (rest.count() <= 0 || !co_await timers_.sleep_for(rest)) {
                co_return false;
            }
        }
        co_return true;
    }
    void note(SteadyMs begin) {
        const SteadyMs now = clock_.steady();
        if (now - begin >= worth_a_rest) {
            free_at_ = now + (now - begin);
        }
    }

  private:
    static constexpr Milliseconds worth_a_rest{100};
    const Clock& clock_;
    Timers& timers_;
    SteadyMs free_at_{SteadyMs::min()};
};

Result<promql::Expression> expression_of(const Parameters& parameters, const promql::ParseOptions& options) {
    Result<promql::Expression> expression = promql::Expression::parse(parameters.get("query"), options);
    if (!expression) {
        const Error& error = expression.error();
        return invalid_parameter("query", fmt::format("{}:{}: {}", error.where.line, error.where.column, error.message));
    }
    return std::move(*expression);
}

class QueryHandlers {
  public:
    explicit QueryHandlers(Shared sources) : sources_(std::move(sources)), turns_(*sources_) {}

    Task<Response> instant(net::ServerRequest /*request*/, Parameters parameters) {
        NOROSHI_CO_TRY(const std::size_t limit, parameters.limit());
        NOROSHI_CO_TRY(const TimestampMs at, parameters.time("time", sources_->clock.now()));
        NOROSHI_CO_TRY(const Budget budget, budget_of(parameters));
        NOROSHI_CO_TRY(const promql::Expression expression, expression_of(parameters, sources_->expressions));
        co_return co_await evaluate(budget, limit, at,
                                    [&](const promql::Engine& engine) { return engine.instant(expression, at); });
    }

    Task<Response> range(net::ServerRequest /*request*/, Parameters parameters) {
        NOROSHI_CO_TRY(const std::size_t limit, parameters.limit());
        NOROSHI_CO_TRY(const promql::Steps steps, steps_of(parameters));
        NOROSHI_CO_TRY(const Budget budget, budget_of(parameters));
        NOROSHI_CO_TRY(const promql::Expression expression, expression_of(parameters, sources_->expressions));
        const promql::ValueType type = expression.type();
        if (type != promql::ValueType::vector && type != promql::ValueType::scalar) {
            co_return invalid_parameter("query", fmt::format("invalid expression type \"{}\" for range query, must be "
                                                             "Scalar or instant Vector", promql::value_type_name(type)));
        }
        co_return co_await evaluate(budget, limit, steps.end,
                                    [&](const promql::Engine& engine) { return engine.range(expression, steps); });
    }

    /// No exemplar is kept.
    Task<Response> exemplars(net::ServerRequest /*request*/, Parameters parameters) {
        NOROSHI_CO_TRY(const TimestampMs start, parameters.time("start", earliest_time));
        NOROSHI_CO_TRY(const TimestampMs end, parameters.time("end", latest_time));
        if (end < start) {
            co_return bad_data("end timestamp must not be before start timestamp");
        }
        NOROSHI_CO_TRY(const promql::Expression expression, expression_of(parameters, sources_->expressions));
        co_return data_response(Json::array());
    }

    Task<Response> format(net::ServerRequest /*request*/, Parameters parameters) {
        NOROSHI_CO_TRY(const promql::Expression expression, expression_of(parameters, sources_->expressions));
        co_return data_response(expression.to_string());
    }

  private:
    struct Budget {
        Milliseconds time{longest_evaluation};
        Milliseconds queue{longest_queue};
        Milliseconds lookback{0};  ///< 0: the engine's own
    };

    static Result<Budget> budget_of(const Parameters& parameters) {
        Budget out;
        NOROSHI_TRY(const std::optional<Milliseconds> timeout, parameters.timeout());
        if (timeout) {
            out.time = std::min(out.time, *timeout);
            out.queue = std::min(out.queue, *timeout);
        }
        if (const std::string_view text = parameters.get("lookback_delta"); !text.empty()) {
            const auto lookback = parse_step(text);
            if (!lookback) {
                return bad_data("error parsing lookback delta duration: " + lookback.error().message);
            }
            out.lookback = std::max(*lookback, Milliseconds(0));
        }
        return out;
    }

    static Result<promql::Steps> steps_of(const Parameters& parameters) {
        NOROSHI_TRY(const TimestampMs start, parameters.time("start"));
        NOROSHI_TRY(const TimestampMs end, parameters.time("end"));
        if (end < start) {
            return invalid_parameter("end", "end timestamp must not be before start time");
        }
        const auto step = parse_step(parameters.get("step"));
        if (!step) {
            return invalid_parameter("step", step.error().message);
        }
        if (step->count() <= 0) {
            return invalid_parameter("step", "zero or negative query resolution step widths are not accepted. Try a "
                                             "positive integer");
        }
        // Unsigned: the widest times are further apart than a signed number counts.
        const auto apart = static_cast<std::uint64_t>(to_unix_ms(end)) - static_cast<std::uint64_t>(to_unix_ms(start));
        if (apart / static_cast<std::uint64_t>(step->count()) > static_cast<std::uint64_t>(most_points)) {
            return bad_data("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
                            "resolution (?step=XX)");
        }
        return promql::Steps{start, end, *step};
    }

    /// Runs `query` when it is its turn. Nothing else runs meanwhile.
    template <class Query>
    Task<Response> evaluate(Budget budget, std::size_t limit, TimestampMs at, Query query) {
        if (!co_await turns_.wait(budget.queue)) {
            co_return fault_response(FaultType::timeout, "query timed out in query queue");
        }
        const Clock& clock = sources_->clock;
        const SteadyMs begin = clock.steady();
        promql::EngineOptions options = sources_->engine;
        options.gives_up = [&clock, until = begin + budget.time] { return clock.steady() >= until; };
        options.lookback_delta = budget.lookback.count() > 0 ? budget.lookback : options.lookback_delta;
        Result<promql::Answer> answer = query(promql::Engine(sources_->head, std::move(options)));
        turns_.note(begin);
        if (!answer) {
            co_return evaluation_fault(answer.error());
        }
        if (auto* vector = std::get_if<promql::Vector>(&answer->value)) {
            truncate(*vector, limit, answer->annotations);
        } else if (auto* matrix = std::get_if<promql::Matrix>(&answer->value)) {
            truncate(*matrix, limit, answer->annotations);
        }
        co_return answer_response(std::move(*answer), at);
    }

    Shared sources_;
    Turns turns_;
};

}  // namespace

std::vector<net::Route> query_routes(const Shared& sources) {
    using Method = Task<Response> (QueryHandlers::*)(net::ServerRequest, Parameters);
    static constexpr std::pair<const char*, Method> rows[] = {
        {"/api/v1/query", &QueryHandlers::instant},
        {"/api/v1/query_range", &QueryHandlers::range},
        {"/api/v1/query_exemplars", &QueryHandlers::exemplars},
        {"/api/v1/format_query", &QueryHandlers::format},
    };
    const auto handlers = std::make_shared<QueryHandlers>(sources);  // shared: each route's handler keeps it alive
    std::vector<net::Route> out;
    for (const auto& [path, method] : rows) {
        add_route(out, path, true, [handlers, run = method](net::ServerRequest request, Parameters parameters) {
            return ((*handlers).*run)(std::move(request), std::move(parameters));
        });
    }
    return out;
}

}  // namespace noroshi::api
